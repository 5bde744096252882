"""The tagged objects of an OSM extract as text, to be read in bulk.

pyosmium hands every node of a way to Python as an object of its own, which takes about 2 microseconds: most of the time
of reading roads. Its writer does not. So the objects that carry one of some keys are written, with the coordinates of
their nodes, to a file in OPL (one line an object, https://osmcode.org/opl-file-format/), which is read block by block.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BLOCK_BYTES = 16_000_000
TO_CSV = bytes.maketrans(b"nxy", b"\n,,")


class Thing(NamedTuple):
    """One object.

    Parameters
    ----------
    osm_id : ``n``, ``w`` or ``r`` and its number
    time : of its last change, ISO; "" where the extract does not tell
    tags : those that were asked for
    body : a node's ``x9.5 y47.1``, a way's ``n1x9.5y47.1,n2x9.6y47.1`` (``n3xy`` is not in the extract), a relation's
        ``w1@outer,w2@inner``
    """

    osm_id: str
    time: str
    tags: dict[str, str]
    body: str


class _Words(dict[str, str]):
    """What a value of the text says; each is kept once."""

    def __missing__(self, raw: str) -> str:
        self[raw] = re.sub("%([0-9a-f]+)%", lambda code: chr(int(code[1], 16)), raw)
        return self[raw]


def write_tagged(file: Path, keys: Collection[str], text: Path) -> Any:
    """Write the objects with one of the keys to ``text``; gives pyosmium's handler that knows where all nodes are.

    Raises
    ------
    RuntimeError : it is no OSM file, or is cut off
    """
    import osmium

    # 16 bytes a node; the first grows without being copied, where there is such memory.
    kind = "sparse_mmap_array" if "sparse_mmap_array" in osmium.index.map_types() else "flex_mem"
    places = osmium.index.create_map(kind)
    locate = osmium.NodeLocationsForWays(places)
    locate.ignore_errors()
    wanted = osmium.filter.KeyFilter(*keys)
    form = osmium.io.File(str(text), "opl,locations_on_ways=true,add_metadata=timestamp")
    with osmium.SimpleWriter(form) as writer, osmium.io.Reader(str(file)) as reader:
        osmium.apply(reader, locate, wanted, writer)
    return locate


def read_tagged(text: Path, keys: Collection[str]) -> Iterator[list[Thing]]:
    """The objects of such a file, some thousands at a time, with those of their tags that are asked for."""
    words = _Words()
    wanted = frozenset(keys)
    with text.open(encoding="utf-8", newline="\n") as lines:
        while block := lines.readlines(BLOCK_BYTES):
            yield [_thing(line, wanted, words) for line in block]


def _thing(line: str, wanted: Collection[str], words: _Words) -> Thing:
    osm_id, _, time, tags, body = line[:-1].split(" ", 4)
    pairs = (tag.split("=") for tag in tags[1:].split(","))
    return Thing(osm_id, time[1:], {key: words[value] for key, value in pairs if key in wanted}, body.lstrip("NM"))


def nodes_of(bodies: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nodes of ways, one way after the other.

    Parameters
    ----------
    bodies : of the ways

    Returns
    -------
    first : (n_way + 1,) where each way's nodes begin
    ref : (n,) their numbers
    lonlat : (n, 2) degrees; NaN where the extract does not hold the node

    >>> first, ref, lonlat = nodes_of(["n1x9.5y47.1,n2xy", "", "n2xy"])
    >>> first.tolist(), ref.tolist(), lonlat.tolist()
    ([0, 2, 2, 3], [1, 2, 2], [[9.5, 47.1], [nan, nan], [nan, nan]])
    """
    import pyarrow as pa
    from pyarrow import csv

    first = np.append(0, np.cumsum([body.count("n") for body in bodies], dtype=np.int64))
    table = "".join(bodies).encode().translate(TO_CSV, delete=b",")
    if not table:
        return first, np.zeros(0, dtype=np.int64), np.zeros((0, 2))
    columns = {"ref": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}
    read = csv.read_csv(
        pa.BufferReader(table),
        read_options=csv.ReadOptions(column_names=list(columns)),
        convert_options=csv.ConvertOptions(column_types=columns),
    )
    ref, lon, lat = (column.to_numpy() for column in read.columns)
    return first, ref, np.column_stack([lon, lat])
