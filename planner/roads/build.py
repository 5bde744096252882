"""A network from OSM ways, or from plain lines that share vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.model import ROAD_MODES, Roads
from planner.roads.bends import bends_along
from planner.roads.tags import CLASSES, NOT_YET, features
from planner.sources.datum import transformer
from planner.sources.opl import freed_at_once
from planner.sources.osm import WAY_TAGS, Ways

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
    return _network(tags, first, vertex, xy, crs)


@freed_at_once()
def from_ways(ways: Ways, crs: str) -> Roads:
    """The network of OSM ways: cut at junctions, and joined again where nothing meets and nothing changes.

    A travel time does not move by it: every edge keeps its whole line. Ferries, roads not yet built and ways that
    nobody may use are left out.

    Parameters
    ----------
    crs : projected CRS in metres
    """
    xy = np.column_stack(transformer("EPSG:4326", crs).transform(*ways.lonlat.T))
    return _network(ways.tags, ways.first, ways.vertex, xy, crs)


def _network(tags: pd.DataFrame, first: np.ndarray, vertex: np.ndarray, xy: np.ndarray, crs: str) -> Roads:
    import geopandas as gpd
    import pandas as pd
    import shapely

    known = features(tags)
    used = known[list(ROAD_MODES)].any(axis=1).to_numpy()
    way = np.repeat(np.arange(len(tags)), np.diff(first))
    kept = used[way] & np.append(True, (vertex[1:] != vertex[:-1]) | (way[1:] != way[:-1]))[: len(way)]
    way, vertex, xy = way[kept], vertex[kept], xy[kept]
    _, vertex = np.unique(vertex, return_inverse=True)
    change = way[1:] != way[:-1]
    end = np.append(True, change) | np.append(change, True)  # of a way
    at = np.flatnonzero(end[: len(way)] | (np.bincount(vertex)[vertex] > 1))
    runs = np.column_stack([at[:-1], at[1:]])[way[at[:-1]] == way[at[1:]]]  # from junction to junction
    of = way[runs[:, 0]]
    same = known.drop(columns="oneway")
    sort = same.groupby(list(same.columns), dropna=False, sort=False).ngroup().to_numpy()
    # Pieces that bend otherwise stay apart: no road that is added lends its bends to a straight one.
    everyone = np.ones(len(runs), dtype=bool)
    position, line = _positions(runs, everyone, everyone)
    bends = bends_along(xy[position], line, len(runs))
    shares, share = np.unique(bends, return_inverse=True)
    alike = sort[of] * len(shares) + share
    edge, forward, chain = _chains(vertex[runs], alike, known["oneway"].to_numpy()[of])
    begins = np.flatnonzero(np.diff(chain, prepend=-1))
    position, line = _positions(runs[edge], forward, np.diff(chain, prepend=-1) > 0)
    edges = known.iloc[of[edge[begins]]].reset_index(drop=True)
    edges["bend_share"] = bends[edge[begins]]
    edges["oneway"] = np.where(forward[begins], edges["oneway"], -edges["oneway"]).astype(np.int64)
    turn = np.flatnonzero(np.diff(line, prepend=-1, append=-1))
    ends = np.column_stack([position[turn[:-1]], position[turn[1:] - 1]])
    numbers, inverse = np.unique(vertex[ends], return_inverse=True)
    edges["from_node"], edges["to_node"] = inverse.reshape(-1, 2).T
    frame = gpd.GeoDataFrame(edges, geometry=shapely.linestrings(xy[position], indices=line), crs=crs)
    frame["length_m"] = frame.length
    place = np.zeros((len(vertex) and vertex.max() + 1, 2))
    place[vertex] = xy
    nodes = pd.DataFrame(place[numbers], columns=["x", "y"])
    return Roads(frame[[*EDGE_COLUMNS, "geometry"]], nodes)


def _positions(runs: np.ndarray, forward: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the vertices of chained runs lie, and which chain each is of; a vertex between two runs counts once.

    Parameters
    ----------
    runs : (n, 2) first and last position of each run, in the order of the chains
    forward, begins : (n,) bool, walked from first to last; the first of its chain
    """
    count = runs[:, 1] - runs[:, 0] + begins
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(~begins, count)
    start, step = np.where(forward, runs[:, 0], runs[:, 1]), np.where(forward, 1, -1)
    return np.repeat(start, count) + np.repeat(step, count) * nth, np.repeat(np.cumsum(begins) - 1, count)


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
