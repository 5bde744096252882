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


def published_pmed() -> dict[int, int]:
    """Number of the file -> optimum."""
    lines = (INSTANCES / "pmed" / "pmedopt.txt").read_text().split("\n")
    rows = [line.removeprefix("pmed").split() for line in lines if line.startswith("pmed")]
    return {int(number): int(optimum) for number, optimum in rows}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 9, 15, 16, 20, 22, 24, 30, 33, 39])
def test_pmed(number):
    """OR-Library p-median files (Beasley 1985); all forty are in tests/benchmarks/optimise.py."""
    file = INSTANCES / "pmed" / f"pmed{number}.txt"
    if not file.exists():
        pytest.skip("shared/instances/pmed is not here")
    cost, p = read_pmed(file)
    found = solve(LocationProblem(cost, open_min=p, open_max=p), gap=0.0, time_limit_s=120)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert found.objective == published_pmed()[number]


@pytest.mark.parametrize("number", [16, 36, 38])
def test_pmed_out_of_time(number):
    """What is found at once is a solution, and the bound is none that the optimum beats."""
    file = INSTANCES / "pmed" / f"pmed{number}.txt"
    if not file.exists():
        pytest.skip("shared/instances/pmed is not here")
    cost, p = read_pmed(file)
    found = solve(LocationProblem(cost, open_min=p, open_max=p), time_limit_s=0.05)
    assert found.bound <= published_pmed()[number] <= found.objective


def read_zy(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Straight km from demand points to sites, and demand."""
    table = np.genfromtxt(file, names=True, dtype=None, encoding="utf-8")
    x, y, demand = table["x"] / 1000, table["y"] / 1000, table["Demand"].astype(float)
    sites = np.flatnonzero(table["Fcap"] > 0)
    return np.hypot(x[:, None] - x[sites], y[:, None] - y[sites]), demand


ZY = {
    None: {10: 1655.20588645, 11: 1594.50773783, 12: 1540.117, 13: 1487.9, 14: 1436.8703},
    400: {10: 1686.783056662, 11: 1598.19057, 12: 1541.74805817, 13: 1487.91129764, 14: 1436.87031212},
}


def rounding(published: float) -> float:
    """How far a figure may be from what it was rounded from: some are published with few digits."""
    return 0.6 * 10.0 ** -len(str(published).split(".")[1])


@pytest.mark.parametrize(("capacity", "p"), [(c, p) for c, row in ZY.items() for p in row])
def test_zy(capacity, p):
    """A Chinese school-siting case: 324 demand points, Euclidean km; ``capacity`` seats a site, whole villages."""
    file = INSTANCES / "zy" / "geo_zy.txt"
    if not file.exists():
        pytest.skip("shared/instances/zy is not here")
    km, demand = read_zy(file)
    seats = None if capacity is None else np.full(km.shape[1], float(capacity))
    problem = LocationProblem(km * demand[:, None], weight=demand, capacity=seats, open_min=p, open_max=p)
    found = solve(problem, gap=0.0, time_limit_s=200)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert found.objective == pytest.approx(ZY[capacity][p], rel=1e-9, abs=rounding(ZY[capacity][p]))
