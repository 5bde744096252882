"""What the linear relaxation's prices rule out, budgets included: sites that open or close whatever is below a ceiling.

The reduced cost of a site says little where its arcs' rows share its worth among them. The prices that the relaxation
puts on serving say more once sites are chosen by them (planner/optimise/restrict.py), and the prices of budgets are a
part of every cost: budgets are relaxed as in Geoffrion 1974. Whatever the prices, what is ruled out is in no solution
at or below the ceiling.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from planner.compiled import announce
from planner.optimise.knapsack import force_each, gains
from planner.optimise.lagrange import Point, Relaxation, at_prices, relax
from planner.optimise.mip import Mip
from planner.optimise.problem import LocationProblem, Terms, at_pairs, pairs, same_pairs
from planner.optimise.restrict import Left, gains_by_steps, left


@dataclass(frozen=True, eq=False)
class Priced:
    """A problem with its budgets in the objective, solved at prices; ``paid`` is what the budgets are worth in all."""

    relaxed: Relaxation
    point: Point
    paid: float

    def left(self, ceiling: float) -> Left:
        """What may be part of a solution at or below the ceiling."""
        return left(self.relaxed, self.point, ceiling + self.paid)


def priced(problem: LocationProblem, mip: Mip, row_dual: np.ndarray) -> Priced | None:
    """The problem at the prices of a relaxation; None where it has sums that prices do not see.

    Parameters
    ----------
    row_dual : (n_row,) what one more on the right of each row of ``mip`` would add to the objective
    """
    worth = [max(-float(row_dual[row]) / scale, 0.0) for row, scale in mip.budgets]
    whole = _plus(problem, [(w, budget.terms) for w, budget in zip(worth, problem.budgets, strict=True) if w > 0])
    if problem.worst or (whole.expansion is not None and (whole.expansion.cost_per_step < 0).any()):
        return None
    announce((gains, gains_by_steps, force_each), "the search for plans within budgets")
    relaxed = relax(whole)
    paid = sum(w * budget.max for w, budget in zip(worth, problem.budgets, strict=True) if w > 0)
    return Priced(relaxed, at_prices(relaxed, row_dual[mip.serve]), paid)


def _plus(problem: LocationProblem, more: list[tuple[float, Terms]]) -> LocationProblem:
    """The problem with some sums added to its objective, each so many times, and without budgets."""
    demand, site, cost = pairs(problem.cost)
    fixed, facility = problem.fixed_cost, problem.facility_cost
    step = None if problem.expansion is None else problem.expansion.cost_per_step
    for times, terms in more:
        cost = cost if terms.cost is None else cost + times * at_pairs(terms.cost, demand, site)
        fixed = fixed if terms.fixed is None else fixed + times * terms.fixed
        facility = facility if terms.facility is None else facility + times * terms.facility
        step = step if terms.step is None or step is None else step + times * terms.step
    return dataclasses.replace(
        problem,
        cost=same_pairs(problem.cost, cost),
        fixed_cost=fixed,
        facility_cost=facility,
        expansion=problem.expansion and dataclasses.replace(problem.expansion, cost_per_step=step),
        budgets=(),
    )
