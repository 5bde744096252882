"""A study area into its folder, whole or not at all; and what its files hash to."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area.manifest import FILE, FILES, Findings, read_manifest
from planner.area.network import LEVEL
from planner.area.places import to_wgs84_of
from planner.errors import DataError, Fault
from planner.model import GRADES, STAGES, StudyArea
from planner.wording import Remark, plain, remark

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

DEGREE_DIGITS = 9  # a tenth of a millimetre


def write_area(
    area: StudyArea,
    folder: str | Path,
    *,
    scenarios: Mapping[str, str] | None = None,
    notes: Sequence[Remark] = (),
    elevation: Sequence[Path] | None = None,
) -> Path:
    """Write an area so that ``read_area`` gives it back; beside the target first, then in one step in its place.

    Parameters
    ----------
    folder : absent or empty
    scenarios : file name -> TOML text, into ``scenarios/``
    notes : sentences added to the area's assumptions
    elevation : height rasters to copy; None for those that the area was read with

    Returns
    -------
    The folder.

    Raises
    ------
    DataError : the folder holds something already, or is a file
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "the folder is not empty" if folder.is_dir() else "this is a file"
        raise DataError([Fault(str(folder), what, "Name a new folder, or move this one away.")])
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made = beside / folder.name
        made.mkdir()
        _write(area, made, scenarios or {}, notes, _rasters(area) if elevation is None else elevation)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _write(
    area: StudyArea, folder: Path, scenarios: Mapping[str, str], notes: Sequence[Remark], rasters: Sequence[Path]
) -> None:
    import shapely
    import tomli_w

    numbers = [f"{what}_{stage}" for what in ("seats", "pupils") for stage in STAGES]
    columns = [
        "name",
        "kind",
        "status",
        "town_id",
        "lon",
        "lat",
        "grades",
        *numbers,
        "beds",
        "annual_cost_cny",
        "assumed",
    ]
    schools = _placed(area.schools, area.crs).assign(grades=[" ".join(grades) for grades in area.schools["grades"]])
    _csv(schools[columns], folder / "schools.csv")
    demand = _placed(area.demand, area.crs).join(area.pupils)
    _csv(demand[["name", "town_id", "lon", "lat", "population", *GRADES, "assumed"]], folder / "demand.csv")
    towns = area.towns.reset_index()
    towns.geometry = shapely.transform(towns.geometry.to_numpy(), lambda xy: _degrees(area.crs, xy))
    towns = towns.set_crs("EPSG:4326", allow_override=True)
    (folder / "towns.geojson").write_text(towns.to_json(drop_id=True, ensure_ascii=False), "utf-8")
    area.roads.edges.to_parquet(folder / "roads.parquet")
    assumed = [said for said in area.assumptions if said != remark(LEVEL)]  # whoever reads it says so again
    manifest: dict[str, Any] = {"title": area.title, "crs": area.crs, "synthetic": area.synthetic}
    manifest |= {"data_date": area.data_date} if area.data_date else {}
    manifest |= {"attribution": list(area.attribution), "assumptions": [plain(said) for said in (*assumed, *notes)]}
    manifest["files"] = {
        "schools": "schools.csv",
        "demand": "demand.csv",
        "towns": "towns.geojson",
        "roads": "roads.parquet",
    }
    if rasters:  # under their own names: a .hgt tile's tells where it lies
        manifest["files"]["elevation"] = [shutil.copyfile(raster, folder / raster.name).name for raster in rasters]
    manifest["datum"] = dict.fromkeys(("schools", "demand", "towns"), "wgs84")
    (folder / FILE).write_text(tomli_w.dumps(manifest), "utf-8")
    for name, text in scenarios.items():
        (folder / "scenarios").mkdir(exist_ok=True)
        (folder / "scenarios" / Path(name).name).write_text(text, "utf-8")


def _rasters(area: StudyArea) -> list[Path]:
    """The height rasters of the folder that the area was read from."""
    manifest = read_manifest(area.folder, Findings()) if area.folder is not None else None
    return [] if manifest is None else [manifest.folder / name for name in manifest.elevation]


def _placed(frame: gpd.GeoDataFrame, crs: str) -> pd.DataFrame:
    """Points as columns ``lon`` and ``lat`` of WGS-84."""
    import pandas as pd
    import shapely

    lon, lat = _degrees(crs, shapely.get_coordinates(frame.geometry.to_numpy())).T
    return pd.DataFrame(frame.drop(columns=frame.geometry.name)).assign(lon=lon, lat=lat)


def _degrees(crs: str, xy: np.ndarray) -> np.ndarray:
    """(n, 2) degrees of WGS-84, as they are written."""
    return np.column_stack(to_wgs84_of(crs, *xy.T)).round(DEGREE_DIGITS)


def _csv(frame: pd.DataFrame, path: Path) -> None:
    """Numbers as people write them: whole ones without a point, unknown ones blank."""
    written = frame.copy()
    for column in frame.columns[frame.dtypes == np.float64]:
        written[column] = [
            "" if np.isnan(v) else str(int(v)) if v == int(v) else repr(float(v)) for v in frame[column].tolist()
        ]
    written.to_csv(path, lineterminator="\n", encoding="utf-8")


def content_hash(folder: str | Path) -> str:
    """SHA-256 over ``area.toml`` and the files it names (of a Shapefile, all its parts).

    >>> len(content_hash("data/xunyi"))
    64
    """
    return hash_of(area_files(folder))


def area_files(folder: str | Path) -> list[Path]:
    """``area.toml`` and the files it names, as far as they are there.

    >>> [path.name for path in area_files("data/xunyi")]
    ['area.toml', 'schools.csv', 'demand.csv', 'towns.geojson', 'roads.parquet']

    Raises
    ------
    DataError : it is no area folder
    """
    found = Findings()
    manifest = read_manifest(Path(folder), found)
    if manifest is None:
        raise DataError(found.faults)
    named = [manifest.path(name) for name in FILES if name in manifest.files]
    named += [Path(folder) / name for name in manifest.elevation]
    return [Path(folder) / FILE, *(path for path in named if path.is_file())]


def parts_of(path: Path) -> list[Path]:
    """The file itself; of a Shapefile, all its parts."""
    return sorted(path.parent.glob(f"{escape(path.stem)}.*")) if path.suffix.lower() == ".shp" else [path]


def hash_of(paths: Sequence[Path]) -> str:
    """SHA-256 over files, by name and content; of a Shapefile, all its parts."""
    digest = hashlib.sha256()
    for path in paths:
        for part in parts_of(path):
            content = part.read_bytes()
            digest.update(f"{part.name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()
