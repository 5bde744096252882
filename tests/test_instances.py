"""Published optima, reached by the function that counties use, with gap 0 (skipped where the files are absent)."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from planner.optimise import LocationProblem, solve

INSTANCES = Path(__file__).parents[2] / "shared" / "instances"


def read_pmed(file: Path) -> tuple[np.ndarray, int]:
    """All-pairs shortest paths and p; for an edge given twice the last cost counts."""
    numbers = np.array(file.read_text().split(), dtype=int)
    n, _, p = numbers[:3]
    graph = np.full((n, n), np.inf)
    for a, b, cost in numbers[3:].reshape(-1, 3):
        graph[a - 1, b - 1] = graph[b - 1, a - 1] = cost
    return shortest_path(graph, directed=False), int(p)


@pytest.mark.parametrize(("number", "optimum"), [(1, 5819), (2, 4093), (3, 4250), (4, 3034), (5, 1355)])
def test_pmed(number, optimum):
    """OR-Library p-median files (Beasley 1985)."""
    file = INSTANCES / "pmed" / f"pmed{number}.txt"
    if not file.exists():
        pytest.skip("shared/instances/pmed is not here")
    cost, p = read_pmed(file)
    found = solve(LocationProblem(cost, open_min=p, open_max=p), gap=0.0, time_limit_s=120)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert found.objective == pytest.approx(optimum)


ZY = {
    None: {10: 1655.20588645, 11: 1594.50773783, 12: 1540.117, 13: 1487.9, 14: 1436.8703},
    400: {10: 1686.783056662, 11: 1598.19057, 12: 1541.74805817, 13: 1487.91129764, 14: 1436.87031212},
}


@pytest.mark.parametrize(
    ("capacity", "p"),
    [pytest.param(c, p, marks=pytest.mark.slow if c else ()) for c, row in ZY.items() for p in row],
)
def test_zy(capacity, p):
    """A Chinese school-siting case: 324 demand points, Euclidean km; ``capacity`` seats a site, whole villages."""
    file = INSTANCES / "zy" / "geo_zy.txt"
    if not file.exists():
        pytest.skip("shared/instances/zy is not here")
    table = np.genfromtxt(file, names=True, dtype=None, encoding="utf-8")
    x, y, demand = table["x"] / 1000, table["y"] / 1000, table["Demand"].astype(float)
    sites = np.flatnonzero(table["Fcap"] > 0)
    km = np.hypot(x[:, None] - x[sites], y[:, None] - y[sites])
    seats = None if capacity is None else np.full(len(sites), float(capacity))
    problem = LocationProblem(km * demand[:, None], weight=demand, capacity=seats, open_min=p, open_max=p)
    found = solve(problem, gap=0.0, time_limit_s=200)
    assert (found.status, found.gap) == ("optimal", 0.0)
    published = ZY[capacity][p]
    digits = len(str(published).split(".")[1])  # some are published rounded
    assert found.objective == pytest.approx(published, rel=1e-9, abs=0.6 * 10**-digits)
