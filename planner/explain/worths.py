"""What the best plan is worth with either fate of a school: every school and threshold asked of one relaxation.

A county's relaxation takes half a second. To force a school in it, leave out trips, count other pupils or ease a town's
rule takes some hundredths (``planner.optimise.forced``).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from planner.explain.fates import Fate, Sites, allowed, the_other_way
from planner.optimise import NEVER, Forced, LocationProblem, Relaxation, Stack
from planner.optimise.problem import dense
from planner.plan import Plan, Question, ask, pose
from planner.plan.over import pose_over
from planner.remembered import remembered
from planner.scenario import Scenario

Worths = tuple[Forced, Forced]
"""With the planned fate, and with the other."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A question as a problem, and the problem's relaxation.

    Parameters
    ----------
    row : (n_demand,) rows of the question that the problem serves; over futures, its first demand points
    stack : the present and the futures, where the plan is made for futures: a school's sites are forced in all of them
    """

    question: Question
    row: np.ndarray
    problem: LocationProblem
    relaxed: Relaxation
    stack: Stack | None = None

    def sites(self, choice: tuple[Sites, Sites]) -> tuple[Sites, Sites]:
        """Sites of the question as sites of the problem."""
        if self.stack is None:
            return choice
        return self.stack.copies(choice[0]), self.stack.copies(choice[1])

    def forced(
        self,
        choice: tuple[Sites, Sites],
        *,
        of: LocationProblem | None = None,
        prove_s: float = 2.0,
        seconds: float | None = None,
    ) -> Forced:
        """The best objective with some sites open and some closed.

        Parameters
        ----------
        of : another problem; where it differs too much, a relaxation of its own is solved
        prove_s : seconds, where the relaxation leaves a bracket
        seconds : in all; by default the solver's limit
        """
        problem, solver = of or self.problem, self.question.scenario.solver
        relaxed = self.relaxed
        if of is not None and not relaxed.answers(of):
            relaxed = Relaxation(of, seed=solver.seed)
        relaxed.renew(solver.time_limit_s if seconds is None else seconds)
        return relaxed.forced(*self.sites(choice), of=problem, prove_s=prove_s)

    def naming(self, fate: Fate) -> LocationProblem:
        """The problem of a scenario that names the other fate: a school that is to be kept may be as small as it is."""
        scenario = self.question.scenario
        if fate.stays or scenario.rules.min_pupils_per_school == 0:
            return self.problem
        named = dataclasses.replace(self.question, scenario=the_other_way(scenario, fate))
        return _problem(named, self.row)[0]


@remembered
def question_of(plan: Plan) -> Question:
    """The question that a plan answers."""
    return ask(plan.area, plan.times, plan.scenario)


@remembered
def posed(question: Question) -> Posed:
    """The question's relaxation, one for all who ask."""
    row = np.flatnonzero(question.reachable)
    problem, stack = _problem(question, row)
    return Posed(question, row, problem, Relaxation(problem, seed=question.scenario.solver.seed), stack)


def _problem(question: Question, row: np.ndarray) -> tuple[LocationProblem, Stack | None]:
    if not question.scenario.objective.over:
        return pose(question, row)[0], None
    over = pose_over(question)
    return dataclasses.replace(over.problem, cost=dense(over.problem.cost)), over.stack


def worths(
    question: Question, fate: Fate, *, eased: Scenario | None = None, heed: bool = True, prove_s: float = 2.0
) -> Worths:
    """The best objective with the planned fate and with the other.

    Parameters
    ----------
    eased : the towns' rules are those of this scenario
    heed : there is none where the scenario's word on this school forbids the fate (``allowed``)
    prove_s : seconds for each, where the relaxation leaves a bracket

    >>> from planner.explain.fates import fate_of
    >>> planned, other = worths(tiny.question, fate_of(tiny.plan, tiny.question, "S2"))
    >>> planned.upper, other.impossible
    (440.0, True)
    """
    base = posed(question)

    def worth(choice: tuple[Sites, Sites], problem: LocationProblem) -> Forced:
        if heed and not allowed(question, choice):
            return NEVER
        if eased is not None:
            rules = pose(dataclasses.replace(question, scenario=eased), base.row)[0].rules
            problem = dataclasses.replace(problem, rules=rules)
        return base.forced(choice, of=problem, prove_s=prove_s)

    return worth(fate.planned, base.problem), worth(fate.other, base.naming(fate))
