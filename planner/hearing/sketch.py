"""A small map as SVG in the page: roads, ways, villages and schools, with a scale bar and north. No script."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from markupsafe import Markup

from planner.draw.basemap import RANKS, rank
from planner.model import StudyArea

SIZES = {"county": (400, 300), "town": (400, 236), "school": (720, 300)}
"""Width and height of a sheet's drawing, in its own units; the page scales it. A school's takes all of the width."""
FONT = 12


@dataclass(frozen=True)
class Mark:
    """A place on the map, in metres of the area's CRS.

    Parameters
    ----------
    what : ``ends``, ``receives``, ``stays``, ``opens`` (schools) or ``village``
    label : text beside it, "" none
    """

    x: float
    y: float
    what: str
    label: str = ""


class Frame:
    """From metres to the drawing: what is to be seen, with room around it, in the drawing's proportions."""

    def __init__(
        self, xy: np.ndarray, *, size: tuple[int, int] = SIZES["school"], room: float = 0.12, least_m: float = 2000.0
    ) -> None:
        self.wide, self.high = size
        first, last = xy.min(axis=0), xy.max(axis=0)
        middle, span = (first + last) / 2, np.maximum((last - first) * (1 + 2 * room), least_m)
        self.m_per_unit = float(max(span[0] / self.wide, span[1] / self.high))
        half = np.array(size) * self.m_per_unit / 2
        self.box = (*(middle - half).tolist(), *(middle + half).tolist())

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a place is drawn."""
        return round((x - self.box[0]) / self.m_per_unit, 1), round((self.box[3] - y) / self.m_per_unit, 1)

    def path(self, shapes: Sequence[object] | np.ndarray) -> str:
        """Lines and borders of areas as the data of an SVG path, cut at the frame."""
        cut = shapely.clip_by_rect(shapely.simplify(np.asarray(shapes, dtype=object), self.m_per_unit), *self.box)
        parts = shapely.get_parts(cut)
        drawn = []
        for part in parts[~shapely.is_empty(parts)]:
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            for ring in rings:
                points = [self.at(x, y) for x, y in shapely.get_coordinates(ring)]
                drawn.append("M" + "L".join(f"{x} {y}" for x, y in points))
        return "".join(drawn)


def scale_m(frame: Frame) -> int:
    """A round length of some quarter of the drawing's width, in metres."""
    most = frame.wide * frame.m_per_unit / 4
    power = 10 ** int(np.floor(np.log10(most)))
    return int(max(step * power for step in (1, 2, 5) if step * power <= most))


def sketch(
    area: StudyArea,
    marks: Sequence[Mark],
    ways: Sequence[object] = (),
    *,
    said: str,
    words: Mapping[str, str],
    size: tuple[int, int] = SIZES["school"],
) -> Markup:
    """The map around some places; the first marks get their labels first.

    Parameters
    ----------
    ways : lines from villages to schools
    said : what a screen reader says of it
    size : width and height of the drawing, in its own units
    words : ``north``, at the arrow, and ``km``, ``m``, at the scale bar

    >>> words = {"north": "N", "km": "km", "m": "m"}
    >>> drawn = sketch(tiny.area, [Mark(530000, 3880000, "ends", "<b>")], said="x", words=words)
    >>> "<b>" in drawn, "&lt;b&gt;" in drawn
    (False, True)
    """
    places = np.array([[mark.x, mark.y] for mark in marks])
    bends = shapely.get_coordinates(np.asarray(ways, dtype=object))
    frame = Frame(np.vstack([places, bends]) if len(bends) else places, size=size)
    edges = area.roads.edges
    near = edges.sindex.query(shapely.box(*frame.box))
    ranks = np.array([rank(str(c)) for c in edges["road_class"].to_numpy()[near]], dtype=object)
    lines = edges.geometry.to_numpy()[near]
    towns = area.towns.geometry.to_numpy()
    towns = towns[~shapely.is_missing(towns)]
    parts = [
        Markup('<svg class="sketch" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(*size, said),
        Markup('<path class="border" d="{}"/>').format(frame.path(shapely.boundary(towns))),
    ]
    parts += [
        Markup('<path class="road {}" d="{}"/>').format(name, frame.path(lines[ranks == name]))
        for name in reversed(RANKS)
    ]
    parts.append(Markup('<path class="way" d="{}"/>').format(frame.path(ways)))
    parts += [_drawn(mark, *frame.at(mark.x, mark.y)) for mark in reversed(marks)]
    parts += _labels(frame, marks)
    parts += [*_bar(frame, words), _arrow(words["north"], frame), Markup("</svg>")]
    return Markup("\n").join(parts)


def _drawn(mark: Mark, x: float, y: float) -> Markup:
    """A mark: told apart by its shape, also without colours."""
    shapes = {
        "ends": f"M{x - 6} {y - 6}L{x + 6} {y + 6}M{x - 6} {y + 6}L{x + 6} {y - 6}",
        "receives": f"M{x - 6} {y - 6}h12v12h-12z",
        "stays": f"M{x - 4} {y - 4}h8v8h-8z",
        "opens": f"M{x} {y - 7}l7 7l-7 7l-7 -7z",
    }
    if mark.what == "village":
        return Markup('<circle class="village" cx="{}" cy="{}" r="3.2"/>').format(x, y)
    return Markup('<path class="{}" d="{}"/>').format(mark.what, shapes[mark.what])


def wide(text: str) -> float:
    """About how wide a text is, in the drawing's units.

    >>> wide("村小"), round(wide("ab"), 1)
    (24, 13.2)
    """
    return sum(FONT if unicodedata.east_asian_width(c) in "WF" else 0.55 * FONT for c in text)


def _labels(frame: Frame, marks: Sequence[Mark]) -> list[Markup]:
    """Names where there is room; one without room for it is left out."""
    bar = (0.0, frame.high - 30.0, frame.wide / 3, float(frame.high))
    arrow = (frame.wide - 40.0, 0.0, float(frame.wide), 46.0)
    spots = [frame.at(mark.x, mark.y) for mark in marks]
    dots = [(x - 4, y - 4, x + 4, y + 4) for (x, y), mark in zip(spots, marks, strict=True) if mark.what == "village"]
    taken = [(x - 6, y - 6, x + 6, y + 6) for (x, y), mark in zip(spots, marks, strict=True) if mark.what != "village"]
    taken += [bar, arrow]
    drawn = []
    for mark, (x, y) in zip(marks, spots, strict=True):
        if not mark.label:
            continue
        length, room = wide(mark.label), [*taken, *dots] if mark.what == "village" else taken
        for left, base in ((x + 9, y + 4), (x - 9 - length, y + 4), (x - length / 2, y - 10), (x - length / 2, y + 20)):
            box = (left, base - FONT + 2, left + length, base + 3)
            inside = box[0] >= 2 and box[2] <= frame.wide - 2 and box[1] >= 2 and box[3] <= frame.high - 2
            if inside and not any(_meet(box, other) for other in room):
                taken.append(box)
                kind = "name" if mark.what == "village" else "name school"
                put = Markup('<text class="{}" x="{}" y="{}">{}</text>')
                drawn.append(put.format(kind, round(left, 1), round(base, 1), mark.label))
                break
    return drawn


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _bar(frame: Frame, words: Mapping[str, str]) -> list[Markup]:
    metres = scale_m(frame)
    length = round(metres / frame.m_per_unit, 1)
    text = f"{metres / 1000:g} {words['km']}" if metres >= 1000 else f"{metres} {words['m']}"
    return [
        Markup('<path class="bar" d="M12 {}v6h{}v-6"/>').format(frame.high - 16, length),
        Markup('<text class="name" x="{}" y="{}">{}</text>').format(18 + length, frame.high - 9, text),
    ]


def _arrow(north: str, frame: Frame) -> Markup:
    drawn = '<path class="arrow" d="M{0} 30l6 -18l6 18l-6 -5z"/><text class="name" x="{1}" y="43" text-anchor="middle">'
    return Markup(drawn + "{2}</text>").format(frame.wide - 26, frame.wide - 20, north)  # noqa: S704 - a literal
