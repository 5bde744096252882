"""All schools at once: what the other fate of each would cost, as far as little work proves it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import clock
from planner.explain.bindings import bindings, town_name
from planner.explain.fates import ENDING, Fate, Sites, fates, not_scored
from planner.explain.worths import posed, question_of
from planner.optimise import Forced, LocationProblem, LocationSolution, Relaxation
from planner.plan import Plan, Question

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

COLUMNS = ("school_id", "name", "kind", "town", "fate", "opposite", "at_least", "at_most", "proof", "pupils", "rules")


def explain_all(plan: Plan, *, prove_s: float = 0.5, time_limit_s: float = 60.0) -> pd.DataFrame:
    """The cost of the opposite fate of every school, and which rule stands in its way.

    One relaxation serves them all (``planner.optimise.forced``); most schools take some milliseconds.

    Parameters
    ----------
    prove_s : seconds for a school whose bracket the relaxation leaves open
    time_limit_s : seconds in all; schools that it does not reach have a bracket without ends

    Returns
    -------
    A row a school, with the columns

    - ``school_id, name, kind, town, fate``: its actions in the plan; ``opposite``: ``keep`` or ``close``
    - ``at_least, at_most``: how much the objective rises, in its unit; infinite where no plan is left, or none is known
    - ``proof``: ``exact``, ``bracket``, or ``impossible`` (no plan keeps every rule)
    - ``pupils``: whose school would be another, or, where trips of the present are not minimised, would end; NaN: no
      plan known
    - ``rules``: names of those that bind (``Binding.rule``), "" none. Where they are ``keep``, ``close`` or
      ``too_large``, the scenario's word on this school is set aside for the cost.

    >>> table = explain_all(tiny.plan)
    >>> table[["school_id", "opposite", "at_least", "proof", "rules"]].values.tolist()
    [['S1', 'close', inf, 'impossible', 'captive'], ['S2', 'keep', inf, 'impossible', 'town_max'],
     ['S3', 'close', inf, 'impossible', 'captive']]
    """
    import pandas as pd

    not_scored(plan)
    question = question_of(plan)
    base = posed(question)
    if base.stack is None:
        known = _known(plan, question, base.row)
        base = dataclasses.replace(base, relaxed=Relaxation(base.problem, known=known, seed=plan.scenario.solver.seed))
    ends = clock() + time_limit_s

    def worth(choice: tuple[Sites, Sites], problem: LocationProblem) -> Forced:
        return base.forced(choice, of=problem, prove_s=prove_s, seconds=ends - clock())

    reference = plan.objective if np.isfinite(plan.objective) else np.nan
    today = _by_school(plan, question, base.row)
    found = []
    for fate in fates(plan, question):
        other, now = worth(fate.other, base.naming(fate)), reference
        if np.isnan(now):
            now = worth(fate.planned, base.problem).upper
        solution = other.solution
        if solution is not None and base.stack is not None:
            solution = base.stack.part(solution, 0)
        found.append(_row(plan, question, fate, other, now, _moved(question, base.row, solution, today)))
    return pd.DataFrame(found, columns=list(COLUMNS)).astype({"at_least": float, "at_most": float, "pupils": float})


@dataclass(frozen=True, eq=False)
class _Known:
    """A plan as a solution: open sites, and the site of every row, of a split one that of most pupils."""

    open: np.ndarray
    assignment: np.ndarray


def _known(plan: Plan, question: Question, row: np.ndarray) -> _Known | None:
    """The plan near which others are looked for; None where somebody has no school."""
    sites = question.sites
    place = {pair: j for j, pair in enumerate(zip(sites["school_id"], sites["stage"], strict=True))}
    is_open = np.zeros(len(sites), dtype=bool)
    for school, stage, action in plan.actions[["school_id", "stage", "action"]].itertuples(index=False):
        is_open[place[school, stage]] = action not in ENDING
    stages = question.rows.iloc[row]["stage"].to_numpy()
    per_school = _by_school(plan, question, row)
    if (per_school.sum(axis=1) <= 0).any():
        return None
    schools = [str(plan.area.schools.index[j]) for j in np.asarray(per_school.argmax(axis=1)).ravel()]
    return _Known(is_open, np.array([place[pair] for pair in zip(schools, stages, strict=True)], dtype=np.int64))


def _row(plan: Plan, question: Question, fate: Fate, other: Forced, base: float, moved: float) -> tuple[object, ...]:
    school = plan.area.schools.loc[fate.school_id]
    actions = plan.actions[plan.actions["school_id"] == fate.school_id]
    said = list(dict.fromkeys(actions["action"]))
    return (
        fate.school_id,
        school["name"],
        school["kind"],
        town_name(question, str(school["town_id"])),
        "; ".join(said),
        "close" if fate.stays else "keep",
        other.lower - base,
        other.upper - base,
        "impossible" if other.impossible else "exact" if other.exact else "bracket",
        moved,
        "; ".join(dict.fromkeys(binding.rule for binding in bindings(plan, question, fate))),
    )


def _by_school(plan: Plan, question: Question, row: np.ndarray) -> csr_array:
    """(n_row, n_school) pupils of the rows that are served."""
    from scipy.sparse import csr_array

    place = {
        pair: k
        for k, pair in enumerate(question.rows.iloc[row][["demand_id", "band"]].itertuples(index=False, name=None))
    }
    column = {str(s): k for k, s in enumerate(plan.area.schools.index)}
    rows = plan.assignment[plan.assignment["school_id"] != ""]
    i = [place.get(pair, -1) for pair in rows[["demand_id", "band"]].itertuples(index=False, name=None)]
    some = np.array(i, dtype=np.int64) >= 0
    j = rows["school_id"].map(column).to_numpy()
    shape = (len(row), len(column))
    return csr_array((rows["pupils"].to_numpy(dtype=float)[some], (np.array(i)[some], j[some])), shape=shape)


def _moved(question: Question, row: np.ndarray, found: LocationSolution | None, today: csr_array) -> float:
    """Pupils whose school differs; NaN without a solution.

    Where trips of the present are not what is minimised, a solution says which schools open and not who goes where:
    then those whose school ends count.
    """
    from scipy.sparse import csr_array

    if found is None:
        return float("nan")
    column = {str(s): k for k, s in enumerate(question.area.schools.index)}
    goal = question.scenario.objective
    if goal.minimise != "pupil_minutes" or goal.over:
        stage = question.sites["stage"].to_numpy()
        ends = np.zeros(today.shape, dtype=bool)
        for j in np.flatnonzero(~found.open):
            ends[question.rows["stage"].to_numpy()[row] == stage[j], column[question.sites["school_id"].iloc[j]]] = True
        return float(today.multiply(ends).sum())
    school = np.array([column[s] for s in question.sites["school_id"]], dtype=np.int64)
    shares = found.shares.tocoo()
    pupils = shares.data * question.rows["pupils"].to_numpy(dtype=float)[row][shares.row]
    after = csr_array((pupils, (shares.row, school[shares.col])), shape=today.shape)
    return float(round(abs(after - today).sum() / 2))
