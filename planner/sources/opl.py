"""The tagged objects of an OSM extract as tables.

pyosmium hands every node of a way to Python as an object of its own, which takes about 2 microseconds: most of the time
of reading roads. Its writer does not. So the objects that carry one of some keys are written, with the coordinates of
their nodes, to a file in OPL (a line an object, https://osmcode.org/opl-file-format/), and Arrow takes that apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.sources.arrow import texts, to_arrow, to_numpy
from planner.sources.words import Words

BLOCK_BYTES, WRITE_BYTES = 500_000, 100_000  # read and written at once
FIELDS = ("osm_id", "deleted", "time", "tags", "body")
TO_CSV = bytes.maketrans(b"nxy", b"\n,,")


def write_tagged(file: Path, keys: Collection[str], text: Path) -> Any:
    """Write the objects with one of the keys to ``text``; gives pyosmium's table of where all nodes are.

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
    with osmium.SimpleWriter(form, WRITE_BYTES) as writer, osmium.io.Reader(str(file)) as reader:
        osmium.apply(reader, locate, wanted, writer)
    return places


@dataclass(frozen=True, eq=False)
class Things:
    """Tagged objects, as columns of Arrow.

    Parameters
    ----------
    osm_id : ``n``, ``w`` or ``r`` and a number
    time : of the last change, ISO with a ``t`` in front
    body : a node's ``x9.5 y47.1``, a way's ``Nn1x9.5y47.1,n2xy``, the second not in the extract, a relation's
        ``Mw1@outer,w2@inner``
    keys : the tags that were asked for
    word : (n_key, n) what each tag says, as a place in ``words``; 0 where there is no such tag
    words : their values; "" is the first
    """

    osm_id: Any
    time: Any
    body: Any
    keys: tuple[str, ...]
    word: np.ndarray
    words: np.ndarray

    def has(self, *keys: str) -> np.ndarray:
        """(n,) bool, whether a thing has one of some tags."""
        return np.asarray((self.word[[self.keys.index(key) for key in keys]] > 0).any(axis=0))

    def said(self, key: str) -> Words:
        """What the tag says, "" where there is no such tag."""
        return Words(self.word[self.keys.index(key)], self.words)

    def table(self, rows: np.ndarray, keys: Collection[str]) -> Any:
        """A column for each key, "" where there is no such tag, of some of the things; a table of Arrow."""
        import pyarrow as pa

        words = texts(self.words.tolist())
        return pa.table({key: words.take(to_arrow(self.said(key).code[rows])) for key in keys})


def read_tagged(text: Path, keys: Collection[str]) -> Iterator[Things]:
    """The objects of such a file, some thousands at a time, and none at the end."""
    with text.open("rb") as file:
        while True:
            block = file.read(BLOCK_BYTES)
            block += file.readline()
            yield _things(block, tuple(keys))
            if not block:
                return


def _things(block: bytes, keys: tuple[str, ...]) -> Things:
    """The objects of some lines."""
    import pyarrow.compute as pc

    lines = pc.split_pattern(texts([block[:-1]] if block else []), "\n")
    fields = pc.split_pattern(lines.flatten(), " ", max_splits=len(FIELDS) - 1)
    columns = dict(zip(FIELDS, _columns(fields, len(FIELDS)), strict=True))
    return Things(columns["osm_id"], columns["time"], columns["body"], keys, *_tags(columns["tags"], keys))


def _columns(lists: Any, n: int) -> list[Any]:
    """Lists of ``n`` values each as ``n`` arrays."""
    flat = lists.flatten()
    return [flat.take(to_arrow(np.arange(i, len(flat), n))) for i in range(n)]


def _tags(tags: Any, keys: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """``Tkey=value,key=value`` of every object as places in a list of words (n_key, n), and the list."""
    import pyarrow.compute as pc

    pairs = pc.split_pattern(pc.utf8_slice_codeunits(tags, 1), ",")
    key, value = _columns(pc.split_pattern(pairs.flatten(), "=", max_splits=1), 2)
    at = pc.index_in(key, texts(keys))
    asked = at.is_valid()
    row, at, value = (part.filter(asked) for part in (pc.list_parent_indices(pairs), at, value))
    value = value.dictionary_encode()
    word = np.zeros((len(keys), len(tags)), dtype=np.int32)
    word[to_numpy(at), to_numpy(row)] = to_numpy(value.indices) + 1
    return word, np.array(["", *map(_decoded, value.dictionary.to_pylist())], dtype=object)


def _decoded(word: str) -> str:
    """What a value says; OPL writes a character that it needs itself by its number.

    >>> _decoded("a%20%b"), _decoded("%65ec%%9091%")
    ('a b', '旬邑')
    """
    return re.sub("%([0-9a-f]+)%", lambda code: chr(int(code[1], 16)), word) if "%" in word else word


def nodes_of(bodies: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nodes of ways, one way after the other.

    Parameters
    ----------
    bodies : of the ways, an array of Arrow

    Returns
    -------
    first : (n_way + 1,) where each way's nodes begin
    ref : (n,) their numbers
    lonlat : (n, 2) degrees; NaN where the extract does not hold the node

    >>> first, ref, lonlat = nodes_of(texts(["Nn1x9.5y47.1,n2xy", "N", "Nn2xy"]))
    >>> first.tolist(), ref.tolist(), lonlat.tolist()
    ([0, 2, 2, 3], [1, 2, 2], [[9.5, 47.1], [nan, nan], [nan, nan]])
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    first = np.append(0, np.cumsum(to_numpy(pc.count_substring(bodies, "n")), dtype=np.int64))
    if first[-1] == 0:
        return first, np.zeros(0, dtype=np.int64), np.zeros((0, 2))
    _, starts, letters = bodies.buffers()
    starts = np.frombuffer(starts, dtype=np.int32)[bodies.offset : bodies.offset + len(bodies) + 1]
    whole = letters[int(starts[0]) : int(starts[-1])].to_pybytes()
    columns = {"ref": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}
    read = csv.read_csv(
        pa.BufferReader(whole.translate(TO_CSV, delete=b"N,")),  # a node a line
        csv.ReadOptions(column_names=list(columns), use_threads=False),
        convert_options=csv.ConvertOptions(column_types=columns),
    )
    ref, lon, lat = (column.combine_chunks() for column in read.columns)
    nowhere = to_arrow(np.array([np.nan]))[0]
    return first, to_numpy(ref), np.column_stack([to_numpy(lon.fill_null(nowhere)), to_numpy(lat.fill_null(nowhere))])
