"""Travel times: minutes from every demand point to every school, door to door, by the quickest mode a band may use."""

from planner.travel.times import CutGraph, ModeTimes, cut_graph, mode_times, off_network, travel_times

__all__ = ["CutGraph", "ModeTimes", "cut_graph", "mode_times", "off_network", "travel_times"]
