"""Knapsacks of whole items against every choice of them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import items

SIZES = st.one_of(st.integers(0, 9).map(float), st.floats(0.01, 9.0), st.sampled_from([0.0, 0.1, 0.2, 0.3, 2.5]))
PROFITS = st.one_of(st.integers(1, 9).map(float), st.floats(0.01, 9.0), st.sampled_from([0.1, 0.3, 2.5]))


def sorted_items(size, profit):
    each = np.divide(profit, size, out=np.full(len(size), np.inf), where=size > 0)  # as of demand points without pupils
    order = np.argsort(-each, kind="stable")
    return size[order], profit[order]


def by_hand(size, profit, room):
    """The best of all choices."""
    choices = np.array(list(product([0.0, 1.0], repeat=len(size))))
    return float((choices @ profit)[choices @ size <= room + 1e-9].max())


def depth_first(size, profit, room, above, best):
    return items.search(size, profit, len(size), room, above, best, np.zeros(len(size), dtype=bool))


def by_core(size, profit, room, above, best):
    return items.by_core(size, profit, len(size), room + items.NOISE, above, best)


@pytest.mark.parametrize("search", [depth_first, by_core])
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(SIZES, PROFITS), min_size=1, max_size=9), st.floats(0.0, 30.0), st.data())
def test_the_best_of_all_choices_is_found(search, drawn, room, data):
    size, profit = sorted_items(*np.array(drawn).T)
    room = data.draw(st.sampled_from([room, float(np.floor(room)), float(size[::2].sum())]))
    optimum = by_hand(size, profit, room)
    best = np.zeros(len(size), dtype=bool)
    assert search(size, profit, room, -1e-6, best) == pytest.approx(optimum, abs=1e-6)
    assert profit[best].sum() == pytest.approx(optimum, abs=1e-6)
    assert size[best].sum() <= room + 1e-8
    for above in (optimum - 0.005, optimum, optimum + 1.0):  # only what is above that is of interest
        best = np.zeros(len(size), dtype=bool)
        assert search(size, profit, room, above, best) == pytest.approx(max(optimum, above), abs=1e-6)
        assert profit[best].sum() == pytest.approx(optimum if optimum > above + 1e-8 else 0.0, abs=1e-6)


@pytest.mark.parametrize("kind", ["unlike", "alike", "sums of sizes"])
def test_a_core_ends_where_depth_first_would_not(kind):
    """80 items, of which worth nearly follows from size: against all that fit, by size (sizes are whole numbers)."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        whole = rng.integers(5, 150, 80)
        profit = {"unlike": rng.uniform(1, 99, 80), "alike": whole + rng.uniform(9, 11, 80), "sums of sizes": whole}
        size, profit = sorted_items(whole.astype(float), np.asarray(profit[kind], dtype=float))
        room = int(rng.uniform(0.2, 0.8) * whole.sum())
        most = np.zeros(room + 1)
        for each, worth in zip(size.astype(int), profit, strict=True):
            most[each:] = np.maximum(most[each:], most[: room + 1 - each] + worth)
        best = np.zeros(80, dtype=bool)
        assert depth_first(size, profit, float(room), 0.0, best) == pytest.approx(most[-1], abs=1e-6)
        assert profit[best].sum() == pytest.approx(most[-1], abs=1e-6)
        assert size[best].sum() <= room


def test_a_core_that_grows_too_large_is_bounded_by_parts_of_items():
    """Sizes without a common measure, of which worth nearly is the double: nearly every choice could be the best."""
    rng = np.random.default_rng(1)
    size = rng.uniform(1.0, 2.0, 400)
    size, profit = sorted_items(size, 2.0 * size + rng.uniform(0.0, 1e-3, 400))
    room, best = 0.5 * float(size.sum()), np.zeros(400, dtype=bool)
    limit = items.fill(size, profit, 400, room)[0]
    assert depth_first(size, profit, room, 0.0, best) == pytest.approx(limit, abs=1e-6)
    assert 0.99 * limit < profit[best].sum() < limit - 1e-6
    assert size[best].sum() <= room + 1e-8
