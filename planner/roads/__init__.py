"""The road network: what may use a road and how fast, its parts, and how a door reaches it."""

from planner.roads.access import Access, access, along_one
from planner.roads.bends import bend_shares
from planner.roads.build import EDGE_COLUMNS, MAY_BE_ABSENT, from_lines, from_ways
from planner.roads.parts import components
from planner.roads.slope import with_slope
from planner.roads.snapping import snap
from planner.roads.speeds import may_use, off_road_kmh, paces, speeds_kmh
from planner.roads.tags import EXPRESSWAY

__all__ = [
    "EDGE_COLUMNS",
    "EXPRESSWAY",
    "MAY_BE_ABSENT",
    "Access",
    "access",
    "along_one",
    "bend_shares",
    "components",
    "from_lines",
    "from_ways",
    "may_use",
    "off_road_kmh",
    "paces",
    "snap",
    "speeds_kmh",
    "with_slope",
]
