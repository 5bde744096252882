"""Plans side by side: plans x indicators, better and worse marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import DataError, Fault
from planner.indicators import INDICATORS
from planner.indicators.trips import travelling
from planner.plan import Plan
from planner.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("label_en", "label_zh", "unit", "direction")
SAME = 1e-5
"""Less than this is no change: travel times are exact to a millionth of a minute, sums of them to some more."""


def compare(**plans: Plan) -> pd.DataFrame:
    """Every indicator of every plan.

    Returns
    -------
    Index ``indicator``; columns ``label_en, label_zh, unit, direction``, one column a plan, and from the second plan on
    ``<name>_change``: ``better``, ``worse`` or ``same`` than the first plan, ``incomparable`` where trips are better
    while more pupils have none, "" where neither way is better or a value is unknown.

    >>> table = compare(today=tiny.today, plan=tiny.plan)
    >>> table.loc["mean_minutes", "plan_change"]
    'worse'
    """
    import pandas as pd

    table = pd.DataFrame(
        {key: [getattr(i, key) for i in INDICATORS.values()] for key in LABELS},
        index=pd.Index(list(INDICATORS), name="indicator"),
    )
    first = None
    for name, plan in plans.items():
        table[name] = values(plan)
        if first is not None:
            table[f"{name}_change"] = _marks(table, first, name, without_trip(plan) > without_trip(plans[first]))
        first = first or name
    return table


def without_trip(plan: Plan) -> int:
    """Pupils without a way to a school, or without a seat at any.

    >>> without_trip(tiny.plan)
    0
    """
    return int(plan.assignment["pupils"].sum() - travelling(plan)["pupils"].sum())


def _marks(table: pd.DataFrame, first: str, name: str, more_lost: bool) -> list[str]:
    """What becomes of every indicator (the index); ``more_lost``: more pupils have no trip than in the first plan."""
    marks = [
        change(before, after, direction)
        for before, after, direction in zip(table[first], table[name], table["direction"], strict=True)
    ]
    lost = [more_lost and key in INDICATORS and INDICATORS[key].of_trips for key in table.index]
    return ["incomparable" if is_lost and mark == "better" else mark for is_lost, mark in zip(lost, marks, strict=True)]


@remembered
def values(plan: Plan) -> tuple[float, ...]:
    """Every indicator, in the order of the register.

    >>> dict(zip(INDICATORS, values(tiny.plan)))["schools_open"]
    2.0
    """
    return tuple(measure(plan) for measure in INDICATORS.values())


def change(before: float, after: float, direction: str) -> str:
    """``better``, ``worse`` or ``same`` by the direction; "" where it cannot be said.

    >>> change(10.0, 12.0, "lower"), change(10.0, 10.0, "lower"), change(float("nan"), 1.0, "lower")
    ('worse', 'same', '')
    >>> change(20.0, 20.0000004, "lower")  # another way that takes as long
    'same'
    """
    if not direction or math.isnan(before) or math.isnan(after):
        return ""
    if math.isclose(before, after, rel_tol=1e-9, abs_tol=SAME):
        return "same"
    return "better" if (after < before) == (direction == "lower") else "worse"


def scorecard(plan: Plan, beside: Plan | None = None) -> pd.DataFrame:
    """Today beside the plan: columns ``indicator, label_en, label_zh, unit, direction, today, plan, change``.

    ``today`` is NaN where the plan has none to compare with (it is today's layout itself).

    Parameters
    ----------
    beside : this plan instead of today's layout

    >>> scorecard(tiny.plan).columns.tolist()
    ['indicator', 'label_en', 'label_zh', 'unit', 'direction', 'today', 'plan', 'change']
    """
    first = beside or plan.today
    if first is None:
        table = compare(plan=plan)
        table.insert(len(LABELS), "today", math.nan)
        return table.assign(change="").reset_index()
    table = compare(today=first, plan=plan)
    return table.rename(columns={"plan_change": "change"}).reset_index()


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A scorecard, or plans side by side, with a dash where an indicator of trips has nobody to measure.

    Nothing is unknown there: of today's layout it cannot be said how much longer the trips of those who change are.

    Parameters
    ----------
    table : with the columns ``indicator`` and ``unit``; numbers stay numbers

    >>> for_people(scorecard(tiny.plan)).set_index("indicator").loc["changing_more_minutes", ["today", "plan"]].tolist()
    ['–', 10.0]
    """
    of_trips = table["indicator"].map(lambda key: key in INDICATORS and INDICATORS[key].of_trips)
    numbers = table.select_dtypes("number")
    return table.assign(**numbers.astype(object).mask(numbers.isna().mul(of_trips, axis=0), "–"))


def compare_folders(folders: Sequence[Path]) -> pd.DataFrame:
    """Saved plans side by side: today of the first, then every plan, each marked against the first plan.

    Trips that are better while more pupils have no way are ``incomparable``; of pupils without a seat a scorecard does
    not say who has no trip.

    Raises
    ------
    DataError : a folder holds no scorecard; all in one pass
    """
    import pandas as pd

    faults, cards = [], []
    for folder in folders:
        try:
            cards.append(
                pd.read_csv(folder / "scorecard.csv", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
            )
        except (OSError, ValueError):
            fix = "Name a folder that planner run wrote."
            faults.append(Fault(str(folder), "it holds no scorecard.csv", fix))
    if faults:
        raise DataError(faults)
    table = cards[0][["indicator", *LABELS]].fillna("").set_index("indicator")
    table["today"] = cards[0]["today"].to_numpy()
    first = None
    for folder, card in zip(folders, cards, strict=True):
        name, count = folder.name or str(folder), 2
        while name in table:
            name, count = f"{folder.name} {count}", count + 1
        table[name] = card.set_index("indicator")["plan"].reindex(table.index).astype(float)
        if first is not None:
            lost = table.reindex(["unreachable_pupils"])
            table[f"{name} "] = _marks(table, first, name, bool((lost[name] > lost[first]).any()))
        first = first or name
    return table.reset_index()
