"""The road network: what may use a road and how fast, its parts, and how a door reaches it."""

from planner.roads.access import Access, access, along_one
from planner.roads.build import EDGE_COLUMNS, from_lines, from_ways
from planner.roads.closures import close_areas, close_edges
from planner.roads.cutting import cut
from planner.roads.gaps import GAP_M, find_gaps, join_gaps
from planner.roads.parts import components, mode_parts, strong_parts
from planner.roads.snapping import snap
from planner.roads.speeds import speeds_kmh
from planner.roads.tags import EXPRESSWAY

__all__ = [
    "EDGE_COLUMNS",
    "EXPRESSWAY",
    "GAP_M",
    "Access",
    "access",
    "along_one",
    "close_areas",
    "close_edges",
    "components",
    "cut",
    "find_gaps",
    "from_lines",
    "from_ways",
    "join_gaps",
    "mode_parts",
    "snap",
    "speeds_kmh",
    "strong_parts",
]
