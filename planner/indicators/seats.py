"""Seats and schools: what there is, what is used, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.indicators.registry import indicator
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

ENDED = ("close", "merge", "convert", "none")


def running(plan: Plan) -> pd.DataFrame:
    """The rows of ``plan.actions`` whose stage goes on.

    >>> running(tiny.plan)["school_id"].tolist()
    ['S1', 'S3', 'S3']
    """
    return plan.actions[~plan.actions["action"].isin(ENDED)]


@indicator("Seats", "学位总数", "seats", "")
def seats(plan: Plan) -> float:
    """Seats of all stages that go on; NaN where a school's are unknown.

    >>> seats(tiny.plan)
    180.0
    """
    return float(running(plan)["seats"].sum(skipna=False)) if len(running(plan)) else 0.0


@indicator("Use of seats", "学位使用率", "%", "")
def seats_used_percent(plan: Plan) -> float:
    """Pupils per 100 seats, over stages whose seats are known.

    >>> round(seats_used_percent(tiny.plan), 2)
    36.67
    """
    known = running(plan).dropna(subset="seats")
    total = known["seats"].sum()
    return float(100 * known["pupils"].sum() / total) if total else float("nan")


@indicator("Pupils without a seat", "缺学位学生", "pupils", "lower")
def without_seat_pupils(plan: Plan) -> float:
    """Pupils above the seats of their school's stage, and pupils for whom no school had room.

    >>> without_seat_pupils(tiny.plan)
    0.0
    """
    over = (running(plan)["pupils"] - running(plan)["seats"]).clip(lower=0).fillna(0).sum()
    turned_away = plan.assignment.loc[plan.assignment["reason"] == "no_seat", "pupils"].sum()
    return float(over + turned_away)


@indicator("Seats added", "新增学位", "seats", "lower")
def seats_added(plan: Plan) -> float:
    """Seats that the plan builds; NaN where those of a school that opens are unknown.

    >>> seats_added(tiny.plan)
    0.0
    """
    return float(plan.actions["seats_added"].sum(skipna=False))


@indicator("Schools open", "开办学校", "schools", "")
def schools_open(plan: Plan) -> float:
    """Schools with at least one stage that goes on.

    >>> schools_open(tiny.plan)
    2.0
    """
    return float(running(plan)["school_id"].nunique())


@indicator("Small schools left", "保留的小规模学校", "schools", "")
def small_schools(plan: Plan) -> float:
    """Open schools with fewer than 100 pupils in all under the plan (国办发〔2018〕27号).

    >>> small_schools(tiny.plan)
    2.0
    """
    return float((running(plan).groupby("school_id")["pupils"].sum() < 100).sum())


def open_by_kind_and_town(plan: Plan) -> pd.DataFrame:
    """Open schools: rows town_id, columns kinds that occur, counts.

    >>> open_by_kind_and_town(tiny.plan).loc["A"].to_dict()
    {'central_primary': 1, 'nine_year': 0}
    """
    import pandas as pd

    ids = running(plan)["school_id"].unique()
    schools = plan.area.schools.loc[ids]
    table = pd.crosstab(schools["town_id"], schools["kind"])
    table = table.reindex(plan.area.towns.index, fill_value=0).astype(np.int64)
    table.index.name, table.columns.name = "town_id", None
    return table
