"""The best plan there is: the question as a location problem, and its answer as a plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from planner.model import StudyArea, TravelTimes
from planner.optimise import (
    Expansion,
    LocationProblem,
    LocationSolution,
    OpenRule,
    Terms,
    presolve,
    solve_then,
    total,
)
from planner.plan.conditions import ceilings, side_of
from planner.plan.fractions import without_fractions
from planner.plan.given import notes, today_of
from planner.plan.layout import Choice, bus_cny_per_pupil, make_plan, school_costs, split, whole
from planner.plan.naming import proof_of
from planner.plan.question import Question, ask
from planner.plan.types import Plan
from planner.scenario import Scenario, TownRule
from planner.wording import Amount, Phrase, remark


def optimise(area: StudyArea, times: TravelTimes, scenario: Scenario) -> Plan:
    """The best plan under the scenario's rules, with its proven gap.

    Raises
    ------
    ScenarioError : the scenario does not fit the area
    InfeasibleError : no plan keeps every rule; says which towns, bands, pupils and seats, and the smallest repairs

    >>> best = optimise(tiny.area, tiny.times, tiny.scenario)
    >>> best.status, best.objective, best.gap
    ('optimal', 440.0, 0.0)
    """
    from planner.plan.infeasible import infeasible  # it poses questions of its own

    if scenario.objective.over:
        from planner.plan.over import optimise_over  # which poses its problems by this file

        return optimise_over(area, times, scenario)
    question = ask(area, times, scenario)
    today = today_of(question)
    row = np.flatnonzero(question.reachable)
    problem, _ = pose(question, row)
    if presolve(problem).infeasible:
        raise infeasible(question, "infeasible")
    goals = [problem.objective, *(terms(question, word, row) for word in scenario.objective.then)]
    proven = solve_then(
        problem,
        *goals[1:],
        gap=scenario.solver.gap,
        time_limit_s=scenario.solver.time_limit_s,
        seed=scenario.solver.seed,
    )
    last = proven[-1]
    if last.status not in ("optimal", "feasible"):
        raise infeasible(question, last.status)
    found = _used(question, problem, whole_pupils(question, problem, row, last))
    first, *others = (_revalued(problem, goal, proof, found) for goal, proof in zip(goals, proven, strict=True))
    choice = choice_of(question, problem, row, found)
    said = notes(question)
    for which, word, other in zip(("second", "third"), scenario.objective.then, others, strict=False):
        value, proof = Amount(other.objective, word), proof_of(other.gap == 0, other.gap)
        said += (remark(f"note.{which}", objective=Phrase(word), value=value, proof=proof),)
    return make_plan(
        question,
        choice,
        title=scenario.title,
        status=first.status,
        objective=first.objective,
        bound=first.bound,
        gap=first.gap,
        seconds=sum(proof.seconds for proof in proven),
        today=today,
        notes=said,
    )


def plan_of(
    question: Question, problem: LocationProblem, row: np.ndarray, found: LocationSolution, **said: Any
) -> Plan:
    """The plan of a solution: whole pupils, nothing opened for nobody; ``said`` goes to ``Plan`` as it is."""
    found = _used(question, problem, whole_pupils(question, problem, row, found))
    return make_plan(question, choice_of(question, problem, row, found), **said)


def _revalued(
    problem: LocationProblem, goal: Terms, proven: LocationSolution, found: LocationSolution
) -> LocationSolution:
    """What was ``proven`` of an objective, with the objective of the solution that counts."""
    value = total(problem, goal, found)
    gap = max(value - proven.bound, 0.0) / max(abs(value), 1e-9)
    return dataclasses.replace(proven, objective=value, gap=gap if gap > 1e-9 else 0.0)


def whole_pupils(
    question: Question, problem: LocationProblem, row: np.ndarray, found: LocationSolution
) -> LocationSolution:
    """The solution without fractions of a pupil, by the first objective that serving counts in."""
    if problem.whole:
        return found
    scenario = question.scenario
    costs = [cost for goal in scenario.objective.named if (cost := terms(question, goal, row).cost) is not None]
    cost = costs[0] if costs else np.zeros(problem.cost.shape)
    return without_fractions(problem, found, cost, time_limit_s=scenario.solver.time_limit_s)


def _used(question: Question, problem: LocationProblem, found: LocationSolution) -> LocationSolution:
    """The solution without what was opened for nobody."""
    served = np.bincount(found.shares.indices[found.shares.data > 1e-9], minlength=len(found.open)) > 0
    is_open = none_idle(question, problem, found.open, served)
    return found if (is_open == found.open).all() else dataclasses.replace(found, open=is_open)


def none_idle(question: Question, problem: LocationProblem, is_open: np.ndarray, served: np.ndarray) -> np.ndarray:
    """(n_site,) what is open: nothing is opened for nobody, unless a rule asks for it.

    Parameters
    ----------
    is_open, served : (n_site,) bool, what the solution opens, and where somebody goes
    """
    is_open = is_open.copy()
    for j in np.flatnonzero(is_open & ~question.exists & ~served):
        needed = any(j in rule.sites and is_open[list(rule.sites)].sum() <= rule.min for rule in problem.rules)
        is_open[j] = needed or j in problem.forced_open
    return is_open


def terms(question: Question, objective: str, row: np.ndarray) -> Terms:
    """An objective as a sum over serving, open sites, open schools and steps of seats."""
    price = question.scenario.capacity.cost_per_seat_cny or 0.0
    pupils = question.rows["pupils"].to_numpy(dtype=float)[row, None]
    sites, facilities = question.sites, question.sites["school_id"].drop_duplicates()
    match objective:
        case "pupil_minutes":
            return Terms(cost=question.minutes[row] * pupils)
        case "excess_pupil_minutes":
            over = np.maximum(question.minutes[row] - question.norm[row, None], 0.0)
            return Terms(cost=np.where(np.isinf(question.norm[row, None]), 0.0, over) * pupils)
        case "weighted_cny":
            weights = question.scenario.objective.weights_cny
            return weighted([(price, terms(question, word, row)) for word, price in weights.items()])
        case "annual_cost_cny":
            buses = bus_cny_per_pupil(question)[row] * pupils
            costs = school_costs(question)[facilities].to_numpy()
            return Terms(cost=buses if buses.any() else None, facility=costs)
        case "capital_cost_cny":
            new = np.where(question.exists, 0.0, np.nan_to_num(sites["seats"].to_numpy()))
            return Terms(fixed=new * price, step=np.full(len(sites), question.scenario.capacity.seat_step * price))
        case _:
            return Terms(facility=np.ones(len(facilities)))


def weighted(parts: Sequence[tuple[float, Terms]]) -> Terms:
    """The sum of terms, each times a weight.

    >>> weighted([(2.0, Terms(fixed=np.ones(2))), (1.0, Terms(fixed=np.ones(2), step=np.ones(2)))]).fixed.tolist()
    [3.0, 3.0]
    """

    def added(name: str) -> np.ndarray | None:
        given = [weight * getattr(part, name) for weight, part in parts if getattr(part, name) is not None]
        return sum(given) if given else None

    return Terms(**{name: added(name) for name in ("cost", "fixed", "facility", "step")})


def pose(
    question: Question, row: np.ndarray, today: Question | None = None
) -> tuple[LocationProblem, list[tuple[str, TownRule]]]:
    """The question as pure arrays, and the town and rule of each of the problem's rules.

    Parameters
    ----------
    row : the rows of the question to serve (those that some way joins to a school)
    today : of a future's question, the present's, which says what may end and whose nearest school one is
    """
    today = today or question
    scenario, sites = question.scenario, question.sites
    goal = terms(question, scenario.objective.minimise, row)
    cost = np.zeros((len(row), len(sites))) if goal.cost is None else goal.cost
    pupils = question.rows["pupils"].to_numpy(dtype=float)[row]
    closed = sites["school_id"].isin(scenario.rules.close).to_numpy()
    kept = (~today.may_end | sites["school_id"].isin(scenario.rules.keep).to_numpy()) & (
        sites["origin"] != "gain"
    ).to_numpy()
    number = {school: k for k, school in enumerate(sites["school_id"].drop_duplicates())}
    facility = np.array([number[school] for school in sites["school_id"]], dtype=np.int64)
    seats, expansion = _seats(question, pupils.sum(), goal.step)
    rules, meant = [], []
    per_town, kind, stage = scenario.rules.per_town, sites["kind"], sites["stage"]
    meets = [(kind.isin(rule.kinds) & (stage == rule.stage)).to_numpy(dtype=bool) for rule in per_town]
    for town in question.area.towns.index:
        here = (sites["town_id"] == town).to_numpy(dtype=bool)
        for rule, meeting in zip(per_town, meets, strict=True):
            span = rule.except_towns.get(str(town), rule.open)
            rules.append(OpenRule(tuple(np.flatnonzero(meeting & here).tolist()), span.min, span.max, str(town)))
            meant.append((str(town), rule))
    forced = kept & ~closed
    problem = LocationProblem(
        np.where(question.allowed[row], cost, np.nan),
        weight=pupils,
        capacity=seats,
        fixed_cost=goal.fixed,
        forced_open=tuple(int(j) for j in np.flatnonzero(forced)),
        forced_closed=tuple(int(j) for j in np.flatnonzero(closed)),
        rules=tuple(rules),
        expansion=expansion,
        whole=scenario.assignment.unit == "village",
        facility=facility,
        facility_cost=goal.facility,
        budgets=ceilings(question, row, *(terms(question, f"{what}_cost_cny", row) for what in ("annual", "capital"))),
        side=side_of(question, row, forced, facility, today),
    )
    return problem, meant


def _seats(question: Question, pupils: float, step_cost: np.ndarray | None) -> tuple[np.ndarray, Expansion | None]:
    """(n_site,) seats, infinite where unknown or where more may be added than could ever be asked for at no cost."""
    capacity = question.scenario.capacity
    seats = np.nan_to_num(question.sites["seats"].to_numpy(dtype=float), nan=np.inf)
    if not capacity.expansion:
        return seats, None
    known = np.where(np.isfinite(seats), seats, 0.0)  # unknown seats are no limit: nothing to add
    room = np.minimum(capacity.max_seats_per_school - known, capacity.max_added_seats_per_school)
    steps = np.floor(np.clip(room, 0, pupils + capacity.seat_step) / capacity.seat_step)
    limited = np.isfinite(question.scenario.costs.max_capital_cny)
    priced = step_cost is not None or limited or "capital_cost_cny" in question.scenario.objective.then
    if not (priced or question.scenario.assignment.closest):  # whether there is room depends on what is added
        load = np.where(question.allowed, question.rows["pupils"].to_numpy()[:, None], 0).sum(axis=0)
        seats = np.where(seats + steps * capacity.seat_step >= load, np.inf, seats)
    size = np.full(len(seats), float(capacity.seat_step))
    return seats, Expansion(size, steps, np.zeros(len(seats)) if step_cost is None else step_cost)


def choice_of(question: Question, problem: LocationProblem, row: np.ndarray, found: LocationSolution) -> Choice:
    """The solution as a choice: whole pupils, and no more seats added than are used."""
    capacity = question.scenario.capacity
    pupils = question.rows["pupils"].to_numpy()
    site = np.full(len(question.rows), -1)
    site[row] = found.assignment
    choice = whole(question, found.open, site)
    if not problem.whole:
        choice = split(choice, row, found, pupils)
    load = np.bincount(
        choice.site[choice.site >= 0], weights=choice.pupils[choice.site >= 0], minlength=len(found.open)
    )
    seats = question.sites["seats"].to_numpy(dtype=float)
    over = np.where(np.isnan(seats), 0.0, load - seats)
    added = np.ceil(np.maximum(over, 0) / capacity.seat_step - 1e-9) * capacity.seat_step if capacity.expansion else 0.0
    return dataclasses.replace(choice, added=np.zeros(len(seats)) + added)
