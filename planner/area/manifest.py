"""``area.toml``: what an area is called, which files it has and how they are to be read."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.errors import Fault
from planner.sources.datum import DATUMS, is_datum
from planner.sources.elevation import SUFFIXES, is_elevation
from planner.tables import nearest
from planner.wording import Remark, is_plain, remark_of

FILE = "area.toml"
FILES = ("schools", "demand", "towns", "roads", "pupils", "totals")
NEEDED = ("schools", "demand", "roads")
KEYS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "title": (str, "text"),
    "crs": (str, "text"),
    "synthetic": (bool, "true or false"),
    "data_date": ((str, datetime.date), "a date"),
    "attribution": (list, "a list of texts"),
    "assumptions": (list, "a list of texts, each one text or { en, zh }"),
    "files": (dict, "a section"),
    "datum": (dict, "a section"),
    "sheets": (dict, "a section"),
}


@dataclass
class Findings:
    """What is found while an area is read, in the order it is found."""

    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    assumptions: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """``area.toml``, read and checked; ``crs`` is ``""`` where the data is to tell it.

    ``elevation`` names the height rasters, none or several.
    """

    folder: Path
    title: str
    crs: str = ""
    synthetic: bool = False
    data_date: str = ""
    attribution: tuple[str, ...] = ()
    assumptions: tuple[Remark, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    datum: Mapping[str, str] = field(default_factory=dict)
    sheets: Mapping[str, str] = field(default_factory=dict)
    elevation: tuple[str, ...] = ()

    def path(self, name: str) -> Path:
        """Where one of ``FILES`` lies."""
        return self.folder / self.files[name]


def read_manifest(folder: Path, found: Findings) -> Manifest | None:
    """The manifest of a folder; None where it cannot be read, and whatever is wrong in ``found.faults``."""
    path = folder / FILE

    def fault(problem: str, fix: str) -> None:
        found.faults.append(Fault(str(path), problem, fix))

    if not folder.is_dir():
        problem = "this is a file" if folder.exists() else "there is no such folder"
        found.faults.append(Fault(str(folder), problem, "Give the folder of a study area."))
        return None
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        fault("there is no such file", "Make it, or the whole folder with planner new.")
        return None
    except (UnicodeDecodeError, OSError):
        fault("not UTF-8 text", "Save it as UTF-8.")
        return None
    except tomllib.TOMLDecodeError as error:
        fault(f"not TOML: {error}", "Mend that line.")
        return None
    _check_keys(given, fault)
    typed: dict[str, Any] = {
        key: value for key, value in given.items() if key in KEYS and isinstance(value, KEYS[key][0])
    }
    files = {k: v for k, v in typed.get("files", {}).items() if k in FILES and isinstance(v, str)}
    files = _inside(folder, files, fault)
    elevation = _elevation(folder, typed.get("files", {}).get("elevation", []), fault)
    _check_systems(typed, fault)
    if not given.get("title"):
        fault("title is missing", "Add it.")
    return Manifest(
        folder,
        typed.get("title", ""),
        typed.get("crs", "") if is_projected(typed.get("crs", "")) else "",
        typed.get("synthetic", False),
        str(typed.get("data_date", "")),
        tuple(map(str, typed.get("attribution", []))),
        tuple(remark_of(held) for held in typed.get("assumptions", []) if is_plain(held)),
        files,
        {k: v for k, v in typed.get("datum", {}).items() if isinstance(v, str) and is_datum(v)},
        {k: v for k, v in typed.get("sheets", {}).items() if isinstance(v, str)},
        elevation,
    )


def is_projected(crs: str) -> bool:
    """Whether ``crs`` is a coordinate system in metres.

    >>> is_projected("EPSG:4545"), is_projected("EPSG:4326"), is_projected("")
    (True, False, False)
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(crs)
    except CRSError:
        return False
    return bool(system.is_projected and system.axis_info[0].unit_name == "metre")


def _check_keys(given: Mapping[str, Any], fault: Any) -> None:
    for key, value in given.items():
        if key not in KEYS:
            _unknown(key, tuple(KEYS), fault)
        elif not isinstance(value, KEYS[key][0]) or _holds_other_than_text(key, value):
            fault(f"{key} is not {KEYS[key][1]}", f"Write {KEYS[key][1]}.")
        elif isinstance(value, dict):
            for inner, word in value.items():
                if (key, inner) == ("files", "elevation"):
                    continue
                if inner not in FILES:
                    _unknown(inner, (*FILES, "elevation") if key == "files" else FILES, fault, f"{key}.")
                elif not isinstance(word, str):
                    fault(f"{key}.{inner} is not text", "Put it in quotes.")


def _holds_other_than_text(key: str, value: Any) -> bool:
    fits = is_plain if key == "assumptions" else lambda item: isinstance(item, str)
    return isinstance(value, list) and not all(map(fits, value))


def _unknown(key: str, known: tuple[str, ...], fault: Any, section: str = "") -> None:
    alike = nearest(key, known)
    fix = f"Did you mean {section}{alike}?" if alike else f"Keys here: {', '.join(known)}."
    fault(f"{section}{key} is not a key here", fix)


def _inside(folder: Path, files: Mapping[str, str], fault: Any) -> dict[str, str]:
    """The files that lie in the folder: no other is ever opened."""
    for name in NEEDED:
        if name not in files:
            fault(f"files.{name} is missing", "Name the file in the section [files].")
    here = folder.resolve()
    within = {name: file for name, file in files.items() if (folder / file).resolve().is_relative_to(here)}
    for name, file in files.items():
        if name not in within:
            fault(f"files.{name}: {file} is outside the folder", "Copy the file into the folder and name it there.")
    return within


def _elevation(folder: Path, given: Any, fault: Any) -> tuple[str, ...]:
    """Height rasters: one name or a list of names."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        fault("files.elevation is not a file or a list of files", 'Write a name, or ["N42E001.hgt", "N42E002.hgt"].')
        return ()
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            fault(f"files.elevation: {name} is outside the folder", "Copy the file into the folder and name it there.")
        elif not is_elevation(name):
            fault(f"files.elevation: {name} is no height raster by its name", f"Give {', '.join(SUFFIXES)}.")
    return tuple(name for name in names if (folder / name).resolve().is_relative_to(folder.resolve()))


def _check_systems(typed: Mapping[str, Any], fault: Any) -> None:
    crs = typed.get("crs")
    if crs is not None and not is_projected(crs):
        fault(f"crs: {crs} is no projected system in metres", "Write one like EPSG:4545, or leave it out.")
    for name, word in typed.get("datum", {}).items():
        if isinstance(word, str) and not is_datum(word):
            fix = f"Did you mean {nearest(word.lower(), DATUMS)}?" if nearest(word.lower(), DATUMS) else ""
            fault(f"datum.{name}: {word} is no datum", fix or f"Write one of {', '.join(DATUMS)} or EPSG:n.")
