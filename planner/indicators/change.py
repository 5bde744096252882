"""What the plan changes for pupils and purses, against today's layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.indicators.registry import indicator
from planner.plan import Plan
from planner.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd


@remembered
def moves(plan: Plan) -> pd.DataFrame:
    """Pupils by demand point and band who change school: columns ``demand_id, band, pupils, more_minutes``.

    A band that is split among schools moves the pupils whose school has no room for as many of them as before;
    ``more_minutes`` is then the difference of the band's mean trips. Empty for today's layout itself.

    >>> moves(tiny.plan)[["demand_id", "band", "pupils", "more_minutes"]].values.tolist()[0]
    ['V2', 'lower_primary', 5, 20.0]
    """
    import pandas as pd

    columns = ["demand_id", "band", "pupils", "more_minutes"]
    if plan.today is None:
        return pd.DataFrame(columns=columns).astype({"pupils": "int64", "more_minutes": float})
    keys = ["demand_id", "band"]
    both = _shares(plan).merge(_shares(plan.today), on=[*keys, "school_id"], how="outer", suffixes=("", "_today"))
    both[["pupils", "pupils_today"]] = both[["pupils", "pupils_today"]].fillna(0)
    both["stay"] = both[["pupils", "pupils_today"]].min(axis=1)
    table = both.groupby(keys, sort=False)[["pupils", "stay"]].sum()
    table["pupils"] -= table.pop("stay")
    table["more_minutes"] = _means(plan) - _means(plan.today)
    table = table[table["pupils"] > 0].reset_index()
    return table.astype({"pupils": "int64"})[columns]


@remembered
def _shares(plan: Plan) -> pd.DataFrame:
    keys = ["demand_id", "band", "school_id"]
    return plan.assignment.groupby(keys, sort=False)["pupils"].sum().reset_index()


@remembered
def _means(plan: Plan) -> pd.Series:
    rows = plan.assignment.dropna(subset="minutes")
    keys = [rows["demand_id"], rows["band"]]
    return (rows["minutes"] * rows["pupils"]).groupby(keys).sum() / rows["pupils"].groupby(keys).sum()


@indicator("Pupils who change school", "转校学生", "pupils", "lower")
def changing_pupils(plan: Plan) -> float:
    """Pupils whose school is another than in today's layout; 0 for today's layout.

    >>> changing_pupils(tiny.plan)
    20.0
    """
    return float(moves(plan)["pupils"].sum())


@indicator("Their trip becomes longer by (mean)", "转校学生单程时间平均增加", "min", "lower", of_trips=True)
def changing_more_minutes(plan: Plan) -> float:
    """Mean extra minutes of pupils who change school; NaN when none does.

    V2 walks 20 minutes more; V3's other school is as far as its old one.

    >>> changing_more_minutes(tiny.plan)
    10.0
    """
    rows = moves(plan).dropna(subset="more_minutes")
    if not len(rows):
        return float("nan")
    return float(np.average(rows["more_minutes"], weights=rows["pupils"]))


@indicator("Running costs", "年度运行成本", "CNY/year", "lower")
def annual_cost_cny(plan: Plan) -> float:
    """A year's running costs of the open schools and the buses; NaN where a cost is unknown.

    >>> annual_cost_cny(tiny.plan)
    3060.0
    """
    return float(plan.annual_cost_cny)


@indicator("Building costs", "建设投资", "CNY", "lower")
def capital_cost_cny(plan: Plan) -> float:
    """What the seats that are added cost to build; NaN where the scenario gives no cost per seat and some are added.

    >>> capital_cost_cny(tiny.plan)
    0.0
    """
    return float(plan.capital_cost_cny)
