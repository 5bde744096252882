"""A network from OSM ways, or from plain lines that share vertices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import ROAD_MODES, Roads
from planner.roads.bends import bends_along
from planner.roads.tags import CLASSES, NOT_YET, features
from planner.sources.arrow import freed_at_once
from planner.sources.datum import transformer
from planner.sources.osm import WAY_TAGS, Ways
from planner.sources.words import Words

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

EDGE_COLUMNS = (
    "from_node",
    "to_node",
    "road_class",
    "surface",
    "maxspeed_kmh",
    "oneway",
    *ROAD_MODES,
    "width_m",
    "lanes",
    "off_ground",
    "bend_share",
    "length_m",
    "name",
)

LINES_AT_ONCE = 1_000

MAY_BE_ABSENT = ("ebike", "car", "width_m", "lanes", "off_ground", "bend_share")
"""Columns that networks of an earlier version lack."""


def from_lines(lines: gpd.GeoDataFrame, crs: str) -> Roads:
    """A network from plain lines: two lines meet where they share a vertex (to a centimetre).

    Columns that are read where they exist, by their OSM names: ``highway`` (or ``road_class``, ``fclass``; a class
    that OSM does not know is ``unclassified``), ``oneway`` (also F, T, B as shapefile exports
    write it), ``maxspeed``, ``surface``, ``access``, ``name``. Empty and other than line geometries are left out.
    """
    import pandas as pd
    import shapely

    given = lines.set_geometry(lines.geometry.force_2d()).to_crs(crs).explode(ignore_index=True)
    given = given[(given.geom_type == "LineString") & ~given.is_empty].reset_index(drop=True)
    named = {str(column).lower(): column for column in given.columns}
    tags = pd.DataFrame("", index=given.index, columns=list(WAY_TAGS))
    for key, aliases in {
        "highway": ("highway", "road_class", "fclass"),
        "maxspeed": ("maxspeed", "maxspeed_kmh"),
    }.items():
        for alias in reversed(aliases):
            if alias in named:
                tags[key] = given[named[alias]].astype("string").fillna("").to_numpy(dtype=object)
    for key in set(WAY_TAGS) - {"highway", "maxspeed"}:
        if key in named:
            tags[key] = given[named[key]].astype("string").fillna("").to_numpy(dtype=object)
    named_so = tags["highway"].isin(CLASSES | NOT_YET)
    tags["highway"] = tags["highway"].where(named_so, "unclassified")  # 县道, or no class at all
    tags["oneway"] = tags["oneway"].replace({"F": "yes", "T": "-1", "B": "no", "0": "no"})
    xy, way = shapely.get_coordinates(given.geometry.to_numpy(), return_index=True)
    vertex = np.unique(np.round(xy * 100).astype(np.int64), axis=0, return_inverse=True)[1].ravel()
    first = np.searchsorted(way, np.arange(len(given) + 1))
    return _network({key: Words.of(tags[key]) for key in WAY_TAGS}, first, vertex, xy, crs)


def from_ways(ways: Ways, crs: str) -> Roads:
    """The network of OSM ways: cut at junctions, and joined again where nothing meets and nothing changes.

    A travel time does not move by it: every edge keeps its whole line. Ferries, roads not yet built and ways that
    nobody may use are left out. Its tables are made, and pandas is loaded, when somebody asks for them.

    Parameters
    ----------
    crs : projected CRS in metres
    """
    metres = transformer("EPSG:4326", crs).transform
    return _network(ways.tags, ways.first, ways.vertex, np.column_stack(metres(*ways.lonlat.T)), crs)


class _Drafted(Roads):
    """A network as arrays, which become tables when they are first asked for: pandas and geopandas take 35 MB."""

    _columns: Mapping[str, Any]
    _lines: np.ndarray
    _nodes: np.ndarray
    _crs: str

    @classmethod
    def of(cls, columns: Mapping[str, Any], lines: np.ndarray, nodes: np.ndarray, crs: str) -> Roads:
        """Columns of the edges in their order, their lines, and (n_node, 2) metres."""
        roads = cls.__new__(cls)
        vars(roads).update(_columns=columns, _lines=lines, _nodes=nodes, _crs=crs)
        return roads

    @cached_property
    @freed_at_once()
    def edges(self) -> gpd.GeoDataFrame:
        import geopandas as gpd
        import pandas as pd

        columns = {
            name: pd.array(column.plain(), dtype="str") if isinstance(column, Words) else column
            for name, column in self._columns.items()
        }
        return gpd.GeoDataFrame(columns, geometry=self._lines, crs=self._crs)

    @cached_property
    def nodes(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self._nodes, columns=["x", "y"])


def _network(tags: Mapping[str, Words], first: np.ndarray, vertex: np.ndarray, xy: np.ndarray, crs: str) -> Roads:
    import shapely

    known = features(tags)
    used = np.any([known[mode] for mode in ROAD_MODES], axis=0)
    vertex, xy, runs, of = _cut(used, first, vertex, xy)
    # Pieces that bend otherwise stay apart: no road that is added lends its bends to a straight one.
    bends = _bends(xy, runs)
    alike = _numbered([column for name, column in known.items() if name != "oneway"])
    edge, forward, chain = _chains(vertex[runs], _numbered([alike[of], bends]), known["oneway"][of])
    begins = np.diff(chain, prepend=-1) > 0
    lead, last = np.flatnonzero(begins), np.flatnonzero(np.diff(chain, append=len(chain)))
    columns = {name: column[of[edge[lead]]] for name, column in known.items()}
    columns["bend_share"] = bends[edge[lead]]
    columns["oneway"] = np.where(forward[lead], columns["oneway"], -columns["oneway"])
    ways = np.where(forward[:, None], runs[edge], runs[edge, ::-1])
    nodes, (columns["from_node"], columns["to_node"]) = _nodes(vertex, xy, [ways[lead, 0], ways[last, 1]])
    drawn = (shapely.linestrings(xy[at], indices=line) for at, line in _lines(ways, begins))
    lines = np.concatenate([np.zeros(0, dtype=object), *drawn])
    columns["length_m"] = shapely.length(lines)
    return _Drafted.of({name: columns[name] for name in EDGE_COLUMNS}, lines, nodes, crs)


def _cut(
    used: np.ndarray, first: np.ndarray, vertex: np.ndarray, xy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ways that are used, cut where they meet.

    Returns
    -------
    vertex, xy : of these ways one after the other, the first numbered anew, no vertex twice running
    runs : (n, 2) first and last position of each piece, from junction to junction
    of : (n,) its way
    """
    way = np.repeat(np.arange(len(used), dtype=np.int32), np.diff(first))
    kept = used[way] & np.append(True, (vertex[1:] != vertex[:-1]) | (way[1:] != way[:-1]))[: len(way)]
    way = way[kept]
    _, vertex = np.unique(vertex[kept], return_inverse=True)
    change = way[1:] != way[:-1]
    end = np.append(True, change) | np.append(change, True)  # of a way
    at = np.flatnonzero(end[: len(way)] | (np.bincount(vertex)[vertex] > 1))
    runs = np.column_stack([at[:-1], at[1:]])[way[at[:-1]] == way[at[1:]]]
    return vertex, xy[kept], runs, way[runs[:, 0]]


def _nodes(vertex: np.ndarray, xy: np.ndarray, ends: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where the nodes are, (n_node, 2), and which of them stand at the first and the last positions of edges."""
    numbers, node = np.unique(vertex[np.stack(ends)], return_inverse=True)
    last = np.zeros(len(vertex), dtype=np.int64)
    last[vertex] = np.arange(len(vertex))  # a file of lines may have a vertex a hair beside itself
    return xy[last[numbers]], node.reshape(2, -1)


def _numbered(columns: Sequence[Words | np.ndarray]) -> np.ndarray:
    """(n,) the same number where all columns say the same.

    >>> _numbered([np.array([1.0, np.nan, np.nan]), Words.of(["a", "a", "a"])]).tolist()
    [0, 1, 1]
    """
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        _, code = (None, column.code) if isinstance(column, Words) else np.unique(column, return_inverse=True)
        _, number = np.unique(number * (code.max(initial=0) + 1) + code, return_inverse=True)
    return number


def _bends(xy: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Share of every run in sharp bends."""
    lines = _lines(runs, np.ones(len(runs), dtype=bool))
    return np.concatenate([np.zeros(0), *(bends_along(xy[at], line, line[-1] + 1) for at, line in lines)])


def _lines(runs: np.ndarray, begins: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Chained runs, some chains at a time: what is made of all at once takes several times the memory of vertices.

    Parameters
    ----------
    runs : (n, 2) first and last position of each run as it is walked, in the order of the chains
    begins : (n,) bool, the first of its chain

    Yields
    ------
    position, line : (m,) where the vertices lie, and the chain each is of, from 0; one between two runs counts once

    >>> [(at.tolist(), line.tolist()) for at, line in _lines(np.array([[3, 5], [9, 8]]), np.array([True, False]))]
    [([3, 4, 5, 8], [0, 0, 0, 0])]
    """
    for a, b in pairwise([*np.flatnonzero(begins)[::LINES_AT_ONCE].tolist(), len(runs)]):
        start, way, fresh = runs[a:b, 0], np.diff(runs[a:b]).ravel(), begins[a:b]
        count = np.abs(way) + fresh
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(~fresh, count)
        yield np.repeat(start, count) + np.repeat(np.sign(way), count) * nth, np.repeat(np.cumsum(fresh) - 1, count)


def _chains(ends: np.ndarray, sort: np.ndarray, oneway: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges that follow one another through nodes where nothing else meets and nothing changes.

    Parameters
    ----------
    ends : (n, 2) first and last node
    sort, oneway : (n,) edges are alike where these are, the second seen from the same side

    Returns
    -------
    edge, forward, chain : (n,) the edges chain by chain, whether each is walked along its line, and its chain;
        chains stand by their least edge, which is walked forward, and a ring begins with it

    >>> edge, forward, chain = _chains(np.array([[0, 1], [2, 1], [2, 3]]), np.array([5, 5, 6]), np.zeros(3, dtype=int))
    >>> edge.tolist(), forward.tolist(), chain.tolist()
    ([0, 1, 2], [True, False, True], [0, 0, 1])
    """
    n = len(ends)
    if n == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
    # Half-edge 2e walks edge e along its line, 2e + 1 against it; it leaves a node and ``^ 1`` arrives there.
    leaves = ends.ravel()
    by_node = np.argsort(leaves, kind="stable")
    first = np.flatnonzero(np.bincount(leaves)[leaves[by_node]] == 2)[::2]
    one, two = by_node[first], by_node[first + 1]
    flow = np.where(np.arange(2 * n) % 2, -1, 1) * np.repeat(oneway, 2)  # of traffic, seen by the half-edge
    alike = (one // 2 != two // 2) & (sort[one // 2] == sort[two // 2]) & (flow[one] == -flow[two])
    one, two = one[alike], two[alike]
    least = _least(_after(one, two, n))
    # A ring, joined as often as it has edges, is cut where its least edge begins.
    ring = np.bincount(least[one // 2], minlength=n) == np.bincount(least, minlength=n)
    cut = ring[least[one // 2]] & ((one == 2 * least[one // 2]) | (two == 2 * least[one // 2]))
    after = _after(one[~cut], two[~cut], n)
    left = (after != np.arange(2 * n)).astype(np.int64)  # steps to the end, found by doubling
    while (further := after[after] != after).any():
        left += np.where(further, left[after], 0)
        after = after[after]
    walk = np.flatnonzero(after == after[2 * np.repeat(least, 2)])
    walk = walk[np.lexsort((-left[walk], least[walk // 2]))]
    chain = np.cumsum(np.diff(least[walk // 2], prepend=-1) != 0) - 1
    return walk // 2, walk % 2 == 0, chain


def _after(one: np.ndarray, two: np.ndarray, n: int) -> np.ndarray:
    """The half-edge that each half-edge goes on to, itself at an end; ``one`` and ``two`` leave a common node."""
    after = np.arange(2 * n)
    after[one ^ 1], after[two ^ 1] = two, one
    return after


def _least(after: np.ndarray) -> np.ndarray:
    """The least edge of each edge's path or ring, found by doubling.

    >>> _least(_after(np.array([1]), np.array([2]), 3)).tolist()  # the first edge ends where the second begins
    [0, 0, 2]
    """
    least, step = np.arange(len(after)) // 2, after
    while ((lower := np.minimum(least, least[step])) != least).any():
        least, step = lower, step[step]
    return np.minimum(least[::2], least[1::2])
