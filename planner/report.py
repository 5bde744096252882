"""The plan folder: plan.json, tables, workbook, GeoPackage, map; it appears complete or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from planner.area import layer_sha256
from planner.compare import scorecard
from planner.errors import DataError, Fault
from planner.indicators import by_band, by_town, moves, open_by_kind_and_town
from planner.plan import Plan, catchments, road_flows
from planner.sources.files import FORMULA_STARTS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

TABLES = ("actions.csv", "assignment.csv", "scorecard.csv")


class Drawing(Protocol):
    """A page that shows the plan."""

    @property
    def html(self) -> str:
        """The page."""


def save(plan: Plan, folder: str | Path, drawing: Drawing | None = None) -> Path:
    """Write the plan folder; an older plan folder of that name is replaced, any other folder is not touched.

    ``plan.json`` (status, objective, bound, gap, seconds, costs, hashes, versions), ``scenario.toml`` (the question as
    it was asked), ``actions.csv``, ``assignment.csv``, ``scorecard.csv``, ``report.xlsx``, ``plan.gpkg`` and, with a
    drawing, ``map.html``.

    Raises
    ------
    DataError : the folder exists and is no plan folder, or may not be written
    """
    target = free_target(folder)
    with whole_folder(target) as part:
        _write(plan, part, target, drawing)
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


def _write(plan: Plan, part: Path, target: Path, drawing: Drawing | None) -> None:
    frames = tables(plan)
    for name in TABLES:
        frame = frames[name.removesuffix(".csv")]
        safe(frame).to_csv(part / name, index=False, encoding="utf-8-sig", lineterminator="\n")
    (part / "scenario.toml").write_text(plan.scenario.source_text, "utf-8")
    if drawing is not None:
        (part / "map.html").write_text(drawing.html, "utf-8")
    _write_workbook(plan, frames, part / "report.xlsx")
    _write_geopackage(plan, frames, part / "plan.gpkg")
    (part / "plan.json").write_text(
        json.dumps(summary(plan, part, target), ensure_ascii=False, indent=2, allow_nan=False) + "\n", "utf-8"
    )


def tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """The plan's tables as people read them, with the names beside the ids.

    >>> tables(tiny.plan)["actions"].columns.tolist()[:4]
    ['school_id', 'school_name', 'kind', 'town_id']
    """
    schools, demand = plan.area.schools, plan.area.demand
    actions = plan.actions.copy()
    for column, place in (("town_id", "town_id"), ("kind", "kind"), ("school_name", "name")):
        actions.insert(1, column, actions["school_id"].map(schools[place]))
    assignment = plan.assignment.copy()
    assignment.insert(1, "demand_name", assignment["demand_id"].map(demand["name"]))
    assignment.insert(2, "town_id", assignment["demand_id"].map(demand["town_id"]))
    at = assignment.columns.get_loc("school_id")
    assignment.insert(int(at) + 1, "school_name", assignment["school_id"].map(schools["name"]).fillna(""))  # type: ignore[arg-type]
    assignment[["minutes", "km"]] = assignment[["minutes", "km"]].round(6)
    return {"actions": actions, "assignment": assignment, "scorecard": scorecard(plan)}


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; columns' numbers stay numbers.

    >>> import pandas as pd
    >>> safe(pd.DataFrame({"name": ["=1+1", "王家塬"]}))["name"].tolist()
    ["'=1+1", '王家塬']
    """
    import pandas as pd

    def guard(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value

    guarded = frame.copy()
    for column in guarded:
        if not pd.api.types.is_numeric_dtype(guarded[column]):
            guarded[column] = guarded[column].map(guard)
    return guarded


def number(value: float) -> float | None:
    """A number for JSON: unknown and infinite are null."""
    return float(value) if math.isfinite(value) else None


def summary(plan: Plan, part: Path | None = None, target: Path | None = None) -> dict[str, Any]:
    """What ``plan.json`` holds; ``part`` holds the tables to hash, ``target`` is where the folder will stand.

    >>> summary(tiny.plan)["gap"]
    0.0
    """
    area, travel = plan.area, plan.scenario.travel
    folder = None
    if area.folder is not None and target is not None:
        try:
            folder = Path(os.path.relpath(area.folder.resolve(), target.resolve())).as_posix()
        except ValueError:  # another drive
            folder = area.folder.resolve().as_posix()
    hashes = {name: hashlib.sha256((part / name).read_bytes()).hexdigest() for name in TABLES} if part else {}
    card = scorecard(plan)
    return {
        "title": plan.title,
        "status": plan.status,
        "objective": number(plan.objective),
        "objective_unit": plan.scenario.objective.minimise,
        "bound": number(plan.bound),
        "gap": number(plan.gap),
        "seconds": round(plan.seconds, 3),
        "annual_cost_cny": number(plan.annual_cost_cny),
        "capital_cost_cny": number(plan.capital_cost_cny),
        "notes": list(plan.notes),
        "area": {"title": area.title, "folder": folder, "synthetic": area.synthetic, "sha256": plan.rooted.area_sha256},
        "scenario": {"title": plan.scenario.title, "sha256": plan.rooted.scenario_sha256},
        "layers": {travel.closed_areas: layer_sha256(area.folder, travel.closed_areas)} if travel.closed_areas else {},
        "off_network": dict(plan.times.off_network),
        "scorecard": {
            key: {"today": number(today), "plan": number(value), "unit": unit}
            for key, today, value, unit in zip(
                card["indicator"], card["today"], card["plan"], card["unit"], strict=True
            )
        },
        "tables": hashes,
        "versions": dict(plan.rooted.versions),
    }


def _write_workbook(plan: Plan, frames: dict[str, pd.DataFrame], path: Path) -> None:
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


def save_layer(frame: gpd.GeoDataFrame, file: str | Path) -> Path:
    """Write one layer, all of it or nothing: ``.gpkg`` in its own CRS, ``.geojson`` in longitude and latitude.

    Returns
    -------
    The path written; a file of that name is replaced.

    Raises
    ------
    DataError : another kind of file, or one that may not be written
    """
    target = Path(file)
    drivers = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
    driver = drivers.get(target.suffix.lower())
    if driver is None:
        raise DataError([Fault(str(file), f"{target.suffix!r} is no kind of layer", "Name a .gpkg or .geojson file.")])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as beside:
            part = Path(beside) / target.name
            (frame if driver == "GPKG" else frame.to_crs(4326)).to_file(part, layer=target.stem, driver=driver)
            part.replace(target)
    except OSError as error:
        fault = Fault(str(file), f"it cannot be written: {error.strerror}", "Name another file.")
        raise DataError([fault]) from None
    return target


def _with_town_names(plan: Plan, frame: pd.DataFrame) -> pd.DataFrame:
    named = frame.rename_axis("town_id").reset_index()
    named.insert(1, "town", named["town_id"].map(plan.area.towns["name"]))
    return named


def _write_geopackage(plan: Plan, frames: dict[str, pd.DataFrame], path: Path) -> None:
    import geopandas as gpd
    import shapely

    area = plan.area
    actions = frames["actions"].groupby("school_id")["action"].agg("; ".join)
    seats = frames["actions"].groupby("school_id")[["seats", "seats_added", "pupils"]].sum(min_count=1)
    schools = area.schools[["name", "kind", "town_id", "geometry"]].assign(action=actions).join(seats)
    schools.reset_index().to_file(path, layer="schools", driver="GPKG")
    area.demand[["name", "town_id", "population", "geometry"]].assign(
        pupils=area.pupils.sum(axis=1)
    ).reset_index().to_file(path, layer="demand", driver="GPKG")
    area.towns.join(by_town(plan)).reset_index().to_file(path, layer="towns", driver="GPKG")
    catchments(plan).to_file(path, layer="catchments", driver="GPKG")
    rows = frames["assignment"]
    rows = rows[rows["school_id"] != ""]
    ends = [
        frame.geometry.loc[rows[column]].get_coordinates().to_numpy()
        for frame, column in ((area.demand, "demand_id"), (area.schools, "school_id"))
    ]
    lines = [shapely.LineString(pair) for pair in zip(*ends, strict=True)]
    gpd.GeoDataFrame(rows.reset_index(drop=True), geometry=lines, crs=area.crs).to_file(
        path, layer="assignment", driver="GPKG"
    )
    road_flows(plan).to_file(path, layer="road_flows", driver="GPKG", geometry_type="LineString")
