"""Functions compiled by numba, once on a machine."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

LOADED = 0.01
"""Of the work that repays loading compiled code, the part that is enough once it is loaded."""


def compiled(function: Any) -> Any:
    """The function compiled when it is first called, and kept compiled where this machine has a place to keep it."""
    import numba

    _listen()
    try:
        kept = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's may be written to
        return numba.njit(nogil=True)(function)
    _stamp(kept)
    return kept


def _stamp(function: Any) -> None:
    """Have what is kept of it looked at only while its file, and those of what this calls, are the same.

    numba looks at the function's own file alone, and would go on with code of a version before of what it calls. And it
    reads all that it kept before it looks, which fails where a class of those arrays is gone; versions it reads first.
    """
    others = [one for one in function.py_func.__globals__.values() if isinstance(one, type(function))]
    elsewhere = [one for one in others if one.py_func.__module__ != function.py_func.__module__]
    try:
        index = function._cache._cache_file
        index._version = (index._version, index._source_stamp, sorted({str(_version(one)) for one in elsewhere}))
    except AttributeError:  # a numba that keeps it elsewhere
        return


def _version(function: Any) -> Any:
    """What is kept of it is of this numba and these sources."""
    return function._cache._cache_file._version


class _Compiling:
    """Listens to when numba compiles; what is compiled for another function, or in another thread, counts once.

    Parameters
    ----------
    now : when what is being compiled was begun (None: nothing is), and the seconds spent before
    """

    def __init__(self) -> None:
        self.now: tuple[float | None, float] = (None, 0.0)
        self._depth = 0

    def notify(self, event: Any) -> None:
        """A function begins to be compiled, or has been, well or not; numba lets one thread at a time."""
        self._depth += 1 if event.is_start else -1
        began, spent = self.now
        if began is None:
            self.now = (time.perf_counter(), spent)
        elif self._depth == 0:
            self.now = (None, spent + time.perf_counter() - began)


_COMPILING = _Compiling()


def clock() -> float:
    """Seconds, as of ``time.perf_counter``, that stand still while numba compiles: what time limits are measured by.

    A limit is what a user grants for searching. Compiling happens once on a machine; within a limit, it would leave a
    first run with a worse plan than every later one.
    """
    began, spent = _COMPILING.now
    return (time.perf_counter() if began is None else began) - spent


@cache
def _listen() -> None:
    """From now on, once."""
    from numba.core import event

    event.Listener.register(_Compiling)
    event.register("numba:compile", _COMPILING)  # type: ignore[no-untyped-call]


def worth_it(work: float, compiled_from: float, compiling_from: float, module: str) -> bool:
    """Whether a task is large enough for compiled code.

    Parameters
    ----------
    compiled_from : work from which loading it (half a second, numba included) is repaid; once it is loaded, ``LOADED``
        times that is enough
    compiling_from : work from which compiling it is repaid
    module : its functions are named in ``KERNELS``
    """
    kernels = getattr(sys.modules.get(module), "KERNELS", ())  # none while another thread is loading it
    if kernels and all(kernel.signatures for kernel in kernels) and work >= compiled_from * LOADED:
        return True
    return work >= compiling_from or (work >= compiled_from and ready(import_module(module).KERNELS))


def ready(functions: Sequence[Any]) -> bool:
    """Whether all have been compiled: in this process, or on this machine by this version of everything."""
    return all(function.signatures or _kept(function) for function in functions)


def announce(functions: Sequence[Any], what: str) -> None:
    """Tell the log, which the command line shows, when calling these is going to compile them."""
    if not ready(functions):
        logging.getLogger("planner").info("Compiling %s, once on this machine: up to half a minute ...", what)


def _kept(function: Any) -> bool:
    """By numba's own index; with a numba that keeps it elsewhere the answer is no, and only speed is lost."""
    try:
        return bool(function._cache._cache_file._load_index())
    except Exception:  # a half-written index raises whatever its reader raises
        return False
