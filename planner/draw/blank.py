"""A blank map: what no plan changes of it, which may be made before there is a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.draw.basemap import roads
from planner.draw.pack import to_text
from planner.draw.tiles import Tiles
from planner.draw.words import words
from planner.model import StudyArea


@dataclass(frozen=True)
class Blank:
    """A map without a plan.

    Parameters
    ----------
    title : the area's
    page : HTML up to the data, and from there on
    said : what the page knows of itself: ``lang``, its ``words``, Leaflet's ``pin`` and ``tiles``
    roads : the area's (``basemap.roads``)
    """

    title: str
    page: tuple[str, str]
    said: Mapping[str, Any]
    roads: Mapping[str, Any]

    def with_data(self, data: Mapping[str, Any]) -> str:
        """The page that shows ``data`` (see ``layers.payload``)."""
        before, after = self.page
        return before + to_text({**data, **self.said}) + after

    def to_bytes(self) -> bytes:
        """All of it, for another process.

        >>> Blank.of_bytes(blank_of(tiny.area, "en").to_bytes()) == blank_of(tiny.area, "en")
        True
        """
        return json.dumps([self.title, self.page, self.said, self.roads]).encode()

    @classmethod
    def of_bytes(cls, held: bytes) -> Blank:
        """What was made bytes."""
        title, page, said, lines = json.loads(held)
        return cls(title, tuple(page), said, lines)


def blank_of(area: StudyArea, lang: str, tiles: Tiles | None = None) -> Blank:
    """The blank map of an area, or of its public edition: their roads and titles are the same.

    Parameters
    ----------
    tiles : all that the page asks a host for

    >>> blank_of(tiny.area, "en").with_data({})[:15]
    '<!DOCTYPE html>'
    """
    from planner.draw.page import page_round, pin  # Folium takes half a second to load: who draws nothing does without

    said = {"lang": lang, "words": words(), "pin": pin(), "tiles": tiles.plain() if tiles else None}
    return Blank(area.title, page_round(area.title, lang, tiles), said, roads(area))
