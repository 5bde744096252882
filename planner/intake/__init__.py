"""A study area from an OpenStreetMap extract and whatever tables the bureau has; what is assumed is said."""

from planner.intake.build import new_area
from planner.intake.question import default_scenario
from planner.intake.schools import kind_of, school_table
from planner.intake.settlements import settlement_table
from planner.intake.towns import town_polygons

__all__ = ["default_scenario", "kind_of", "new_area", "school_table", "settlement_table", "town_polygons"]
