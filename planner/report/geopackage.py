"""The plan's layers in one GeoPackage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.indicators import by_town
from planner.plan import Plan, catchments, road_flows

if TYPE_CHECKING:
    import pandas as pd


def write_geopackage(plan: Plan, frames: dict[str, pd.DataFrame], path: Path) -> None:
    """Write them."""
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
