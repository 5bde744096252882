"""Roads that are closed, whole or where a flood or a landslide lies over them; rows stay what they were."""

from __future__ import annotations

import numpy as np

from planner.model import MODES, Roads
from planner.roads.cutting import SAME_PLACE_M, cut

WITHIN_M = 10.0
"""A point or a line of a layer closes the roads this near to it."""


def close_edges(roads: Roads, closed: np.ndarray) -> Roads:
    """Roads with some edges that no mode may use; they stay in their rows.

    Parameters
    ----------
    closed : (n_edge,) bool

    >>> close_edges(tiny.area.roads, np.array([False, True, False])).edges["walk"].tolist()
    [True, False, True]
    """
    edges = roads.edges
    open_to = {mode: edges[mode].to_numpy(dtype=bool) & ~closed for mode in MODES if mode in edges}
    return Roads(edges.assign(**open_to), roads.nodes)


def close_areas(roads: Roads, shapes: np.ndarray) -> tuple[Roads, np.ndarray]:
    """Roads closed inside shapes, and cut at their borders so that the rest stays open.

    Parameters
    ----------
    shapes : (n,) shapely shapes in the roads' CRS; points and lines close what lies within ``WITHIN_M``

    Returns
    -------
    The roads, and (n_edge,) the row that every edge had before. The old rows come first; a border through an edge
    leaves its first piece in its row and adds the others behind all rows.
    """
    edge, begin, end = covered(roads, shapes)
    made = cut(roads, np.append(edge, edge), np.append(begin, end))
    middle = (made.begin + made.end) / 2
    # Stretches of one edge do not overlap: a piece is closed when the last one to begin before its middle reaches it.
    last = np.searchsorted(edge + begin / 2, made.row + middle / 2, side="right") - 1
    here = (last >= 0) & (edge[last] == made.row if len(edge) else False)
    closed = here & (end[last] >= middle if len(edge) else False)
    return close_edges(made.roads, closed), made.row


def covered(roads: Roads, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The stretches of edges that lie in shapes.

    Returns
    -------
    (n,) rows, where a stretch begins and where it ends (shares of the edge); in order and without overlaps
    """
    import shapely

    parts = shapely.get_parts(shapely.make_valid(shapes))
    parts = parts[~shapely.is_empty(parts)]
    flat = shapely.get_dimensions(parts) == 2
    parts[~flat] = shapely.buffer(parts[~flat], WITHIN_M)
    lines = roads.edges.geometry.to_numpy()
    drawn = shapely.length(lines)
    near = np.unique(shapely.STRtree(lines).query(parts, predicate="intersects")[1])
    xy, at = shapely.get_coordinates(lines[near], return_index=True)
    pair = at[1:] == at[:-1]
    ends = np.stack([xy[:-1][pair], xy[1:][pair]], axis=1)
    edge, piece = near[at[:-1][pair]], shapely.linestrings(ends)
    length = shapely.length(piece)
    before = np.cumsum(length) - length
    before -= before[np.searchsorted(edge, edge)]
    shape, some = shapely.STRtree(piece).query(parts, predicate="intersects")
    shapely.prepare(parts)
    whole = shapely.covers(parts[shape], piece[some])
    crossing = np.flatnonzero(~whole)
    inside, which = shapely.get_parts(
        shapely.intersection(parts[shape[crossing]], piece[some[crossing]]), return_index=True
    )
    line = shapely.get_dimensions(inside) == 1
    some = np.append(some[whole], some[crossing[which[line]]])
    tips = np.stack([shapely.get_coordinates(shapely.get_point(inside[line], i)) for i in (0, -1)], axis=1)
    from_start = np.sort(np.hypot(*np.moveaxis(tips - ends[some[whole.sum() :], :1], 2, 0)), axis=1)
    from_start = np.concatenate([np.column_stack([np.zeros(whole.sum()), length[some[: whole.sum()]]]), from_start])
    with np.errstate(invalid="ignore", divide="ignore"):
        begin, end = (
            np.where(drawn[edge[some]] > 0, (before[some] + from_start[:, i]) / drawn[edge[some]], i) for i in (0, 1)
        )
    slack = np.minimum(SAME_PLACE_M / np.maximum(drawn[edge[some]], SAME_PLACE_M), 0.5)
    return _merged(edge[some], begin, np.minimum(end, 1.0), slack)


def _merged(
    edge: np.ndarray, begin: np.ndarray, end: np.ndarray, slack: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretches put together where they touch or overlap; what is no longer than ``slack`` is none."""
    order = np.lexsort((end, begin, edge))
    edge, begin, end, slack = edge[order], begin[order], end[order], slack[order]
    # The farthest end so far within the edge: rows are 2 apart, so an earlier edge's end never reaches into a later's.
    reach = np.maximum.accumulate(2 * edge + end) - 2 * edge
    fresh = np.append(True, (edge[1:] != edge[:-1]) | (begin[1:] > reach[:-1] + slack[1:]))[: len(edge)]
    first = np.flatnonzero(fresh)
    edge, begin, slack = edge[first], begin[first], slack[first]
    end = reach[np.append(first[1:], len(reach)) - 1] if len(first) else end
    long = end - begin > slack
    return edge[long], begin[long], end[long]
