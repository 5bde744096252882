"""Dead ends that nearly touch another road, and the roads that join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.model import MODES, Roads
from planner.roads.cutting import cut
from planner.roads.parts import components

if TYPE_CHECKING:
    import pandas as pd

GAP_M = 25.0
"""A dead end this near to another road may be a fault of the data."""
SHORT_WAY_M = 500.0
"""It is none where the network already leads from one to the other within this length."""
LONG_WAY_M = 2000.0
"""How far along the network is looked for such a way."""
SOURCES_AT_A_TIME = 64


def find_gaps(roads: Roads) -> pd.DataFrame:
    """Dead ends within 25 m of a road that they do not join, nor reach within 500 m along the network.

    A dead end is a node of one edge. The other road must be open to a mode that may use the dead end's. Whether one
    of the two passes over the other on a bridge is not known here.

    Returns
    -------
    A row a gap, the narrowest first: ``node`` (the dead end), ``own`` (its edge), ``edge`` and ``share`` (the nearest
    place of the other road), ``metres``, ``x``, ``y``, ``to_x``, ``to_y`` (both ends), ``way_m`` (along the network;
    infinite where it is more than 2 km or there is none), ``part``, ``to_part`` (as ``components``)
    """
    import pandas as pd
    import shapely

    edges, lines = roads.edges, roads.edges.geometry.to_numpy()
    a, b = edges["from_node"].to_numpy(), edges["to_node"].to_numpy()
    own = _dead_ends(roads)
    node, own = np.flatnonzero(own >= 0), own[own >= 0]
    points = shapely.points(roads.nodes[["x", "y"]].to_numpy()[node])
    which, edge = shapely.STRtree(lines).query(points, predicate="dwithin", distance=GAP_M)
    may = edges[[mode for mode in MODES if mode in edges]].to_numpy(dtype=bool)
    good = (a[edge] != node[which]) & (b[edge] != node[which]) & (may[own[which]] & may[edge]).any(axis=1)
    which, edge = which[good], edge[good]
    share = shapely.line_locate_point(lines[edge], points[which], normalized=True)
    share = np.nan_to_num(share)  # of an edge without length
    foot = shapely.line_interpolate_point(lines[edge], share, normalized=True)
    xy, to = shapely.get_coordinates(points[which]), shapely.get_coordinates(foot)
    part = components(roads)
    found = pd.DataFrame({"node": node[which], "own": own[which], "edge": edge, "share": share})
    found["metres"] = shapely.distance(points[which], lines[edge])
    found[["x", "y"]], found[["to_x", "to_y"]] = xy, to
    found["way_m"] = _ways(roads, found)
    found["part"], found["to_part"] = part[found["node"]], part[a[edge]]
    found = found[found["way_m"] > SHORT_WAY_M].sort_values(["metres", "node", "edge"])
    found = found.drop_duplicates("node")
    # Two dead ends that face each other are one gap.
    at = np.where(found["share"] <= 0, a[found["edge"]], np.where(found["share"] >= 1, b[found["edge"]], -1))
    low, high = np.minimum(found["node"], at), np.maximum(found["node"], at)
    facing = (at >= 0) & pd.DataFrame({"low": low, "high": high}).duplicated().to_numpy()
    gaps: pd.DataFrame = found[~facing].reset_index(drop=True)
    return gaps


def _dead_ends(roads: Roads) -> np.ndarray:
    """(n_node,) the edge of every node that has one alone, else -1."""
    ends = roads.ends
    edge = np.full(len(roads.nodes), -1)
    edge[ends] = np.arange(len(ends))[:, None]
    return np.where(np.bincount(ends.ravel(), minlength=len(roads.nodes)) == 1, edge, -1)


def _ways(roads: Roads, found: pd.DataFrame) -> np.ndarray:
    """Metres along the network, whoever may use it, from each dead end to the place opposite; infinite beyond 2 km."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    ends = np.sort(roads.ends, axis=1)
    length = roads.edges["length_m"].to_numpy()
    order = np.lexsort((length, ends[:, 1], ends[:, 0]))
    order = order[np.append(True, (np.diff(ends[order], axis=0) != 0).any(axis=1))[: len(order)]]
    size = len(roads.nodes)
    graph = csr_array((length[order], ends[order].T), shape=(size, size))
    sources, at = np.unique(found["node"].to_numpy(), return_inverse=True)
    edge, along = found["edge"].to_numpy(), found["share"].to_numpy() * length[found["edge"].to_numpy()]
    a, b = roads.edges["from_node"].to_numpy()[edge], roads.edges["to_node"].to_numpy()[edge]
    way = np.full(len(found), np.inf)
    for begin in range(0, len(sources), SOURCES_AT_A_TIME):
        some = sources[begin : begin + SOURCES_AT_A_TIME]
        far = dijkstra(graph, directed=False, indices=some, limit=LONG_WAY_M)
        here = np.flatnonzero((at >= begin) & (at < begin + SOURCES_AT_A_TIME))
        row = at[here] - begin
        way[here] = np.minimum(far[row, a[here]] + along[here], far[row, b[here]] + (length[edge] - along)[here])
    return np.where(way <= LONG_WAY_M, way, np.inf)


def join_gaps(roads: Roads, gaps: pd.DataFrame) -> tuple[Roads, np.ndarray]:
    """Roads with a straight road across each gap, for the modes that may use both sides, either way.

    It is of the class and surface of the dead end's own edge.

    Returns
    -------
    The roads, and (n_edge,) the row that every edge had before, -1 for a new one. The old rows come first.
    """
    import pandas as pd
    import shapely

    if not len(gaps):
        return roads, np.arange(len(roads.edges))
    own, edge = gaps["own"].to_numpy(), gaps["edge"].to_numpy()
    made = cut(roads, edge, gaps["share"].to_numpy())
    modes = [mode for mode in MODES if mode in roads.edges]
    ends = np.stack([gaps[["x", "y"]].to_numpy(), made.roads.nodes[["x", "y"]].to_numpy()[made.node]], axis=1)
    both = {mode: roads.edges[mode].to_numpy()[own] & roads.edges[mode].to_numpy()[edge] for mode in modes}
    new = roads.edges.iloc[own].assign(
        from_node=gaps["node"].to_numpy(), to_node=made.node, oneway=0, name="", maxspeed_kmh=np.nan, **both
    )
    new.geometry = shapely.linestrings(ends)
    new["length_m"] = new.length
    edges = pd.concat([made.roads.edges, new], ignore_index=True)
    return Roads(edges, made.roads.nodes), np.append(made.row, np.full(len(new), -1))
