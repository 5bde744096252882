"""What the best plan is worth with either fate of a school: every school and threshold asked of one relaxation.

A county's relaxation takes half a second. To force a school in it, leave out trips, count other pupils or ease a town's
rule takes some hundredths (``planner.optimise.forced``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.explain.fates import Fate, Sites, allowed
from planner.optimise import NEVER, Forced, LocationProblem, Relaxation
from planner.plan import Plan, Question, ask, pose
from planner.remembered import remembered

Worths = tuple[Forced, Forced]
"""With the planned fate, and with the other."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A question as a problem, and the problem's relaxation.

    Parameters
    ----------
    row : (n_demand,) rows of the question that the problem serves
    """

    question: Question
    row: np.ndarray
    problem: LocationProblem
    relaxed: Relaxation

    def forced(self, choice: tuple[Sites, Sites], *, of: LocationProblem | None = None, prove_s: float = 2.0) -> Forced:
        """The best objective with some sites open and some closed.

        Parameters
        ----------
        of : another problem; where it differs too much, a relaxation of its own is solved
        prove_s : seconds, where the relaxation leaves a bracket
        """
        problem, solver = of or self.problem, self.question.scenario.solver
        relaxed = self.relaxed
        if of is not None and not relaxed.answers(of):
            relaxed = Relaxation(of, seed=solver.seed)
        relaxed.renew(solver.time_limit_s)
        return relaxed.forced(*choice, of=problem, prove_s=prove_s)


@remembered
def question_of(plan: Plan) -> Question:
    """The question that a plan answers."""
    return ask(plan.area, plan.times, plan.scenario)


@remembered
def posed(question: Question) -> Posed:
    """The question's relaxation, one for all who ask."""
    row = np.flatnonzero(question.reachable)
    problem, _ = pose(question, row)
    return Posed(question, row, problem, Relaxation(problem, seed=question.scenario.solver.seed))


def worths(
    question: Question, fate: Fate, *, instead: Question | None = None, heed: bool = True, prove_s: float = 2.0
) -> Worths:
    """The best objective with the planned fate and with the other.

    Parameters
    ----------
    instead : what is asked is this question; it differs from the first in the towns' rules, say, so that the first's
        relaxation answers it
    heed : there is none where the scenario's word on this school forbids the fate (``allowed``)
    prove_s : seconds for each, where the relaxation leaves a bracket

    >>> from planner.explain.fates import fate_of
    >>> planned, other = worths(tiny.question, fate_of(tiny.plan, tiny.question, "S2"))
    >>> planned.upper, other.impossible
    (440.0, True)
    """
    asked, base = instead or question, posed(question)
    of = None if instead is None else pose(instead, np.flatnonzero(instead.reachable))[0]

    def worth(choice: tuple[Sites, Sites]) -> Forced:
        return base.forced(choice, of=of, prove_s=prove_s) if allowed(asked, choice) or not heed else NEVER

    return worth(fate.planned), worth(fate.other)
