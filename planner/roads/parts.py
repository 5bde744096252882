"""The parts a network falls into."""

from __future__ import annotations

import numpy as np

from planner.model import Roads


def components(roads: Roads) -> np.ndarray:
    """Which connected part every node belongs to, numbered from 0 by falling length of road.

    Returns
    -------
    (n_node,) int

    >>> components(tiny.area.roads).tolist()
    [0, 0, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = roads.edges["from_node"].to_numpy(), roads.edges["to_node"].to_numpy()
    n = len(roads.nodes)
    count, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    metres = np.bincount(label[a], weights=roads.edges["length_m"].to_numpy(), minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-metres, kind="stable")] = np.arange(count)
    return np.asarray(rank[label])
