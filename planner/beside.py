"""Work in a second process while the first goes on, where the system can part a process in two.

The second process begins with all that the first one has read and found, says nothing, and hands back only its result.
That is safe on Linux, from the main thread of a program that has no other threads at work: the command line is one.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


def beside(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin some work in a second process, or leave it until it is asked for where there is no second processor.

    Parameters
    ----------
    work : what it does but its result stays in the second process; the result, or the exception, can be pickled

    Returns
    -------
    Called once, it waits for the result and returns it, or raises what the work raised

    >>> beside(lambda: 6 * 7)()
    42
    """
    if not _can_part():
        return work
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that libraries keep and the work never meets
        child = os.fork()
    if not child:
        os.close(ours)
        _hand_back(work, theirs)
    os.close(theirs)

    def result() -> Result:
        with os.fdopen(ours, "rb") as pipe:
            packed = pipe.read()
        os.waitpid(child, 0)
        try:
            done, value = pickle.loads(packed)  # noqa: S301 - from a process of our own
        except (pickle.PickleError, EOFError):  # it was ended from outside, or its result was cut off
            return work()
        if done:
            return value  # type: ignore[no-any-return]
        raise value

    return result


def _can_part() -> bool:
    """Threads that may be cut off at any time, as a spinner's, hold nothing that the work needs."""
    alone = all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())
    here = threading.current_thread() is threading.main_thread()
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1 and alone and here


def _hand_back(work: Callable[[], Any], pipe: int) -> None:
    """The second process: it leaves without the first one's leave-taking (open files, terminals)."""
    try:
        gc.freeze()  # looking for garbage among what both hold would copy all of it
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as it lives
        try:
            packed = pickle.dumps((True, work()))
        except BaseException as error:
            packed = pickle.dumps((False, error))
        with os.fdopen(pipe, "wb") as out:
            out.write(packed)
    finally:
        os._exit(0)
