"""Location problems as pure arrays, solved exactly; knows nothing of schools."""

from planner.optimise.evaluate import assign, objectives
from planner.optimise.exact import solve, solve_then
from planner.optimise.forced import NEVER, Forced, Relaxation, forced
from planner.optimise.parts import part_of
from planner.optimise.presolve import Presolve, presolve
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
    "NEVER",
    "Budget",
    "Expansion",
    "Forced",
    "LocationProblem",
    "LocationSolution",
    "Only",
    "OpenRule",
    "Presolve",
    "Relaxation",
    "Repair",
    "Side",
    "Terms",
    "assign",
    "forced",
    "objectives",
    "part_of",
    "presolve",
    "repair",
    "solve",
    "solve_then",
    "total",
    "violations",
]
