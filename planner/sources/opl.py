"""The tagged objects of an OSM extract as tables.

pyosmium hands every node of a way to Python as an object of its own, which takes about 2 microseconds: most of the time
of reading roads. Its writer does not. So the objects that carry one of some keys are written, with the coordinates of
their nodes, to a file in OPL (a line an object, https://osmcode.org/opl-file-format/), and Arrow takes that apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BLOCK_BYTES = 1_000_000
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
    with osmium.SimpleWriter(form) as writer, osmium.io.Reader(str(file)) as reader:
        osmium.apply(reader, locate, wanted, writer)
    return places


def read_tagged(text: Path, keys: Collection[str]) -> Iterator[pd.DataFrame]:
    """The objects of such a file, some thousands at a time; of an empty file, none once.

    Returns
    -------
    ``osm_id`` (``n``, ``w`` or ``r`` and a number), ``time`` (of the last change, ISO with a ``t`` in front), ``body``
    (a node's ``x9.5 y47.1``, a way's ``Nn1x9.5y47.1,n2xy``, the second not in the extract, a relation's
    ``Mw1@outer,w2@inner``), and a column for each key, "" where there is no such tag
    """
    with text.open(encoding="utf-8", newline="\n") as lines:
        block = lines.readlines(BLOCK_BYTES)
        while True:
            yield _things([line[:-1] for line in block], keys)
            if not (block := lines.readlines(BLOCK_BYTES)):
                return


def _things(lines: list[str], keys: Collection[str]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = pc.split_pattern(pa.array(lines, pa.string()), " ", max_splits=len(FIELDS) - 1)
    columns = dict(zip(FIELDS, _columns(fields, len(FIELDS)), strict=True))
    made = {name: columns[name] for name in ("osm_id", "time", "body")} | _tags(columns["tags"], keys)
    frame: pd.DataFrame = pa.table(made).to_pandas()
    return frame


def _columns(lists: Any, n: int) -> list[Any]:
    """Lists of ``n`` values each as ``n`` arrays."""
    flat = lists.flatten()
    return [flat.take(np.arange(i, len(flat), n)) for i in range(n)]


def _tags(tags: Any, keys: Collection[str]) -> dict[str, Any]:
    """``Tkey=value,key=value`` of every object as one array of values a key."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = pc.split_pattern(pc.utf8_slice_codeunits(tags, 1), ",")
    key, value = _columns(pc.split_pattern(pairs.flatten(), "=", max_splits=1), 2)
    asked = pc.is_in(key, pa.array(keys))
    row = pc.list_parent_indices(pairs).filter(asked).to_numpy()
    key, value = key.filter(asked), value.filter(asked).dictionary_encode()
    words = pa.array([_plain(word) for word in value.dictionary.to_pylist()] + [""])
    found = {}
    for name in keys:
        here = pc.equal(key, name).to_numpy(zero_copy_only=False)
        index = np.full(len(tags), len(words) - 1)
        index[row[here]] = value.indices.to_numpy()[here]
        found[name] = words.take(index)
    return found


def _plain(word: str) -> str:
    """What a value says; OPL writes a character that it needs itself by its number.

    >>> _plain("a%20%b"), _plain("%65ec%%9091%")
    ('a b', '旬邑')
    """
    return re.sub("%([0-9a-f]+)%", lambda code: chr(int(code[1], 16)), word) if "%" in word else word


def nodes_of(bodies: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nodes of ways, one way after the other.

    Parameters
    ----------
    bodies : of the ways

    Returns
    -------
    first : (n_way + 1,) where each way's nodes begin
    ref : (n,) their numbers
    lonlat : (n, 2) degrees; NaN where the extract does not hold the node

    >>> first, ref, lonlat = nodes_of(["Nn1x9.5y47.1,n2xy", "N", "Nn2xy"])
    >>> first.tolist(), ref.tolist(), lonlat.tolist()
    ([0, 2, 2, 3], [1, 2, 2], [[9.5, 47.1], [nan, nan], [nan, nan]])
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    texts = pa.array(bodies, pa.string())
    first = np.append(0, np.cumsum(pc.count_substring(texts, "n").to_numpy(), dtype=np.int64))
    if first[-1] == 0:
        return first, np.zeros(0, dtype=np.int64), np.zeros((0, 2))
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_buffer().to_pybytes()
    columns = {"ref": pa.int64(), "lon": pa.float64(), "lat": pa.float64()}
    read = csv.read_csv(
        pa.BufferReader(whole.translate(TO_CSV, delete=b"N,")),  # a node a line
        csv.ReadOptions(column_names=list(columns), use_threads=False),
        convert_options=csv.ConvertOptions(column_types=columns),
    )
    ref, lon, lat = (column.to_numpy() for column in read.columns)
    return first, ref, np.column_stack([lon, lat])
