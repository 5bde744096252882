"""The register of indicators: each is a pure function of a plan, with a unit and a way that is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from planner.plan import Plan

Direction = Literal["lower", "higher", ""]
"""Which way is better; "" where neither is by itself."""


@dataclass(frozen=True)
class Indicator:
    """One number about a plan.

    Parameters
    ----------
    key : its name in tables and code
    label_en, label_zh : what people read
    unit : as shown, "" for a ratio
    direction : ``lower`` or ``higher`` is better, or ""
    function : plan -> float; NaN where there is nothing to measure
    of_trips : of the pupils who have a trip alone: it falls when those with the longest lose theirs
    """

    key: str
    label_en: str
    label_zh: str
    unit: str
    direction: Direction
    function: Callable[[Plan], float]
    of_trips: bool = False

    def __call__(self, plan: Plan) -> float:
        """The indicator's value."""
        return float(self.function(plan))


INDICATORS: dict[str, Indicator] = {}


def indicator(
    label_en: str, label_zh: str, unit: str, direction: Direction, *, of_trips: bool = False
) -> Callable[[Callable[[Plan], float]], Callable[[Plan], float]]:
    """Put a function on the register under its own name.

    Raises
    ------
    ValueError : the name is taken
    """

    def register(function: Callable[[Plan], float]) -> Callable[[Plan], float]:
        key = function.__name__
        if key in INDICATORS:
            raise ValueError(f"indicator {key} stands twice")
        INDICATORS[key] = Indicator(key, label_en, label_zh, unit, direction, function, of_trips)
        return function

    return register
