"""How evenly the trips fall on pupils."""

from __future__ import annotations

import numpy as np

from planner.indicators.registry import indicator
from planner.indicators.trips import travelling
from planner.plan import Plan


@indicator("Gini of trip times", "单程时间基尼系数", "", "lower", of_trips=True)
def gini_minutes(plan: Plan) -> float:
    """Gini coefficient of minutes over pupils: 0 where all travel alike; NaN without pupils or when nobody travels.

    Source: Gini 1912; as half the relative mean difference over all pairs of pupils (Sen 1973, eq. 2.8.1).

    >>> round(gini_minutes(tiny.plan), 4)  # 22 of 66 travel 20 minutes, 44 none: 1 - 22/66
    0.6667
    """
    rows = travelling(plan).sort_values("minutes")
    t, w = rows["minutes"].to_numpy(), rows["pupils"].to_numpy(dtype=float)
    total, people = float((t * w).sum()), float(w.sum())
    if people == 0 or total == 0:
        return float("nan")
    share, people_share = np.cumsum(t * w) / total, w / people
    before = np.append(0, share[:-1])
    return float(1 - (people_share * (share + before)).sum())


@indicator("Theil of trip times", "单程时间泰尔指数", "", "lower", of_trips=True)
def theil_minutes(plan: Plan) -> float:
    """Theil T of minutes over pupils (0 ln 0 = 0); NaN without pupils or when nobody travels.

    Source: Theil 1967, chapter 4.

    >>> round(theil_minutes(tiny.plan), 4)  # ln 3
    1.0986
    """
    rows = travelling(plan)
    t, w = rows["minutes"].to_numpy(), rows["pupils"].to_numpy(dtype=float)
    if w.sum() == 0 or (t * w).sum() == 0:
        return float("nan")
    ratio = t / ((t * w).sum() / w.sum())
    return float((w * ratio * np.log(np.where(ratio > 0, ratio, 1.0))).sum() / w.sum())


@indicator("Mean trip of the worst-off tenth", "最远一成学生平均单程时间", "min", "lower", of_trips=True)
def worst_tenth_minutes(plan: Plan) -> float:
    """Mean minutes of the tenth of pupils with the longest trips (the last row counts in part).

    >>> worst_tenth_minutes(tiny.plan)
    20.0
    """
    rows = travelling(plan).sort_values("minutes", ascending=False)
    w = rows["pupils"].to_numpy(dtype=float)
    tenth = w.sum() / 10
    if tenth == 0:
        return float("nan")
    taken = np.clip(tenth - (np.cumsum(w) - w), 0, w)
    return float((taken * rows["minutes"].to_numpy()).sum() / tenth)
