"""Prices from a linear program over what sites take: the relaxation's best bound, where subgradients stop short of it.

At any prices each site says what it would take: a column. A linear program over the columns seen so far says at which
prices none of them is worth more than it costs; at those sites answer anew, until none says anything better (Dantzig
and Wolfe 1960; asked at prices between these and the best known, as these jump about: Wentges 1997). Where a few demand
points fill a site the bound rises by up to 3 %, and a tree needs a sixth of its nodes; where many do, the program is
slow, and subgradients are nearly as good (docs/decisions/0013).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.compiled import clock
from planner.optimise.highs import model
from planner.optimise.knapsack import MUST, OUT
from planner.optimise.lagrange import Point, Relaxation, answered
from planner.optimise.mip import INF

FEW = 5.0  # demand points a site, in the mean, up to which the program repays its time
ARCS = 50_000  # more are not looked at
ROUNDS = 200  # of the program, at most
SMOOTH = 0.7  # of the prices asked at, the part of the best ones; less where that says nothing new
CLOSE, LITTLE = 1e-5, 0.02  # how far above the bound the program may end: relative, and of what the goal is above it
UNSERVED = 10.0  # times the largest cost: what it costs the program to leave a demand point unserved


@dataclass(frozen=True, eq=False)
class Columns:
    """What sites may take.

    Parameters
    ----------
    site, cost, load : (n_column,) whose each is, what serving costs, and the seats that are taken
    first, demand : the demand points that column k takes are ``demand[first[k]:first[k + 1]]``
    """

    site: np.ndarray
    cost: np.ndarray
    load: np.ndarray
    first: np.ndarray
    demand: np.ndarray

    def some(self, kept: np.ndarray) -> Columns:
        """Those of a mask."""
        counts = np.diff(self.first)
        first = np.append(0, np.cumsum(counts[kept]))
        return Columns(self.site[kept], self.cost[kept], self.load[kept], first, self.demand[np.repeat(kept, counts)])

    def plus(self, more: Columns) -> Columns:
        """These, and others after them."""
        return Columns(
            np.append(self.site, more.site),
            np.append(self.cost, more.cost),
            np.append(self.load, more.load),
            np.append(self.first, more.first[1:] + self.first[-1]),
            np.append(self.demand, more.demand),
        )

    @property
    def column(self) -> np.ndarray:
        """The column of each of ``demand``."""
        return np.repeat(np.arange(len(self.site)), np.diff(self.first))

    def steps(self, node: Relaxation) -> np.ndarray:
        """(n_column,) how many steps of seats each asks for there; infinite where there are not as many."""
        return node.steps_for(self.site, self.load)

    def spent(self, node: Relaxation) -> np.ndarray:
        """(n_column,) what each costs there, with its steps."""
        return np.asarray(self.cost + node.step_cost[self.site] * self.steps(node))

    def reduced(self, node: Relaxation, price: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """(n_column,) by how much less than ``gain`` (n_site,) each brings its site at these prices."""
        paid = np.bincount(self.column, weights=price[self.demand], minlength=len(self.site))
        return np.asarray(self.spent(node) - paid + gain[self.site])


NONE = Columns(*(np.zeros(size, dtype=kind) for size, kind in ((0, int), (0, float), (0, float), (1, int), (0, int))))


@dataclass(frozen=True, eq=False)
class Sharpened:
    """Where the program ended.

    Parameters
    ----------
    best : the best prices
    open, steps, taken : (n_site,), (n_site,), (n_arc,) what it opens and takes, in parts of columns
    columns : those that a solution better than the goal may use
    """

    best: Point
    open: np.ndarray
    steps: np.ndarray
    taken: np.ndarray
    columns: Columns


def suits(node: Relaxation, point: Point) -> bool:
    """Whether few demand points fill a site, of those that open at these prices."""
    if not node.whole or len(node.demand) > ARCS:
        return False
    is_open = node.chosen(node.fixed - point.gain)[1]
    return len(node.weight) <= FEW * max(int(is_open.sum()), 1)


def sharpened(node: Relaxation, point: Point, columns: Columns, goal: float, ends: float) -> Sharpened | None:
    """The best prices, from those of a point and what sites said before; None where time is up before they are found.

    Parameters
    ----------
    columns : of this node or one above it
    goal : the bound at which to stop
    """
    more, best = _asked(node, point.price)
    best = max(point, best, key=lambda point: point.bound)
    columns = columns.some(_fits(node, columns)).plus(more)
    program = _Program(node)
    program.add(columns)
    smooth = SMOOTH
    for _ in range(ROUNDS):
        if not program.run(ends - clock()):
            return None
        enough = CLOSE * abs(best.bound) + (LITTLE * (goal - best.bound) if np.isfinite(goal) else 0.0)
        if best.bound >= goal or program.objective - best.bound <= enough:
            break
        here = replace(node, tilt=program.tilt) if program.tilt.any() else node
        more, asked = _asked(here, smooth * best.price + (1 - smooth) * program.price)
        best = max(best, asked, key=lambda point: point.bound)
        more = more.some(more.reduced(node, program.price, program.gain) < -1e-9 * abs(best.bound))
        if len(more.site):
            smooth = SMOOTH
            columns = columns.plus(more)
            program.add(more)
        elif smooth == 0.0:
            break
        else:
            smooth = smooth / 2 if smooth > SMOOTH / 4 else 0.0
    use = program.use(len(columns.site))
    useful = columns.reduced(node, best.price, best.gain) <= goal - best.bound
    return Sharpened(best, *_mixed(node, columns, use), columns.some(useful | (use > 0)))


def _mixed(node: Relaxation, columns: Columns, use: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n_site,), (n_site,), (n_arc,) what these parts of columns open, with which steps, and what they take."""
    n, m = len(node.weight), len(node.seats)
    steps = columns.steps(node)
    is_open, added = (np.bincount(columns.site, weights=use * by, minlength=m) for by in (1.0, steps))
    pair = node.site * n + node.demand
    order = np.argsort(pair)
    wanted = columns.site[columns.column] * n + columns.demand
    arc = order[np.searchsorted(pair[order], wanted)]
    return is_open, added, np.bincount(arc, weights=use[columns.column], minlength=len(pair))


def _fits(node: Relaxation, columns: Columns) -> np.ndarray:
    """(n_column,) whether the node allows each."""
    n = len(node.weight)
    allowed = np.zeros(n * len(node.seats), dtype=bool)
    allowed[node.site * n + node.demand] = True
    column, site = columns.column, columns.site
    lost = np.bincount(column[~allowed[site[column] * n + columns.demand]], minlength=len(site)) > 0
    return np.asarray(~lost & (node.state[site] != OUT) & np.isfinite(columns.steps(node)))


def _asked(node: Relaxation, price: np.ndarray) -> tuple[Columns, Point]:
    """What each site would take at these prices, and what they prove."""
    point, taken = answered(node, price)
    arcs = np.flatnonzero((taken > 0.5) & (node.state[node.site] != OUT))
    site, demand = node.site[arcs], node.demand[arcs]
    count, cost, load = (
        np.bincount(site, weights=by, minlength=len(node.seats)) for by in (None, node.cost[arcs], node.weight[demand])
    )
    some = np.flatnonzero(count)
    return Columns(some, cost[some], load[some], np.append(0, np.cumsum(count[some])), demand), point


class _Program:
    """The linear program: demand points left unserved, open sites, then columns.

    Parameters
    ----------
    price, gain : (n_demand,), (n_site,) what serving each is worth in the last answer, and opening each
    tilt : (n_site,) as of the relaxation
    """

    def __init__(self, node: Relaxation) -> None:
        n, m, counts = len(node.weight), len(node.seats), node.counts
        self._node, self.objective = node, INF
        self.price, self.gain, self.tilt = np.zeros(n), np.zeros(m), np.zeros(m)
        self._h = h = model(presolve="off", simplex_strategy=4)  # columns are added: the last answer stays feasible
        dear = UNSERVED * float(np.abs(np.concatenate([node.cost, node.fixed])).max(initial=1.0))
        none, first = np.zeros(0, dtype=np.int32), np.unique(node.twin, return_index=True)[1]
        h.addCols(n, np.full(n, dear), np.zeros(n), np.full(n, INF), 0, none, none, np.zeros(0))
        must, may = np.where(node.state == MUST, 1.0, 0.0), np.where(node.state == OUT, 0.0, 1.0)
        h.addCols(m, node.fixed, must, may, 0, none, none, np.zeros(0))
        served, opened = np.arange(n, dtype=np.int32), np.arange(n, n + m, dtype=np.int32)
        h.addRows(n, np.ones(n), np.full(n, INF), n, served, served, np.ones(n))
        h.addRows(m, np.full(m, -INF), np.zeros(m), m, np.arange(m, dtype=np.int32), opened, np.full(m, -1.0))
        size = len(counts.member)
        h.addRows(
            len(counts.least),
            counts.least.astype(float),
            counts.most.astype(float),
            size,
            counts.count_first[:-1].astype(np.int32),
            opened[counts.member],
            np.ones(size),
        )
        other = np.flatnonzero(first[np.searchsorted(node.twin[first], node.twin)] != np.arange(m))
        same = np.column_stack([opened[other], opened[first[np.searchsorted(node.twin[first], node.twin[other])]]])
        zero, starts = np.zeros(len(other)), np.arange(0, same.size, 2, dtype=np.int32)
        h.addRows(len(other), zero, zero, same.size, starts, same.ravel(), np.tile([1.0, -1.0], len(other)))
        self._same = same - n

    def add(self, columns: Columns) -> None:
        """More columns, each of which its site must be open for."""
        count, n = len(columns.site), len(self.price)
        starts = (columns.first[:-1] + np.arange(count)).astype(np.int32)
        row = np.empty(len(columns.demand) + count, dtype=np.int32)
        own = np.zeros(len(row), dtype=bool)
        own[starts] = True
        row[own], row[~own] = n + columns.site, columns.demand
        spent, zero, most = columns.spent(self._node), np.zeros(count), np.full(count, INF)
        self._h.addCols(count, spent, zero, most, len(row), starts, row, np.ones(len(row)))

    def run(self, time_limit_s: float) -> bool:
        """Whether it was solved in time."""
        import highspy

        if time_limit_s <= 0:
            return False
        self._h.setOptionValue("time_limit", self._h.getRunTime() + time_limit_s)
        self._h.run()
        if self._h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        self.objective = self._h.getInfo().objective_function_value
        dual, n, m = np.array(self._h.getSolution().row_dual), len(self.price), len(self.gain)
        self.price, self.gain = dual[:n], -dual[n : n + m]
        worth, tied = self._node.fixed - self.gain, dual[len(dual) - len(self._same) :]
        for end, sign in ((0, -1.0), (1, 1.0)):
            worth = worth + sign * np.bincount(self._same[:, end], weights=tied, minlength=m)
        twin = self._node.twin
        self.tilt = worth - (np.bincount(twin, weights=worth) / np.maximum(np.bincount(twin), 1))[twin]
        return True

    def use(self, count: int) -> np.ndarray:
        """(n_column,) how much of each the last answer uses."""
        first = len(self.price) + len(self.gain)
        return np.array(self._h.getSolution().col_value)[first : first + count]
