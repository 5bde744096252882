"""The paper for the hearing: a sheet for every school that ends, for every town, and one for the county."""

from planner.hearing.pack import Pack, hearing_pack, save_pack
from planner.hearing.printing import browser, print_pdf

__all__ = ["Pack", "browser", "hearing_pack", "print_pdf", "save_pack"]
