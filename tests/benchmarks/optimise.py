"""Location problems, solved and proven, beside spopt with its CBC where that is installed, in one run.

python -m tests.benchmarks.optimise [row ...]    rows: pmed, pmed15, zy, seats, county, fixed, frontier,
                                                 sketch, large, scoring

Every answer is held against its published optimum. Instances are read from ../shared/instances.
"""

import argparse
import dataclasses
import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise import (
    LocationProblem,
    Point,
    Terms,
    assign,
    frontier,
    objectives,
    solve,
    split_objective,
    violations,
)
from planner.optimise.highs import by_rows
from planner.optimise.lagrange import relax
from planner.optimise.problem import dense
from planner.optimise.sketch import sketch
from planner.optimise.swaps import swapped
from tests.benchmarks import counties
from tests.benchmarks import fixed as plants
from tests.test_instances import INSTANCES, ZY, published_pmed, read_pmed, read_zy, rounding

SPOPT_LIMIT_S = 1200


@dataclass(frozen=True)
class Line:
    """What one engine did: wall and processor seconds, and what came of it."""

    work: str
    engine: str
    seconds: float
    cpu_seconds: float
    result: str


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds, and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def p_median(cost: np.ndarray, p: int) -> LocationProblem:
    """Exactly p open sites."""
    return LocationProblem(cost, open_min=p, open_max=p)


def proven(problem: LocationProblem, optimum: float, within: float = 1e-6) -> tuple[float, float]:
    """Wall and processor seconds to prove a known optimum."""
    wall, cpu, found = timed(lambda: solve(problem, gap=0.0, time_limit_s=600))
    assert (found.status, found.gap) == ("optimal", 0.0), found
    assert abs(found.objective - optimum) <= within, (found.objective, optimum)
    return wall, cpu


def pmed() -> Iterator[Line]:
    """OR-Library's forty p-median files, gap 0."""
    seconds = {}
    for number, optimum in published_pmed().items():
        cost, p = read_pmed(INSTANCES / "pmed" / f"pmed{number}.txt")
        seconds[number] = proven(p_median(cost, p), optimum)
    wall, cpu = np.array(list(seconds.values())).T
    slowest = max(seconds, key=lambda number: seconds[number])
    said = f"{len(seconds)} of 40 proven; the slowest is pmed{slowest}, {seconds[slowest][0]:.1f} s"
    yield Line("pmed1-40", "ours", wall.sum(), cpu.sum(), said)


def pmed15() -> Iterator[Line]:
    """One of them, beside spopt."""
    cost, p = read_pmed(INSTANCES / "pmed" / "pmed15.txt")
    optimum = published_pmed()[15]
    runs = [proven(p_median(cost, p), optimum) for _ in range(5)]
    wall, cpu = np.min(runs, axis=0)
    yield Line("pmed15", "ours", wall, cpu, "proven")
    if importlib.util.find_spec("spopt") is None:
        return
    import pulp
    from spopt.locate import PMedian

    def ask() -> float:
        model = PMedian.from_cost_matrix(cost, np.ones(len(cost)), p_facilities=p)
        model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=SPOPT_LIMIT_S))
        return float(pulp.value(model.problem.objective))

    theirs, _, objective = timed(ask)
    said = f"objective {objective:g}; {theirs / wall:.0f} times ours"
    yield Line("pmed15", "spopt, CBC", theirs, float("nan"), said)  # CBC is a process of its own


def zy() -> Iterator[Line]:
    """A Chinese school-siting case without capacities."""
    for p, published in ZY[None].items():
        km, demand = read_zy(INSTANCES / "zy" / "geo_zy.txt")
        wall, cpu = proven(p_median(km * demand[:, None], p), published, rounding(published))
        yield Line(f"zy, p = {p}", "ours", wall, cpu, "proven")


def seats() -> Iterator[Line]:
    """The same case with 400 seats a site, whole villages."""
    km, demand = read_zy(INSTANCES / "zy" / "geo_zy.txt")
    for p, published in ZY[400].items():
        problem = LocationProblem(
            km * demand[:, None], weight=demand, capacity=np.full(km.shape[1], 400.0), open_min=p, open_max=p
        )
        wall, cpu = proven(problem, published, max(rounding(published), 1e-9 * published))
        yield Line(f"zy, p = {p}, 400 seats", "ours", wall, cpu, "proven")


def county() -> Iterator[Line]:
    """Drawn counties with town rules and steps of seats, gap 1e-4; checked by code of their own."""
    for whole, seed in product((True, False), range(5)):
        drawn = counties.draw(60, 500, seed=seed)
        problem = counties.pose(drawn, whole=whole)
        wall, cpu, found = timed(lambda problem=problem: solve(problem, gap=1e-4, time_limit_s=60))
        counties.check(drawn, problem, found)
        work = f"county 60 x 500, {'whole' if whole else 'split'}, seed {seed}"
        yield Line(work, "ours", wall, cpu, f"gap {found.gap:.3%}")


def fixed() -> Iterator[Line]:
    """Plants whose opening costs much, with three and ten times the seats that are needed; gap 1e-4, 20 s each."""
    for whole, (demands, sites), ratio in product((True, False), ((200, 30), (500, 60)), (3, 10)):
        problem = plants.draw(demands, sites, ratio, seed=1, whole=whole)
        work = f"plants, {sites} x {demands}, {'whole' if whole else 'split'}, {ratio} times the seats"
        for engine, ask in (("ours", solve), ("HiGHS alone", by_rows)):
            wall, cpu, found = timed(lambda problem=problem, ask=ask: ask(problem, gap=1e-4, time_limit_s=20, seed=0))
            assert found.status == "unknown" or not violations(problem, found)
            yield Line(work, engine, wall, cpu, f"objective {found.objective:,.0f}, gap {found.gap:.3%}")


def fronts() -> Iterator[Line]:
    """Frontiers of a drawn county, nine limits on the number or the cost of open schools, every point exact."""
    drawn = counties.draw(60, 500)
    posed = counties.pose(drawn, whole=True)
    none = np.zeros(60)
    roomy = dataclasses.replace(posed, cost=dense(posed.cost), capacity=None, expansion=None, fixed_cost=none)
    split = dataclasses.replace(counties.pose(drawn, whole=False), fixed_cost=none)
    running = np.random.default_rng(0).integers(200, 900, 60) * 1000.0
    for work, problem, second in (
        ("whole, no seats, minutes by schools", roomy, Terms(fixed=np.ones(60))),
        ("whole, no seats, minutes by running costs", roomy, Terms(fixed=running)),
        ("split, seats and steps, minutes by schools", split, Terms(fixed=np.ones(60))),
    ):
        goal = problem.objective

        def ask(problem: LocationProblem = problem, goal: Terms = goal, second: Terms = second) -> tuple[Point, ...]:
            return frontier(problem, goal, second, points=9, gap=0.0, time_limit_s=300)

        wall, cpu, found = timed(ask)
        proven = sum(point.proven for point in found)
        values = [(point.first, point.second) for point in found]
        assert all(a[0] > b[0] and a[1] < b[1] for a, b in pairwise(values)), values
        assert all(not violations(problem, point.solution) for point in found)
        yield Line(f"frontier 60 x 500, {work}", "ours", wall, cpu, f"{len(found)} points, {proven} proven")


def sketched() -> Iterator[Line]:
    """Twenty weights on the running costs of open schools in a large county: valid plans, each with a bound."""
    drawn = counties.draw(300, 2000)
    running = Terms(fixed=np.random.default_rng(0).integers(200, 900, 300) * 1000.0)
    for whole in (True, False):
        posed = dataclasses.replace(counties.pose(drawn, whole=whole), fixed_cost=np.zeros(300))
        roomy = dataclasses.replace(posed, capacity=None, expansion=None)
        for work, problem in (("no seats", roomy), ("seats and steps", posed)) if whole else (("seats", posed),):
            wall, cpu, found = timed(lambda problem=problem: sketch(problem, problem.objective, running, points=20))
            assert all(not violations(problem, point.solution) for point in found)
            said = f"{len(found)} points, median gap {np.median([point.gap for point in found]):.2%}"
            yield Line(f"frontier 300 x 2,000, {'whole' if whole else 'split'}, {work}", "ours", wall, cpu, said)


def large() -> Iterator[Line]:
    """Bounded where not proven: a large county in 20 s, a province in 60 s, whole villages."""
    for sites, villages, nearest, limit in ((300, 2000, None, 20), (3000, 50_000, 30, 60)):
        drawn = counties.draw(sites, villages, nearest=nearest)
        problem = counties.pose(drawn, whole=True)
        wall, cpu, found = timed(lambda problem=problem, limit=limit: solve(problem, gap=1e-3, time_limit_s=limit))
        counties.check(drawn, problem, found)
        yield Line(f"{sites} x {villages}, whole", "ours", wall, cpu, f"gap {found.gap:.3%}")


def scoring() -> Iterator[Line]:
    """Open sets that are given, 60 sites and 500 demand points, seats left out."""
    rng = np.random.default_rng(0)
    problem = LocationProblem(rng.random((500, 60)), fixed_cost=rng.random(60))
    sets = rng.random((20_000, 60)) < 0.4
    wall, cpu, alone = timed(lambda: np.array([assign(problem, is_open)[1] for is_open in sets]))
    yield Line("scoring, 60 x 500", "one by one", wall, cpu, f"{len(sets) / wall:,.0f} a second")
    wall, cpu, many = timed(lambda: objectives(problem, sets))
    yield Line("scoring, 60 x 500", "at once", wall, cpu, f"{len(sets) / wall:,.0f} a second")
    assert np.allclose(alone, many, equal_nan=True)
    drawn = counties.pose(counties.draw(60, 500), whole=False)
    some = rng.random((200, 60)) < 0.8
    split_objective(drawn, some[0])
    wall, cpu, _ = timed(lambda: [split_objective(drawn, is_open) for is_open in some])
    yield Line("scoring, 60 x 500, seats, split", "ours", wall, cpu, f"{len(some) / wall:,.0f} a second")


ROWS: dict[str, Callable[[], Iterator[Line]]] = {
    "pmed": pmed,
    "pmed15": pmed15,
    "zy": zy,
    "seats": seats,
    "county": county,
    "fixed": fixed,
    "frontier": fronts,
    "sketch": sketched,
    "large": large,
    "scoring": scoring,
}


def warm() -> None:
    """Compiles, where nothing is cached."""
    problem = LocationProblem(np.random.default_rng(0).random((120, 120)), open_max=9)
    solve(problem)
    assign(problem, np.ones(120, dtype=bool))
    objectives(problem, np.ones((1, 120), dtype=bool))
    for whole in (True, False):
        posed = counties.pose(counties.draw(30, 400), whole=whole)
        found = solve(posed, gap=1e-2)
        if whole:
            swapped(posed, relax(posed), found, ends=clock() + 0.1, seed=0)
        sketch(posed, posed.objective, Terms(fixed=np.ones(30)), points=3)


def main() -> None:
    """Print a table in Markdown."""
    ask = argparse.ArgumentParser()
    ask.add_argument("rows", nargs="*", choices=[[], *ROWS])
    rows = ask.parse_args().rows or list(ROWS)
    warm()
    print("| work | engine | seconds | of a processor | result |\n|---|---|---|---|---|")
    for row in rows:
        for line in ROWS[row]():
            cpu = "" if np.isnan(line.cpu_seconds) else f"{line.cpu_seconds:.2f}"
            print(f"| {line.work} | {line.engine} | {line.seconds:.2f} | {cpu} | {line.result} |", flush=True)


if __name__ == "__main__":
    main()
