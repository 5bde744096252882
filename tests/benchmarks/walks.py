"""Walks with a cut-off: the bounded search beside scipy's with the same limit, in one run.

python -m tests.benchmarks.walks [--side 1290] [--schools 500] [--villages 5000] [--minutes 30]
"""

import argparse
from typing import Any

import numpy as np
import pandas as pd

from planner.model import Roads
from planner.travel.bounded import COMPILED_FROM
from planner.travel.doors import at_nodes
from planner.travel.network import Network
from planner.travel.search import arcs_by_tail, search
from tests.benchmarks.travel import drawn, timed


def main() -> None:
    """Print a table in Markdown."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    ask = argparse.ArgumentParser()
    for name, default in (("side", 1290), ("schools", 500), ("villages", 5000), ("minutes", 30)):
        ask.add_argument(f"--{name}", type=int, default=default)
    said = ask.parse_args()
    net = drawn(said.side, said.schools, said.villages)
    half, pace = len(net.tail) // 2, 1 / 75
    columns = {"from_node": net.tail[:half], "to_node": net.head[:half], "length_m": net.minutes[:half] / pace}
    paces = np.full(half, pace)
    network = Network(Roads(pd.DataFrame(columns), pd.DataFrame(index=range(net.n))), paces, paces, np.ones(half, bool))
    doors = at_nodes(net.schools)
    arcs_by_tail(network)
    search(arcs_by_tail(network), at_nodes(net.schools[:2]), said.minutes)  # compiles, where nothing is kept
    place = np.full(net.n, -1)
    place[net.villages] = np.arange(len(net.villages))

    def ours() -> Any:
        first, node, minutes, *_ = search(arcs, doors, said.minutes)
        found = np.full((len(net.villages), len(net.schools)), np.inf)
        school, village = np.repeat(np.arange(len(net.schools)), np.diff(first)), place[node]
        found[village[village >= 0], school[village >= 0]] = minutes[village >= 0]
        return found

    arranging, arcs = timed(lambda: arcs_by_tail(network), 3)
    quick, found = timed(ours, 5)
    graph = csr_array((net.minutes, (net.head, net.tail)), shape=(net.n, net.n))
    few = net.schools[:50]
    slow, truth = timed(lambda: np.array([dijkstra(graph, indices=s, limit=said.minutes)[net.villages] for s in few]).T)
    slow *= len(net.schools) / len(few)
    mine = found[:, : len(few)]
    assert (np.isfinite(truth) == np.isfinite(mine)).all()
    reached = np.isfinite(truth)
    assert np.abs(truth[reached] - mine[reached]).max() < 1e-6
    print(f"{net.n:,} nodes, {len(net.tail):,} arcs, {said.schools:,} x {said.villages:,}, {said.minutes} minutes\n")
    print("| search | set-up, s | seconds | times ours |\n|---|---|---|---|")
    print(f"| **ours, bounded** | {arranging:.3f} | {quick:.4f} | 1 |")
    print(f"| scipy with a limit, {len(few)} schools scaled | | {slow:.3f} | {slow / quick:,.0f} |")
    print(f"\nUsed from {COMPILED_FROM:,.0f} doors x junctions on, where it is compiled.")


if __name__ == "__main__":
    main()
