"""Results that several readers of one thing ask for: found once, kept as long as the thing lives."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

Function = TypeVar("Function", bound=Callable[..., Any])
MOST = 12
"""Results kept of one thing: the ways of every mode, there and back."""


def remembered(function: Function) -> Function:
    """The function, its last results kept as long as its first argument lives.

    The first argument is told by identity, the others by what they say. The function must be pure, and nobody may
    write into what it returns.

    >>> class Thing: ...
    >>> calls = []
    >>> double = remembered(lambda thing, n: calls.append(n) or 2 * n)
    >>> one = Thing()
    >>> double(one, 1), double(one, 1), double(one, 2), calls
    (2, 2, 4, [1, 2])
    """
    held: WeakKeyDictionary[Any, OrderedDict[Any, Any]] = WeakKeyDictionary()

    @functools.wraps(function)
    def found(of: Any, *rest: Any) -> Any:
        kept = held.setdefault(of, OrderedDict())
        key = tuple(part.model_dump_json() if hasattr(part, "model_dump_json") else part for part in rest)
        if key in kept:
            kept.move_to_end(key)
        else:
            kept[key] = function(of, *rest)
            while len(kept) > MOST:
                kept.popitem(last=False)
        return kept[key]

    return cast("Function", found)
