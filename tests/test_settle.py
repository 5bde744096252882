"""Whole demand points moved along chains: what pays is found, what is said is what it costs."""

import numpy as np
import pytest

from planner.optimise.settle import Packing, filling, place, settle

OVER = 1000.0


def packing(cost, weight, seats, *, step_seats=0.0, max_steps=0.0, step_cost=0.0):
    """Every demand point may go to every site, and all are open."""
    n, m = cost.shape
    same = [np.full(m, float(value)) for value in (step_seats, max_steps, step_cost)]
    arcs = np.arange(n + 1) * m, np.tile(np.arange(m), n), cost.ravel()
    return Packing(*arcs, np.asarray(weight, float), np.asarray(seats, float), *same, np.ones(m, dtype=bool), OVER)


def spent(given, at):
    """Serving and seats, summed in another way."""
    load = np.bincount(given.site[at], weights=given.weight, minlength=len(given.seats))
    return given.cost[at].sum() + sum(filling(given, j, float(load[j])) for j in range(len(load)))


def test_a_cycle_of_three_is_found_where_no_exchange_of_two_pays():
    """Each of three sits at its neighbour's site, which has a seat: only all three at once find their own."""
    given = packing(np.array([[0.0, 5, 100], [100, 0, 5], [5, 100, 0]]), [1, 1, 1], [1, 1, 1])
    at = np.array([1, 5, 6])
    assert settle(given, 60, 2, 40, at) == 15.0
    assert settle(given, 60, 3, 40, at) == 0.0
    assert at.tolist() == [0, 4, 8]


def test_a_chain_ends_where_there_is_room():
    """Two each take the next one's seat, the last goes where a seat is free."""
    given = packing(np.array([[0.0, 4, 50], [50, 0, 1.0]]), [1, 1], [1, 1, 1])
    at = np.array([1, 5])
    assert settle(given, 60, 2, 40, at) == 0.0
    assert at.tolist() == [0, 4]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_said_is_what_it_costs_and_never_more_than_before(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    steps = {"step_seats": 2.0, "max_steps": float(rng.integers(0, 3)), "step_cost": 3.0}
    given = packing(rng.random((n, m)).round(2) * 20, rng.integers(0, 6, n), rng.integers(0, 12, m), **steps)
    at = np.full(n, -1)
    place(given, rng.permutation(n), at)
    costs = [spent(given, at)]
    for longest in (1, 2, 4):
        costs.append(settle(given, 60, longest, 10, at))
        assert costs[-1] == pytest.approx(spent(given, at))
        assert (at // m == np.arange(n)).all()
    assert costs == sorted(costs, reverse=True) or np.diff(costs).max() < 1e-9
