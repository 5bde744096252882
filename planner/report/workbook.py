"""The plan as a workbook: a sheet per table, words and units above the columns, and a dictionary of them all."""

from __future__ import annotations

import datetime
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.compare import for_people
from planner.plan import Plan
from planner.report.about import about, norms
from planner.report.dictionary import entries, lookup, vocabulary

if TYPE_CHECKING:
    import pandas as pd

SHEETS = {
    "about": "读我",
    "scorecard": "评分",
    "actions": "学校",
    "moves": "转校",
    "assignment": "划片",
    "futures": "情形",
    "bands": "学段",
    "towns": "乡镇",
    "kept": "保留",
    "schools": "现有学校",
    "villages": "村庄",
    "norms": "标准",
    "dictionary": "字典",
    "words": "词汇",
}
"""Sheets in order, and what follows their names in Chinese; ``futures`` only of a plan made over them."""

FORMATS = {"min": "#,##0.0", "km": "#,##0.00", "%": "0.0", "pupil-min": "#,##0", "pupil-km/day": "#,##0"}
WHOLE, FINE = "#,##0", "#,##0.0000"
UNKNOWN = "unknown 未知"
NARROWEST, WIDEST = 8, 60
LINE = 15.5
"""Height of a line of text, in points."""
HEADINGS = 2
"""Rows: the columns' names, and what they mean with their units."""


def sheets(plan: Plan, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every sheet's table, in order.

    Parameters
    ----------
    frames : the plan's tables (``planner.report.tables``)

    >>> from planner.report import tables
    >>> list(sheets(tiny.plan, tables(tiny.plan)))[:3]
    ['about', 'scorecard', 'actions']
    """
    import pandas as pd

    words = pd.DataFrame(vocabulary())
    made = {**frames, "about": about(plan), "norms": norms(plan.scenario), "words": words}
    of = pd.DataFrame(entries((name, made[name].columns) for name in SHEETS if name in made))
    own = pd.DataFrame(entries([("dictionary", of.columns)]))
    made["dictionary"] = pd.concat([of, own], ignore_index=True)
    return {name: made[name] for name in SHEETS if name in made}


def write_workbook(plan: Plan, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write it. Text is never a formula or a link, and what is unknown says so; two runs write the same bytes."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"title": plan.title, "created": datetime.datetime(2000, 1, 1)})  # noqa: DTZ001 - as Excel
        for name, frame in sheets(plan, frames).items():
            _write_sheet(book, name, frame)


def _write_sheet(book: Any, name: str, frame: pd.DataFrame) -> None:
    sheet = book.add_worksheet(f"{name} {SHEETS[name]}")
    small = book.add_format({"font_color": "#777777", "font_size": 9})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrapped, plain = book.add_format({"text_wrap": True, "valign": "top"}), book.add_format({"valign": "top"})
    styles: dict[str, Any] = {}
    height = [1] * len(frame)
    sheet.freeze_panes(HEADINGS, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_row(1, 2 * LINE)
    sheet.repeat_rows(0, HEADINGS - 1)
    sheet.autofilter(HEADINGS - 1, 0, HEADINGS - 1 + len(frame), len(frame.columns) - 1)
    by_row = frame["unit"].tolist() if name == "scorecard" else None
    frame = for_people(frame) if name == "scorecard" else frame
    for j, column in enumerate(frame.columns):
        entry = lookup(name, str(column))
        sheet.write_string(0, j, str(column), small)
        sheet.write_string(1, j, entry.heading, bold)
        values, wide = frame[column].tolist(), max(width(str(column)), width(entry.heading) / 2 + 2)
        for i, value in enumerate(values):
            if isinstance(value, str):
                lines = math.ceil(width(value) / WIDEST)
                sheet.write_string(i + HEADINGS, j, value, wrapped if lines > 1 else plain)
                height[i] = max(height[i], lines)
                wide = max(wide, width(value))
            elif value is None or not math.isfinite(value):
                sheet.write_string(i + HEADINGS, j, UNKNOWN, plain)
                wide = max(wide, width(UNKNOWN))
            else:
                shown = number_format(by_row[i] if by_row else entry.unit, value)
                if shown not in styles:
                    styles[shown] = book.add_format({"num_format": shown, "valign": "top"})
                sheet.write_number(i + HEADINGS, j, value, styles[shown])
                wide = max(wide, len(f"{value:,.0f}") + 3)
        sheet.set_column(j, j, min(max(wide, NARROWEST), WIDEST) + 2)
    for i in (i for i, lines in enumerate(height) if lines > 1):
        sheet.set_row(i + HEADINGS, LINE * height[i])


def number_format(unit: str, value: float) -> str:
    """How a number of a unit is shown.

    >>> number_format("min", 8.25), number_format("pupils", 12.0), number_format("", 0.3425)
    ('#,##0.0', '#,##0', '#,##0.0000')
    """
    return FORMATS.get(unit, WHOLE if float(value).is_integer() or unit else FINE)


def width(text: str) -> int:
    """How wide a text is in a cell; Chinese characters count two.

    >>> width("学校 school")
    11
    """
    return max(sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) for line in (text.splitlines() or [""]))
