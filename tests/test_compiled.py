"""When compiled code is worth loading."""

import importlib
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from planner.compiled import LOADED, clock, worth_it
from planner.optimise import median
from planner.roads.access import lines_of


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


SLEPT = 0.6


def new_kernel():
    """A function that nobody has compiled, and that calls another, which takes ``SLEPT`` seconds to compile."""
    import numba
    from numba.extending import overload

    import planner.optimise.settle  # noqa: F401 - with its kernels, listening begins

    def slow(x):
        """Compiled as below."""

    @overload(slow)
    def _typed(x):
        time.sleep(SLEPT)
        return lambda x: x

    inner = numba.njit(lambda x: slow(x) + 1)
    return numba.njit(lambda x: inner(x) + inner(x))


def test_the_clock_stands_still_while_a_kernel_is_compiled():
    kernel = new_kernel()
    wall, limited = time.perf_counter(), clock()
    assert kernel(2) == 6
    compiling = time.perf_counter() - wall
    assert compiling > SLEPT
    assert 0.0 <= clock() - limited < compiling - SLEPT  # the inner one's time, which is in the outer one's, went once
    wall, limited = time.perf_counter(), clock()
    kernel(2)
    time.sleep(0.05)
    assert clock() - limited == pytest.approx(time.perf_counter() - wall, abs=0.02)


def test_a_function_that_cannot_be_compiled_does_not_stop_the_clock():
    import numba

    @numba.njit
    def faulty(x):
        return x.nothing_of_the_kind

    with pytest.raises(numba.TypingError):
        faulty(1)
    before = clock()
    time.sleep(0.02)
    assert clock() - before >= 0.02


def test_numba_is_not_loaded_for_the_clock():
    import subprocess

    code = "import sys; from planner.compiled import clock; clock(); assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_search_by_threads_is_given_its_seconds_beside_compiling():
    kernel = new_kernel()
    with median._stopped_after(0.5 * SLEPT) as stop:
        kernel(2)
        assert not stop[0]  # compiling took longer, and does not count
        time.sleep(SLEPT)
        assert stop[0]


def test_columns_of_road_pieces_lie_as_loops_are_compiled_for():
    """A second kind of array has all of the loops compiled a second time."""
    some = np.array([shapely.LineString([(0, 0), (1, 0), (1, 2)]), shapely.LineString([(0, 0), (0, 3)])])
    for drawn in (some, some[1:], some[:0]):
        assert all(column.flags.c_contiguous for column in vars(lines_of(drawn)).values())


def test_what_is_kept_is_of_what_it_calls(tmp_path, monkeypatch):
    """numba looks at a function's own file alone: after an upgrade, code of before would go on inside of it."""
    outer = (
        "from typing import NamedTuple\n\nfrom planner.compiled import compiled\n"
        "from inner_of_a_test import inner\n\n\n"
        "class {pair}(NamedTuple):\n    a: int\n\n\n@compiled\ndef outer(pair):\n    return inner(pair.a) + 1\n"
    )
    inner = "from planner.compiled import compiled\n\n\n@compiled\ndef inner(x):\n    return x + {much}\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # one of the same second and size would be taken for the same
    names = "outer_of_a_test", "inner_of_a_test"
    # The class of its arrays may be gone, too, of which what was kept speaks.
    for pair, much, hits in (("One", 10, 0), ("One", 20, 0), ("One", 20, 1), ("Other", 20, 0), ("Other", 20, 1)):
        for name, text in zip(names, (outer.format(pair=pair), inner.format(much=much)), strict=True):
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        module = importlib.import_module("outer_of_a_test")
        assert module.outer(getattr(module, pair)(1)) == much + 2
        assert sum(module.outer.stats.cache_hits.values()) == hits
    for name in names:
        sys.modules.pop(name)
