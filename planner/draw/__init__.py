"""Maps: a study area and its plans as one HTML file that needs no network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from planner.draw.layers import payload
from planner.draw.tiles import Tiles, tiles_of
from planner.draw.words import LANGUAGES
from planner.errors import DataError, Fault
from planner.model import StudyArea
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Drawing", "Tiles", "draw", "tiles_of"]

SIDES, FUTURES = ("before", "after"), ("planned", "future")


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
    area: StudyArea, *plans: Plan, lang: str = "zh", tiles: str | Tiles | None = None, sides: tuple[str, str] = SIDES
) -> Drawing:
    """Draw an area, and plans of it side by side.

    Parameters
    ----------
    plans : the first is the layout before (usually today's), the last the plan; one alone, or none, will do
    lang : ``zh`` or ``en``, the language the page opens in; the reader can switch
    tiles : ``tianditu`` or ``tianditu-image``, whose key the environment variable ``TIANDITU_KEY`` holds and the page
        then, or tiles of one's own: the page asks their host for them whenever it is opened. By default none
    sides : what the first and the others are called, before and after; ``FUTURES`` where they are a plan in the present
        and in futures, which are then set beside the first and not beside today's layout

    Raises
    ------
    ValueError : no such language
    DataError : no key, or tiles that may not be used

    >>> drawing = draw(tiny.area, tiny.today, tiny.plan, lang="en")
    >>> drawing.html.startswith("<!DOCTYPE html>"), "<img src=x" in drawing.html
    (True, False)
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang is {lang!r}: choose one of {', '.join(LANGUAGES)}")
    from planner.draw.page import render  # Folium takes half a second to load: who draws nothing does without

    ground = tiles_of(tiles) if isinstance(tiles, str) else tiles
    data = payload(area, plans, scorecards(plans, sides)) | {"sides": list(sides)}
    return Drawing(render(data, lang, ground))


def scorecards(plans: Sequence[Plan], sides: tuple[str, str] = SIDES) -> list[pd.DataFrame]:
    """Every plan's numbers: of the first beside its own layout before, of each other beside those of the first.

    A plan of other pupils than the first stands beside its own layout before, unless it is the first in a future.

    >>> [card["today"].tolist()[18] for card in scorecards([tiny.today, tiny.plan])]
    [nan, 3.0]
    """
    from planner.compare import scorecard

    def beside(plan: Plan) -> Plan:
        first, same_pupils = plans[0], plan.area.pupils is plans[0].area.pupils
        return plan if first in (plan, plan.today) or not same_pupils else dataclasses.replace(plan, today=first)

    if sides == FUTURES:
        return [scorecard(plan, plans[0] if i else None) for i, plan in enumerate(plans)]
    return [scorecard(beside(plan)) for plan in plans]
