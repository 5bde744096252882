"""Many-to-many trips beside networkx and scipy on one drawn network, in one run, as ratios.

python -m tests.benchmarks.travel [--side 204] [--schools 500] [--villages 5000]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SEED = 0
NETWORKX_SCHOOLS = 5


def drawn_roads(side: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A square grid without 38 % of its streets, both ways; minutes between 0.05 and 2."""
    rng = np.random.default_rng(SEED)
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.random(len(a)) < 0.62
    a, b = a[kept], b[kept]
    minutes = rng.uniform(0.05, 2, len(a))
    return side * side, np.append(a, b), np.append(b, a), np.append(minutes, minutes)


def timed(work: Callable[[], Any], runs: int = 1) -> tuple[float, Any]:
    """The least seconds of some runs, and the last result."""
    least, result = float("inf"), None
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        least = min(least, time.perf_counter() - began)
    return least, result


def by_networkx(n: int, tail: Any, head: Any, minutes: Any, schools: Any) -> float:
    """Seconds for all schools, from those of the first few."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from(zip(head.tolist(), tail.tolist(), minutes.tolist(), strict=True))
    few = schools[:NETWORKX_SCHOOLS].tolist()
    seconds, _ = timed(lambda: [nx.single_source_dijkstra_path_length(graph, s) for s in few])
    return seconds / len(few) * len(schools)


def by_scipy(n: int, tail: Any, head: Any, minutes: Any, schools: Any, villages: Any) -> tuple[float, np.ndarray]:
    """Seconds and minutes (n_village, n_school)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    reverse = csr_array((minutes, (head, tail)), shape=(n, n))
    seconds, far = timed(lambda: np.hstack([dijkstra(reverse, indices=s)[villages][:, None] for s in schools]))
    return seconds, far


def main() -> None:
    """Print a table in Markdown."""
    from planner.travel.doors import at_nodes
    from planner.travel.hierarchy import contract
    from planner.travel.metric import customize
    from planner.travel.sweep import many_to_many

    ask = argparse.ArgumentParser()
    for name, default in (("side", 204), ("schools", 500), ("villages", 5000)):
        ask.add_argument(f"--{name}", type=int, default=default)
    said = ask.parse_args()
    n, tail, head, minutes = drawn_roads(said.side)
    rng = np.random.default_rng(SEED + 1)
    villages, schools = rng.choice(n, said.villages), rng.choice(n, said.schools)
    metres = minutes * 75
    warm = contract(n, tail, head)
    homes, stops = at_nodes(villages), at_nodes(schools)
    for weights in ((minutes,), (minutes, metres)):  # compiles, where nothing is cached
        many_to_many(customize(warm, *weights), at_nodes(villages[:2]), at_nodes(schools[:2]))

    set_up, graph = timed(lambda: contract(n, tail, head), 3)
    speeds, metric = timed(lambda: customize(graph, minutes), 3)
    query, found = timed(lambda: many_to_many(metric, homes, stops)[0], 3)
    both_speeds, both = timed(lambda: customize(graph, minutes, metres), 3)
    both_query, _ = timed(lambda: many_to_many(both, homes, stops), 3)
    scipy_s, truth = by_scipy(n, tail, head, minutes, schools, villages)
    networkx_s = by_networkx(n, tail, head, minutes, schools)
    same = np.isfinite(truth)
    assert (same == np.isfinite(found)).all()
    assert np.abs(found[same] - truth[same]).max() < 1e-6
    whole = set_up + speeds + query
    print(f"{n:,} nodes, {len(tail):,} arcs, {said.schools:,} schools x {said.villages:,} villages\n")
    print("| engine | seconds | times our query | times ours with set-up |\n|---|---|---|---|")
    print(f"| ours, query | {query:.3f} | 1 | |")
    print(f"| ours, new speeds | {speeds:.3f} | | |")
    print(f"| ours, query with metres | {both_query:.3f} | | |")
    print(f"| ours, new speeds with metres | {both_speeds:.3f} | | |")
    print(f"| ours, order and contraction | {set_up:.3f} | | 1 ({whole:.3f} s in all) |")
    print(f"| scipy, a school at a time | {scipy_s:.2f} | {scipy_s / query:.0f} | {scipy_s / whole:.0f} |")
    print(
        f"| networkx, from {NETWORKX_SCHOOLS} schools | {networkx_s:.1f} | {networkx_s / query:.0f} "
        f"| {networkx_s / whole:.0f} |"
    )


if __name__ == "__main__":
    main()
