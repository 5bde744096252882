"""Plain data -> few bytes that ``pack.js`` turns back: lists of like things as columns of whole numbers, compressed.

A list of records or of rows becomes a list for each of its columns, a list of lists one long list and their lengths, a
list of few words the words once and a number each. Numbers (some of them with as many decimals as JSON shows) become
whole ones, in steps where that is shorter, the low bytes of all of them first. What is left is JSON.
"""

from __future__ import annotations

import base64
import itertools
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

FEW = 8
"""Shorter lists stay JSON."""
SCALES = (1, 10, 100, 10_000, 100_000)
STRIDES = (1, 2, 5)
MOST = 2**31
SIGNS = bytes.maketrans(b"&<>,.:", b",.:&<>")
"""Signs of base 85 that HTML gives a meaning, and what stands for them; both ways the same."""
NUMBERS = ({int}, {float}, {int, float}, {int, type(None)}, {float, type(None)}, {int, float, type(None)})


def pack(data: Any) -> bytes:
    """Data of JSON's kinds, compressed (zlib): the length of the JSON that is left, that JSON, then the columns.

    Raises
    ------
    ValueError : a number is not finite

    >>> unpack(pack({"a": list(range(100)), "b": [None, "x"]}))["a"][-1]
    99
    """
    columns: list[bytes] = []
    left = _node(data, columns)
    head = json.dumps(
        {"left": left, "lengths": [len(column) for column in columns]},
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    ).encode()
    return zlib.compress(len(head).to_bytes(4, "little") + head + b"".join(columns), 9)


def unpack(packed: bytes) -> Any:
    """What was packed, as the page reads it."""
    raw = zlib.decompress(packed)
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    ends = [4 + size, *(4 + size + end for end in itertools.accumulate(head["lengths"]))]
    return _plain(head["left"], [raw[low:high] for low, high in itertools.pairwise(ends)])


def to_text(data: object) -> str:
    r"""Data as a script element may hold it: packed, four bytes in five signs.

    >>> set("<>&\"'\\") & set(to_text(["</script>"] * 20))
    set()
    """
    return base64.b85encode(pack(data)).translate(SIGNS).decode()


def from_text(text: str) -> Any:
    """What was made a text, as the page reads it.

    >>> from_text(to_text({"name": "旬邑"}))
    {'name': '旬邑'}
    """
    return unpack(base64.b85decode(text.encode().translate(SIGNS)))


def _node(data: Any, columns: list[bytes]) -> Any:
    """Data as JSON in which ``{"#": kind, ...}`` stands for a packed list."""
    if isinstance(data, dict):
        return {key: _node(value, columns) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return _list(list(data), columns)
    return data


def _list(items: list[Any], columns: list[bytes], width: int = 1) -> Any:
    """A list as it is shortest; ``width`` numbers of it may belong together."""
    kinds = set(map(type, items))
    made = None
    if len(items) < FEW:
        pass
    elif kinds in NUMBERS:
        made = _numbers(items, width, columns)
    elif kinds == {str}:
        made = _words(items, columns)
    elif kinds == {dict}:
        made = _records(items, columns)
    elif kinds <= {list, tuple}:
        made = _lists(items, columns)
    return [_node(item, columns) for item in items] if made is None else made


def _words(items: list[str], columns: list[bytes]) -> dict[str, Any] | None:
    at = {word: i for i, word in enumerate(dict.fromkeys(items))}
    if len(at) > len(items) / 2:
        return None
    return {"#": "words", "words": list(at), "at": _list([at[word] for word in items], columns)}


def _records(items: list[dict[str, Any]], columns: list[bytes]) -> dict[str, Any] | None:
    keys = list(items[0])
    if not keys or any(list(item) != keys for item in items):
        return None
    return {"#": "records", "keys": keys, "of": [_list([item[key] for item in items], columns) for key in keys]}


def _lists(items: list[Sequence[Any]], columns: list[bytes]) -> dict[str, Any]:
    lengths, inside = [len(item) for item in items], list(itertools.chain.from_iterable(items))
    same = lengths[0] if len(set(lengths)) == 1 else 0
    if same and len(set(map(type, inside))) > 1:
        return {"#": "rows", "of": [_list([item[i] for item in items], columns) for i in range(same)]}
    return {"#": "lists", "lengths": _list(lengths, columns), "of": _list(inside, columns, same or 1)}


def _numbers(items: Sequence[float | None], width: int, columns: list[bytes]) -> dict[str, Any] | None:
    """A column of bytes and how to read it; None where the numbers are no whole ones of some small unit."""
    known = np.array([item is not None for item in items])
    values = np.array([0.0 if item is None else item for item in items], dtype=float)
    for scale in SCALES:
        whole = np.round(values * scale)
        if (whole / scale == values).all() and (np.abs(whole) < MOST).all() and not np.signbit(whole[whole == 0]).any():
            break
    else:
        return None
    found = []
    for by in sorted({by for by in (*STRIDES, width) if len(items) % by == 0}):
        rows = whole.astype(np.int64).reshape(-1, by)
        order = known.reshape(-1, by).T.ravel()
        for steps in (0, 1, 2)[: 3 if by > 1 else 2] if known.all() else (0,):
            # Of 1 every number less the one before it in its column; of 2 that less the same of the column before.
            made = np.diff(rows, axis=0, prepend=0) if steps else rows
            made = (np.diff(made, axis=1, prepend=0) if steps == 2 else made).T.ravel()
            found.append(({"by": by, "steps": steps}, _bytes(np.where(made < 0, -2 * made - 1, 2 * made), order)))
    how, best = min(found, key=lambda item: len(zlib.compress(item[1], 1)))
    columns.append(best)
    node = {"#": "numbers", "column": len(columns) - 1, "count": len(items)}
    return {**node, "scale": scale, "gaps": int(not known.all()), **how}


def _bytes(numbers: np.ndarray, known: np.ndarray) -> bytes:
    """Numbers from 0, the lowest bytes first; where some are unknown, 0 is unknown and the others are one more."""
    if not known.all():
        numbers = np.where(known, numbers + 1, 0)
    wide = max(1, (int(numbers.max()).bit_length() + 7) // 8)
    return numbers.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :wide].T.tobytes()


def _plain(node: Any, columns: Sequence[bytes]) -> Any:
    if isinstance(node, list):
        return [_plain(item, columns) for item in node]
    if not isinstance(node, dict):
        return node
    if "#" in node:
        return _read_list(node, columns)
    return {key: _plain(value, columns) for key, value in node.items()}


def _read_list(node: dict[str, Any], columns: Sequence[bytes]) -> list[Any]:
    kind = node["#"]
    if kind == "numbers":
        return _read(node, columns[node["column"]])
    if kind == "words":
        return [node["words"][i] for i in _plain(node["at"], columns)]
    if kind == "lists":
        inside = iter(_plain(node["of"], columns))
        return [list(itertools.islice(inside, length)) for length in _plain(node["lengths"], columns)]
    rows = zip(*(_plain(column, columns) for column in node["of"]), strict=True)
    return [dict(zip(node["keys"], row, strict=True)) if kind == "records" else list(row) for row in rows]


def _read(node: dict[str, Any], column: bytes) -> list[float | None]:
    count, by, gaps, scale = (node[key] for key in ("count", "by", "gaps", "scale"))
    planes = np.frombuffer(column, np.uint8).reshape(-1, count).astype(np.int64)
    coded = (planes << (8 * np.arange(len(planes)))[:, None]).sum(axis=0)
    lost = coded == 0 if gaps else np.zeros(count, bool)
    coded = coded - gaps
    whole = np.where(coded % 2, -(coded + 1) // 2, coded // 2)
    rows = whole.reshape(by, -1)
    rows = np.cumsum(rows, axis=0) if node["steps"] == 2 else rows
    rows = np.cumsum(rows, axis=1) if node["steps"] else rows
    made = (rows if scale == 1 else rows / scale).T.ravel().tolist()
    return [None if gone else value for value, gone in zip(made, lost.reshape(by, -1).T.ravel(), strict=True)]
