"""A plan's pupils on the roads: found once for a plan, and used by its scorecard, its map and its folder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from planner.plan.types import Plan
from planner.travel import cut_off as cut_off_by_edge
from planner.travel.changes import settle
from planner.travel.flows import Followed, followed, summed

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Found = TypeVar("Found")


def _once(function: Callable[[Plan], Found]) -> Callable[[Plan], Found]:
    """The function, its results kept as long as the plans live."""
    held: WeakKeyDictionary[Plan, Found] = WeakKeyDictionary()

    @functools.wraps(function)
    def found(plan: Plan) -> Found:
        if plan not in held:
            held[plan] = function(plan)
        return held[plan]

    return found


@_once
def school_ways(plan: Plan) -> Followed:
    """Who goes where, and the ways (``travel.flows.followed``).

    >>> [(pairs.mode, ways.edge.tolist()) for pairs, ways in school_ways(tiny.plan)]
    [('walk', [0, 2])]
    """
    return followed(*settle(plan.area, plan.scenario.travel), plan.assignment)


@_once
def road_flows(plan: Plan) -> gpd.GeoDataFrame:
    """Pupils by road, mode and direction (``travel.flows``).

    >>> road_flows(tiny.plan)["pupils"].tolist()
    [10, 12]
    """
    area, _ = settle(plan.area, plan.scenario.travel)
    return summed(area, school_ways(plan))


@_once
def cut_off(plan: Plan) -> pd.Series:
    """Pupils whom closing a road would leave without any way to school, by road (``travel.cut_off``).

    >>> cut_off(tiny.plan).to_dict()  # from every door two roads are within 2 km
    {}
    """
    return cut_off_by_edge(plan.area, plan.scenario.travel, plan.assignment)
