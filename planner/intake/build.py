"""A study area from an OpenStreetMap extract and whatever tables the bureau has; what is assumed is said."""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from planner.area import projected_crs, read_area, write_area
from planner.beside import Beside, in_turn
from planner.errors import DataError, Fault
from planner.intake.network import ROADS_AROUND_M, clip
from planner.intake.question import default_scenario
from planner.intake.schools import kinds_that_are_needed, only_taught, school_table
from planner.intake.seats import seats_from_pupils
from planner.intake.settlements import demand_points
from planner.intake.towns import town_polygons
from planner.model import StudyArea
from planner.roads import from_ways
from planner.sources.elevation import SUFFIXES, is_elevation
from planner.sources.osm import OsmExtract, Tagged, extract_of, read_objects, read_osm
from planner.wording import Label

READ_BESIDE_BYTES = 50_000_000
"""A larger extract is read by one process alone: what another hands over is held twice."""


def new_area(
    folder: str | Path,
    *,
    osm: str | Path | None = None,
    place: str | None = None,
    towns: str | Path | None = None,
    demand: str | Path | None = None,
    schools: str | Path | None = None,
    population: str | Path | None = None,
    elevation: str | Path | Sequence[str | Path] = (),
    datum: str = "wgs84",
    title: str = "",
    beside: Beside = in_turn,
) -> StudyArea:
    """Build a study-area folder with a runnable ``scenarios/default.toml``.

    Roads always come from OSM. Schools, settlements and towns come from the tables given, else from OSM; demand points
    may be clustered from a population raster. ``assumptions`` of the area lists what had to be assumed.

    Parameters
    ----------
    osm, place : an extract's file, or the name of a place to fetch (exactly one)
    towns, demand, schools : the bureau's own tables (CSV, XLSX, GeoPackage, GeoJSON, Shapefile, GeoParquet)
    population : raster of people
    elevation : height rasters (SRTM .hgt or .hgt.zip under its own name, GeoTIFF), copied into the folder
    datum : of the tables given
    beside : begins some work in another process and gives what will wait for its bytes; by default one does it all

    Raises
    ------
    DataError : every fault of every input; nothing is written then
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError([Fault(str(folder), "it exists already", "Name a new folder, or remove it.")])
    if demand is not None and population is not None:
        raise DataError([Fault(str(population), "demand is given twice, as a table and a raster", "Give one.")])
    extract_of_osm = _begin_to_read(osm, beside) if osm is not None and towns is None else None
    with tempfile.TemporaryDirectory() as draft_name:
        draft = Path(draft_name) / (target.name or "area")
        draft.mkdir()
        files: dict[str, Any] = {}
        datums: dict[str, str] = {}
        labels: dict[str, str] = {}
        for word, path in (("towns", towns), ("demand", demand), ("schools", schools)):
            if path is not None:
                files[word], datums[word] = _copy(Path(path), draft, word), datum
                labels[str(draft / files[word])] = str(path)
        rasters = [Path(elevation)] if isinstance(elevation, str | Path) else [Path(raster) for raster in elevation]
        if rasters:
            files["elevation"] = [_copy_raster(raster, draft) for raster in rasters]
            labels |= {str(draft / raster.name): str(raster) for raster in rasters}
        outline = _outline_of(draft, files, datums, towns) if towns is not None else None
        extract = extract_of_osm() if extract_of_osm else _extract(osm, place, outline)
        said: list[Label] = list(extract.doubts)
        if outline is None:
            polygons, note = town_polygons(extract)
            said.append(note)
            if polygons is not None:
                outline = polygons.union_all()
                (draft / "towns.geojson").write_text(polygons.to_json(drop_id=True, ensure_ascii=False), "utf-8")
                files["towns"] = "towns.geojson"
        lon, lat = _middle(extract, outline)
        crs = projected_crs(np.array([lon]), np.array([lat]))
        if demand is None:
            points = demand_points(extract, population, outline, said)
            points.to_csv(draft / "demand.csv", index=False)
            files["demand"] = "demand.csv"
        if schools is None:
            listed = school_table(extract, outline, said)
            listed.to_csv(draft / "schools.csv", index=False)
            files["schools"] = "schools.csv"
        roads = clip(from_ways(extract.ways, crs), crs, outline, said)
        files["roads"] = "roads.parquet"
        document = {
            "title": title or place or target.name,
            "crs": crs,
            "data_date": extract.date,
            "attribution": ["© OpenStreetMap contributors, ODbL"],
            "assumptions": [],
            "files": files,
            "datum": datums,
        }
        import tomli_w

        (draft / "area.toml").write_text(tomli_w.dumps(document), "utf-8")
        try:
            area = read_area(draft, roads=roads)
        except DataError as error:  # named as the user named the files
            raise DataError(
                dataclasses.replace(fault, file=labels.get(fault.file, fault.file)) for fault in error.faults
            ) from None
    area = kinds_that_are_needed(area, said) if schools is None else area
    area = only_taught(area, said)
    area = seats_from_pupils(area, said, beside)
    area = dataclasses.replace(area, assumptions=(*area.assumptions, *said))
    write_area(area, target, scenarios={"default.toml": default_scenario(area)}, elevation=rasters)
    return read_area(target, roads=roads)


def _begin_to_read(osm: str | Path, beside: Beside) -> Callable[[], OsmExtract]:
    """Read an extract in another process while this one loads its libraries."""
    file = Path(osm)
    if beside is in_turn or not file.is_file() or file.stat().st_size > READ_BESIDE_BYTES:
        return lambda: read_osm(osm)
    import pyarrow.compute  # noqa: F401 - both processes need these two
    import shapely  # noqa: F401

    objects = beside(lambda: read_objects(osm).to_bytes())
    import geopandas  # noqa: F401 - and pandas
    import scipy.sparse.csgraph  # noqa: F401

    return lambda: extract_of(Tagged.of_bytes(objects()))


def _extract(osm: str | Path | None, place: str | None, outline: Any) -> OsmExtract:
    """The extract; of a file much wider than the outline, only the roads round it."""
    if osm is not None:
        return read_osm(osm, box=None if outline is None else _around(outline))
    from planner.sources.live import read_place

    return read_place(place or "")


def _around(outline: Any) -> tuple[float, float, float, float]:
    """The box, in degrees, of all that ``clip`` may keep and some more."""
    west, south, east, north = outline.bounds
    lat = 2 * ROADS_AROUND_M / 111_000
    lon = lat / np.cos(np.radians(min(max(abs(south), abs(north)), 85)))
    return west - lon, south - lat, east + lon, north + lat


def _copy(path: Path, draft: Path, word: str) -> str:
    """The user's file (and a shapefile's companions) under a plain name in the draft."""
    if not path.is_file():
        raise DataError([Fault(str(path), "there is no such file", "Check the path.")])
    for near in path.parent.glob(f"{_glob_safe(path.stem)}.*") if path.suffix.lower() == ".shp" else [path]:
        shutil.copy(near, draft / f"{word}{near.suffix.lower()}")
    return f"{word}{path.suffix.lower()}"


def _copy_raster(path: Path, draft: Path) -> str:
    """The user's height raster under its own name, which tells where a .hgt tile lies."""
    if (draft / path.name).exists():
        raise DataError([Fault(str(path), "it is given twice", "Give every tile once.")])
    if not path.is_file():
        raise DataError([Fault(str(path), "there is no such file", "Check the path.")])
    if not is_elevation(path.name):
        raise DataError([Fault(str(path), "it is no height raster by its name", f"Give {', '.join(SUFFIXES)}.")])
    return shutil.copyfile(path, draft / path.name).name


def _glob_safe(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _outline_of(draft: Path, files: dict[str, str], datums: dict[str, str], given: str | Path) -> Any:
    """The union of the towns' polygons, WGS-84."""
    import geopandas as gpd

    from planner.sources.datum import to_wgs84
    from planner.sources.files import read_table

    raw = read_table(draft / files["towns"])
    if raw.geometry is None:
        raise DataError([Fault(str(given), "it has no polygons", "Give towns as GeoPackage, GeoJSON or Shapefile.")])
    shapes = gpd.GeoSeries(raw.geometry, crs=raw.crs or "EPSG:4326").to_crs("EPSG:4326").make_valid()
    union = shapes.union_all()
    if datums["towns"] in ("gcj02", "bd09"):
        import shapely

        union = shapely.transform(union, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datums["towns"])))
    return union


def _middle(extract: OsmExtract, outline: Any) -> tuple[float, float]:
    if outline is not None:
        west, south, east, north = outline.bounds
        return float(west + east) / 2, float(south + north) / 2
    lon, lat = np.median(extract.ways.lonlat, axis=0)
    return float(lon), float(lat)
