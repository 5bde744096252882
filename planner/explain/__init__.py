"""Why a school closes or stays, what the opposite would cost, and what would flip it: for the hearing."""

from planner.explain.school import Explanation, explain
from planner.explain.thresholds import Flip

__all__ = ["Explanation", "Flip", "explain"]
