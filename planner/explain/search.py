"""The first step of a family of questions at which a school's other fate is at least as good as the planned one.

As pupils become more or a norm stricter, no plan becomes better: what the best plan is worth never falls, with either
fate. So an answer at one step bounds every other, and often more is known of them (``Steps.most``, ``Steps.least``).
Steps that such bounds rule out are never asked. Of the others the first is asked and the middle one, in turn, until
none is left, so what is found is the first flip there is; where plans become better, the last step before all others.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from planner.compiled import clock
from planner.optimise import Forced
from planner.optimise.forced import NOISE, noise


class Steps(ABC):
    """Questions in an order, today's the first.

    Parameters
    ----------
    count : steps after today's
    rising : with every step no plan becomes better; else, none becomes worse
    """

    def __init__(self, count: int, *, rising: bool) -> None:
        self.count, self.rising = count, rising

    @abstractmethod
    def worth(self, k: int, *, other: bool) -> Forced:
        """What the best plan is worth at step k, with the planned fate or with the other."""

    def most(self, k: int, planned: Forced) -> np.ndarray:
        """(count + 1,) what the planned fate is worth at most at every step, told from its worth at step k."""
        step = np.arange(self.count + 1)
        return np.where(step <= k if self.rising else step >= k, planned.upper, np.inf)

    def least(self, k: int, other: Forced) -> np.ndarray:
        """(count + 1,) what the other fate is worth at least at every step, told from its worth at step k."""
        step = np.arange(self.count + 1)
        return np.where(step >= k if self.rising else step <= k, other.lower, -np.inf)


def first_flip(steps: Steps, *, seconds: float = 60.0) -> tuple[int, int, str]:
    """The first of the steps 1..count at which the other fate is at least as good as the planned one.

    Returns
    -------
    The last step that is proven not to flip it, the step that does (or ``count``), and ``Flip.status``

    >>> class Two(Steps):
    ...     def worth(self, k, *, other):
    ...         value = [(1.0, 9.0), (2.0, 9.0), (7.0, 9.5), (9.5, 9.5), (10.0, 10.0)][k][other]
    ...         return Forced(value, value)
    >>> first_flip(Two(4, rising=True))
    (2, 3, 'flips')
    """
    ends, count = clock() + seconds, steps.count
    most, least = np.full(count + 1, np.inf), np.full(count + 1, -np.inf)
    left, unsure = np.ones(count + 1, dtype=bool), np.zeros(count + 1, dtype=bool)

    def ruled_out() -> np.ndarray:
        return np.asarray((least == np.inf) | (least > most + NOISE * np.maximum(1.0, abs(most))))

    def flips(k: int) -> bool:
        """Whether the fate flips at step k; what is found there bounds the others."""
        nonlocal most, least
        left[k] = False
        planned = steps.worth(k, other=False)
        most = np.minimum(most, steps.most(k, planned))
        if ruled_out()[k]:
            return False
        other = steps.worth(k, other=True)
        least = np.maximum(least, steps.least(k, other))
        if math.isfinite(other.upper) and other.upper <= planned.lower + noise(other.upper):
            return True
        unsure[k] = not (ruled_out()[k] or (planned.exact and other.exact))
        return False

    if flips(0):
        return 0, 0, "flips"
    end, turn = count + 1, 0
    if count and not steps.rising and flips(count):  # what is found there bounds every step before
        end = count
    while True:
        left &= ~ruled_out()
        open_steps = np.flatnonzero(left[:end])
        if len(open_steps) == 0 or clock() > ends:
            break
        k = int(open_steps[len(open_steps) // 2 if turn % 2 else 0])
        turn += 1
        if flips(k):
            end = k
    doubtful = np.flatnonzero((left | (unsure & ~ruled_out()))[:end])
    if len(doubtful):
        return max(int(doubtful[0]) - 1, 0), min(end, count), "open"
    return (end - 1, end, "flips") if end <= count else (count, count, "never")
