"""Work in a second process while the first goes on, where the system can part a process in two.

The second process begins with all that the first one has read and found, says nothing, and hands back only bytes.
That is safe on Linux, from the main thread of a program that has no other threads at work: the command line is one.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
from collections.abc import Callable

Beside = Callable[[Callable[[], bytes]], Callable[[], bytes]]
"""Begins some work and gives what waits for its bytes: ``beside``, or ``in_turn``."""


def in_turn(work: Callable[[], bytes]) -> Callable[[], bytes]:
    """Leave some work until its bytes are asked for: so a library does that nobody told to part processes.

    >>> in_turn(lambda: b"a page")()
    b'a page'
    """
    return work


def beside(work: Callable[[], bytes]) -> Callable[[], bytes]:
    """Begin some work in a second process, or leave it until it is asked for where there is no second processor.

    Parameters
    ----------
    work : whatever it does but the bytes that it returns stays in the second process

    Returns
    -------
    Called once, it waits for the bytes and returns them. What did not succeed is done once more, here, where its fault
    is raised.

    >>> beside(lambda: b"a page")()
    b'a page'
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

    def result() -> bytes:
        with os.fdopen(ours, "rb") as pipe:
            written = pipe.read()
        _, status = os.waitpid(child, 0)
        return work() if status else written

    return result


def _can_part() -> bool:
    """Threads that may be cut off at any time, as a spinner's, hold nothing that the work needs."""
    alone = all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())
    here = threading.current_thread() is threading.main_thread()
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1 and alone and here


def _hand_back(work: Callable[[], bytes], pipe: int) -> None:
    """The second process: it leaves without the first one's leave-taking (open files, terminals)."""
    failed = 1
    try:
        gc.freeze()  # looking for garbage among what both hold would copy all of it
        nowhere = os.open(os.devnull, os.O_RDWR)
        for said in (1, 2):  # whoever reads what the first process says waits for nobody else
            os.dup2(nowhere, said)
        with os.fdopen(pipe, "wb") as out:
            out.write(work())
        failed = 0
    finally:
        os._exit(failed)
