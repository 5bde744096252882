"""When compiled code is worth loading."""

import sys
from types import SimpleNamespace

import pytest

from planner.compiled import LOADED, worth_it


@pytest.mark.parametrize(
    ("loaded", "work", "worth"),
    [
        (True, 100, True),
        (True, 100 * LOADED, True),
        (True, 99 * LOADED, False),
        (False, 99, False),
        (False, 100, False),  # it would have to be compiled first
        (False, 1000, True),
    ],
)
def test_what_is_loaded_serves_small_work_too(monkeypatch, loaded, work, worth):
    kernel = SimpleNamespace(signatures=[()] if loaded else [])
    monkeypatch.setitem(sys.modules, "kernels_of_a_test", SimpleNamespace(KERNELS=(kernel,)))
    assert worth_it(work, 100, 1000, "kernels_of_a_test") is worth


def test_a_module_that_another_thread_is_loading_is_not_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "kernels_of_a_test", SimpleNamespace())
    assert not worth_it(99, 100, 1000, "kernels_of_a_test")
