"""Location problems as pure arrays, solved exactly; knows nothing of schools."""

from planner.optimise.alternatives import Alternatives, alternatives
from planner.optimise.evaluate import assign, objectives, split_objective
from planner.optimise.exact import aimed, solve, solve_then
from planner.optimise.forced import NEVER, Forced, Relaxation, forced
from planner.optimise.frontier import Longest, OutOfTimeError, Point, frontier, limit
from planner.optimise.futures import Stack, stacked
from planner.optimise.parts import Part, parts
from planner.optimise.presolve import Presolve, presolve
from planner.optimise.problem import (
    Budget,
    Expansion,
    LocationProblem,
    LocationSolution,
    OpenRule,
    Terms,
    total,
    value,
    violations,
)
from planner.optimise.repair import Repair, repair
from planner.optimise.side import Only, Side

__all__ = [
    "NEVER",
    "Alternatives",
    "Budget",
    "Expansion",
    "Forced",
    "LocationProblem",
    "LocationSolution",
    "Longest",
    "Only",
    "OpenRule",
    "OutOfTimeError",
    "Part",
    "Point",
    "Presolve",
    "Relaxation",
    "Repair",
    "Side",
    "Stack",
    "Terms",
    "aimed",
    "alternatives",
    "assign",
    "forced",
    "frontier",
    "limit",
    "objectives",
    "parts",
    "presolve",
    "repair",
    "solve",
    "solve_then",
    "split_objective",
    "stacked",
    "total",
    "value",
    "violations",
]
