"""Travel times over the road network, the ways behind them, the land they span, and who uses which road."""

from planner.travel.catchments import nearest_school_catchments
from planner.travel.changes import changed, roads_of
from planner.travel.criticality import criticality
from planner.travel.flows import flows
from planner.travel.isochrones import isochrones, reachable_edges
from planner.travel.paths import Path, path, paths
from planner.travel.severed import cut_off
from planner.travel.times import ModeTimes, mode_times, off_network, travel_times

__all__ = [
    "ModeTimes",
    "Path",
    "changed",
    "criticality",
    "cut_off",
    "flows",
    "isochrones",
    "mode_times",
    "nearest_school_catchments",
    "off_network",
    "path",
    "paths",
    "reachable_edges",
    "roads_of",
    "travel_times",
]
