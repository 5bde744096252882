"""One choice of sites for several futures: their problems side by side, joined by what is open in all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from planner.optimise.problem import Budget, Expansion, LocationProblem, Terms, pairs


def stacked(
    present: LocationProblem,
    futures: Sequence[LocationProblem],
    weights: Sequence[float],
    over: Literal["worst", "average"],
) -> LocationProblem:
    """The sites that keep every limit now and in each future, and cost least on average or in the worst of them.

    Every future has sites of its own, which open where the present's do: its demand points are served within its seats
    and its ways, each time anew. What is open and its rules are the present's.

    Parameters
    ----------
    present : its limits are kept, its objective does not count
    futures : of the same sites and buildings, whatever their demand points; what they cost, in all, is their objective
    weights : of the futures, on average

    Returns
    -------
    LocationProblem : the present's demand points and sites first, then those of each future in turn

    Source: scenario planning, Snyder 2006, IIE Trans. 38:547 (expected cost and min-max).

    >>> far = LocationProblem([[1.0, 2.0]], open_max=1)
    >>> from planner.optimise import solve
    >>> both = stacked(far, [LocationProblem([[9.0, 2.0]]), LocationProblem([[1.0, 3.0]])], [1, 1], "worst")
    >>> solution = solve(both)
    >>> solution.open[:2].tolist(), solution.objective
    ([False, True], 3.0)
    """
    from scipy.sparse import csr_array

    m, blocks = present.cost.shape[1], [present, *futures]
    demands = np.append(0, np.cumsum([block.cost.shape[0] for block in blocks]))
    shape = (int(demands[-1]), m * len(blocks))
    demand, site, cost, at = [], [], [], []
    for k, block in enumerate(blocks):
        i, j, c = pairs(block.cost)
        demand.append(i + demands[k])
        site.append(j + k * m)
        cost.append(c)
        at.append(np.full(len(c), k))
    i, j, c, block_of = (np.concatenate(parts) for parts in (demand, site, cost, at))

    def placed(values: np.ndarray) -> Any:
        return csr_array((values, (i, j)), shape=shape)

    def of_block(terms: Terms, k: int, own: np.ndarray | None = None) -> Terms:
        """The sum over one block alone; ``own`` are its costs by pair, where they are not the terms'."""
        values = np.zeros(len(c))
        if terms.cost is not None:
            block_demand, block_site = i[block_of == k] - demands[k], j[block_of == k] - k * m
            values[block_of == k] = np.asarray(terms.cost)[block_demand, block_site] if own is None else own
        return Terms(
            cost=placed(values) if terms.cost is not None else None,
            fixed=_at(terms.fixed, k, m, len(blocks)),
            facility=terms.facility,
            step=_at(terms.step, k, m, len(blocks)),
        )

    counted = [of_block(block.objective, k, cost[k]) for k, block in enumerate(blocks)][1:]
    budgets = tuple(
        Budget(of_block(budget.terms, k), budget.max, budget.name)
        for k, block in enumerate(blocks)
        for budget in block.budgets
    )
    base = LocationProblem(
        placed(np.zeros(len(c))),
        weight=np.concatenate([block.weight for block in blocks]),
        capacity=np.concatenate([block.capacity for block in blocks]),
        forced_open=present.forced_open,
        forced_closed=tuple(s + k * m for k in range(len(blocks)) for s in present.forced_closed),
        rules=present.rules if not _counted(present) else (*present.rules, _counted(present)[0]),
        expansion=_expansion(blocks),
        whole=present.whole,
        facility=np.tile(present.facility, len(blocks)),
        linked=(*present.linked, *(tuple(s + k * m for k in range(len(blocks))) for s in range(m))),
        budgets=budgets,
    )
    if over == "worst":
        return dataclasses.replace(base, worst=tuple(counted))
    share = np.asarray(weights, dtype=float) / np.sum(weights)
    mean = np.zeros(len(c))
    for k, part in enumerate(share, 1):
        mean[block_of == k] = part * c[block_of == k]
    facility = sum(part * block.facility_cost for part, block in zip(share, futures, strict=True))
    fixed = np.concatenate(
        [np.zeros(m), *(part * block.fixed_cost for part, block in zip(share, futures, strict=True))]
    )
    return dataclasses.replace(base, cost=placed(mean), fixed_cost=fixed, facility_cost=facility)


def _at(values: Any, k: int, m: int, count: int) -> np.ndarray | None:
    """(m * count,) the values of one block's sites, 0 elsewhere."""
    if values is None:
        return None
    row = np.zeros(m * count)
    row[k * m : (k + 1) * m] = values
    return row


def _counted(present: LocationProblem) -> list[Any]:
    """How many of the present's sites are open in all, as a rule."""
    from planner.optimise.problem import OpenRule

    if present.open_min == 0 and present.open_max is None:
        return []
    return [OpenRule(tuple(range(present.cost.shape[1])), present.open_min, present.open_max, "open sites")]


def _expansion(blocks: Sequence[LocationProblem]) -> Expansion | None:
    """Seats added in each block on its own, at no cost: what is built must do for the future that needs most."""
    if blocks[0].expansion is None:
        return None
    for block in blocks:
        if np.any(block.expansion.cost_per_step):  # type: ignore[union-attr]
            raise ValueError("expansion: a step that costs something would be paid in every future")
    parts = {
        name: np.concatenate([getattr(block.expansion, name) for block in blocks])
        for name in ("step_seats", "max_steps", "cost_per_step")
    }
    return Expansion(**parts)
