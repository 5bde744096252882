"""Location problems as pure arrays, solved exactly; knows nothing of schools."""

from planner.optimise.evaluate import assign, objectives, split_objective
from planner.optimise.exact import solve, solve_then
from planner.optimise.problem import (
    Budget,
    Expansion,
    LocationProblem,
    LocationSolution,
    OpenRule,
    Terms,
    total,
    violations,
)
from planner.optimise.repair import Repair, repair

__all__ = [
    "Budget",
    "Expansion",
    "LocationProblem",
    "LocationSolution",
    "OpenRule",
    "Repair",
    "Terms",
    "assign",
    "objectives",
    "repair",
    "solve",
    "solve_then",
    "split_objective",
    "total",
    "violations",
]
