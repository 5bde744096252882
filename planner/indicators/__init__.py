"""Indicators of a plan: one pure function each, registered with its unit and the way that is better."""

# isort: off
# The order here is the order of every scorecard.
from planner.indicators.registry import INDICATORS, Indicator, indicator
from planner.indicators.trips import by_band, by_town
from planner.indicators import fairness
from planner.indicators import links
from planner.indicators import seats
from planner.indicators.seats import open_by_kind_and_town
from planner.indicators.change import moves
# isort: on

__all__ = [
    "INDICATORS",
    "Indicator",
    "by_band",
    "by_town",
    "fairness",
    "indicator",
    "links",
    "moves",
    "open_by_kind_and_town",
    "seats",
]
