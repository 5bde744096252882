"""The road network: what may use a road and how fast, its parts, and how a door reaches it."""

from planner.roads.access import Access, access, along_one
from planner.roads.bridges import Bridges, bridges
from planner.roads.build import EDGE_COLUMNS, from_lines, from_ways
from planner.roads.parts import components
from planner.roads.snapping import snap
from planner.roads.speeds import speeds_kmh
from planner.roads.tags import EXPRESSWAY

__all__ = [
    "EDGE_COLUMNS",
    "EXPRESSWAY",
    "Access",
    "Bridges",
    "access",
    "along_one",
    "bridges",
    "components",
    "from_lines",
    "from_ways",
    "snap",
    "speeds_kmh",
]
