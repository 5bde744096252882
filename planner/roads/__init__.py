"""The road network: what may use a road and how fast, its parts, and how a door reaches it."""

from planner.roads.access import Access, access, along_one
from planner.roads.bends import bend_shares
from planner.roads.bridges import Bridges, bridges
from planner.roads.build import EDGE_COLUMNS, MAY_BE_ABSENT, from_lines, from_ways
from planner.roads.closures import close_areas, close_edges
from planner.roads.cutting import cut
from planner.roads.gaps import GAP_M, find_gaps, join_gaps
from planner.roads.parts import components, mode_parts, strong_parts
from planner.roads.slope import with_slope
from planner.roads.snapping import snap
from planner.roads.speeds import SPEED_KMH, may_use, off_road_kmh, paces, speeds_kmh
from planner.roads.tags import EXPRESSWAY

__all__ = [
    "EDGE_COLUMNS",
    "EXPRESSWAY",
    "GAP_M",
    "MAY_BE_ABSENT",
    "SPEED_KMH",
    "Access",
    "Bridges",
    "access",
    "along_one",
    "bend_shares",
    "bridges",
    "close_areas",
    "close_edges",
    "components",
    "cut",
    "find_gaps",
    "from_lines",
    "from_ways",
    "join_gaps",
    "may_use",
    "mode_parts",
    "off_road_kmh",
    "paces",
    "snap",
    "speeds_kmh",
    "strong_parts",
    "with_slope",
]
