"""What is handed out of a plan: its folder with tables, workbook, GeoPackage and map."""

from planner.report.folder import Drawing, free_target, save, whole_folder
from planner.report.layer import save_layer
from planner.report.summary import number, summary
from planner.report.tables import safe, tables, unguarded, write_table

__all__ = [
    "Drawing",
    "free_target",
    "number",
    "safe",
    "save",
    "save_layer",
    "summary",
    "tables",
    "unguarded",
    "whole_folder",
    "write_table",
]
