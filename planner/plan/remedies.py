"""What would give an infeasible scenario a plan, in the planner's terms: every remedy is tried before it is offered."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.model import StudyArea
from planner.optimise import LocationProblem, Repair, presolve, repair, solve
from planner.plan.best import pose
from planner.plan.naming import of_rule
from planner.plan.question import Question, ask
from planner.scenario import Range, Rules, Scenario, TownRule
from planner.wording import Either, Phrase, Word, spoken

Asked = tuple[StudyArea, Scenario]
RULE, SPLIT, PUPIL_MINUTES = 100.0, 50.0, 10.0
"""Prices in seats: a school more or less than a rule or a list says; splitting villages; so many pupil minutes beyond
the norm are one seat."""
ANYTHING = 1e9
"""A gap at which the first plan will do."""
SMALL = 20_000
"""Pairs of a demand point and a site up to which whole villages are repaired as such."""


@dataclass(frozen=True)
class Change:
    """One thing to change.

    Parameters
    ----------
    what : the limit that it moves: of two remedies that move the same limits, the first is offered
    said : the change, in words and in the scenario's keys
    price : in seats (docs/conventions.md 3.24)
    apply : the area and the scenario with it
    """

    what: str
    said: Phrase
    price: float
    apply: Callable[[StudyArea, Scenario], Asked]


@dataclass(frozen=True)
class Remedy:
    """Changes that together give the scenario a plan."""

    changes: tuple[Change, ...]

    @property
    def price(self) -> float:
        """In seats."""
        return sum(change.price for change in self.changes)

    def apply(self, area: StudyArea, scenario: Scenario) -> Asked:
        """The area and the scenario with every change."""
        for change in self.changes:
            area, scenario = change.apply(area, scenario)
        return area, scenario

    def text(self, language: str) -> str:
        """The changes as one sentence in ``en`` or ``zh``."""
        then, stop = (spoken(Phrase(key), language) for key in ("then", "stop"))
        return then.join(spoken(change.said, language) for change in self.changes) + stop


def remedies(question: Question, *, time_limit_s: float = 60.0) -> list[Remedy]:
    """Ways to make an infeasible scenario feasible, the cheapest first; each was tried and has a plan.

    Seats alone, towns' rules alone, the lists of schools alone, the norm alone, and the cheapest mixture of them all;
    splitting villages; trips as long as today's. Empty only when time is short.

    >>> import dataclasses
    >>> strict = tiny.scenario.model_copy(update={"rules": tiny.scenario.rules.model_copy(update={"keep": ("S2",)})})
    >>> for remedy in remedies(ask(tiny.area, tiny.times, strict)):
    ...     print(remedy.text("en"))
    甲镇: set except_towns.A = { min = 0, max = 1 } for village_primary or teaching_point (primary).
    Take S2 Village `${x}` </script> off rules.keep.
    """
    ends = clock() + time_limit_s
    found: list[Remedy] = []
    for changes in _candidates(question, ends):
        remedy = Remedy(changes)
        moved = {change.what for change in changes}
        if not changes or any({change.what for change in known.changes} <= moved for known in found):
            continue
        if clock() < ends and has_plan(question, *remedy.apply(question.area, question.scenario)):
            found.append(remedy)
    return sorted(found, key=lambda remedy: remedy.price)


def has_plan(question: Question, area: StudyArea, scenario: Scenario, *, time_limit_s: float = 10.0) -> bool:
    """Whether a changed scenario has a plan at all; False when out of time."""
    changed = ask(area, question.times, scenario)
    problem, _ = pose(changed, np.flatnonzero(changed.reachable))
    return _feasible(problem, time_limit_s)


def split_villages(question: Question) -> bool:
    """Whether the scenario has a plan when villages may be split."""
    problem, _ = pose(question, np.flatnonzero(question.reachable))
    return _feasible(_split(problem), 10.0)


def _split(problem: LocationProblem) -> LocationProblem:
    """The problem with villages that may be split: what is asked of whole ones alone is asked no more."""
    side = problem.side and dataclasses.replace(problem.side, touching=None)
    return dataclasses.replace(problem, whole=False, side=side)


def _feasible(problem: LocationProblem, time_limit_s: float) -> bool:
    if presolve(problem).infeasible:
        return False
    free = problem.expansion and dataclasses.replace(
        problem.expansion, cost_per_step=np.zeros_like(problem.expansion.max_steps)
    )
    costless = dataclasses.replace(
        problem, cost=np.where(np.isnan(problem.cost), np.nan, 0.0), fixed_cost=None, facility_cost=None, expansion=free
    )
    return solve(costless, gap=ANYTHING, time_limit_s=time_limit_s).status in ("optimal", "feasible")


def _candidates(question: Question, ends: float) -> Iterator[tuple[Change, ...]]:
    """What might help, the narrowest first."""
    scenario = question.scenario
    row = np.flatnonzero(question.reachable)
    # Posed without norms: which seats are so many that they are no limit depends on who may come.
    travel = scenario.travel.model_copy(update={"max_minutes": {}})
    without_norms = dataclasses.replace(question, scenario=scenario.model_copy(update={"travel": travel}))
    problem, meant = pose(without_norms, row)
    problem = dataclasses.replace(problem, cost=np.where(question.allowed[row], problem.cost, np.nan))
    with np.errstate(invalid="ignore"):
        over = question.minutes[row] - question.limit[row, None]
    beyond = np.where(over > 0, over, np.nan) * question.rows["pupils"].to_numpy()[row, None] / PUPIL_MINUTES
    for easing in (("seats",), ("rules",), ("forced",), ("budgets",)):
        if (found := _eased(question, problem, easing, None, ends)) is not None:
            yield (*_changes(question, meant, row, found), *_ceilings(question, problem, found))
    if (found := _eased(question, problem, (), beyond, ends)) is not None:
        yield _tightest(question, row, found, ends)
    if scenario.assignment.unit == "village" and not scenario.assignment.contiguous:
        yield (_assignment("unit", "pupil", "split", SPLIT),)
    if scenario.assignment.beyond_norm == "forbid":
        today = np.array([question.minutes[i, j] if j >= 0 else 0.0 for i, j in enumerate(question.nearest_today)])
        longer = np.maximum(today - question.limit, 0.0) * question.rows["pupils"].to_numpy()
        yield (_assignment("beyond_norm", "as_today", "as_today", float(longer.sum()) / PUPIL_MINUTES),)
    yield from _without_conditions(scenario)
    if (found := _eased(question, problem, ("seats", "rules", "forced", "budgets"), beyond, ends)) is not None:
        yield (*_changes(question, meant, row, found), *_ceilings(question, problem, found))


def _eased(
    question: Question, problem: LocationProblem, easing: tuple[str, ...], beyond: np.ndarray | None, ends: float
) -> Repair | None:
    """The cheapest repair by these limits alone; None where they cannot help, or out of time.

    In a large problem villages are split for it: what comes of that is tried whole before it is offered.
    """
    left = ends - clock()
    if left <= 0 or presolve(_at_best(problem, easing, beyond)).infeasible:
        return None
    asked = problem if problem.cost.size <= SMALL else _split(problem)
    real = (question.sites["origin"] != "gain").to_numpy()  # a stage that is taken up has no seats to add to
    return repair(asked, easing=easing, beyond=beyond, seats_at=real, time_limit_s=min(left, 20.0))


def _at_best(problem: LocationProblem, easing: tuple[str, ...], beyond: np.ndarray | None) -> LocationProblem:
    """The problem without the limits that may give way."""
    if beyond is not None:
        problem = dataclasses.replace(problem, cost=np.where(np.isnan(problem.cost), beyond, problem.cost))
    if "seats" in easing:
        problem = dataclasses.replace(problem, capacity=None)
    if "rules" in easing:
        problem = dataclasses.replace(problem, rules=())
    if "forced" in easing:
        problem = dataclasses.replace(problem, forced_open=(), forced_closed=())
    if "budgets" in easing:
        problem = dataclasses.replace(problem, budgets=())
    return problem


def _changes(
    question: Question,
    meant: Sequence[tuple[str, TownRule]],
    row: np.ndarray,
    found: Repair,
) -> Iterator[Change]:
    """A repair of the problem in the planner's terms."""
    sites = question.sites
    known = np.nan_to_num(sites["seats"].to_numpy(dtype=float))
    for j in np.flatnonzero(found.seats > 1e-6).tolist():
        yield _seats(question, j, math.ceil(found.load[j] - known[j] - 1e-6))
    for k, short in found.rules.items():
        if k < len(meant):
            yield _town(question, *meant[k], short)
    school = sites["school_id"].to_numpy()
    turned = {school[j]: (int(j), turn) for turn, js in ((False, found.opened), (True, found.closed)) for j in js}
    for j, close in turned.values():
        yield _listed(question, j, close=close)
    for band, (minutes, price) in _longest(question, row, found).items():
        yield _norm(question, band, minutes, price)


def _longest(question: Question, row: np.ndarray, found: Repair) -> dict[str, tuple[float, float]]:
    """The norm in whole minutes that each band needs for the pairs that are used, and its price."""
    demand, site = row[found.pairs[:, 0]], found.pairs[:, 1]
    minutes = question.minutes[demand, site]
    extra = (minutes - question.limit[demand]) * question.rows["pupils"].to_numpy()[demand]
    band = question.rows["band"].to_numpy()[demand]
    return {
        str(b): (float(np.ceil(minutes[band == b].max() - 1e-6)), float(extra[band == b].sum()) / PUPIL_MINUTES)
        for b in dict.fromkeys(band.tolist())
    }


def _tightest(question: Question, row: np.ndarray, found: Repair, ends: float) -> tuple[Change, ...]:
    """Norms in whole minutes, each as short as it can be beside the others."""
    norms = {band: _norm(question, band, *need) for band, need in _longest(question, row, found).items()}
    for band, (longest, price) in _longest(question, row, found).items():
        rows = row[question.rows["band"].to_numpy()[row] == band]
        least = math.ceil(float(np.nanmin(question.minutes[rows], axis=1).max()) - 1e-6)  # somebody needs so much
        low, high = max(int(question.scenario.travel.limit_minutes(band)), least - 1), int(longest)
        while high - low > 1 and clock() < ends:
            middle = least if low < least else (low + high) // 2
            shorter = _norm(question, band, float(middle), price)
            tried = Remedy((*(change for b, change in norms.items() if b != band), shorter))
            if has_plan(question, *tried.apply(question.area, question.scenario)):
                norms[band], high = shorter, middle
            else:
                low = middle
    return tuple(norms.values())


def _ceilings(question: Question, problem: LocationProblem, found: Repair) -> Iterator[Change]:
    """Ceilings of costs raised by what is missing, in whole thousands."""
    for k, missing in found.budgets.items():
        key = problem.budgets[k].name
        now = float(getattr(question.scenario.costs, key))
        yield _costs(key, math.ceil((now + missing) / 1000) * 1000.0, now)


def _without_conditions(scenario: Scenario) -> Iterator[tuple[Change, ...]]:
    """What is asked of sizes and catchments, given up one by one."""
    least, most = scenario.rules.min_pupils_per_school, scenario.capacity.max_pupils_per_school
    if least > 0:
        said = _set("rules.min_pupils_per_school", "0", f"{least:g}")
        yield (_given_up("min_pupils_per_school", said, "rules", 0.0),)
    if math.isfinite(most):
        said = Phrase("change.leave_out", {"key": "capacity.max_pupils_per_school", "now": f"{most:g}"})
        yield (_given_up("max_pupils_per_school", said, "capacity", math.inf),)
    for school, into in scenario.rules.merge_into.items():
        rest = {key: targets for key, targets in scenario.rules.merge_into.items() if key != school}
        said = Phrase("change.merge_into", {"school": school, "into": Either(tuple(into))})
        yield (_given_up("merge_into", said, "rules", rest),)
    for key in ("closest", "contiguous"):
        if getattr(scenario.assignment, key):
            yield (_assignment(key, False, "not_asked", SPLIT),)


# ---------------------------------------------------------------- one change each


def _seats(question: Question, site: int, count: int) -> Change:
    place = question.sites.iloc[site]
    school, column = str(place["school_id"]), f"seats_{place['stage']}"

    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        schools = area.schools.copy()
        schools.loc[school, column] = np.nan_to_num(schools.loc[school, column]) + count
        return dataclasses.replace(area, schools=schools), scenario

    now, stage = np.nan_to_num(place["seats"]), f"stage.{place['stage']}"
    values = {"n": count, "school": f"{school} {place['name']}", "stage": Word(stage), "now": f"{now:g}"}
    said = Phrase("change.seats", values)
    return Change(f"{column} {school}", said, float(count), apply)


def _given_up(key: str, said: Phrase, section: str, value: object) -> Change:
    """A condition set to what asks nothing."""

    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        part = getattr(scenario, section).model_copy(update={key: value})
        return area, scenario.model_copy(update={section: part})

    return Change(key, said, RULE, apply)


def _with_rules(scenario: Scenario, **changed: object) -> Scenario:
    rules: Rules = scenario.rules.model_copy(update=changed)
    return scenario.model_copy(update={"rules": rules})


def _town(question: Question, town: str, rule: TownRule, short: int) -> Change:
    span = rule.except_towns.get(town, rule.open)
    low, high = max(span.min - max(short, 0), 0), None if span.max is None else span.max + max(-short, 0)
    eased = Range(min=low, max=high)

    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        per_town = tuple(
            r.model_copy(update={"except_towns": {**r.except_towns, town: eased}})
            if (r.kinds, r.stage, r.open) == (rule.kinds, rule.stage, rule.open)
            else r
            for r in scenario.rules.per_town
        )
        return area, _with_rules(scenario, per_town=per_town)

    most = "" if high is None else f", max = {high}"
    values = {**of_rule(question, town, rule), "id": town, "span": f"{{ min = {low}{most} }}"}
    said = Phrase("change.town", values)
    return Change(f"{town} {rule.kinds} {rule.stage}", said, RULE * abs(short), apply)


def _listed(question: Question, site: int, *, close: bool) -> Change:
    """A school off the list that holds it, or on the list that lets it close."""
    place, rules = question.sites.iloc[site], question.scenario.rules
    school = str(place["school_id"])
    kept = tuple(s for s in rules.keep if s != school)
    free = (
        ask(question.area, question.times, _with_rules(question.scenario, keep=kept)).may_end[site] if close else True
    )

    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        keep = tuple(s for s in scenario.rules.keep if s != school)
        shut = tuple(s for s in scenario.rules.close if s != school)
        return area, _with_rules(scenario, keep=keep, close=shut if free else (*shut, school))

    name = f"{school} {place['name']}"
    if not close:
        key = "off_close"
    elif school not in rules.keep:
        key = "on_close"
    else:
        key = "off_keep" if free else "keep_to_close"
    return Change(f"lists {school}", Phrase(f"change.{key}", {"school": name}), RULE, apply)


def _norm(question: Question, band: str, minutes: float, price: float) -> Change:
    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        limits: Any = {**scenario.travel.max_minutes, band: minutes}
        travel = scenario.travel.model_copy(update={"max_minutes": limits})
        return area, scenario.model_copy(update={"travel": travel})

    now = question.scenario.travel.limit_minutes(band)
    return Change(f"norm {band}", _set(f"travel.max_minutes.{band}", f"{minutes:g}", f"{now:g}"), price, apply)


def _costs(key: str, value: float, now: float) -> Change:
    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        return area, scenario.model_copy(update={"costs": scenario.costs.model_copy(update={key: value})})

    # A seat counts as 50,000 CNY here, as where it is built.
    return Change(key, _set(f"costs.{key}", f"{value:,.0f}", f"{now:,.0f}"), (value - now) / 50_000, apply)


def _set(key: str, value: str, now: str) -> Phrase:
    return Phrase("change.set", {"key": key, "value": value, "now": now})


def _assignment(key: str, value: str | bool, what: str, price: float) -> Change:
    def apply(area: StudyArea, scenario: Scenario) -> Asked:
        assignment = scenario.assignment.model_copy(update={key: value})
        return area, scenario.model_copy(update={"assignment": assignment})

    written = "false" if value is False else f'"{value}"'
    return Change(key, Phrase(f"change.{what}", {"key": f"assignment.{key}", "value": written}), price, apply)
