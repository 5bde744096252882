"""Travel times over the road network."""

from planner.travel.changes import changed, roads_of
from planner.travel.times import ModeTimes, mode_times, off_network, travel_times

__all__ = ["ModeTimes", "changed", "mode_times", "off_network", "roads_of", "travel_times"]
