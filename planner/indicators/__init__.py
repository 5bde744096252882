"""Indicators of a plan: one pure function each, registered with its unit and the way that is better."""

from planner.indicators import change, fairness, seats, trips
from planner.indicators.change import moves
from planner.indicators.registry import INDICATORS, Indicator, indicator
from planner.indicators.seats import open_by_kind_and_town
from planner.indicators.trips import by_band, by_town

__all__ = [
    "INDICATORS",
    "Indicator",
    "by_band",
    "by_town",
    "change",
    "fairness",
    "indicator",
    "moves",
    "open_by_kind_and_town",
    "seats",
    "trips",
]
