"""Travel times over the road network, and the land they span."""

from planner.travel.catchments import nearest_school_catchments
from planner.travel.isochrones import isochrones, reachable_edges
from planner.travel.times import ModeTimes, mode_times, off_network, travel_times

__all__ = [
    "ModeTimes",
    "isochrones",
    "mode_times",
    "nearest_school_catchments",
    "off_network",
    "reachable_edges",
    "travel_times",
]
