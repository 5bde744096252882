"""The plan that is best over given futures, in the worst of them or on average."""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.errors import Fault, InfeasibleError, ScenarioError
from planner.model import StudyArea, TravelTimes
from planner.optimise import LocationProblem, LocationSolution, solve, stacked
from planner.plan.best import none_idle, pose
from planner.plan.futures import come_true
from planner.plan.given import placed, today_of
from planner.plan.infeasible import infeasible
from planner.plan.question import Question, ask
from planner.plan.types import Plan
from planner.scenario import Future, Scenario
from planner.travel import travel_times
from planner.wording import Amount, Sentence, remark


def optimise_over(area: StudyArea, times: TravelTimes, scenario: Scenario) -> Plan:
    """The schools that keep every rule now and in each of the scenario's futures, and are best over the futures.

    In each future everybody goes where it then is best within norms and seats; the seats that are added do for all of
    them. What is open, and which stages may end, is the present's. The plan's assignment is the present's; its
    objective, bound and gap are those over the futures.

    Raises
    ------
    ScenarioError : a future closes a road that is not there; side conditions, which are not carried over futures
    InfeasibleError : no schools keep every rule now and in every future; says which future alone cannot be met
    """
    now = ask(area, times, scenario)
    row = np.flatnonzero(now.reachable)
    present, _ = pose(now, row)
    if present.side is not None:
        said = "objective.over: sizes, closest schools, whole catchments and merge targets are not carried over futures"
        raise ScenarioError([Fault(str(scenario.path or "scenario"), said, "Leave them out, or leave out over.")])
    problems = [_future(area, times, scenario, future) for future in scenario.futures]
    weights = [future.weight for future in scenario.futures]
    posed = stacked(present, problems, weights, scenario.objective.over or "average")
    solver = scenario.solver
    found = solve(posed, gap=solver.gap, time_limit_s=solver.time_limit_s, seed=solver.seed)
    if found.status not in ("optimal", "feasible"):
        if (
            found.status == "unknown"
            or solve(present, gap=1.0, time_limit_s=solver.time_limit_s).status == "infeasible"
        ):
            raise infeasible(now, found.status)
        raise _in_some(scenario, present, problems)
    each = [_given(problem, found.open[: len(now.sites)], scenario) for problem in (present, *problems)]
    is_open, added = _built(now, [present, *problems], found, each)
    plan = placed(now, is_open, added, title=scenario.title, today=today_of(now))
    word = scenario.objective.minimise
    said_of = [
        remark("note.future", name=future.name, value=Amount(best.objective, word))
        for future, best in zip(scenario.futures, each[1:], strict=True)
    ]
    return dataclasses.replace(
        plan,
        status=found.status,
        objective=found.objective,
        bound=found.bound,
        gap=found.gap,
        seconds=found.seconds,
        notes=(*plan.notes, *said_of, remark(f"note.over.{scenario.objective.over}")),
    )


def _future(area: StudyArea, times: TravelTimes, scenario: Scenario, future: Future) -> LocationProblem:
    """A future's question as arrays, its sites those of the present."""
    then_area, then_scenario = come_true(area, scenario, future)
    same_ways = then_scenario.travel == scenario.travel
    then_times = times if same_ways else travel_times(then_area, then_scenario.travel)
    question = ask(then_area, then_times, then_scenario)
    return pose(question, np.flatnonzero(question.reachable))[0]


def _given(problem: LocationProblem, is_open: np.ndarray, scenario: Scenario) -> LocationSolution:
    """The best of one future with these sites open: where it is not the worst, its stacked part may be anything."""
    opened, closed = (tuple(np.flatnonzero(which).tolist()) for which in (is_open, ~is_open))
    only = dataclasses.replace(problem, forced_open=opened, forced_closed=closed)
    return solve(only, gap=scenario.solver.gap, time_limit_s=scenario.solver.time_limit_s, seed=scenario.solver.seed)


def _built(
    now: Question, problems: list[LocationProblem], found: LocationSolution, each: list[LocationSolution]
) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) what is open, and the seats added that do for the present and every future."""
    m, step = len(now.sites), now.scenario.capacity.seat_step
    seats = now.sites["seats"].to_numpy(dtype=float)
    most = np.zeros(m)
    for best, problem in zip(each, problems, strict=True):
        shares = best.shares.tocoo()
        most = np.maximum(most, np.bincount(shares.col, shares.data * problem.weight[shares.row], minlength=m))
    over = np.maximum(np.where(np.isnan(seats), 0.0, most - seats), 0.0)
    added = np.ceil(over / step - 1e-6) * step if now.scenario.capacity.expansion else np.zeros(m)
    return none_idle(now, problems[0], found.open[:m], most > 1e-9), added


def _in_some(scenario: Scenario, present: LocationProblem, problems: list[LocationProblem]) -> InfeasibleError:
    """Which future cannot be met, alone with the present; or that it is all of them together."""
    why = []
    for future, problem in zip(scenario.futures, problems, strict=True):
        pair = stacked(present, [problem], [1.0], "average")
        if solve(pair, gap=1.0, time_limit_s=scenario.solver.time_limit_s).status == "infeasible":
            why.append(Sentence("future", {"name": future.name}))
    return InfeasibleError(why or [Sentence("future.all")], [Sentence("help.future")])
