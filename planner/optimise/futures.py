"""One choice of sites for several futures: their problems side by side, joined by what is built in all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from planner.optimise.exact import aimed
from planner.optimise.problem import (
    Budget,
    Expansion,
    Goal,
    LocationProblem,
    LocationSolution,
    OpenRule,
    Terms,
    at_pairs,
    pairs,
)
from planner.optimise.side import Only, Side

Over = Literal["worst", "average"]


@dataclasses.dataclass(frozen=True, eq=False)
class Stack:
    """The present and its futures as one problem: each has sites, buildings and demand points of its own (a block).

    What a block's own limits and side conditions ask is asked of it alone. Sites open where the present's do, and the
    rules on what is open are the present's. Seats are added once, for all blocks: its sites get as many steps.

    Parameters
    ----------
    blocks : the present first; all of the same sites and buildings, whatever their demand points
    built_once : steps are the same in every block. Where they cost nothing and nobody asks whether there is room, they
        may as well differ, and what is built does for the block that needs most: that is quicker to solve
    """

    blocks: tuple[LocationProblem, ...]
    built_once: bool = True

    @property
    def sites(self) -> int:
        """How many sites each block has."""
        return int(self.blocks[0].cost.shape[1])

    @cached_property
    def demands(self) -> np.ndarray:
        """(n_block + 1,) where each block's demand points begin."""
        return np.append(0, np.cumsum([block.cost.shape[0] for block in self.blocks]))

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Demand point, site and block of every allowed pair, counted through."""
        found = [pairs(block.cost)[:2] for block in self.blocks]
        demand = np.concatenate([i + self.demands[k] for k, (i, _) in enumerate(found)])
        site = np.concatenate([j + k * self.sites for k, (_, j) in enumerate(found)])
        return demand, site, np.repeat(np.arange(len(found)), [len(i) for i, _ in found])

    def copies(self, sites: Sequence[int]) -> tuple[int, ...]:
        """Some of the present's sites, in every block."""
        return tuple(int(s) + k * self.sites for k in range(len(self.blocks)) for s in sites)

    def joint(self, goal: Goal) -> LocationProblem:
        """The problem with an objective (see ``goal``)."""
        present, m = self.blocks[0], self.sites
        counted = [] if present.open_min == 0 and present.open_max is None else [
            OpenRule(tuple(range(m)), present.open_min, present.open_max, "open sites")
        ]  # fmt: skip
        budgets = tuple(
            Budget(self._of(k, budget.terms), budget.max, budget.name)
            for k, block in enumerate(self.blocks)
            for budget in block.budgets
        )
        base = LocationProblem(
            self._table(np.zeros(len(self._pairs[0]))),
            weight=np.concatenate([block.weight for block in self.blocks]),
            capacity=np.concatenate([block.capacity for block in self.blocks]),
            forced_open=present.forced_open,
            forced_closed=self.copies(present.forced_closed),
            rules=(*present.rules, *counted),
            expansion=self._expansion(),
            whole=present.whole,
            facility=np.concatenate([present.facility + k * self._buildings for k in range(len(self.blocks))]),
            linked=(*present.linked, *(self.copies([s]) for s in range(m))),
            budgets=budgets,
            side=self._side(),
        )
        return aimed(base, goal)

    def goal(self, parts: Sequence[Terms], weights: Sequence[float], over: Over) -> Goal:
        """What is minimised over the futures.

        Parameters
        ----------
        parts : a sum for each block but the present
        weights : of the futures, on average

        Returns
        -------
        Their weighted mean, or each of them, of which the largest counts
        """
        placed = [self._of(k, part) for k, part in enumerate(parts, 1)]
        if over == "worst":
            return tuple(placed)
        share = np.asarray(weights, dtype=float) / np.sum(weights)
        return self._mean(placed, share)

    def part(self, found: LocationSolution, k: int) -> LocationSolution:
        """What a solution says of one block; objective, bound and gap are left as they are."""
        demand = slice(int(self.demands[k]), int(self.demands[k + 1]))
        site = slice(k * self.sites, (k + 1) * self.sites)
        assignment = found.assignment[demand]
        return dataclasses.replace(
            found,
            open=found.open[site],
            assignment=np.where(assignment >= 0, assignment - k * self.sites, -1),
            shares=found.shares.tocsr()[demand, site],
            steps=found.steps[site],
        )

    @property
    def _buildings(self) -> int:
        return len(self.blocks[0].facility_cost)

    def _table(self, values: np.ndarray) -> Any:
        """Values of the pairs, a 0 stored like any other."""
        from scipy.sparse import csr_array

        demand, site, _ = self._pairs
        return csr_array((values, (demand, site)), shape=(int(self.demands[-1]), self.sites * len(self.blocks)))

    def _of(self, k: int, terms: Terms) -> Terms:
        """The sum over one block alone."""
        demand, site, block = self._pairs
        cost = None
        if terms.cost is not None:
            mine, values = block == k, np.zeros(len(block))
            values[mine] = at_pairs(terms.cost, demand[mine] - self.demands[k], site[mine] - k * self.sites)
            cost = self._table(values)
        return Terms(cost, *(self._row(k, part) for part in (terms.fixed, terms.facility, terms.step)))

    def _row(self, k: int, values: Any) -> np.ndarray | None:
        """The values of one block's sites or buildings, 0 elsewhere."""
        if values is None:
            return None
        row = np.zeros((len(self.blocks), len(values)))
        row[k] = values
        return row.ravel()

    def _mean(self, placed: Sequence[Terms], share: np.ndarray) -> Terms:
        """Sums added up, each so many times."""
        made = {}
        for name in ("cost", "fixed", "facility", "step"):
            given = [(getattr(part, name), w) for part, w in zip(placed, share, strict=True)]
            given = [(values, w) for values, w in given if values is not None]
            if name == "cost":
                total = sum((w * values.data for values, w in given), np.zeros(len(self._pairs[0])))
                made[name] = self._table(total)
            else:
                made[name] = sum(w * values for values, w in given) if given else None
        return Terms(**made)

    def _expansion(self) -> Expansion | None:
        """The steps of every block; the most that any may need may be added in each."""
        given = [block.expansion for block in self.blocks if block.expansion is not None]
        if not given:
            return None
        if len(given) < len(self.blocks):
            raise ValueError("expansion: in some blocks alone")
        most = np.max([expansion.max_steps for expansion in given], axis=0)
        count, m = len(given), self.sites
        stepped = [np.isfinite(block.capacity) & (most > 0) for block in self.blocks]
        alike = [tuple(s + k * m for k in range(count) if stepped[k][s]) for s in range(m)]
        return Expansion(
            np.concatenate([expansion.step_seats for expansion in given]),
            np.tile(most, count),
            np.zeros(count * m),
            alike=tuple(group for group in alike if len(group) > 1) if self.built_once else (),
        )

    def _side(self) -> Side | None:
        """The side conditions of every block."""
        given = [block.side or Side() for block in self.blocks]
        if all(block.side is None for block in self.blocks):
            return None
        distance = None
        if any(side.distance is not None for side in given):  # where a block has none, all are equally near
            placed = [self._of(k, Terms(cost=side.distance)).cost for k, side in enumerate(given)]
            distance = self._table(np.sum([part.data for part in placed if part is not None], axis=0))
        only = (
            Only(
                tuple(i + int(self.demands[k]) for i in only.demand),
                tuple(s + k * self.sites for s in only.sites),
                only.unless + k * self.sites,
            )
            for k, side in enumerate(given)
            for only in side.only
        )
        touching = [
            np.reshape(side.touching, (-1, 2)) + self.demands[k]
            for k, side in enumerate(given)
            if side.touching is not None
        ]
        return Side(
            least=self._sizes([side.least for side in given], 0.0),
            most=self._sizes([side.most for side in given], np.inf),
            distance=distance,
            only=tuple(only),
            touching=np.concatenate(touching) if touching else None,
        )

    def _sizes(self, given: Sequence[Any], free: float) -> np.ndarray | None:
        """Limits of every block's buildings; ``free`` where a block has none."""
        if all(sizes is None for sizes in given):
            return None
        return np.concatenate([np.full(self._buildings, free) if sizes is None else sizes for sizes in given])


def stacked(
    present: LocationProblem, futures: Sequence[LocationProblem], weights: Sequence[float], over: Over
) -> LocationProblem:
    """The sites that keep every limit now and in each future, and cost least on average or in the worst of them.

    In each future the demand points are served within its seats and its ways, each time anew. What is open, which rules
    that keeps and how many seats are added is one decision for all.

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
    stack = Stack((present, *futures))
    return stack.joint(stack.goal([future.objective for future in futures], weights, over))
