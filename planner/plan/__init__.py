"""Scenario + StudyArea + TravelTimes -> Plan: today's layout, a proposed one, or the best there is."""

from planner.plan.alternatives import Alternatives, alternatives
from planner.plan.best import optimise, pose
from planner.plan.catchments import catchments
from planner.plan.frontier import Frontier, frontier
from planner.plan.given import current_plan, read_actions, score
from planner.plan.question import Question, ask
from planner.plan.traffic import cut_off, road_flows, school_ways
from planner.plan.types import Plan
from planner.plan.whatif import what_if

__all__ = [
    "Alternatives",
    "Frontier",
    "Plan",
    "Question",
    "alternatives",
    "ask",
    "catchments",
    "current_plan",
    "cut_off",
    "frontier",
    "optimise",
    "pose",
    "read_actions",
    "road_flows",
    "school_ways",
    "score",
    "what_if",
]
