"""A plan's pupils on the roads: found once for a plan, and used by its scorecard, its map and its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.plan.types import Plan
from planner.remembered import remembered
from planner.travel import cut_off as cut_off_by_edge
from planner.travel.changes import settle
from planner.travel.flows import Followed, followed, summed

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


@remembered
def school_ways(plan: Plan) -> Followed:
    """Who goes where, and the ways (``travel.flows.followed``).

    >>> [(pairs.mode, ways.edge.tolist()) for pairs, ways in school_ways(tiny.plan)]
    [('walk', [0, 2])]
    """
    return followed(*settle(plan.area, plan.scenario.travel), plan.assignment)


@remembered
def road_flows(plan: Plan) -> gpd.GeoDataFrame:
    """Pupils by road, mode and direction (``travel.flows``).

    >>> road_flows(tiny.plan)["pupils"].tolist()
    [10, 12]
    """
    area, _ = settle(plan.area, plan.scenario.travel)
    return summed(area, school_ways(plan))


@remembered
def cut_off(plan: Plan) -> pd.Series:
    """Pupils whom closing a road would leave without any way to school, by road (``travel.cut_off``).

    >>> cut_off(tiny.plan).to_dict()  # from every door two roads are within 2 km
    {}
    """
    return cut_off_by_edge(plan.area, plan.scenario.travel, plan.assignment)
