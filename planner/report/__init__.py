"""What is handed out of a plan: its folder with tables, workbook, GeoPackage and map."""

from planner.report.folder import Drawing, add_map, free_target, save, whole_folder, write
from planner.report.layer import save_layer
from planner.report.summary import number, summary
from planner.report.tables import safe, tables, write_table

__all__ = [
    "Drawing",
    "add_map",
    "free_target",
    "number",
    "safe",
    "save",
    "save_layer",
    "summary",
    "tables",
    "whole_folder",
    "write",
    "write_table",
]
