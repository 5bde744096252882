"""A plan folder read with the standard library, and what it was made from."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.area import layer_sha256, read_area
from planner.errors import DataError, Fault
from planner.model import BANDS, MODES, STAGES, StudyArea
from planner.privacy import public_area
from planner.scenario import Scenario, parse_scenario

READ = ("plan.json", "scenario.toml", "actions.csv", "assignment.csv", "scorecard.csv")
OF_FUTURES = "futures.csv"
# Columns that are read, and whether their cells are numbers ("?": a number or blank).
ACTIONS = {"school_id": "", "stage": "", "action": "", "into": "", "seats": "?", "seats_added": "?", "pupils": "1"}
ROWS = {
    **dict.fromkeys(("demand_id", "band", "school_id", "mode", "reason"), ""),
    "pupils": "1",
    "minutes": "?",
    "km": "?",
}
IN_FUTURES = {"future": "", **ROWS}
MAY_BE_BLANK = ("school_id", "into", "mode")
NAMES = {"school_id": "school", "into": "school", "demand_id": "demand point"}
# What plan.json must hold to be read, a number that may be unknown as null.
SUMMARY: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("title", "status", "objective_unit", "area.sha256", "scenario.sha256"), (str,)),
    **dict.fromkeys(("objective", "bound", "gap", "annual_cost_cny", "capital_cost_cny"), (int, float, type(None))),
    **dict.fromkeys(("layers", "versions"), (dict,)),
    "area.folder": (str, type(None)),
    "public": (bool,),
    "seconds": (int, float),
    "notes": (list,),
}
ABSENT = object()
ENDED = ("close", "merge", "convert", "none")


@dataclass(frozen=True, eq=False)
class Folder:
    """A plan folder as it was read: plan.json, the rows of the tables, and what they were made from.

    ``files`` are the hashes that its manifest gives; ``futures`` the rows of who goes where in each future, of a plan
    made over them.
    """

    path: Path
    summary: dict[str, Any]
    files: dict[str, str]
    actions: list[dict[str, str]]
    assignment: list[dict[str, str]]
    area: StudyArea
    scenario: Scenario
    futures: list[dict[str, str]] = field(default_factory=list)

    @property
    def public(self) -> bool:
        """Its counts are rounded (``planner.privacy``)."""
        return self.area.public


def read_folder(path: Path, area: str | Path | StudyArea | None = None) -> Folder:
    """Read the folder with the standard library alone, and its area, unless it is given, and scenario.

    Of a public edition the area is its public edition, too.
    """
    try:
        summary = json.loads((path / "plan.json").read_text("utf-8"))
        manifest = json.loads((path / "manifest.json").read_text("utf-8"))
        actions, assignment = (_rows(path / name) for name in ("actions.csv", "assignment.csv"))
        futures = _rows(path / OF_FUTURES) if (path / OF_FUTURES).exists() else []
        scenario = parse_scenario((path / "scenario.toml").read_text("utf-8"), str(path / "scenario.toml"))
    except (OSError, ValueError) as error:
        fault = Fault(str(path), f"it is no complete plan folder: {error}", "Name a folder that planner run wrote.")
        raise DataError([fault]) from None
    if faults := [
        *_shape(path / "plan.json", summary, SUMMARY),
        *_shape(path / "manifest.json", manifest, {"files": (dict,)}),
        *_faults(path / "actions.csv", actions, ACTIONS),
        *_faults(path / "assignment.csv", assignment, ROWS),
        *(_faults(path / OF_FUTURES, futures, IN_FUTURES) if futures else ()),
    ]:
        raise DataError(faults)
    where = summary["area"].get("folder")
    if area is None and (where is None or not (path / where).is_dir()):
        said = "plan.json names no area" if where is None else f"its study area is no longer at {path / where}"
        raise DataError([Fault(str(path), said, "Say where it is with --area.")])
    if not isinstance(area, StudyArea):
        area = read_area(path / where if area is None else area)
    if summary["public"]:
        area = public_area(area)
    if faults := [
        *_strangers(path / "actions.csv", actions, _known(area, ACTIONS)),
        *_strangers(path / "assignment.csv", assignment, _known(area, ROWS)),
        *_strangers(path / OF_FUTURES, futures, _known(area, ROWS)),
    ]:
        raise DataError(faults)
    return Folder(path, summary, manifest["files"], actions, assignment, area, scenario, futures)


def full(plan: Folder) -> Folder:
    """The folder, if its counts are the full ones.

    Raises
    ------
    DataError : it is a public edition
    """
    if plan.public:
        said = "it is a public edition: its numbers of pupils are rounded"
        fix = "Name the folder of the full plan; planner report makes a public paper of it with --public."
        raise DataError([Fault(str(plan.path), said, fix)])
    return plan


def _shape(path: Path, document: Any, wanted: dict[str, tuple[type, ...]]) -> list[Fault]:
    """What a document lacks, or holds in another shape than it was written in."""
    file, fix = str(path), "Write the plan again."
    if not isinstance(document, dict):
        return [Fault(file, "it holds no named values", fix)]
    faults = []
    for name, kinds in wanted.items():
        value: Any = document
        for key in name.split("."):
            value = value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
        if value is ABSENT:
            faults.append(Fault(file, f"{name} is missing", fix))
        elif not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            faults.append(Fault(file, f"{name} is {json.dumps(value, ensure_ascii=False)[:40]}", fix))
    return faults


def _known(area: StudyArea, columns: Iterable[str]) -> dict[str, frozenset[str]]:
    """What the cells of those columns may say, where that is told by the area or the planner's words."""
    schools = frozenset(area.schools.index.astype(str))
    words = {
        "school_id": schools,
        "into": schools,
        "demand_id": frozenset(area.pupils.index.astype(str)),
        "stage": frozenset(STAGES),
        "band": frozenset(BANDS),
        "mode": frozenset(MODES),
    }
    return {column: words[column] for column in columns if column in words}


def _strangers(path: Path, rows: list[dict[str, str]], known: dict[str, frozenset[str]]) -> list[Fault]:
    """Cells that name a school, village, stage, band or mode that there is not; a fault for each such word."""
    found: dict[tuple[str, str], list[int]] = {}
    for n, row in enumerate(rows, 2):
        for column, words in known.items():
            cell = row[column]
            if cell not in words and (cell or column not in MAY_BE_BLANK):
                found.setdefault((column, cell), []).append(n)
    return [
        Fault(str(path), f"there is no {NAMES.get(column, column)} {cell!r}", "Write the plan again.", column, tuple(n))
        for (column, cell), n in found.items()
    ]


def changed(plan: Folder) -> list[str]:
    """What is no longer as it was when the plan was written: what is read of it, and what it was made from."""
    said = plan.summary
    read = (*READ, *((OF_FUTURES,) if plan.futures or OF_FUTURES in plan.files else ()))
    found = [f"{name} has been changed" for name in read if _sha256(plan.path / name) != plan.files.get(name)]
    if said["area"]["sha256"] != plan.area.content_hash:
        found.append("the study area has changed")
    if said["scenario"]["sha256"] != plan.scenario.sha256:
        found.append("the scenario has changed")
    layers = said["layers"].items()
    found += [f"{name} has changed" for name, sha in layers if layer_sha256(plan.area.folder, name) != sha]
    return [f"{what} since the plan was written" for what in found]


def changed_besides(plan: Folder) -> list[str]:
    """Files of the folder that are only looked at, and are missing or no longer as they were written."""
    found = {name: _sha256(plan.path / name) for name in plan.files if name not in (*READ, OF_FUTURES)}
    return [
        f"{name} {'is missing' if found[name] is None else 'has been changed since the plan was written'}"
        for name in found
        if found[name] != plan.files[name]
    ]


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


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
