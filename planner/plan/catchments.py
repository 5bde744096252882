"""Catchments of a plan: the land whose pupils each school takes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.model import BAND_STAGE, STAGES
from planner.plan.types import Plan
from planner.travel.catchments import outline, partition

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def catchments(plan: Plan, *, whole: Any = None) -> gpd.GeoDataFrame:
    """The land shared out among a plan's schools, stage by stage: every place goes with the nearest demand point.

    Whole demand points: one whose pupils are split goes with the school that takes most of them. Of two demand points
    at one place the first counts; otherwise each lies in the catchment of its school.

    Parameters
    ----------
    whole : what is shared out; by default the towns, or the surroundings of the demand points

    Returns
    -------
    Columns ``stage``, ``school_id`` ("" for the land of those without a school) and valid ``geometry`` in the area's
    CRS. Of a stage with pupils the catchments cover the whole, and no two overlap.

    >>> catchments(tiny.plan)[["stage", "school_id"]].values.tolist()
    [['primary', 'S1'], ['primary', 'S3'], ['junior', 'S3']]
    """
    import geopandas as gpd
    import pandas as pd

    whole = outline(plan.area) if whole is None else whole
    xy = plan.area.demand.geometry.get_coordinates()
    shapes = {}
    for stage in STAGES:
        school = school_of(plan, stage)
        shapes[stage] = partition(whole, xy.loc[school.index].to_numpy(), school.to_numpy(dtype=object))
    found = pd.concat(shapes, names=["stage", "school_id"]).rename("geometry")
    return gpd.GeoDataFrame(found.reset_index(), geometry="geometry", crs=plan.area.crs)


def school_of(plan: Plan, stage: str) -> pd.Series:
    """The school that takes most of each demand point's pupils of a stage ("" where none does).

    >>> school_of(tiny.plan, "primary").to_dict()
    {'V1': 'S1', 'V2': 'S1', 'V3': 'S3', 'V4': 'S3'}
    """
    rows = plan.assignment[plan.assignment["band"].map(BAND_STAGE) == stage]
    total = rows.groupby(["demand_id", "school_id"], sort=True)["pupils"].sum().reset_index()
    most = total.sort_values("pupils", ascending=False, kind="stable").drop_duplicates("demand_id")
    return most.set_index("demand_id")["school_id"].sort_index()
