"""Location problems as pure arrays, solved exactly; knows nothing of schools."""

from planner.optimise.evaluate import assign, objectives
from planner.optimise.exact import solve, solve_then
from planner.optimise.frontier import Longest, Point, frontier, limit
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
from planner.optimise.side import Only, Side

__all__ = [
    "Budget",
    "Expansion",
    "LocationProblem",
    "LocationSolution",
    "Longest",
    "Only",
    "OpenRule",
    "Point",
    "Repair",
    "Side",
    "Terms",
    "assign",
    "frontier",
    "limit",
    "objectives",
    "repair",
    "solve",
    "solve_then",
    "total",
    "violations",
]
