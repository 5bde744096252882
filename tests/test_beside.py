"""Work in a second process: its result or its fault comes back, and what befalls it stops nothing."""

import os
import signal
import sys
import threading

import pytest

from planner.beside import beside

PARTS = sys.platform == "linux" and (os.cpu_count() or 1) > 1


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Workers of the tests keep threads of their own."""
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])
    monkeypatch.setattr(threading, "current_thread", threading.main_thread)


@pytest.mark.skipif(not PARTS, reason="this system does not part processes")
def test_it_is_another_process_that_begins_at_once():
    ours, theirs = os.pipe()
    result = beside(lambda: os.write(theirs, b"begun") and b"%d" % os.getpid())
    assert os.read(ours, 5) == b"begun"
    assert result() != b"%d" % os.getpid()


def test_many_bytes_come_whole_and_as_they_are():
    assert beside(lambda: b"\r\n\x00" * 1_000_000)() == b"\r\n\x00" * 1_000_000


def test_faults_are_raised_where_the_result_is_asked_for():
    result = beside(lambda: {}["absent"])
    with pytest.raises(KeyError, match="absent"):
        result()


def test_work_that_was_ended_from_outside_is_done_here():
    here = os.getpid()
    result = beside(lambda: b"here" if os.getpid() == here else os.kill(os.getpid(), signal.SIGKILL))
    assert result() == b"here"


def test_beside_other_threads_no_process_is_parted(monkeypatch):
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread(), threading.Thread(daemon=False)])
    assert beside(lambda: b"%d" % os.getpid())() == b"%d" % os.getpid()
