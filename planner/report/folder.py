"""The plan folder: plan.json, tables, workbook, GeoPackage, map; it appears complete or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from planner.errors import DataError, Fault
from planner.plan import Plan
from planner.report.geopackage import write_geopackage
from planner.report.manifest import manifest
from planner.report.summary import summary
from planner.report.tables import tables, write_table
from planner.report.workbook import write_workbook

MANIFEST = "manifest.json"


class Drawing(Protocol):
    """A page that shows the plan."""

    @property
    def html(self) -> str:
        """The page."""


def save(plan: Plan, folder: str | Path, drawing: Drawing | None = None) -> Path:
    """Write the plan folder; an older plan folder of that name is replaced, any other folder is not touched.

    ``plan.json`` (status, objective, bound, gap, seconds, costs, hashes, versions), ``scenario.toml`` (the question as
    it was asked), a CSV file for every one of ``tables``, ``report.xlsx``, ``plan.gpkg``, with a drawing ``map.html``,
    and ``manifest.json`` (what all of it hashes to, and what it was made from).

    Raises
    ------
    DataError : the folder exists and is no plan folder, or may not be written
    """
    target = free_target(folder)
    with whole_folder(target) as part:
        write(plan, part, target)
        if drawing is not None:
            add_map(plan, part, drawing.html.encode())
    return target


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write in that takes the target's place when all is written, or not at all.

    Raises
    ------
    DataError : it may not be written
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    except OSError as error:
        raise DataError(
            [Fault(str(target), f"it cannot be written: {error.strerror}", "Name another folder.")]
        ) from None
    try:
        yield part
        part.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-old-"))
            target.replace(old / "old")
            part.replace(target)
            shutil.rmtree(old)
        else:
            part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def free_target(folder: str | Path, holds: str = "plan.json") -> Path:
    """The folder, if one may be written to it: absent, empty, or an older one of its kind.

    Parameters
    ----------
    holds : the file by which an older one is known

    Raises
    ------
    DataError : it is anything else
    """
    target = Path(folder)
    if target.exists() and not (target / holds).is_file() and (not target.is_dir() or any(target.iterdir())):
        said = f"it exists and is no {holds.removesuffix('.json')} folder"
        raise DataError([Fault(str(folder), said, "Name another folder, or empty it.")])
    return target


def write(plan: Plan, part: Path, target: Path) -> None:
    """All of a plan folder but the map.

    Parameters
    ----------
    part, target : where it is written, and where it will lie
    """
    frames = tables(plan)
    for name, frame in frames.items():
        write_table(frame, part / f"{name}.csv")
    (part / "scenario.toml").write_text(plan.scenario.source_text, "utf-8")
    write_workbook(plan, frames, part / "report.xlsx")
    write_geopackage(plan, frames, part / "plan.gpkg")
    _write_json(summary(plan, target), part / "plan.json")
    _write_json(manifest(plan, part), part / MANIFEST)


def add_map(plan: Plan, part: Path, page: bytes) -> None:
    """The map, a page of HTML in UTF-8, into a folder that has all else."""
    (part / "map.html").write_bytes(page)
    (part / MANIFEST).unlink()
    _write_json(manifest(plan, part), part / MANIFEST)


def _write_json(document: Any, path: Path) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", "utf-8")
