"""Edges cut in two or more, rows kept: what a cut road was called it is still called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.model import Roads

SAME_PLACE_M = 1e-6
"""A cut nearer than this to an end of its edge, or to another cut, is made there."""


@dataclass(frozen=True, eq=False)
class Cut:
    """Roads with edges cut.

    Parameters
    ----------
    roads : a cut edge's first piece keeps its row; the others, and the new nodes, follow after all old rows
    node : (n_cut,) the node at every cut that was asked for
    row : (n_edge,) the row that every edge had before
    begin, end : (n_edge,) which part of it the edge is, 0 at its start to 1 at its end
    """

    roads: Roads
    node: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    end: np.ndarray


def cut(roads: Roads, edge: np.ndarray, share: np.ndarray) -> Cut:
    """Cut edges where asked; ``length_m`` is divided as the drawn line is.

    Parameters
    ----------
    edge : (n_cut,) rows of ``roads.edges``; a row may stand several times
    share : (n_cut,) place on the edge, 0 at its start to 1 at its end

    >>> made = cut(tiny.area.roads, np.array([1, 1]), np.array([0.5, 1.0]))
    >>> made.roads.edges["length_m"].tolist(), made.node.tolist(), made.row.tolist()
    ([1500.0, 750.0, 1500.0, 750.0], [4, 2], [0, 1, 2, 1])
    """
    import pandas as pd
    import shapely
    from shapely.ops import substring

    edges, count, size = roads.edges, len(roads.edges), len(roads.nodes)
    ends = roads.ends
    drawn = shapely.length(edges.geometry.to_numpy())
    at_m = share * drawn[edge]
    at_start, at_end = at_m <= SAME_PLACE_M, drawn[edge] - at_m <= SAME_PLACE_M
    node = np.where(at_start, ends[edge, 0], ends[edge, 1])
    inside = np.flatnonzero(~at_start & ~at_end)
    if not len(inside):
        return Cut(roads, node, np.arange(count), np.zeros(count), np.ones(count))
    inside = inside[np.lexsort((share[inside], edge[inside]))]
    e, s, m = edge[inside], share[inside], at_m[inside]
    fresh = np.append(True, (e[1:] != e[:-1]) | (m[1:] - m[:-1] > SAME_PLACE_M))
    node[inside] = size + np.cumsum(fresh) - 1
    e, s = e[fresh], s[fresh]

    # The cuts of an edge part it into a first piece, in its row, and one piece behind every cut.
    last = np.append(e[1:] != e[:-1], True)
    first = np.append(True, last[:-1])
    row = np.append(np.arange(count), e)
    begin, end = np.zeros(count + len(e)), np.ones(count + len(e))
    begin[count:] = s
    end[e[first]] = s[first]
    end[count:][~last] = s[1:][~last[:-1]]
    made = edges.iloc[row].reset_index(drop=True)
    changed = np.append(e[first], count + np.arange(len(e)))
    lines = made.geometry.to_numpy(copy=True)
    for i in changed.tolist():
        lines[i] = substring(lines[i], begin[i], end[i], normalized=True)
    made.geometry = lines
    made["length_m"] = made["length_m"].to_numpy() * (end - begin)
    new = size + np.arange(len(e))
    made["from_node"] = np.append(ends[:, 0], new)
    to_node = np.append(ends[:, 1], ends[e, 1])
    to_node[e[first]] = new[first]
    to_node[count:][~last] = new[1:][~last[:-1]]
    made["to_node"] = to_node
    place = shapely.get_coordinates(shapely.get_point(lines[count:], 0))
    nodes = pd.concat([roads.nodes, pd.DataFrame(place, columns=["x", "y"])], ignore_index=True)
    return Cut(Roads(made, nodes), node, row, begin, end)
