"""Reads and writes a study-area folder: the only door to ``data/``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.area.doubts import datum_that_fits, find_doubts, find_missing
from planner.area.layers import layer_sha256, read_layer
from planner.area.manifest import Findings, Manifest, read_manifest
from planner.area.network import load_roads
from planner.area.people import add_word, pupils_of, school_frame
from planner.area.places import (
    Source,
    check_far,
    load,
    project,
    town_ids,
    town_polygons,
    towns_of_points,
)
from planner.area.repairs import find_repairs
from planner.area.store import area_files, content_hash, parts_of, write_area
from planner.errors import DataError, Fault
from planner.model import Roads, StudyArea
from planner.sources.datum import projected_crs
from planner.wording import remark

__all__ = [
    "AreaReport",
    "area_files",
    "check_area",
    "content_hash",
    "datum_that_fits",
    "find_repairs",
    "layer_sha256",
    "parts_of",
    "projected_crs",
    "read_area",
    "read_layer",
    "write_area",
]


@dataclass(frozen=True)
class AreaReport:
    """What ``check_area`` found.

    Parameters
    ----------
    area : None where there is a fault
    faults : what must be repaired before anything is planned
    doubts : what should be looked at
    missing : what is missing for which feature, in sentences
    """

    area: StudyArea | None
    faults: tuple[Fault, ...]
    doubts: tuple[Fault, ...]
    missing: tuple[str, ...]


def read_area(folder: str | Path, *, roads: Roads | None = None) -> StudyArea:
    """The study area of a folder.

    Parameters
    ----------
    roads : the network, in the area's CRS, where it is at hand: the folder's own is not read then

    Raises
    ------
    DataError : with every fault of every file, found in one pass

    >>> area = read_area("data/xunyi")
    >>> area.crs, len(area.towns), int(area.pupils.sum(axis=None))
    ('EPSG:4545', 10, 22700)
    """
    found = Findings()
    manifest = read_manifest(Path(folder), found)
    read = _assemble(manifest, found, roads) if manifest is not None else None
    if read is None or found.faults:
        raise DataError(dict.fromkeys(found.faults))
    return read.area


def check_area(folder: str | Path) -> AreaReport:
    """Every fault and doubt of a folder, and what is missing for which feature.

    >>> check_area("data/xunyi").faults
    ()
    """
    found = Findings()
    manifest = read_manifest(Path(folder), found)
    read = _assemble(manifest, found) if manifest is not None else None
    if read is not None:
        found.doubts.extend(find_doubts(read.area, read.schools, read.demand))
        find_missing(read.area, found, towns_drawn=read.towns_drawn, heights=read.heights)
    faults = tuple(dict.fromkeys(found.faults))
    area = None if faults or read is None else read.area
    return AreaReport(area, faults, tuple(dict.fromkeys(found.doubts)), tuple(found.missing))


@dataclass(frozen=True)
class _Read:
    """An area, the tables it came from, and whether its towns were drawn and its heights given."""

    area: StudyArea
    schools: Source
    demand: Source
    towns_drawn: bool
    heights: bool


def _assemble(manifest: Manifest, found: Findings, roads: Roads | None = None) -> _Read | None:
    """The area; None where a fault leaves nothing to build on. Goes on past faults to find the others."""
    schools = load(manifest, "schools", found, placed=True)
    demand = load(manifest, "demand", found, placed=True)
    drawn = load(manifest, "towns", found)
    pupils, totals = (load(manifest, name, found) for name in ("pupils", "totals"))
    crs = manifest.crs or _crs_of(schools, demand)
    roads = load_roads(manifest, crs, found, roads) if crs else None
    if schools is None or demand is None or not crs or ("towns" in manifest.files and drawn is None):
        return None
    school_xy, demand_xy = (project(source.lon, source.lat, crs) for source in (schools, demand))
    if drawn is not None:
        towns = town_polygons(drawn, crs, found)
        check_far(schools, school_xy, towns, found)
        check_far(demand, demand_xy, towns, found)
    else:
        given = [*demand.frame["town_id"], *schools.frame["town_id"]]
        towns = towns_of_points(given, np.concatenate([demand_xy, school_xy]), crs)
        found.assumptions.append(remark("area.towns_drawn"))
    if demand.frame["demand_id"].duplicated().any() or not towns.index.is_unique or not len(demand.frame):
        return None  # a fault by now; past any other one, towns and pupils are still checked
    people = demand.frame[["population"]].assign(town_id=town_ids(demand, demand_xy, towns, found))
    people.index = _index(demand, "demand_id")
    school_towns = town_ids(schools, school_xy, towns, found)
    count, assumed = pupils_of(demand, pupils, totals, people, towns, found)
    if found.faults or roads is None:
        return None
    names = np.where(demand.frame["name"] == "", demand.frame["demand_id"], demand.frame["name"])
    words = demand.frame["assumed"].to_numpy(dtype=object)
    area = StudyArea(
        area_id=manifest.folder.resolve().name,
        title=manifest.title,
        crs=crs,
        schools=_points(school_frame(schools, school_towns), school_xy, crs),
        demand=_points(
            people.assign(name=names, assumed=add_word(words, "pupils") if assumed else words)[
                ["name", "town_id", "population", "assumed"]
            ],
            demand_xy,
            crs,
        ),
        pupils=count,
        towns=towns,
        roads=roads,
        synthetic=manifest.synthetic,
        data_date=manifest.data_date,
        attribution=manifest.attribution,
        assumptions=tuple(dict.fromkeys((*manifest.assumptions, *found.assumptions))),
        folder=manifest.folder,
        content_hash=content_hash(manifest.folder),
    )
    return _Read(area, schools, demand, drawn is not None, bool(manifest.elevation))


def _crs_of(schools: Source | None, demand: Source | None) -> str:
    """The projected system the places call for; ``""`` where no place is known."""
    sources = [source for source in (demand, schools) if source is not None]
    lon, lat = (np.concatenate([getattr(s, axis) for s in sources] or [np.zeros(0)]) for axis in ("lon", "lat"))
    return projected_crs(lon, lat) if np.isfinite(lon).any() else ""


def _index(source: Source, name: str) -> Any:
    import pandas as pd

    return pd.Index(source.frame[name], name=name, dtype=object)


def _points(frame: Any, xy: np.ndarray, crs: str) -> Any:
    import geopandas as gpd
    import shapely

    return gpd.GeoDataFrame(frame, geometry=shapely.points(xy), crs=crs)
