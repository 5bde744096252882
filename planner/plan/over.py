"""The plan that is best over given futures, in the worst of them or on average."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InfeasibleError
from planner.model import StudyArea, TravelTimes
from planner.optimise import Budget, LocationProblem, LocationSolution, Stack, Terms, aimed, solve, solve_then, total
from planner.optimise.problem import Goal
from planner.plan.best import choice_of, none_idle, pose, terms, whole_pupils
from planner.plan.futures import come_true
from planner.plan.given import notes, today_of
from planner.plan.infeasible import infeasible
from planner.plan.layout import Choice, assignment_table, make_plan
from planner.plan.naming import proof_of
from planner.plan.question import Question, ask
from planner.plan.types import Plan
from planner.scenario import Scenario
from planner.travel import travel_times
from planner.wording import Amount, Phrase, Remark, Sentence, remark

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Scene:
    """The present or a future, as a question and as arrays; ``goals`` are its objectives in turn."""

    question: Question
    row: np.ndarray
    problem: LocationProblem
    goals: tuple[Terms, ...]


@dataclass(frozen=True, eq=False)
class Over:
    """A question over futures: the present first, then each of the scenario's futures."""

    scenes: tuple[Scene, ...]

    @property
    def scenario(self) -> Scenario:
        """The present's."""
        return self.scenes[0].question.scenario

    @cached_property
    def stack(self) -> Stack:
        """All of them as one problem."""
        sums = [*self.scenes[0].goals, *(budget.terms for budget in self.scenes[0].problem.budgets)]
        asked = self.scenario.assignment.closest or any(part.step is not None for part in sums)
        return Stack(tuple(scene.problem for scene in self.scenes), built_once=asked)

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """What is minimised over the futures, in turn."""
        weights, how = [future.weight for future in self.scenario.futures], self.scenario.objective.over or "average"
        parts = zip(*(scene.goals for scene in self.scenes[1:]), strict=True)
        return tuple(self.stack.goal(of, weights, how) for of in parts)

    @property
    def problem(self) -> LocationProblem:
        """All of it as one problem, with the first objective."""
        return self.stack.joint(self.goals[0])

    def values(self, served: Sequence[LocationSolution]) -> list[float]:
        """What each objective comes to over the futures, from a solution of every scene."""
        found = []
        for k in range(len(self.goals)):
            each = [total(s.problem, s.goals[k], part) for s, part in zip(self.scenes, served, strict=True)][1:]
            weights = [future.weight for future in self.scenario.futures]
            worst = self.scenario.objective.over == "worst"
            found.append(float(max(each)) if worst else float(np.average(each, weights=weights)))
        return found


def pose_over(now: Question) -> Over:
    """The question over its scenario's futures, each as arrays.

    Raises
    ------
    ScenarioError : a future closes a road that is not there
    """
    scenes = [_scene(now, now)]
    for future in now.scenario.futures:
        area, scenario = come_true(now.area, now.scenario, future)
        same_ways = scenario.travel == now.scenario.travel
        times = now.times if same_ways else travel_times(area, scenario.travel)
        scenes.append(_scene(ask(area, times, scenario), now))
    return Over(tuple(scenes))


def _scene(question: Question, now: Question) -> Scene:
    row = np.flatnonzero(question.reachable)
    goal = question.scenario.objective
    goals = tuple(terms(question, word, row) for word in (goal.minimise, *goal.then))
    return Scene(question, row, pose(question, row, now)[0], goals)


def optimise_over(area: StudyArea, times: TravelTimes, scenario: Scenario) -> Plan:
    """The schools that keep every rule now and in each of the scenario's futures, and are best over the futures.

    In each future everybody goes where it then is best within every limit; the seats that are added are there in all of
    them. What is open, and which stages may end, is the present's. The plan's assignment is the present's,
    ``Plan.futures`` holds those of the futures; its objective, bound and gap are those over the futures.

    Raises
    ------
    ScenarioError : a future closes a road that is not there
    InfeasibleError : no schools keep every rule now and in every future; says which future alone cannot be met
    """
    now = ask(area, times, scenario)
    posed = pose_over(now)
    solver = scenario.solver
    proven = solve_then(
        posed.problem, *posed.goals[1:], gap=solver.gap, time_limit_s=solver.time_limit_s, seed=solver.seed
    )
    last = proven[-1]
    if last.status not in ("optimal", "feasible"):
        raise _none(posed, last)
    served = _built(posed, [_settled(posed, last, k) for k in range(len(posed.scenes))])
    values = posed.values(served)
    bound = min(proven[0].bound, values[0])
    gap = (values[0] - bound) / max(abs(values[0]), 1e-9)
    added = served[0].steps * scenario.capacity.seat_step
    choices = [
        dataclasses.replace(choice_of(scene.question, scene.problem, scene.row, found), added=added)
        for scene, found in zip(posed.scenes, served, strict=True)
    ]
    return make_plan(
        now,
        choices[0],
        title=scenario.title,
        status=proven[0].status,
        objective=values[0],
        bound=bound,
        gap=gap if gap > 1e-9 else 0.0,
        seconds=sum(proof.seconds for proof in proven),
        today=today_of(now),
        notes=(*notes(now), *_said(posed, served, values, proven)),
        futures=_tables(posed, choices),
    )


def _settled(posed: Over, found: LocationSolution, k: int) -> LocationSolution:
    """Who goes where in one scene, given what is built: as its own objectives have it, and then by the quickest ways.

    What the solution says of a scene that does not count (the present, or a future that is not the worst) may be
    anything. No objective over the futures becomes worse: the second and third stay within what they came to.
    """
    scene, part = posed.scenes[k], posed.stack.part(found, k)
    ways = Terms(cost=scene.question.minutes[scene.row] * scene.question.rows["pupils"].to_numpy()[scene.row, None])
    chain = [Terms(cost=goal.cost) for goal in scene.goals if goal.cost is not None]
    problem = _with_built(scene.problem, part, _ceilings(posed, found, k))
    solver = scene.question.scenario.solver
    seconds = max(solver.time_limit_s / len(posed.scenes), 1.0)
    first, *then = (*chain, ways)
    best = solve_then(aimed(problem, first), *then, time_limit_s=seconds, seed=solver.seed)[-1]
    if best.status in ("optimal", "feasible"):
        better = dataclasses.replace(part, assignment=best.assignment, shares=best.shares)
        worth = [total(scene.problem, scene.goals[0], one) for one in (better, part)]
        part = better if worth[0] <= worth[1] + 1e-7 * max(1.0, abs(worth[1])) else part
    return whole_pupils(scene.question, scene.problem, scene.row, part)


def _ceilings(posed: Over, found: LocationSolution, k: int) -> list[Budget]:
    """What the second and third objective may come to in one scene; nothing where it does not count."""
    scenario = posed.scenario
    worst = scenario.objective.over == "worst"
    if k == 0 or not (worst or scenario.futures[k - 1].weight):
        return []
    parts = [posed.stack.part(found, of) for of in range(len(posed.scenes))]
    budgets = []
    for number, goal in enumerate(posed.scenes[k].goals[1:], 1):
        values = [total(s.problem, s.goals[number], part) for s, part in zip(posed.scenes, parts, strict=True)]
        most = max(values[1:]) if worst else values[k]
        budgets.append(Budget(goal, most + 1e-7 * max(1.0, abs(most)), "objective"))
    return budgets


def _with_built(problem: LocationProblem, part: LocationSolution, more: Sequence[Budget]) -> LocationProblem:
    """One scene's problem with what is open and the seats that are added given; ``more`` limits beside its own."""
    capacity = problem.capacity
    if problem.expansion is not None:
        capacity = capacity + problem.expansion.step_seats * part.steps
    budgets = []
    for budget in (*problem.budgets, *more):
        if budget.terms.cost is not None:
            paid = total(problem, dataclasses.replace(budget.terms, cost=None), part)
            budgets.append(Budget(Terms(cost=budget.terms.cost), budget.max - paid, budget.name))
    opened, closed = (tuple(np.flatnonzero(which).tolist()) for which in (part.open, ~part.open))
    return dataclasses.replace(
        problem, capacity=capacity, expansion=None, forced_open=opened, forced_closed=closed, budgets=tuple(budgets)
    )


def _built(posed: Over, served: list[LocationSolution]) -> list[LocationSolution]:
    """Every scene's solution with what is built for all of them: nothing for nobody, no more seats than some need."""
    now = posed.scenes[0].question
    m, capacity = len(now.sites), now.scenario.capacity
    seats = now.sites["seats"].to_numpy(dtype=float)
    most = np.zeros(m)
    for scene, found in zip(posed.scenes, served, strict=True):
        shares = found.shares.tocoo()
        load = np.bincount(shares.col, shares.data * scene.problem.weight[shares.row], minlength=m)
        most = np.maximum(most, load)
    over = np.maximum(np.where(np.isnan(seats), 0.0, most - seats), 0.0)
    steps = np.ceil(over / capacity.seat_step - 1e-6) if capacity.expansion else np.zeros(m)
    is_open = none_idle(now, posed.scenes[0].problem, served[0].open, most > 1e-9)
    return [dataclasses.replace(found, open=is_open, steps=steps) for found in served]


def _said(
    posed: Over, served: list[LocationSolution], values: list[float], proven: Sequence[LocationSolution]
) -> list[Remark]:
    """Notes: what the first objective comes to in each future, and the others over them."""
    goal, found = posed.scenario.objective, []
    for future, scene, part in zip(posed.scenario.futures, posed.scenes[1:], served[1:], strict=True):
        amount = Amount(total(scene.problem, scene.goals[0], part), goal.minimise)
        found.append(remark("note.future", name=future.name, value=amount))
    for which, word, value, proof in zip(("second", "third"), goal.then, values[1:], proven[1:], strict=False):
        gap = max(value - proof.bound, 0.0) / max(abs(value), 1e-9)
        how = proof_of(gap <= 1e-9, gap)
        found.append(remark(f"note.{which}", objective=Phrase(word), value=Amount(value, word), proof=how))
    return [*found, remark(f"note.over.{goal.over or 'average'}")]


def _tables(posed: Over, choices: Sequence[Choice]) -> pd.DataFrame:
    """Who goes where in each future: see ``Plan.futures``."""
    import pandas as pd

    tables = []
    for future, scene, choice in zip(posed.scenario.futures, posed.scenes[1:], choices[1:], strict=True):
        table = assignment_table(scene.question, choice)
        table.insert(0, "future", future.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _none(posed: Over, found: LocationSolution) -> InfeasibleError:
    """Why there is no plan: the present's reasons, else which future cannot be met, alone with the present."""
    now, limit = posed.scenes[0], posed.scenario.solver.time_limit_s
    if found.status == "unknown" or solve(now.problem, gap=1.0, time_limit_s=limit).status == "infeasible":
        return infeasible(now.question, found.status)
    why = []
    for future, scene in zip(posed.scenario.futures, posed.scenes[1:], strict=True):
        pair = Over((now, scene)).stack.joint(Terms())
        if solve(pair, gap=1.0, time_limit_s=limit).status == "infeasible":
            why.append(Sentence("future", {"name": future.name}))
    return InfeasibleError(why or [Sentence("future.all")], [Sentence("help.future")])
