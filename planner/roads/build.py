"""A network from OSM ways, or from plain lines that share vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.model import ROAD_MODES, Roads
from planner.roads.bends import bend_shares
from planner.roads.tags import CLASSES, NOT_YET, features
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


def from_ways(ways: Ways, crs: str) -> Roads:
    """The network of OSM ways: cut at junctions, and joined again where nothing meets and nothing changes.

    A travel time does not move by it: every edge keeps its whole line. Ferries, roads not yet built and ways that
    nobody may use are left out.

    Parameters
    ----------
    crs : projected CRS in metres
    """
    from pyproj import Transformer

    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    xy = np.column_stack(to_metres.transform(ways.lonlat[:, 0], ways.lonlat[:, 1]))
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
    junction = end | (np.bincount(vertex)[vertex] > 1)
    at = np.flatnonzero(junction)
    runs = np.column_stack([at[:-1], at[1:]])[way[at[:-1]] == way[at[1:]]]
    runs = runs[runs[:, 0] < runs[:, 1]]
    pieces = [np.arange(a, b + 1) for a, b in runs]
    attributes = known.iloc[way[runs[:, 0]]].reset_index(drop=True)
    # Pieces that bend otherwise stay apart: no road that is added lends its bends to a straight one.
    attributes["bend_share"] = _bend_shares(xy, pieces)
    chains, direction = _chains(vertex[runs[:, 0]], vertex[runs[:, 1]], attributes)
    lines, keep_row, ends = [], [], []
    for chain, forward in zip(chains, direction, strict=True):
        parts = [pieces[e] if f else pieces[e][::-1] for e, f in zip(chain, forward, strict=True)]
        position = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        lines.append(shapely.LineString(xy[position]))
        keep_row.append(chain[0])
        ends.append((vertex[position[0]], vertex[position[-1]]))
    edges = attributes.iloc[keep_row].reset_index(drop=True)
    flipped = np.array([not forward[0] for forward in direction], dtype=bool)
    edges["oneway"] = np.where(flipped, -edges["oneway"], edges["oneway"]).astype(np.int64)
    numbers, inverse = np.unique(np.array(ends, dtype=np.int64).reshape(-1, 2), return_inverse=True)
    inverse = inverse.reshape(-1, 2)
    edges["from_node"], edges["to_node"] = inverse[:, 0], inverse[:, 1]
    frame = gpd.GeoDataFrame(edges, geometry=np.array(lines, dtype=object), crs=crs)
    frame["length_m"] = frame.length
    place = np.zeros((len(vertex) and vertex.max() + 1, 2))
    place[vertex] = xy
    nodes = pd.DataFrame(place[numbers], columns=["x", "y"])
    return Roads(frame[[*EDGE_COLUMNS, "geometry"]], nodes)


def _bend_shares(xy: np.ndarray, pieces: list[np.ndarray]) -> np.ndarray:
    import shapely

    if not pieces:
        return np.zeros(0)
    piece = np.repeat(np.arange(len(pieces)), [len(of) for of in pieces])
    return bend_shares(shapely.linestrings(xy[np.concatenate(pieces)], indices=piece))


def _chains(a: np.ndarray, b: np.ndarray, attributes: pd.DataFrame) -> tuple[list[list[int]], list[list[bool]]]:
    """Edges that follow one another through nodes where nothing else meets and nothing changes.

    Returns rows of edges by chain, and whether each is walked along its line.
    """
    n = len(a)
    nodes = int(max(a.max(initial=-1), b.max(initial=-1))) + 1
    same = attributes.drop(columns="oneway")
    sort = same.groupby(list(same.columns), dropna=False, sort=False).ngroup().to_numpy()
    oneway = attributes["oneway"].to_numpy()
    at: list[list[int]] = [[] for _ in range(nodes)]
    for e in range(n):
        at[a[e]].append(e)
        at[b[e]].append(e)

    def through(node: int, e: int, forward: bool) -> tuple[int, bool] | None:
        """The edge after ``e`` beyond ``node``, and its direction; None where the chain ends."""
        if len(at[node]) != 2 or at[node][0] == at[node][1]:
            return None
        f = at[node][0] if at[node][1] == e else at[node][1]
        along = bool(a[f] == node)
        flow = oneway[f] if along else -oneway[f]
        if sort[f] != sort[e] or flow != (oneway[e] if forward else -oneway[e]):
            return None
        return f, along

    seen = np.zeros(n, dtype=bool)
    chains, directions = [], []
    for start in range(n):
        if seen[start]:
            continue
        seen[start] = True
        chain, forward = [start], [True]
        for ahead in (True, False):
            e, along = start, ahead
            while (step := through(int(b[e] if along else a[e]), e, along)) is not None and not seen[step[0]]:
                e, along = step
                seen[e] = True
                chain.append(e) if ahead else chain.insert(0, e)
                forward.append(along) if ahead else forward.insert(0, not along)
        chains.append(chain)
        directions.append(forward)
    return chains, directions
