"""A plan folder read with the standard library, and what it was made from."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.area import read_area
from planner.errors import DataError, Fault
from planner.model import StudyArea
from planner.scenario import Scenario, parse_scenario

# Columns that are read, and whether their cells are numbers ("?": a number or blank).
ACTIONS = {"school_id": "", "stage": "", "action": "", "into": "", "seats": "?", "seats_added": "1", "pupils": "1"}
ROWS = {
    **dict.fromkeys(("demand_id", "band", "school_id", "mode", "reason"), ""),
    "pupils": "1",
    "minutes": "?",
    "km": "?",
}
ENDED = ("close", "merge", "convert", "none")


@dataclass(frozen=True, eq=False)
class Folder:
    """A plan folder as it was read: plan.json, the rows of the tables, and what they were made from."""

    path: Path
    summary: dict[str, Any]
    actions: list[dict[str, str]]
    assignment: list[dict[str, str]]
    area: StudyArea
    scenario: Scenario


def read_folder(path: Path, area: str | Path | StudyArea | None = None) -> Folder:
    """Read the folder with the standard library alone, and its area, unless it is given, and scenario."""
    try:
        summary = json.loads((path / "plan.json").read_text("utf-8"))
        actions, assignment = (_rows(path / name) for name in ("actions.csv", "assignment.csv"))
        scenario = parse_scenario((path / "scenario.toml").read_text("utf-8"), str(path / "scenario.toml"))
        where = summary["area"]["folder"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = Fault(str(path), f"it is no complete plan folder: {error}", "Name a folder that planner run wrote.")
        raise DataError([fault]) from None
    if faults := [
        *_faults(path / "actions.csv", actions, ACTIONS),
        *_faults(path / "assignment.csv", assignment, ROWS),
    ]:
        raise DataError(faults)
    if area is None and (where is None or not (path / where).is_dir()):
        said = "plan.json names no area" if where is None else f"its study area is no longer at {path / where}"
        raise DataError([Fault(str(path), said, "Say where it is with --area.")])
    if not isinstance(area, StudyArea):
        area = read_area(path / where if area is None else area)
    return Folder(path, summary, actions, assignment, area, scenario)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: _plain(value or "") for key, value in row.items() if key} for row in csv.DictReader(file)]


def _faults(path: Path, rows: list[dict[str, str]], columns: dict[str, str]) -> list[Fault]:
    """Columns that are missing and cells that are no numbers."""
    if not rows:
        return [Fault(str(path), "it holds no rows", "Write the plan again.")]
    faults = [
        Fault(str(path), f"column {column} is missing", "Write the plan again.", column)
        for column in columns
        if column not in rows[0]
    ]
    for column, kind in columns.items():
        if column in rows[0] and kind:
            bad = [n for n, row in enumerate(rows, 2) if not _is_number(row[column], blank=kind == "?")]
            if bad:
                cell = rows[bad[0] - 2][column]
                faults.append(Fault(str(path), f"{cell!r} is no number", "Write the plan again.", column, tuple(bad)))
    return faults


def _is_number(text: str, *, blank: bool) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return blank and text == ""


def _plain(value: str) -> str:
    return value[1:] if len(value) > 1 and value[0] == "'" and value[1] in "=+-@\t\r'" else value


def number(text: str) -> float:
    """A cell's number; NaN where it is blank."""
    return float(text) if text else math.nan


def place(row: dict[str, str]) -> str:
    """How failures name a row of the assignment."""
    return f"{row['demand_id']} {row['band']}"


def open_stages(plan: Folder) -> dict[tuple[str, str], dict[str, str]]:
    """School and stage -> its action, where the stage goes on."""
    return {(a["school_id"], a["stage"]): a for a in plan.actions if a["action"] not in ENDED}
