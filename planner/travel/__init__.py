"""Travel times over the road network."""

from planner.travel.times import ModeTimes, mode_times, off_network, travel_times

__all__ = ["ModeTimes", "mode_times", "off_network", "travel_times"]
