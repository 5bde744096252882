"""Why a school closes or stays, what the opposite would cost, and what would flip it: for the hearing."""

from planner.explain.saved import read_plan
from planner.explain.school import Explanation, explain
from planner.explain.table import explain_all
from planner.explain.thresholds import Flip

__all__ = ["Explanation", "Flip", "explain", "explain_all", "read_plan"]
