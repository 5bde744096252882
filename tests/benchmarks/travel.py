"""Many-to-many trips beside other engines on one drawn network, in one run, as ratios.

python -m tests.benchmarks.travel [--side 204] [--schools 500] [--villages 5000] [--alone [--metres]]

Peers are measured where they are installed (``uv sync --group bench``) and named where not. ``--alone`` measures ours
only, minutes alone unless ``--metres`` is said, with the memory at its peak.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 0
FEW = 5
"""Schools that slow engines are timed on; their time is taken to be the same for each."""
RUNS = 20
"""Of ours, which takes milliseconds: the least counts."""
PER_MINUTE = 10**6
"""RoutingKit reckons in whole numbers."""


@dataclass(frozen=True)
class Drawn:
    """A network (arcs, minutes, places), schools and villages on its nodes."""

    n: int
    tail: np.ndarray
    head: np.ndarray
    minutes: np.ndarray
    x: np.ndarray
    y: np.ndarray
    schools: np.ndarray
    villages: np.ndarray


@dataclass(frozen=True)
class Measured:
    """An engine's seconds for all, and its minutes (n_village, the first so many schools)."""

    name: str
    set_up: float
    query: float
    minutes: np.ndarray
    tolerance: float = 1e-6


def drawn(side: int, schools: int, villages: int) -> Drawn:
    """A square grid without 38 % of its streets, both ways; minutes between 0.05 and 2; doors in its largest part."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rng = np.random.default_rng(SEED)
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.random(len(a)) < 0.62
    a, b = a[kept], b[kept]
    minutes = np.tile(rng.uniform(0.05, 2, len(a)), 2)
    places = np.divmod(node.ravel(), side)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(side * side,) * 2)
    part = connected_components(graph, directed=False)[1]
    whole = np.flatnonzero(part == np.bincount(part).argmax())
    some = [rng.choice(whole, count, replace=False) for count in (schools, villages)]
    return Drawn(side * side, np.append(a, b), np.append(b, a), minutes, *places, *some)


def timed(work: Callable[[], Any], runs: int = 1) -> tuple[float, Any]:
    """The least seconds of some runs, and the last result."""
    least, result = float("inf"), None
    for _ in range(runs):
        result = None  # its memory goes before the next takes its own
        began = time.perf_counter()
        result = work()
        least = min(least, time.perf_counter() - began)
    return least, result


def by_scipy(net: Drawn) -> Measured:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    set_up, graph = timed(lambda: csr_array((net.minutes, (net.head, net.tail)), shape=(net.n, net.n)))
    query, far = timed(lambda: np.array([dijkstra(graph, indices=s)[net.villages] for s in net.schools]))
    return Measured("scipy, a school at a time", set_up, query, far.T)


def by_networkx(net: Drawn) -> Measured:
    import networkx as nx

    def build() -> Any:
        graph = nx.DiGraph()
        graph.add_nodes_from(range(net.n))
        graph.add_weighted_edges_from(zip(net.head.tolist(), net.tail.tolist(), net.minutes.tolist(), strict=True))
        return graph

    set_up, graph = timed(build)
    query, found = timed(lambda: [nx.single_source_dijkstra_path_length(graph, s) for s in net.schools[:FEW].tolist()])
    far = np.array([[one.get(v, np.inf) for one in found] for v in net.villages.tolist()])
    return Measured(f"networkx, {FEW} schools scaled", set_up, query / FEW * len(net.schools), far)


def by_pandana(net: Drawn) -> Measured:
    import pandana
    import pandas as pd

    def build() -> Any:
        ends, weights = (pd.Series(net.tail), pd.Series(net.head)), pd.DataFrame({"minutes": net.minutes})
        return pandana.Network(pd.Series(net.x), pd.Series(net.y), *ends, weights, twoway=False)

    set_up, graph = timed(build)
    homes, schools = (a.ravel() for a in np.meshgrid(net.villages, net.schools, indexing="ij"))
    query, far = timed(lambda: np.asarray(graph.shortest_path_lengths(homes, schools)))
    far = far.reshape(len(net.villages), -1)
    return Measured(f"pandana {pandana.__version__}", set_up, query, far, 0.5)  # it reckons in thousandths


def by_igraph(net: Drawn) -> Measured:
    import igraph

    set_up, graph = timed(lambda: igraph.Graph(net.n, np.column_stack([net.head, net.tail]), directed=True))
    few = net.schools[: 10 * FEW]
    query, far = timed(lambda: graph.distances(few, net.villages, weights=net.minutes))
    name = f"igraph {igraph.__version__}, {len(few)} schools scaled"
    return Measured(name, set_up, query / len(few) * len(net.schools), np.array(far).T)


def by_routingkit(net: Drawn) -> Measured:
    import routingkit_cch as kit

    weights = np.rint(net.minutes * PER_MINUTE).astype(np.int64).tolist()
    tail, head = net.tail.tolist(), net.head.tolist()

    def build() -> Any:
        places = (net.y.astype(float).tolist(), net.x.astype(float).tolist())
        return kit.CCH(kit.compute_order_inertial(net.n, tail, head, *places), tail, head, False)

    ordering, graph = timed(build)
    customizing, metric = timed(lambda: kit.CCHMetric(graph, weights))

    def ask() -> list[Any]:
        homes = kit.CCHManyToOne(metric, net.villages.tolist())
        return [homes.distances_to(school) for school in net.schools.tolist()]

    query, far = timed(ask)
    far = np.array(far, dtype=float).T / PER_MINUTE
    name = f"RoutingKit's CCH (new speeds {customizing:.3f} s)"
    return Measured(name, ordering + customizing, query, np.where(np.isnan(far), np.inf, far), 0.01)


PEERS = {
    "scipy": by_scipy,
    "networkx": by_networkx,
    "pandana": by_pandana,
    "igraph": by_igraph,
    "routingkit_cch": by_routingkit,
}


def ours(net: Drawn, runs: int, *, with_metres: bool = False) -> dict[str, Any]:
    """Seconds by what is done, and the minutes."""
    from planner.travel.doors import at_nodes
    from planner.travel.hierarchy import contract
    from planner.travel.metric import customize
    from planner.travel.sweep import many_to_many

    metres, homes, schools = net.minutes * 75, at_nodes(net.villages), at_nodes(net.schools)
    warm = contract(2, np.array([0]), np.array([1]))
    for weights in ((np.ones(1),), (np.ones(1), np.ones(1))):  # compiles, where nothing is kept
        many_to_many(customize(warm, *weights), *[at_nodes(np.arange(2))] * 2)
    took: dict[str, Any] = {}
    took["order and contraction"], graph = timed(lambda: contract(net.n, net.tail, net.head), min(runs, 3))
    took["new speeds"], metric = timed(lambda: customize(graph, net.minutes), runs)
    took["query"], took["minutes"] = timed(lambda: many_to_many(metric, homes, schools)[0], runs)
    if with_metres:
        took["new speeds with metres"], metric = timed(lambda: customize(graph, net.minutes, metres), runs)
        took["query with metres"] = timed(lambda: many_to_many(metric, homes, schools) and None, runs)[0]
    return took


def peak_gib() -> float:
    """The most memory this process has had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print a table in Markdown."""
    ask = argparse.ArgumentParser()
    for name, default in (("side", 204), ("schools", 500), ("villages", 5000)):
        ask.add_argument(f"--{name}", type=int, default=default)
    ask.add_argument("--alone", action="store_true")
    ask.add_argument("--metres", action="store_true")
    said = ask.parse_args()
    net = drawn(said.side, said.schools, said.villages)
    took = ours(net, 3 if said.alone else RUNS, with_metres=said.metres or not said.alone)
    found = took.pop("minutes")
    query = took["query"]
    whole = took["order and contraction"] + took["new speeds"] + query
    print(f"{net.n:,} nodes, {len(net.tail):,} arcs, {said.schools:,} schools x {said.villages:,} villages\n")
    print("| engine | set-up, s | query, s | times our query | times ours with set-up |\n|---|---|---|---|---|")
    print(f"| **ours, minutes** | {whole - query:.3f} | {query:.4f} | 1 | 1 ({whole:.3f} s in all) |")
    if "query with metres" in took:
        print(f"| ours, minutes and metres | | {took['query with metres']:.4f} | | |")
    if said.alone:
        print(f"\n{', '.join(f'{name} {s:.3f} s' for name, s in took.items())}; {peak_gib():.2f} GiB at the peak")
        return
    absent = []
    for module, measure in PEERS.items():
        if importlib.util.find_spec(module) is None:
            absent.append(module)
            continue
        peer = measure(net)
        mine = found[:, : peer.minutes.shape[1]]
        reached = np.isfinite(peer.minutes)
        assert (reached == np.isfinite(mine)).all(), peer.name
        assert np.abs(peer.minutes[reached] - mine[reached]).max() < peer.tolerance, peer.name
        ratios = f"{peer.query / query:,.0f} | {(peer.set_up + peer.query) / whole:,.1f}"
        print(f"| {peer.name} | {peer.set_up:.3f} | {peer.query:.3f} | {ratios} |", flush=True)
    print(f"\nOurs: {', '.join(f'{name} {s:.4f} s' for name, s in took.items())}.", end=" ")
    print(f"Not installed here: {', '.join(absent) or 'none'}.")


if __name__ == "__main__":
    main()
