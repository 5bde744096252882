"""Location problems as pure arrays: which sites open, and which site serves each demand point.

Nothing here knows of schools: published instances run through the very types and functions that counties use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from planner.optimise.side import Side

Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True)
class OpenRule:
    """Between ``min`` and ``max`` (None: no limit) of these sites are open; a site that is named twice counts once."""

    sites: tuple[int, ...]
    min: int = 0
    max: int | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Expansion:
    """Seats that may be added at open sites, in whole steps.

    Parameters
    ----------
    step_seats : (n_site,) seats a step
    max_steps : (n_site,) steps at most
    cost_per_step : (n_site,) paid for each
    alike : groups of sites that get as many steps as each other
    """

    step_seats: Any
    max_steps: Any
    cost_per_step: Any
    alike: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Terms:
    """A linear sum over a solution: what serving, open sites, open facilities and steps of seats count for.

    Parameters
    ----------
    cost : (n_demand, n_site) or None, dense or sparse; read only where the problem allows the pair
    fixed, step : (n_site,) or None
    facility : (n_facility,) or None
    """

    cost: Any = None
    fixed: Any = None
    facility: Any = None
    step: Any = None


Goal = Terms | tuple[Terms, ...]
"""What is minimised: a sum, or several of which the largest counts."""


@dataclass(frozen=True, eq=False)
class Budget:
    """``terms`` sum to at most ``max``."""

    terms: Terms
    max: float
    name: str = ""


@dataclass(frozen=True, eq=False)
class LocationProblem:
    """Choose open sites and serve every demand point at least cost.

    Parameters
    ----------
    cost : (n_demand, n_site) cost of serving the whole demand point at a site; NaN = not allowed. A scipy sparse array
        is kept sparse: the pairs that it stores are those allowed, at no cost where a zero is stored
    weight : (n_demand,) seats a demand point needs; one each by default
    capacity : (n_site,) seats; None or infinite = no limit
    fixed_cost : (n_site,) paid when open
    open_min, open_max : how many sites are open in all
    forced_open, forced_closed : rows of sites
    rules : how many sites of a group are open
    expansion : seats that may be added
    whole : a demand point goes to one site; False allows a split
    facility : (n_site,) the building each site is in; a building is open when any of its sites is
    facility_cost : (n_facility,) paid once when it is open
    linked : groups of sites that open and close together
    budgets : further linear limits
    side : further conditions (``optimise.side``)
    worst : sums of which the largest is minimised beside the rest

    Raises
    ------
    ValueError : arrays disagree in shape, a cost is infinite, a weight, capacity or number of steps is negative or NaN,
        min is above max, a row is out of range, or a site is both forced open and forced closed

    >>> LocationProblem([[1.0, 2.0]], forced_open=(2,))
    Traceback (most recent call last):
    ...
    ValueError: forced_open: site 2 is not one of 0..1
    """

    cost: Any
    weight: Any = None
    capacity: Any = None
    fixed_cost: Any = None
    open_min: int = 0
    open_max: int | None = None
    forced_open: tuple[int, ...] = ()
    forced_closed: tuple[int, ...] = ()
    rules: tuple[OpenRule, ...] = ()
    expansion: Expansion | None = None
    whole: bool = True
    facility: Any = None
    facility_cost: Any = None
    linked: tuple[tuple[int, ...], ...] = ()
    budgets: tuple[Budget, ...] = ()
    side: Side | None = None
    worst: tuple[Terms, ...] = ()

    def __post_init__(self) -> None:
        """Arrays become float64 of the right shape; what contradicts itself is refused."""
        cost = _table(self.cost)
        if cost.ndim != 2:
            raise ValueError(f"cost: has {cost.ndim} dimensions, needs (n_demand, n_site)")
        stored = cost if isinstance(cost, np.ndarray) else cost.data
        if np.isinf(stored).any():
            raise ValueError("cost: is infinite somewhere; NaN means not allowed")
        if stored is not cost and np.isnan(stored).any():
            raise ValueError("cost: holds NaN; a pair that is not allowed is not stored in a sparse array")
        n, m = cost.shape
        put = object.__setattr__
        put(self, "cost", cost)
        put(self, "weight", _vector("weight", self.weight, n, 1.0))
        put(self, "capacity", _vector("capacity", self.capacity, m, np.inf))
        put(self, "fixed_cost", _vector("fixed_cost", self.fixed_cost, m, 0.0))
        facility = np.arange(m) if self.facility is None else np.asarray(self.facility, dtype=np.int64)
        if facility.shape != (m,) or (facility < 0).any():
            raise ValueError(f"facility: needs {m} rows of buildings, 0 or above")
        put(self, "facility", facility)
        count = int(facility.max(initial=-1)) + 1
        put(self, "facility_cost", _vector("facility_cost", self.facility_cost, count, 0.0))
        if (self.weight < 0).any() or (self.capacity < 0).any():
            raise ValueError("weight, capacity: may not be negative")
        for name, rows in [
            ("forced_open", self.forced_open),
            ("forced_closed", self.forced_closed),
            *((f"rules: {rule.name or number}", rule.sites) for number, rule in enumerate(self.rules)),
            *(("linked", group) for group in self.linked),
            *(("expansion.alike", group) for group in (self.expansion.alike if self.expansion else ())),
        ]:
            for site in rows:
                if not 0 <= site < m:
                    raise ValueError(f"{name}: site {site} is not one of 0..{m - 1}")
        if both := set(self.forced_open) & set(self.forced_closed):
            raise ValueError(f"forced_open, forced_closed: site {min(both)} is in both")
        for group in self.linked:
            if set(group) & set(self.forced_open) and set(group) & set(self.forced_closed):
                raise ValueError(f"linked: of sites {group} one is forced open and one forced closed")
        for rule in (OpenRule((), self.open_min, self.open_max, "open_min, open_max"), *self.rules):
            if rule.max is not None and rule.min > rule.max:
                raise ValueError(f"{rule.name or 'rules'}: min {rule.min} is above max {rule.max}")
        put(self, "rules", tuple(replace(rule, sites=tuple(dict.fromkeys(rule.sites))) for rule in self.rules))
        if self.expansion is not None:
            seats, most, price = (
                _vector(f"expansion.{name}", getattr(self.expansion, name), m, 0.0)
                for name in ("step_seats", "max_steps", "cost_per_step")
            )
            put(self, "expansion", Expansion(seats, most, price, self.expansion.alike))
            if (self.expansion.max_steps < 0).any() or (self.expansion.step_seats < 0).any():
                raise ValueError("expansion.max_steps, expansion.step_seats: may not be negative")
        put(self, "budgets", tuple(self._checked(number, budget) for number, budget in enumerate(self.budgets)))
        put(self, "worst", tuple(self._checked(0, Budget(part, np.inf, "worst")).terms for part in self.worst))
        if self.side is not None:
            from planner.optimise.side import faults

            for fault in faults(self, self.side):
                raise ValueError(fault)

    def _checked(self, number: int, budget: Budget) -> Budget:
        """The budget with its terms as float64 of the right shape."""
        name = f"budgets: {budget.name or number}"
        if np.isnan(budget.max):
            raise ValueError(f"{name}: max is NaN")
        cost = budget.terms.cost
        if cost is not None:
            cost = _table(cost)
            if cost.shape != self.cost.shape:
                raise ValueError(f"{name}.cost: has shape {cost.shape}, needs {self.cost.shape}")
            demand, site, _ = pairs(self.cost)
            if not np.isfinite(at_pairs(cost, demand, site)).all():
                raise ValueError(f"{name}.cost: is not a number for a pair that is allowed")
        sizes = {"fixed": self.cost.shape[1], "facility": len(self.facility_cost), "step": self.cost.shape[1]}
        rest = {
            part: None
            if (given := getattr(budget.terms, part)) is None
            else _vector(f"{name}.{part}", given, size, 0.0)
            for part, size in sizes.items()
        }
        return Budget(Terms(cost, **rest), budget.max, budget.name)

    @property
    def objective(self) -> Terms:
        """What is minimised, as a sum like any other."""
        step = None if self.expansion is None else self.expansion.cost_per_step
        return Terms(self.cost, self.fixed_cost, self.facility_cost, step)


@dataclass(frozen=True, eq=False)
class LocationSolution:
    """What was found, and how good it is proven to be.

    Parameters
    ----------
    open : (n_site,) bool
    assignment : (n_demand,) the site that serves it, of a split one the site of its largest share; -1 when unsolved
    shares : (n_demand, n_site) sparse, rows sum to 1
    steps : (n_site,) steps of seats added
    objective, bound : no solution is better than ``bound``; NaN when unsolved
    gap : (objective - bound) / |objective|
    status : ``optimal`` (within the gap that was asked for), ``feasible``, ``infeasible``, ``unknown`` (no time)
    seconds, rounds : solving time; rounds of adding violated rows
    """

    open: np.ndarray
    assignment: np.ndarray
    shares: csr_array
    steps: np.ndarray
    objective: float
    bound: float
    gap: float
    status: Status
    seconds: float
    rounds: int = 0


def total(problem: LocationProblem, terms: Terms, solution: LocationSolution) -> float:
    """The sum of ``terms`` over a solution, in plain numpy.

    >>> from planner.optimise import solve
    >>> problem = LocationProblem([[1.0, 3.0], [5.0, 2.0]], fixed_cost=[1, 1])
    >>> total(problem, problem.objective, solve(problem))
    5.0
    """
    shares = solution.shares.tocoo()
    value = 0.0
    if terms.cost is not None:
        value += float((at_pairs(terms.cost, shares.row, shares.col) * shares.data).sum())
    if terms.fixed is not None:
        value += float(np.asarray(terms.fixed)[solution.open].sum())
    if terms.facility is not None:
        value += float(np.asarray(terms.facility)[np.unique(problem.facility[solution.open])].sum())
    if terms.step is not None:
        value += float((np.asarray(terms.step) * solution.steps).sum())
    return value


def value(problem: LocationProblem, solution: LocationSolution) -> float:
    """What is minimised: the objective's sum, and the largest of the ``worst`` sums where there are any.

    >>> from planner.optimise import solve
    >>> problem = LocationProblem([[0.0, 0.0]], open_max=1, worst=(Terms(fixed=[4, 1]), Terms(fixed=[0, 3])))
    >>> value(problem, solve(problem))
    3.0
    """
    parts = [total(problem, terms, solution) for terms in problem.worst]
    return total(problem, problem.objective, solution) + max(parts, default=0.0)


def violations(problem: LocationProblem, solution: LocationSolution, tolerance: float = 1e-6) -> list[str]:
    """Every limit of the problem that a solution breaks, checked in plain numpy; empty when it keeps them all.

    >>> from planner.optimise import solve
    >>> violations(problem := LocationProblem([[1.0, 3.0]]), solve(problem))
    []
    """
    found = []
    shares, is_open = solution.shares.tocoo(), solution.open
    served = np.bincount(shares.row, weights=shares.data, minlength=problem.cost.shape[0])
    if (np.abs(served - 1) > tolerance).any():
        found.append("a demand point is not served whole")
    if np.isnan(at_pairs(problem.cost, shares.row, shares.col)).any():
        found.append("a pair that is not allowed is used")
    if not is_open[shares.col].all():
        found.append("a closed site serves")
    if problem.whole and (np.minimum(shares.data, 1 - shares.data) > tolerance).any():
        found.append("a demand point is split")
    load = np.bincount(shares.col, weights=shares.data * problem.weight[shares.row], minlength=len(is_open))
    seats = problem.capacity.copy()
    if problem.expansion is not None:
        seats = seats + problem.expansion.step_seats * solution.steps
        if ((solution.steps > problem.expansion.max_steps) | (solution.steps < 0)).any():
            found.append("more steps than allowed")
        if (solution.steps != np.round(solution.steps)).any():
            found.append("part of a step")
        if any(len(set(solution.steps[list(group)].tolist())) > 1 for group in problem.expansion.alike):
            found.append("sites that get as many steps as each other do not")
    if ((solution.steps > 0) & ~is_open).any():
        found.append("seats added at a closed site")
    if (load > seats + tolerance * np.maximum(1, load)).any():
        found.append("a site serves more than its seats")
    if not is_open[list(problem.forced_open)].all() or is_open[list(problem.forced_closed)].any():
        found.append("a site that must be open or closed is not")
    if any(len(set(is_open[list(group)].tolist())) > 1 for group in problem.linked):
        found.append("sites that open together do not")
    everything = OpenRule(tuple(range(len(is_open))), problem.open_min, problem.open_max, "open_min, open_max")
    for rule in (everything, *problem.rules):
        count = int(is_open[list(rule.sites)].sum())
        if count < rule.min or (rule.max is not None and count > rule.max):
            found.append(f"rule {rule.name}: {count} open")
    for budget in problem.budgets:
        value = total(problem, budget.terms, solution)
        if value > budget.max + tolerance * max(1.0, abs(budget.max)):
            found.append(f"budget {budget.name}: {value} above {budget.max}")
    if problem.side is not None:
        from planner.optimise.side import broken

        found += broken(problem, problem.side, solution)
    return found


def pairs(cost: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The allowed pairs of a dense or sparse cost: demand point, site, cost; by demand point, then by site.

    >>> [part.tolist() for part in pairs(np.array([[1.0, np.nan], [0.0, 2.0]]))]
    [[0, 1, 1], [0, 0, 1], [1.0, 0.0, 2.0]]
    """
    if isinstance(cost, np.ndarray):
        demand, site = np.nonzero(~np.isnan(cost))
        return demand, site, cost[demand, site]
    demand = np.repeat(np.arange(cost.shape[0]), np.diff(cost.indptr))
    return demand, cost.indices.astype(np.int64), cost.data


def at_pairs(cost: Any, demand: np.ndarray, site: np.ndarray) -> np.ndarray:
    """(n_pair,) what a dense or sparse cost says of some pairs; NaN where they are not allowed.

    >>> at_pairs(np.array([[1.0, np.nan]]), np.array([0, 0]), np.array([0, 1])).tolist()
    [1.0, nan]
    """
    table = _table(cost)
    if isinstance(table, np.ndarray):
        return np.asarray(table[demand, site])
    row, column, value = pairs(table)
    known = row * table.shape[1] + column
    asked = np.asarray(demand, dtype=np.int64) * table.shape[1] + site
    place = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
    found = np.full(len(asked), np.nan)
    if len(known):
        same = known[place] == asked
        found[same] = value[place[same]]
    return found


def same_pairs(cost: Any, value: np.ndarray) -> Any:
    """Other costs of the same allowed pairs, dense or sparse as the cost is.

    >>> same_pairs(np.array([[1.0, np.nan]]), np.array([5.0])).tolist()
    [[5.0, nan]]
    """
    if isinstance(cost, np.ndarray):
        table = cost.copy()
        table[~np.isnan(cost)] = value
        return table
    from scipy.sparse import csr_array

    return csr_array((value, cost.indices, cost.indptr), shape=cost.shape)


def some_pairs(cost: Any, demand: np.ndarray, site: np.ndarray) -> Any:
    """A cost of these pairs alone, sparse.

    >>> some_pairs(np.array([[1.0, 2.0]]), np.array([0]), np.array([1])).toarray().tolist()
    [[0.0, 2.0]]
    """
    from scipy.sparse import csr_array

    return csr_array((at_pairs(cost, demand, site), (demand, site)), shape=cost.shape)


def dense(cost: Any) -> np.ndarray:
    """(n_demand, n_site) a cost as a table, NaN where a pair is not allowed.

    >>> from scipy.sparse import csr_array
    >>> dense(csr_array(([5.0], ([0], [1])), shape=(1, 2))).tolist()
    [[nan, 5.0]]
    """
    if isinstance(cost, np.ndarray):
        return cost
    table: np.ndarray = np.full(cost.shape, np.nan)
    demand, site, value = pairs(cost)
    table[demand, site] = value
    return table


def _table(given: Any) -> Any:
    """A cost as a dense array, or as a sparse one by rows in order."""
    if hasattr(given, "tocsr"):
        from scipy.sparse import csr_array

        table = csr_array(given, dtype=np.float64, copy=not _in_order(given))
        table.sum_duplicates()  # sorts the indices too
        return table
    return np.array(given, dtype=np.float64, ndmin=2)


def _in_order(given: Any) -> bool:
    return bool(getattr(given, "has_canonical_format", False))


def _vector(name: str, given: Any, size: int, default: float) -> np.ndarray:
    array = np.full(size, default) if given is None else np.array(given, dtype=np.float64)
    if array.shape != (size,):
        raise ValueError(f"{name}: has shape {array.shape}, needs ({size},)")
    if np.isnan(array).any():
        raise ValueError(f"{name}: holds NaN")
    return array
