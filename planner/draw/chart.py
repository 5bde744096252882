"""A frontier as one HTML page: a chart in SVG above its table; no script, and nothing asked of any host."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from planner.draw.words import asset, words
from planner.indicators import INDICATORS
from planner.wording import bilingual

if TYPE_CHECKING:
    from planner.plan import Frontier

WIDE, HIGH = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 104, 48, 20, 62
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def chart(front: Frontier, links: Sequence[str] = ()) -> str:
    """The page of a frontier: across the indicator that limits are set on, upwards the one that is made least.

    Parameters
    ----------
    links : where each point's plan lies, in the order of the points, beside ``map.html`` of them all; none are drawn
        without

    >>> from planner.plan import frontier
    >>> page = chart(frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open")))
    >>> page.count("<circle"), "<script" in page
    (1, False)
    """
    title = f"{front.area.title}: {front.scenario.title}"
    foot = [*front.area.attribution, *map(bilingual, front.area.assumptions)]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{asset('chart.css')}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="synthetic">{_both("synthetic")}</p>' if front.area.synthetic else "",
        f"<p>{_both('frontier.what')}</p>",
        _svg(front, links),
        f'<ul class="key"><li class="proven">{_both("frontier.proven")}</li>'
        f'<li class="bounded">{_both("frontier.bounded")}</li><li class="today">{_both("today")}</li></ul>',
        f'<p><a href="map.html">{_both("frontier.map")}</a></p>' if links else "",
        _table(front, links),
        *(f"<footer>{escape(line)}</footer>" for line in foot),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _both(key: str) -> str:
    """A label in Chinese and in English."""
    said = words()[key]
    return escape(f"{said['zh']} / {said['en']}")


def _label(key: str) -> str:
    """An indicator's names and unit."""
    indicator = INDICATORS[key]
    unit = f" ({indicator.unit})" if indicator.unit else ""
    return f"{indicator.label_zh} / {indicator.label_en}{unit}"


def ticks(low: float, high: float, about: int = 6) -> np.ndarray:
    """Round numbers that cover a range, about so many.

    >>> ticks(8.7, 10.1).tolist()
    [8.5, 8.75, 9.0, 9.25, 9.5, 9.75, 10.0, 10.25]
    """
    span = max(high - low, 1e-9 * max(abs(high), 1.0), 1e-9)
    power = 10.0 ** np.floor(np.log10(span / about))
    step = min((m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (m * power) <= about), default=power)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return np.asarray(np.arange(first, max(last, first + 1) + 1) * step)


def figure(value: float) -> str:
    """A number as the chart says it.

    >>> figure(241821000.0), figure(9.6789), figure(float("nan"))
    ('241,821,000', '9.68', '–')
    """
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:,.2f}"


def _svg(front: Frontier, links: Sequence[str]) -> str:
    """The axes, the stair of the frontier, its points with what is proven below them, and today's layout."""
    first, second = (INDICATORS[key] for key in front.between)
    today = (second(front.today), first(front.today))
    x = np.array([point.second for point in front.points])
    y = np.array([point.first for point in front.points])
    across = ticks(np.nanmin([*x, today[0]]), np.nanmax([*x, today[0]]))
    up = ticks(np.nanmin([*y, today[1]]), np.nanmax([*y, today[1]]))

    def at(a: float, b: float) -> tuple[float, float]:
        share = (a - across[0]) / (across[-1] - across[0]), (b - up[0]) / (up[-1] - up[0])
        return (
            round(LEFT + share[0] * (WIDE - LEFT - RIGHT), 1),
            round(HIGH - BOTTOM - share[1] * (HIGH - TOP - BOTTOM), 1),
        )

    drawn = [f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{_both("frontier.what")}">']
    for value in across:
        px, _ = at(value, up[0])
        drawn.append(f'<path class="grid" d="M{px} {TOP}V{HIGH - BOTTOM}"/>')
        drawn.append(f'<text x="{px}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">{figure(value)}</text>')
    for value in up:
        _, py = at(across[0], value)
        drawn.append(f'<path class="grid" d="M{LEFT} {py}H{WIDE - RIGHT}"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{py + 4}" text-anchor="end">{figure(value)}</text>')
    middle = (LEFT + WIDE - RIGHT) / 2, (TOP + HIGH - BOTTOM) / 2
    names = [escape(_label(key)) for key in front.between]
    drawn.append(f'<text class="axis" x="{middle[0]}" y="{HIGH - 14}" text-anchor="middle">{names[1]}</text>')
    drawn.append(
        f'<text class="axis" transform="translate(16 {middle[1]}) rotate(-90)" text-anchor="middle">{names[0]}</text>'
    )
    places = [at(a, b) for a, b in zip(x, y, strict=True)]
    stair = "".join(f"H{px}V{py}" for px, py in places[1:])
    drawn.append(f'<path class="stair" d="M{places[0][0]} {places[0][1]}{stair}"/>')
    if np.isfinite(today).all():
        px, py = at(*today)
        said = f"{figure(today[1])}; {figure(today[0])}"
        drawn.append(
            f'<path class="today" d="M{px} {py - 7}l7 7l-7 7l-7 -7z"><title>{_both("today")}: {said}</title></path>'
        )
    for number, (point, (px, py)) in enumerate(zip(front.points, places, strict=True), 1):
        if not point.proven and np.isfinite(point.bound):
            lowest = max(point.bound, float(up[0]))
            drawn.append(f'<path class="bound" d="M{px} {py}V{at(point.second, lowest)[1]}"/>')
        said = f"{number}: {figure(point.first)}; {figure(point.second)}"
        mark = f'<circle class="{"proven" if point.proven else "bounded"}" cx="{px}" cy="{py}" r="7"/>'
        mark += f'<text x="{px + 9}" y="{py - 9}">{number}</text><title>{said}</title>'
        link = links[number - 1] if links else ""
        drawn.append(f'<a href="{escape(link)}">{mark}</a>' if link else f"<g>{mark}</g>")
    return "\n".join([*drawn, "</svg>"])


def _table(front: Frontier, links: Sequence[str]) -> str:
    """A row per point."""
    heads = ["", *(escape(_label(key)) for key in front.between), _both("frontier.gap"), _both("frontier.open")]
    rows = []
    for number, point in enumerate(front.points, 1):
        name = f'<a href="{escape(links[number - 1])}">{number}</a>' if links else str(number)
        proof = _both("frontier.exact") if point.proven else f"{point.gap:.2%}"
        still_open = figure(INDICATORS["schools_open"](point.plan))
        cells = [name, figure(point.first), figure(point.second), proof, still_open]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
