"""Drawn counties and provinces for measuring the optimiser, and a check of its answers that shares nothing with it.

Villages lie on a plane, most of them near one of the towns; schools stand in villages. A way is the straight line times
a detour, at 20 km/h; serving a village costs its pupils times minutes. Every town has one central school and several
village schools, of which a rule keeps some; seats are short unless seats are added, in steps, at a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from planner.optimise import Expansion, LocationProblem, LocationSolution, OpenRule

KM2_PER_VILLAGE = 3.5
SITES_PER_TOWN = 6
VILLAGES_PER_SITE = 8.3  # where there are more, schools are larger, or seats would never do
MINUTES_PER_KM = 3.0
STEP_SEATS = 45.0
STEP_COST = 45 * 12.0  # twelve minutes for every pupil of a class
RUNNING = 1500.0  # what a village school costs a year, in pupil minutes


@dataclass(frozen=True, eq=False)
class County:
    """What was drawn, before it is a problem.

    Parameters
    ----------
    pupils : (n_village,) whole numbers
    seats : (n_site,) before any are added
    town, central : (n_site,) its town, and whether it is the town's central school
    village, site, minutes : (n_pair,) the pairs that are allowed, and their trips
    """

    pupils: np.ndarray
    seats: np.ndarray
    town: np.ndarray
    central: np.ndarray
    village: np.ndarray
    site: np.ndarray
    minutes: np.ndarray


def draw(sites: int, villages: int, *, seed: int = 0, nearest: int | None = None) -> County:
    """A county or a province; with ``nearest`` a village may go only to so many schools."""
    from scipy.spatial import KDTree

    rng = np.random.default_rng(seed)
    side = np.sqrt(villages * KM2_PER_VILLAGE)
    towns = max(sites // SITES_PER_TOWN, 1)
    centre = rng.uniform(0.05 * side, 0.95 * side, (towns, 2))
    near = centre[rng.integers(0, towns, villages)] + rng.normal(0, 2.5, (villages, 2))
    place = np.clip(np.where(rng.random((villages, 1)) < 0.4, near, rng.uniform(0, side, (villages, 2))), 0, side)
    pupils = np.clip(np.round(rng.lognormal(2.7, 0.7, villages)), 1, 150)
    home = KDTree(centre).query(place)[1]
    _, central_village = KDTree(place).query(centre)
    central_village = np.unique(central_village)
    rest = np.setdiff1d(np.arange(villages), central_village)
    chosen = np.append(central_village, rng.choice(rest, sites - len(central_village), replace=False))
    central = np.arange(sites) < len(central_village)
    larger = max(1.0, np.round(villages / sites / VILLAGES_PER_SITE))
    seats = np.where(central, rng.integers(12, 21, sites) * 45.0, rng.integers(2, 7, sites) * 45.0) * larger
    count = sites if nearest is None else min(nearest, sites)
    km, site = KDTree(place[chosen]).query(place, k=count)
    detour = rng.uniform(1.2, 1.8, km.shape)
    village = np.repeat(np.arange(villages), count)
    minutes = np.round(km * detour * MINUTES_PER_KM, 2).ravel()
    return County(pupils, seats, home[chosen], central, village, site.ravel(), minutes)


def pose(county: County, *, whole: bool) -> LocationProblem:
    """Central schools stay; in every town one to a third (at least two) of the village schools are open."""
    shape = (len(county.pupils), len(county.seats))
    rules = []
    for town in np.unique(county.town):
        inside = np.flatnonzero((county.town == town) & ~county.central)
        if len(inside):
            most = max(2, int(np.ceil(len(inside) / 3)))
            rules.append(OpenRule(tuple(inside.tolist()), 1, most, f"town {town}"))
    size = shape[1]
    cost = county.minutes * county.pupils[county.village]
    return LocationProblem(
        csr_array((cost, (county.village, county.site)), shape=shape),
        weight=county.pupils,
        capacity=county.seats,
        fixed_cost=np.where(county.central, 0.0, RUNNING),
        forced_open=tuple(np.flatnonzero(county.central).tolist()),
        rules=tuple(rules),
        expansion=Expansion(np.full(size, STEP_SEATS), np.where(county.central, 8.0, 3.0), np.full(size, STEP_COST)),
        whole=whole,
    )


def check(county: County, problem: LocationProblem, found: LocationSolution) -> None:
    """Assert every limit, and the objective, from what was drawn."""
    minutes = {
        (i, j): t
        for i, j, t in zip(county.village.tolist(), county.site.tolist(), county.minutes.tolist(), strict=True)
    }
    shares = found.shares.tocoo()
    load, served, spent = [0.0] * len(county.seats), [0.0] * len(county.pupils), 0.0
    for i, j, share in zip(shares.row.tolist(), shares.col.tolist(), shares.data.tolist(), strict=True):
        assert found.open[j], "a closed school serves"
        assert share > 0.999999 or not problem.whole, "a village is split"
        spent += minutes[i, j] * county.pupils[i] * share  # a pair that is not allowed is a KeyError
        load[j] += county.pupils[i] * share
        served[i] += share
    assert max(abs(share - 1) for share in served) < 1e-6, "a village is not served whole"
    for j, seats in enumerate(county.seats.tolist()):
        steps = float(found.steps[j])
        assert steps == int(steps), "part of a step"
        assert 0 <= steps <= (8 if county.central[j] else 3), "steps"
        assert found.open[j] or steps == 0, "seats are added to a closed school"
        assert load[j] <= seats + STEP_SEATS * steps + 1e-5, "seats"
        assert found.open[j] or not county.central[j], "a central school is closed"
        spent += STEP_COST * steps + (RUNNING if found.open[j] and not county.central[j] else 0.0)
    for rule in problem.rules:
        assert rule.min <= sum(bool(found.open[j]) for j in rule.sites) <= rule.max, rule.name
    assert abs(spent - found.objective) <= 1e-6 * spent, "the objective"
    assert found.bound <= found.objective + 1e-9 * spent, "the bound"
