"""Isochrones of an area by every mode, 5 to 30 minutes from the nearest of all its schools: seconds, and CPU s.

python -m tests.benchmarks.isochrones [AREA ...]
"""

import argparse
import time
from pathlib import Path

import planner as pl
from planner.model import MODES
from planner.scenario import Travel

XUNYI = Path(__file__).parents[2] / "data" / "xunyi"


def main() -> None:
    """Print a table in Markdown; doors are found beforehand, as `planner run` has them."""
    ask = argparse.ArgumentParser()
    ask.add_argument("areas", type=Path, nargs="*", default=[XUNYI])
    print("| area | mode | seconds | CPU s |\n|---|---|---|---|")
    for folder in ask.parse_args().areas:
        area = pl.read_area(folder)
        for mode in MODES:
            pl.isochrones(area, Travel(), minutes=[5], mode=mode)
            began, before = time.perf_counter(), time.process_time()
            pl.isochrones(area, Travel(), mode=mode)
            print(
                f"| {folder.name} | {mode} | {time.perf_counter() - began:.2f} | {time.process_time() - before:.2f} |"
            )


if __name__ == "__main__":
    main()
