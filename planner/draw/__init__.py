"""Maps: a study area and its plans as one HTML file that needs no network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from planner.draw.blank import Blank, blank_of
from planner.draw.layers import payload
from planner.draw.tiles import Tiles, tiles_of
from planner.draw.words import LANGUAGES
from planner.errors import DataError, Fault
from planner.model import StudyArea
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Blank", "Drawing", "Tiles", "blank_of", "draw", "tiles_of"]

SIDES, PLANS, FUTURES = ("before", "after"), ("first_plan", "this_plan"), ("planned", "future")


@dataclass(frozen=True)
class Drawing:
    """A finished map.

    Parameters
    ----------
    html : the whole page; it asks no host for anything, unless tiles were asked for
    """

    html: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page, all of it or nothing; parent folders are made.

        Returns
        -------
        The path written.

        Raises
        ------
        DataError : it may not be written
        """
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(self.html.encode())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            fault = Fault(str(path), f"it cannot be written: {error.strerror}", "Name another file.")
            raise DataError([fault]) from None
        return target

    def _repr_html_(self) -> str:
        """The page in a frame of its own, as a notebook shows it."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="map" '
            'style="width:100%;height:640px;border:1px solid #ccc"></iframe>'
        )


def draw(
    area: StudyArea,
    *plans: Plan,
    lang: str = "zh",
    tiles: str | Tiles | None = None,
    sides: tuple[str, str] | None = None,
    blank: Blank | None = None,
) -> Drawing:
    """Draw an area, and plans of it side by side.

    Parameters
    ----------
    plans : the first is today's layout, or the plan that the others are set beside, the last the one that is shown at
        first; one alone, or none, will do
    lang : ``zh`` or ``en``, the language the page opens in; the reader can switch
    tiles : ``tianditu`` or ``tianditu-image``, whose key the environment variable ``TIANDITU_KEY`` holds and the page
        then, or tiles of one's own: the page asks their host for them whenever it is opened. By default none
    sides : what the first and the others are called: by default before and after, or ``PLANS`` where the first is a
        plan; ``FUTURES`` where they are a plan in the present and in futures
    blank : the area's blank map (``blank_of``) where it is at hand, in its own language and with its own tiles

    Raises
    ------
    ValueError : no such language, or a blank map of another area
    DataError : no key, or tiles that may not be used

    >>> drawing = draw(tiny.area, tiny.today, tiny.plan, lang="en")
    >>> drawing.html.startswith("<!DOCTYPE html>"), "<img src=x" in drawing.html
    (True, False)
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang is {lang!r}: choose one of {', '.join(LANGUAGES)}")
    blank = blank or blank_of(area, lang, tiles_of(tiles) if isinstance(tiles, str) else tiles)
    if blank.title != area.title:
        raise ValueError(f"the blank map is of {blank.title!r}, not of {area.title!r}")
    sides = sides or _sides(plans)
    data = payload(area, plans, scorecards(plans, sides), blank.roads) | {"sides": list(sides)}
    return Drawing(blank.with_data(data))


def _sides(plans: Sequence[Plan]) -> tuple[str, str]:
    """What the first layout and the others are called: a layout that has one before it is a plan, not today's."""
    return PLANS if len(plans) > 1 and plans[0].today is not None else SIDES


def scorecards(plans: Sequence[Plan], sides: tuple[str, str]) -> list[pd.DataFrame]:
    """Every plan's numbers beside today's layout, where that is the first, and else beside those of the first plan.

    A plan of other pupils than today's layout, which is the first, stands beside its own.

    >>> [card["today"].tolist()[18] for card in scorecards([tiny.today, tiny.plan], SIDES)]
    [nan, 3.0]
    """
    from planner.compare import scorecard

    def beside(plan: Plan) -> Plan:
        first, same_pupils = plans[0], plan.area.pupils is plans[0].area.pupils
        return plan if first in (plan, plan.today) or not same_pupils else dataclasses.replace(plan, today=first)

    if sides != SIDES:
        return [scorecard(plan, plans[0] if i else None) for i, plan in enumerate(plans)]
    return [scorecard(beside(plan)) for plan in plans]
