"""Arrow's arrays without pandas.

``pyarrow.array``, ``pyarrow.scalar`` and ``to_numpy`` load pandas to see whether it was given to them or is wanted: 50
MB and half a second of a processor. What stands here does without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def freed_at_once() -> Iterator[None]:
    """Arrow takes its memory from the system meanwhile: its own allocator keeps what is freed, 30 MB here."""
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def texts(words: Iterable[str | bytes | None]) -> Any:
    """Words as an array of Arrow.

    >>> texts(["旬邑", ""]).to_pylist()
    ['旬邑', '']
    """
    import pyarrow as pa

    made = pa.lib.StringBuilder()
    made.append_values(words)
    return made.finish()


def to_arrow(numbers: np.ndarray) -> Any:
    """Numbers as an array of Arrow.

    >>> to_arrow(np.array([3, 1])).to_pylist()
    [3, 1]
    """
    import pyarrow as pa

    held = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(pa.from_numpy_dtype(held.dtype), len(held), [None, pa.py_buffer(held)])


def to_numpy(column: Any) -> np.ndarray:
    """Numbers of Arrow, none of them missing, or truths.

    >>> to_numpy(to_arrow(np.array([3, 1]))).tolist()
    [3, 1]
    """
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        return np.from_dlpack(column.cast(pa.uint8())).view(bool)
    return np.from_dlpack(column)
