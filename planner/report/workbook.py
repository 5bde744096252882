"""The plan as a workbook."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from planner.indicators import by_band, by_town, moves, open_by_kind_and_town
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd


def write_workbook(plan: Plan, frames: dict[str, pd.DataFrame], path: Path) -> None:
    """Write it."""
    import xlsxwriter

    sheets = {
        "scorecard 评分": frames["scorecard"],
        "actions 学校": frames["actions"],
        "assignment 划片": frames["assignment"],
        "moves 转校": moves(plan),
        "bands 学段": by_band(plan).rename_axis("band").reset_index(),
        "towns 乡镇": _with_town_names(plan, by_town(plan)),
        "kept 保留": _with_town_names(plan, open_by_kind_and_town(plan)),
    }
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        plain = {"int": book.add_format({"num_format": "#,##0"}), "float": book.add_format({"num_format": "#,##0.00"})}
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for j, column in enumerate(frame.columns):
                sheet.write_string(0, j, str(column), bold)
                wide = max([len(str(column)), *(len(str(v)) for v in frame[column].head(50))])
                sheet.set_column(j, j, min(wide + 3, 45))
                for i, value in enumerate(frame[column].tolist(), 1):
                    if isinstance(value, str):
                        sheet.write_string(i, j, value)
                    elif value is None or not math.isfinite(value):
                        sheet.write_string(i, j, "unknown 未知")
                    else:
                        sheet.write_number(i, j, value, plain["int" if float(value).is_integer() else "float"])


def _with_town_names(plan: Plan, frame: pd.DataFrame) -> pd.DataFrame:
    named = frame.rename_axis("town_id").reset_index()
    named.insert(1, "town", named["town_id"].map(plan.area.towns["name"]))
    return named
