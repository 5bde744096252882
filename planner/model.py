"""The frozen types every rung speaks in. No files are read here and nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from planner.wording import Remark

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import xarray as xr

KINDERGARTEN_GRADES = ("k1", "k2", "k3")
PRIMARY_GRADES = ("g1", "g2", "g3", "g4", "g5", "g6")
JUNIOR_GRADES = ("g7", "g8", "g9")
GRADES = KINDERGARTEN_GRADES + PRIMARY_GRADES + JUNIOR_GRADES

STAGES = ("kindergarten", "primary", "junior")
"""Grades that share seats."""

BANDS = ("kindergarten", "lower_primary", "upper_primary", "junior")
"""Grades with one travel norm."""

BAND_GRADES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kindergarten": KINDERGARTEN_GRADES,
        "lower_primary": ("g1", "g2", "g3"),
        "upper_primary": ("g4", "g5", "g6"),
        "junior": JUNIOR_GRADES,
    }
)
BAND_STAGE: Mapping[str, str] = MappingProxyType(
    {
        "kindergarten": "kindergarten",
        "lower_primary": "primary",
        "upper_primary": "primary",
        "junior": "junior",
    }
)
KIND_GRADES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kindergarten": KINDERGARTEN_GRADES,
        "central_kindergarten": KINDERGARTEN_GRADES,
        "teaching_point": PRIMARY_GRADES,
        "village_primary": PRIMARY_GRADES,
        "central_primary": PRIMARY_GRADES,
        "junior_middle": JUNIOR_GRADES,
        "nine_year": PRIMARY_GRADES + JUNIOR_GRADES,
    }
)
"""Kinds of school and the grades each teaches unless its row says otherwise."""

ROAD_MODES = ("walk", "bicycle", "ebike", "bus", "car")
"""Ways to go along a road: each may use some roads and not others."""

MODES = ("walk", "bicycle", "ebike", "bus", "walk_bus", "car")
"""Ways to school; ``ebike`` is an e-bike or motorcycle as its passenger, ``bus`` a school bus that runs direct,
``walk_bus`` on foot to a stop, by bus to another, on foot to school."""

BUS_MODES = ("bus", "walk_bus")
"""Modes that wait for a bus and pay for it."""

ROAD_CLASSES = (
    *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"),
    *("secondary", "secondary_link", "tertiary", "tertiary_link"),
    *("unclassified", "residential", "living_street", "service", "road"),
    *("track", "path", "footway", "pedestrian", "bridleway", "steps", "cycleway"),
)
"""OSM's values of ``highway`` that a network may hold."""

SURFACES = (
    *("paved", "asphalt", "concrete", "concrete:lanes", "concrete:plates", "chipseal", "paving_stones", "sett"),
    *("cobblestone", "unhewn_cobblestone", "bricks", "metal", "wood", "compacted", "fine_gravel", "gravel"),
    *("pebblestone", "unpaved", "ground", "dirt", "earth", "grass", "grass_paver", "rock", "stepping_stones"),
    *("sand", "mud", "snow", "ice"),
)
"""OSM's values of ``surface`` that a speed may depend on."""

ACTIONS = ("keep", "close", "merge", "expand", "convert", "open", "none")
"""``none``: a candidate site that is not opened."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A road network in the area's projected CRS.

    Parameters
    ----------
    edges : LineString geometry from ``from_node`` to ``to_node`` (metres); columns ``from_node``,
        ``to_node`` (rows of ``nodes``), ``road_class`` (OSM highway value), ``surface`` (OSM value or ""),
        ``maxspeed_kmh`` (NaN unknown), ``oneway`` (0 both ways, 1 with the line, -1 against it; for vehicles),
        ``walk``, ``bicycle``, ``bus`` (may the mode use it), ``length_m`` (> = 0), ``name`` (may be "");
        index 0..n-1. Columns that may be absent, which is unknown: ``ebike``, ``car``, ``width_m`` and ``lanes``
        (as tagged, NaN unknown), ``off_ground`` (on a bridge or in a tunnel), ``bend_share`` (share of its length in
        sharp bends), and those that ``planner.roads.slope`` adds
    nodes : columns ``x``, ``y`` (metres); index 0..n-1
    """

    edges: gpd.GeoDataFrame
    nodes: pd.DataFrame

    @property
    def ends(self) -> np.ndarray:
        """(n_edge, 2) int64, the first and the last node of every edge.

        >>> tiny.area.roads.ends.tolist()
        [[0, 1], [1, 2], [2, 3]]
        """
        import numpy as np

        # Column by column: a frame of two columns made from one with geometry takes 4 ms however small it is.
        return np.column_stack([self.edges[node].to_numpy(dtype=np.int64) for node in ("from_node", "to_node")])


@dataclass(frozen=True, eq=False)
class StudyArea:
    """Schools, demand points, roads and towns in one projected CRS.

    Parameters
    ----------
    area_id, title : folder name and the name shown to people
    crs : projected CRS in metres, ``"EPSG:4545"``
    schools : points, index ``school_id``; columns ``name``, ``kind``, ``status`` (existing, candidate),
        ``town_id``, ``grades`` (tuple of grade words), ``seats_<stage>`` (float, NaN unknown),
        ``pupils_<stage>`` (enrolment, float, NaN unknown), ``beds``, ``annual_cost_cny`` (float, NaN unknown),
        ``assumed`` (str: space-separated columns that were assumed, "" none)
    demand : points, index ``demand_id``; columns ``name``, ``town_id``, ``population`` (float, NaN unknown),
        ``assumed``
    pupils : demand_id x the twelve words of ``GRADES``, int64
    towns : polygons (may be empty polygons where unknown), index ``town_id``; column ``name``
    roads : the road network
    synthetic : drawn, not surveyed; shown on every map
    data_date : ISO date or "" when unknown
    attribution : one line each, shown on every map
    assumptions : what had to be assumed, in both languages or in the user's own words
    folder : where it was read from, None for an area made in memory
    content_hash : SHA-256 of the area's files
    public : its numbers of pupils are rounded so that they give no child away (``planner.privacy``)
    """

    area_id: str
    title: str
    crs: str
    schools: gpd.GeoDataFrame
    demand: gpd.GeoDataFrame
    pupils: pd.DataFrame
    towns: gpd.GeoDataFrame
    roads: Roads
    synthetic: bool = False
    data_date: str = ""
    attribution: tuple[str, ...] = ()
    assumptions: tuple[Remark, ...] = ()
    folder: Path | None = None
    content_hash: str = ""
    public: bool = False


@dataclass(frozen=True, eq=False)
class Trips:
    """Trips as plain arrays (n_band, n_demand, n_school), and the ids along them.

    Parameters
    ----------
    minutes : one way, door to door, float64; NaN = no way
    km : along that way; NaN = no way
    mode : which of ``TravelTimes.modes``; -1 = no way
    band, demand, school : ids as strings
    """

    minutes: np.ndarray
    km: np.ndarray
    mode: np.ndarray
    band: np.ndarray
    demand: np.ndarray
    school: np.ndarray

    def labelled(self) -> xr.Dataset:
        """With labels: importing xarray takes longer than most uses of the arrays."""
        import xarray as xr

        tables = {name: (TRIP_IDS, getattr(self, name)) for name in TRIP_TABLES}
        return xr.Dataset(tables, coords={dim: getattr(self, dim) for dim in TRIP_IDS})

    @classmethod
    def of(cls, data: xr.Dataset) -> Trips:
        """Without labels."""
        return cls(*(data[name].to_numpy() for name in (*TRIP_TABLES, *TRIP_IDS)))


TRIP_TABLES, TRIP_IDS = ("minutes", "km", "mode"), ("band", "demand", "school")


@dataclass(frozen=True)
class TravelTimes:
    """Trips to school by the quickest mode each band may use.

    Parameters
    ----------
    trips : of every band from every demand point to every school; whether the school teaches the band is not asked
    modes : mode words
    off_network : ids of demand points and schools that no usable road reaches, with the reason in words
    """

    trips: Trips
    modes: tuple[str, ...]
    off_network: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    from_cache: bool = False

    @cached_property
    def data(self) -> xr.Dataset:
        """``trips`` with labels: dims (band, demand, school), the ids as coordinates."""
        return self.trips.labelled()


@dataclass(frozen=True)
class Rooted:
    """What a plan was made from: hashes and versions, as written to ``plan.json``."""

    scenario_sha256: str = ""
    area_sha256: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
