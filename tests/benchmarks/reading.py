"""An OSM extract into a road network, beside osmnx: seconds and peak memory, each in a process of its own.

python -m tests.benchmarks.reading EXTRACT [--copies 1 4] [--no-osmnx]

osmnx reads XML, and takes every way in it for a road; so it gets the extract's roads and their nodes alone, as .osm,
written beforehand and not counted. Ours reads the extract as it is. Copies are the extract side by side n times under
other ids. Seconds count from after the imports to the network in memory, the least of some runs; memory is the
process's peak, imports included. Ours is measured as arrays, and with its tables, for which pandas is loaded.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

ID_STEP = 20_000_000_000  # above every id that OSM has given
RUNS = 3


def copies_of(extract: Path, n: int, target: Path) -> Path:
    """The extract n times side by side."""
    import osmium

    with osmium.SimpleWriter(str(target)) as writer:
        for entity in (osmium.osm.NODE, osmium.osm.WAY):
            for copy in range(n):
                shift = copy * ID_STEP
                for thing in osmium.FileProcessor(str(extract), entity):
                    if thing.is_node():
                        writer.add_node(thing.replace(id=thing.id + shift))
                    else:
                        refs = [node.ref + shift for node in thing.nodes]
                        writer.add_way(thing.replace(id=thing.id + shift, nodes=refs))
        for relation in osmium.FileProcessor(str(extract), osmium.osm.RELATION):
            writer.add_relation(relation)
    return target


def roads_alone(extract: Path, target: Path) -> Path:
    """The ways with a highway tag and their nodes, as XML."""
    import osmium

    with osmium.BackReferenceWriter(str(target), ref_src=str(extract), overwrite=True) as writer:
        for way in osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
            writer.add(way)
    return target


def peak_mb() -> float:
    """Peak resident memory of this process (Linux; ``getrusage`` would count the parent's, too)."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def by_osmnx(file: Path) -> Any:
    """Its graph."""
    import osmnx

    return osmnx.graph_from_xml(file, retain_all=True)


def by_ours(file: Path, *, roads_only: bool, tables: bool = True) -> Any:
    """Our network, of the roads alone or of an extract that is read for everything, with or without its tables."""
    import numpy as np

    from planner.roads import from_ways
    from planner.sources.datum import projected_crs
    from planner.sources.osm import read_osm, read_ways

    ways = read_ways(file) if roads_only else read_osm(file).ways
    roads = from_ways(ways, projected_crs(*np.median(ways.lonlat, axis=0)[:, None]))
    if tables:
        roads.edges, roads.nodes  # noqa: B018 - they are made when they are read
    return roads


READERS = {
    "osmnx": by_osmnx,
    "ours, roads": partial(by_ours, roads_only=True, tables=False),
    "ours, roads with tables": partial(by_ours, roads_only=True),
    "ours, all": partial(by_ours, roads_only=False),
}
READ = ("osmium", "pyarrow.compute", "pyarrow.csv", "pyproj", "shapely", "planner.roads", "planner.sources.osm")
IMPORTS = {
    "osmnx": ("osmnx",),
    "ours, roads": READ,
    "ours, roads with tables": ("geopandas", *READ),
    "ours, all": ("geopandas", *READ),
}


def read_once(reader: str, file: Path) -> None:
    """In a process of its own: import, read, print the figures as JSON."""
    for name in IMPORTS[reader]:
        __import__(name)
    imported_mb, began, began_cpu = peak_mb(), time.perf_counter(), time.process_time()
    made = READERS[reader](file)
    seconds, cpu, mb = time.perf_counter() - began, time.process_time() - began_cpu, peak_mb()
    arcs = made.number_of_edges() if reader == "osmnx" else len(made.edges)
    found = f"{len(made.nodes):,} nodes, {arcs:,} {'arcs' if reader == 'osmnx' else 'edges'}"
    print(json.dumps({"seconds": seconds, "cpu": cpu, "mb": mb, "imported_mb": imported_mb, "found": found}))


def measured(reader: str, file: Path, runs: int) -> dict[str, float | str]:
    """The run with the least seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.reading", str(file), "--reader", reader]
    made = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
    return min(made, key=lambda run: run["seconds"])


def main() -> None:
    """Print a table in Markdown."""
    ask = argparse.ArgumentParser()
    ask.add_argument("extract", type=Path)
    ask.add_argument("--copies", type=int, nargs="*", default=[1])
    ask.add_argument("--no-osmnx", action="store_true")
    ask.add_argument("--reader", choices=READERS)
    said = ask.parse_args()
    if said.reader:
        read_once(said.reader, said.extract)
        return
    print("| copies | MB of file | reader | network | seconds | CPU s | ratio | peak MB | ratio | of it imports |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for n in said.copies:
        with tempfile.TemporaryDirectory() as folder:
            file = said.extract if n == 1 else copies_of(said.extract, n, Path(folder) / "copies.osm.pbf")
            ours = {reader: measured(reader, file, RUNS) for reader in READERS if reader != "osmnx"}
            theirs = {}
            if not said.no_osmnx:
                theirs = {"osmnx": measured("osmnx", roads_alone(file, Path(folder) / "roads.osm"), 1)}
            least = ours["ours, roads"]
            for reader, run in (ours | theirs).items():
                print(
                    f"| {n} | {file.stat().st_size / 1e6:.1f} | {reader} | {run['found']} | {run['seconds']:.2f} "
                    f"| {run['cpu']:.2f} | {run['seconds'] / least['seconds']:.1f} | {run['mb']:.0f} "
                    f"| {run['mb'] / least['mb']:.1f} | {run['imported_mb']:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
