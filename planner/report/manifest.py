"""``manifest.json``: what a plan folder's files hash to, and what they were made from, when and by what."""

from __future__ import annotations

import datetime
import hashlib
import platform
import shlex
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from planner.area import area_files, layer_sha256, parts_of
from planner.plan import Plan

LIBRARIES = ("numpy", "scipy", "highspy", "pandas", "geopandas", "shapely", "pyproj", "pyogrio", "numba", "xlsxwriter")


def manifest(plan: Plan, part: Path) -> dict[str, Any]:
    """What the folder ``part`` holds, and its origin.

    Two runs of one question differ in ``written_utc`` here and ``seconds`` in ``plan.json`` (and so in its hash) alone.

    Of a public edition the area's files are not named one by one: only the hash of all of them together is.
    """
    area = plan.area
    return {
        "files": {path.name: sha256(path) for path in sorted(part.iterdir())},
        "inputs": {
            "area": {"title": area.title, "sha256": plan.rooted.area_sha256, "files": _inputs(plan)},
            "scenario": {"title": plan.scenario.title, "sha256": plan.rooted.scenario_sha256},
        },
        "code_sha256": code_sha256(),
        "versions": dict(_versions()),
        "command": _command(),
        "written_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = {"school-layout-planner": version("school-layout-planner"), "python": platform.python_version()}
    return (*found.items(), *((name, version(name)) for name in LIBRARIES))


@cache
def code_sha256() -> str:
    """The planner's own files together: a version's number does not tell what was changed under it.

    >>> len(code_sha256())
    64
    """
    root = Path(__file__).parents[1]
    files = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    lines = sorted(f"{path.relative_to(root).as_posix()} {sha256(path)}" for path in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inputs(plan: Plan) -> dict[str, str]:
    """Every file of the area, and the layer of closed areas."""
    folder, closed = plan.area.folder, plan.scenario.travel.closed_areas
    if folder is None or plan.area.public:
        return {}
    files = [part for path in area_files(folder) for part in parts_of(path)]
    found = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    layer = layer_sha256(folder, closed) if closed else None
    return found | ({closed: layer} if closed and layer else {})


def _command() -> str:
    """As it was typed; "" where the planner was not called by a command."""
    program = Path(sys.argv[0])
    ours = program.stem == "planner" or program.parts[-2:] == ("planner", "__main__.py")
    return shlex.join(["planner", *sys.argv[1:]]) if ours else ""
