"""Where the network is broken, and which repair would give most pupils a way: roads alone, no travel times."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.model import BAND_GRADES, BANDS, Roads, StudyArea
from planner.roads import EXPRESSWAY, components, find_gaps, mode_parts
from planner.sources.datum import transformer

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

REACH_M = 2000.0
"""A place reaches every road this near (``travel.max_access_m`` where a scenario says nothing else)."""
MENDABLE = ("track", "path")
"""Classes of road that may be made passable to buses."""
MODES_ASKED = ("walk", "bus")
COLUMNS = ("kind", "lon", "lat", "to_lon", "to_lat", "metres", "pupils", "on_foot", "by_bus", "edges")


@dataclass(frozen=True)
class Repair:
    """One thing to mend.

    Parameters
    ----------
    kind : ``gap`` (a dead end that nearly touches), ``island`` (a part of the network at its nearest approach to the
        main part), ``track`` (roads that only tracks join, the shortest way over tracks to the main part)
    begin, end : (x, y) metres, from where to where
    metres : length of road to make
    edges : rows of the area's roads: the two that are joined, or the tracks to mend
    joined : by mode the parts that hang together afterwards
    """

    kind: str
    begin: tuple[float, float]
    end: tuple[float, float]
    metres: float
    edges: tuple[int, ...]
    joined: dict[str, tuple[int, ...]]


def find_repairs(area: StudyArea) -> pd.DataFrame:
    """Every repair of the network, by pupils who would gain a way by it.

    A pupil gains a way, on foot or by bus, when a road within 2 km of home leads to a school of the band and none did
    before, or leads to the main part of the network and none did before. One repair at a time is looked at; bridges,
    one-way streets and how long the way would be are not.

    Returns
    -------
    Columns ``kind, lon, lat, to_lon, to_lat`` (from and to, WGS-84), ``metres`` (of road to make), ``pupils`` (who gain
    a way by either mode), ``on_foot, by_bus``, ``edges`` (rows of the area's roads); most pupils first, then shortest

    >>> len(find_repairs(tiny.area))
    0
    """
    import pandas as pd

    edges, gaps = area.roads.edges, find_gaps(area.roads)
    parts = {mode: mode_parts(area.roads, mode) for mode in MODES_ASKED}
    start = edges["from_node"].to_numpy()
    labels = {mode: np.where(edges[mode].to_numpy(dtype=bool), part[start], -1) for mode, part in parts.items()}
    found = [*_gaps(gaps, labels), *_islands(area.roads, gaps, labels), *_tracks(area.roads, parts["bus"])]
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    ways = {mode: _ways(area, label, mode) for mode, label in labels.items()}
    band_pupils = np.stack([area.pupils[list(BAND_GRADES[band])].sum(axis=1).to_numpy() for band in BANDS], axis=1)
    gains = [[ways[mode].gain(repair.joined.get(mode, ())) for mode in MODES_ASKED] for repair in found]
    pupils = [[int(band_pupils[g].sum()) for g in (foot | bus, foot, bus)] for foot, bus in gains]
    to_degrees = transformer(area.crs, "EPSG:4326")
    begin, end = (np.array([getattr(repair, tip) for repair in found]) for tip in ("begin", "end"))
    table = pd.DataFrame({"kind": [repair.kind for repair in found]})
    table["lon"], table["lat"] = (np.round(axis, 6) for axis in to_degrees.transform(*begin.T))
    table["to_lon"], table["to_lat"] = (np.round(axis, 6) for axis in to_degrees.transform(*end.T))
    table["metres"] = [round(repair.metres, 1) for repair in found]
    table[["pupils", "on_foot", "by_bus"]] = pupils
    table["edges"] = [repair.edges for repair in found]
    return table.sort_values(["pupils", "metres"], ascending=[False, True], kind="stable", ignore_index=True)


# ---------------------------------------------------------------- what could be mended


def _joined(labels: dict[str, np.ndarray], one: int, other: int) -> dict[str, tuple[int, ...]]:
    """By mode the parts of two edges, where it may use both.

    Parameters
    ----------
    labels : by mode the part of every edge, -1 where the mode may not use it
    """
    both = {mode: tuple({int(label[one]), int(label[other])}) for mode, label in labels.items()}
    return {mode: two for mode, two in both.items() if min(two) >= 0}


def _gaps(gaps: pd.DataFrame, labels: dict[str, np.ndarray]) -> Iterator[Repair]:
    columns = ("own", "edge", "metres", "x", "y", "to_x", "to_y")
    for own, edge, metres, x, y, to_x, to_y in zip(*(gaps[c].tolist() for c in columns), strict=True):
        yield Repair("gap", (x, y), (to_x, to_y), metres, (own, edge), _joined(labels, own, edge))


def _islands(roads: Roads, gaps: pd.DataFrame, labels: dict[str, np.ndarray]) -> Iterator[Repair]:
    """Parts that people can walk on, at their nearest approach to the main part, where no gap joins the two."""
    import shapely

    edges, lines = roads.edges, roads.edges.geometry.to_numpy()
    part = components(roads)[edges["from_node"].to_numpy()]
    touching = set(gaps["part"][gaps["to_part"] == 0]) | set(gaps["to_part"][gaps["part"] == 0])
    walk = edges["walk"].to_numpy(dtype=bool)
    main = np.flatnonzero(walk & (part == 0))
    island = np.flatnonzero(walk & (part > 0) & ~np.isin(part, list(touching)))
    if not len(main) or not len(island):
        return
    (which, near), away = shapely.STRtree(lines[main]).query_nearest(
        lines[island], return_distance=True, all_matches=False
    )
    order = np.lexsort((away, part[island[which]]))
    order = order[np.unique(part[island[which]][order], return_index=True)[1]]
    for i in order.tolist():
        one, other = int(island[which[i]]), int(main[near[i]])
        begin, end = shapely.get_coordinates(shapely.shortest_line(lines[one], lines[other])).tolist()
        joined = _joined(labels, one, other)
        yield Repair("island", tuple(begin), tuple(end), float(away[i]), (one, other), joined)


def _tracks(roads: Roads, part: np.ndarray) -> Iterator[Repair]:
    """Parts of the bus's network, each with the shortest way over tracks to the main part.

    Parameters
    ----------
    part : (n_node,) as ``mode_parts``; a node that no bus comes to is a part of its own
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    edges, size = roads.edges, int(part.max()) + 1
    bus = edges["bus"].to_numpy(dtype=bool)
    mend = np.flatnonzero(~bus & edges["road_class"].isin(MENDABLE).to_numpy())
    ends = np.sort(part[edges[["from_node", "to_node"]].to_numpy()[mend]], axis=1)
    length = edges["length_m"].to_numpy()
    order = np.lexsort((length[mend], ends[:, 1], ends[:, 0]))
    order = order[ends[order, 0] < ends[order, 1]]
    order = order[np.append(True, (np.diff(ends[order], axis=0) != 0).any(axis=1))[: len(order)]]
    edge_of = dict(zip(map(tuple, ends[order].tolist()), mend[order].tolist(), strict=True))
    graph = csr_array((length[mend[order]], ends[order].T), shape=(size, size))
    metres, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    driven = np.unique(part[edges["from_node"].to_numpy()[bus]])
    with_buses = set(driven.tolist())
    xy = roads.nodes[["x", "y"]].to_numpy()
    for begin in driven[np.isfinite(metres[driven]) & (driven > 0)].tolist():
        chain = [begin]
        while chain[-1] != 0:
            chain.append(int(before[chain[-1]]))
        rows = [edge_of[min(pair), max(pair)] for pair in itertools.pairwise(chain)]
        joined = tuple(p for p in chain if p in with_buses)
        tips = []
        for row, at in ((rows[0], begin), (rows[-1], 0)):
            ends_of = edges[["from_node", "to_node"]].to_numpy()[row]
            tips.append(tuple(xy[ends_of[0] if part[ends_of[0]] == at else ends_of[1]].tolist()))
        yield Repair("track", tips[0], tips[1], float(metres[begin]), tuple(rows), {"bus": joined})


# ---------------------------------------------------------------- who would gain


@dataclass(frozen=True, eq=False)
class Ways:
    """What places reach by one mode.

    Parameters
    ----------
    near : by part, other than the main one, the rows of the demand points that reach it
    main : (n_demand,) reaches the main part
    taught : by part, other than the main one, (n_band,) a school beside it teaches the band
    taught_on_main : (n_band,)
    school : (n_demand, n_band) reaches a school of the band
    """

    near: dict[int, list[int]]
    main: np.ndarray
    taught: dict[int, np.ndarray]
    taught_on_main: np.ndarray
    school: np.ndarray

    def gain(self, joined: Sequence[int]) -> np.ndarray:
        """(n_demand, n_band) bool, who gains a way when these parts are joined."""
        gain = np.zeros_like(self.school)
        if len(joined) < 2:
            return gain
        none = np.zeros(len(self.taught_on_main), dtype=bool)
        with_main = 0 in joined
        taught = np.any([self.taught_on_main if p == 0 else self.taught.get(p, none) for p in joined], axis=0)
        here = np.zeros(len(self.main), dtype=bool)
        here[[row for p in joined if p for row in self.near.get(p, ())]] = True
        gain[here] = ~self.school[here] & taught
        if with_main:
            gain[self.main] |= ~self.school[self.main] & taught
            gain[here & ~self.main] = True
        return gain


def _ways(area: StudyArea, label: np.ndarray, mode: str) -> Ways:
    """Where places stand before anything is mended; ``label`` as in ``_joined``."""
    if mode == "bus":  # it stops nowhere on an expressway
        label = np.where(area.roads.edges["road_class"].isin(EXPRESSWAY), -1, label)
    main, near = reached(area.demand, area.roads, label)
    school_main, school_near = reached(area.schools, area.roads, label)
    existing = (area.schools["status"] != "candidate").to_numpy()
    teaches = np.array([[set(BAND_GRADES[b]) <= set(grades) for b in BANDS] for grades in area.schools["grades"]])
    teaches = teaches.reshape(-1, len(BANDS)) & existing[:, None]
    taught = {p: teaches[rows].any(axis=0) for p, rows in school_near.items()}
    on_main = teaches[school_main].any(axis=0)
    school = main[:, None] & on_main
    for p, rows in near.items():
        school[rows] |= taught.get(p, np.zeros(len(BANDS), dtype=bool))
    return Ways(near, main, taught, on_main, school)


def reached(places: gpd.GeoDataFrame, roads: Roads, label: np.ndarray) -> tuple[np.ndarray, dict[int, list[int]]]:
    """Which parts of the network have a road within 2 km of each place.

    Parameters
    ----------
    label : (n_edge,) the part of every edge, 0 the main one, -1 where it does not count

    Returns
    -------
    (n_place,) the main part does; and by other part the rows of the places it is near to
    """
    import shapely

    points, lines = places.geometry.to_numpy(), roads.edges.geometry.to_numpy()
    main = np.zeros(len(points), dtype=bool)
    main[shapely.STRtree(lines[label == 0]).query_nearest(points, max_distance=REACH_M, all_matches=False)[0]] = True
    others = np.flatnonzero(label > 0)
    who, which = shapely.STRtree(lines[others]).query(points, predicate="dwithin", distance=REACH_M)
    near: dict[int, list[int]] = {}
    for row, part in np.unique(np.column_stack([who, label[others[which]]]), axis=0).tolist():
        near.setdefault(part, []).append(row)
    return main, near
