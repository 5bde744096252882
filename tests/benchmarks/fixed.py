"""Capacitated plants with fixed costs, drawn from a seed.

After the generator of Cornuejols, Sridharan and Thizy 1991 (European Journal of Operational Research 50:280): places
in the unit square, needs of 5 to 35, seats of 10 to 160 scaled to a multiple of all needs, opening that costs more with
the root of the seats.
"""

import numpy as np

from planner.optimise import LocationProblem


def draw(demands: int, sites: int, ratio: float, *, seed: int, whole: bool) -> LocationProblem:
    """So many demand points and sites, with ``ratio`` times as many seats in all as are needed."""
    rng = np.random.default_rng(seed)
    homes, places = rng.random((demands, 2)), rng.random((sites, 2))
    weight = rng.integers(5, 36, demands).astype(float)
    seats = rng.integers(10, 161, sites).astype(float)
    seats = np.round(seats * ratio * weight.sum() / seats.sum())
    opening = rng.uniform(0, 90, sites) + rng.uniform(100, 110, sites) * np.sqrt(seats)
    far = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1))
    return LocationProblem(10 * far * weight[:, None], weight=weight, capacity=seats, fixed_cost=opening, whole=whole)
