"""The plan's layers in one GeoPackage that opens styled in QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from planner.draw.catchments import tints
from planner.indicators import by_town
from planner.plan import Plan, catchments, road_flows
from planner.report.styles import styles
from planner.report.tables import MINUTES, villages

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

LAYERS = {
    "towns": ("乡镇 towns", "Towns, with the trips of those who live there"),
    "catchments": ("学区 catchments", "The land whose pupils each school takes in, by stage"),
    "road_flows": ("道路学生流量 pupils on roads", "Pupils by road, mode and direction, one way"),
    "assignment": ("村—校连线 village to school", "Who goes where, in how many minutes"),
    "demand": ("村庄 villages", "Where pupils live, and their trips"),
    "schools": ("学校 schools", "What becomes of every school"),
}
"""Layers from the lowest to the uppermost, their names and what is in them."""

STAMP = "2000-01-01T00:00:00.000Z"
"""For every time in the file: when it was written stands in the manifest, and two runs write the same bytes."""

SYNCHRONOUS = "OGR_SQLITE_SYNCHRONOUS"

STATES = ("expand", "open", "keep", "merge", "close", "none")
"""Of a school's actions the first of these says what becomes of it."""

LAYER_STYLES = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)
"""
"""As QGIS makes it when a style is saved in the file."""


def write_geopackage(plan: Plan, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write the layers, and their styles into ``layer_styles``, where QGIS looks for them.

    Parameters
    ----------
    frames : the plan's tables (``planner.report.tables``)
    """
    made = layers(plan, frames)
    with _not_waiting_for_the_disk():
        for name in LAYERS:  # version 1.2: QGIS before 3.34 warns of newer ones
            made[name].to_file(path, layer=name, driver="GPKG", geometry_type=_TYPES.get(name), VERSION="1.2")
    columns = {name: [column for column in made[name] if column != made[name].geometry.name] for name in LAYERS}
    signs = made["schools"][["kind", "state"]].itertuples(index=False, name=None)
    _write_styles(path, styles(plan, columns, signs))


@contextmanager
def _not_waiting_for_the_disk() -> Iterator[None]:
    """GDAL hands SQLite's pages to the system like any other file's: a plan folder appears whole or not at all."""
    import pyogrio

    before = pyogrio.get_gdal_config_option(SYNCHRONOUS)
    pyogrio.set_gdal_config_options({SYNCHRONOUS: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({SYNCHRONOUS: before})


_TYPES = {"assignment": "LineString", "road_flows": "LineString", "catchments": "MultiPolygon"}
"""Of layers that may be without features, or mixed."""


def layers(plan: Plan, frames: Mapping[str, pd.DataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """The layers by name.

    >>> from planner.report import tables
    >>> layers(tiny.plan, tables(tiny.plan))["schools"]["state"].tolist()
    ['keep', 'close', 'keep']
    """
    land = catchments(plan)
    land.insert(2, "tint", 0)
    for rows in land.groupby("stage").groups.values():
        land.loc[rows, "tint"] = tints(land.geometry.loc[rows].to_numpy())
    return {
        "towns": plan.area.towns.join(by_town(plan).rename(columns=MINUTES)).reset_index(),
        "catchments": land,
        "road_flows": road_flows(plan),
        "assignment": _assignment(plan, frames["assignment"]),
        "demand": _demand(plan),
        "schools": _schools(plan, frames["actions"]),
    }


def _schools(plan: Plan, actions: pd.DataFrame) -> gpd.GeoDataFrame:
    of = actions.groupby("school_id")
    sums = of[["seats", "seats_added", "pupils"]].agg(_sum)
    schools = plan.area.schools[["name", "kind", "town_id", "geometry"]]
    found: gpd.GeoDataFrame = (
        schools.assign(state=of["action"].agg(state), action=of["action"].agg("; ".join)).join(sums).reset_index()
    )
    return found


def _sum(column: pd.Series) -> float:
    """The sum; unknown where a part of it is."""
    return float(column.sum(skipna=False))


def state(actions: pd.Series) -> str:
    """What becomes of a school whose stages have these actions; one that goes on without a stage is converted.

    >>> import pandas as pd
    >>> state(pd.Series(["keep", "convert"])), state(pd.Series(["keep", "expand"]))
    ('convert', 'expand')
    """
    words = set(actions)
    return "convert" if "convert" in words else next((word for word in STATES if word in words), "none")


def _demand(plan: Plan) -> gpd.GeoDataFrame:
    """Villages with their pupils, by band and in all, and the mean trip of those with a school."""
    rows = plan.assignment.assign(total=plan.assignment["pupils"] * plan.assignment["minutes"])
    known = rows.dropna(subset="minutes").groupby("demand_id")[["total", "pupils"]].sum()
    table = villages(plan).set_index("demand_id").drop(columns="assumed")
    table["pupils"] = plan.area.pupils.sum(axis=1)
    table["minutes"] = known["total"] / known["pupils"]
    lost = rows[rows["school_id"] == ""].groupby("demand_id")["pupils"].sum()
    table["without_school"] = lost.reindex(table.index).fillna(0).astype("int64")
    found: gpd.GeoDataFrame = plan.area.demand[["geometry"]].join(table).rename_axis("demand_id").reset_index()
    return found


def _assignment(plan: Plan, rows: pd.DataFrame) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    rows = rows[rows["school_id"] != ""]
    ends = [
        frame.geometry.loc[rows[column]].get_coordinates().to_numpy()
        for frame, column in ((plan.area.demand, "demand_id"), (plan.area.schools, "school_id"))
    ]
    lines = [shapely.LineString(pair) for pair in zip(*ends, strict=True)]
    return gpd.GeoDataFrame(rows.reset_index(drop=True), geometry=lines, crs=plan.area.crs)


def _write_styles(path: Path, documents: Mapping[str, str]) -> None:
    """The table of styles, and the layers' names and descriptions."""
    from contextlib import closing

    with closing(sqlite3.connect(path)) as file, file:
        file.execute(LAYER_STYLES)
        contents = "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES (?, ?, ?, ?)"
        file.execute(contents, ("layer_styles", "attributes", "layer_styles", "How QGIS draws the layers"))
        for name, (title, said) in LAYERS.items():
            file.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
                " styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
                " SELECT '', '', table_name, column_name, ?, ?, '', 1, ?, '', NULL, ?"
                " FROM gpkg_geometry_columns WHERE table_name = ?",
                (name, documents[name], title, STAMP, name),
            )
            file.execute(
                "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?", (title, said, name)
            )
        file.execute("UPDATE gpkg_contents SET last_change = ?", (STAMP,))
