"""How far pupils go: means, quantiles, the norm, and kilometres (docs/conventions.md 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.indicators.registry import indicator
from planner.model import BANDS
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd


def travelling(plan: Plan, band: str | None = None) -> pd.DataFrame:
    """The rows of pupils with a school and a known time.

    >>> len(travelling(tiny.plan, "junior"))
    2
    """
    rows = plan.assignment
    rows = rows[(rows["school_id"] != "") & rows["minutes"].notna() & (rows["pupils"] > 0)]
    return rows if band is None else rows[rows["band"] == band]


def quantile(minutes: np.ndarray, pupils: np.ndarray, share: float) -> float:
    """The least time that at least ``share`` of the pupils do not exceed; NaN without pupils (conventions 4.3).

    >>> quantile(np.array([10.0, 20.0, 30.0]), np.array([1, 1, 2]), 0.5)
    20.0
    """
    if pupils.sum() == 0:
        return float("nan")
    order = np.argsort(minutes, kind="stable")
    reached = np.cumsum(pupils[order])
    return float(minutes[order][np.searchsorted(reached, share * reached[-1] - 1e-9)])


def _mean(rows: pd.DataFrame) -> float:
    pupils = rows["pupils"].sum()
    return float((rows["minutes"] * rows["pupils"]).sum() / pupils) if pupils else float("nan")


def _quantile(plan: Plan, share: float, band: str | None = None) -> float:
    rows = travelling(plan, band)
    return quantile(rows["minutes"].to_numpy(), rows["pupils"].to_numpy(), share)


@indicator("Mean trip, one way", "平均单程时间", "min", "lower", of_trips=True)
def mean_minutes(plan: Plan) -> float:
    """Average one-way trip, weighted by pupils; NaN when no pupil has a school.

    Source: 国办发〔2018〕27号 asks for it by band; ``by_band`` gives that.

    >>> round(mean_minutes(tiny.plan), 4)  # 440 pupil-minutes, 66 pupils
    6.6667
    """
    return _mean(travelling(plan))


@indicator("Median trip, one way", "单程时间中位数", "min", "lower", of_trips=True)
def median_minutes(plan: Plan) -> float:
    """The time that half of the pupils do not exceed.

    >>> median_minutes(tiny.plan)
    0.0
    """
    return _quantile(plan, 0.5)


@indicator("Nine in ten pupils travel at most", "九成学生单程时间不超过", "min", "lower", of_trips=True)
def p90_minutes(plan: Plan) -> float:
    """The time that nine in ten pupils do not exceed.

    >>> p90_minutes(tiny.plan)
    20.0
    """
    return _quantile(plan, 0.9)


@indicator("Longest trip, one way", "最长单程时间", "min", "lower", of_trips=True)
def longest_minutes(plan: Plan) -> float:
    """The longest trip of any pupil with a school.

    >>> longest_minutes(tiny.plan)
    20.0
    """
    rows = travelling(plan)
    return float(rows["minutes"].max()) if len(rows) else float("nan")


def _limits(rows: pd.DataFrame, plan: Plan) -> np.ndarray:
    limit = {band: plan.scenario.travel.limit_minutes(band) for band in BANDS}
    return rows["band"].map(limit).to_numpy(dtype=float)


@indicator("Pupils within the travel norm", "达到路程标准的学生比例", "%", "higher")
def within_norm_percent(plan: Plan) -> float:
    """Share of all pupils of bands with a norm who have a school within it (unreachable pupils are not).

    >>> within_norm_percent(tiny.plan)
    100.0
    """
    rows = plan.assignment
    normed = rows[np.isfinite(_limits(rows, plan))]
    total = normed["pupils"].sum()
    inside = normed["pupils"].sum() - beyond_norm_pupils(plan)
    return float(100 * inside / total) if total else float("nan")


@indicator("Pupils beyond the travel norm", "超出路程标准的学生", "pupils", "lower")
def beyond_norm_pupils(plan: Plan) -> float:
    """Pupils of bands with a norm whose trip is longer (limits are inclusive), or who have no school.

    >>> beyond_norm_pupils(tiny.plan)
    0.0
    """
    rows = plan.assignment
    limit = _limits(rows, plan)
    far = np.isfinite(limit) & ~(rows["minutes"].to_numpy() <= limit + 1e-6)
    return float(rows["pupils"].to_numpy()[far].sum())


@indicator("Minutes beyond the travel norm, all pupils", "超出路程标准的总时间", "pupil-min", "lower", of_trips=True)
def excess_pupil_minutes(plan: Plan) -> float:
    """Minutes beyond the norm, one way, summed over the pupils who have a school.

    >>> excess_pupil_minutes(tiny.plan)
    0.0
    """
    rows = travelling(plan)
    over = np.maximum(rows["minutes"].to_numpy(dtype=float) - _limits(rows, plan), 0.0)
    return float((over * rows["pupils"].to_numpy()).sum())


@indicator("Pupils whom no road joins to a school", "无路可达的学生", "pupils", "lower")
def unreachable_pupils(plan: Plan) -> float:
    """Pupils of demand points without any way to a school of their band.

    >>> unreachable_pupils(tiny.plan)
    0.0
    """
    return float(plan.assignment.loc[plan.assignment["reason"] == "unreachable", "pupils"].sum())


@indicator("Travel to school, all pupils", "学生每日上学总里程（单程）", "pupil-km/day", "lower", of_trips=True)
def pupil_km(plan: Plan) -> float:
    """Kilometres of all pupils, one way, on a school day.

    >>> pupil_km(tiny.plan)  # 22 pupils, 1.5 km
    33.0
    """
    rows = travelling(plan)
    return float((rows["km"] * rows["pupils"]).sum())


def by_band(plan: Plan) -> pd.DataFrame:
    """Trips by band: columns ``pupils, mean, median, p90, longest`` (min), ``within_norm_percent``; index band.

    >>> float(by_band(tiny.plan).loc["junior", "mean"].round(3))
    6.667
    """
    return _split(plan, plan.assignment["band"], list(BANDS))


def by_town(plan: Plan) -> pd.DataFrame:
    """Trips by the town where pupils live, same columns; index town_id.

    >>> by_town(tiny.plan)["pupils"].tolist()
    [30, 36]
    """
    town = plan.assignment["demand_id"].map(plan.area.demand["town_id"])
    return _split(plan, town, list(plan.area.towns.index))


def _split(plan: Plan, label: pd.Series, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    rows = plan.assignment
    limit, pupils, minutes = _limits(rows, plan), rows["pupils"].to_numpy(), rows["minutes"].to_numpy(dtype=float)
    normed = np.isfinite(limit)
    within = normed & (minutes <= limit + 1e-6)
    travels = (rows["school_id"] != "").to_numpy() & ~np.isnan(minutes) & (pupils > 0)
    labels, nan = label.to_numpy(dtype=object), float("nan")
    table = {}
    for name in names:
        here = labels == name
        trips, weight = minutes[here & travels], pupils[here & travels]
        asked = pupils[here & normed].sum()
        table[name] = {
            "pupils": int(pupils[here].sum()),
            "mean": float((trips * weight).sum() / weight.sum()) if len(trips) else nan,
            "median": quantile(trips, weight, 0.5),
            "p90": quantile(trips, weight, 0.9),
            "longest": float(trips.max()) if len(trips) else nan,
            "within_norm_percent": float(100 * pupils[here & within].sum() / asked) if asked else nan,
        }
    columns = ["pupils", "mean", "median", "p90", "longest", "within_norm_percent"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns)
