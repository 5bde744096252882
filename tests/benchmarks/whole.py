"""From an OSM extract to the finished map, whole processes: ``planner new`` and ``planner run`` beside the usual glue.

python -m tests.benchmarks.whole EXTRACT

The glue is ``tests/benchmarks/glue.py`` (osmnx, networkx, spopt with CBC, Folium). spopt and pulp are not among the
project's packages: ``pip install --group bench`` in an environment that has those. What osmnx cannot read is prepared
for it and not counted: the extract's roads alone, and its schools and settlements alone, as XML.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.reading import roads_alone


def features_alone(extract: Path, target: Path) -> Path:
    """Schools and settlements with their nodes, as XML."""
    import osmium

    keys = osmium.filter.KeyFilter("amenity", "place")
    with osmium.BackReferenceWriter(str(target), ref_src=str(extract), overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(extract), osmium.osm.NODE | osmium.osm.WAY).with_filter(keys):
            writer.add(thing)
    return target


def seconds_of(name: str, *arguments: str | Path) -> tuple[float, float]:
    """Wall and CPU seconds of a process, which may load numba's cache and compiled modules as any second run does."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", name, *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=kept)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def main() -> None:
    """Print a table in Markdown."""
    ask = argparse.ArgumentParser()
    ask.add_argument("extract", type=Path)
    extract = ask.parse_args().extract
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        area, out = folder / "area", folder / "out"
        roads = roads_alone(extract, folder / "roads.osm")
        features = features_alone(extract, folder / "features.osm")
        steps = {
            "planner new": seconds_of("planner", "new", area, "--osm", extract),
            "planner run": seconds_of("planner", "run", area / "scenarios/default.toml", "--out", out),
        }
        ours = [sum(figures) for figures in zip(*steps.values(), strict=True)]
        steps["both"] = (ours[0], ours[1])
        steps["glue"] = seconds_of("tests.benchmarks.glue", roads, features, folder / "glue.html")
        page = {"both": out / "map.html", "glue": folder / "glue.html"}
        print(f"{extract.name}, {os.cpu_count()} cores\n")
        print("| | seconds | CPU s | ratio | CPU ratio | MB of page |\n|---|---|---|---|---|---|")
        for step, (wall, cpu) in steps.items():
            size = f"{page[step].stat().st_size / 1e6:.1f}" if step in page else ""
            print(f"| {step} | {wall:.1f} | {cpu:.1f} | {wall / ours[0]:.1f} | {cpu / ours[1]:.1f} | {size} |")


if __name__ == "__main__":
    main()
