"""Who moves and which seats they find: the figures of the sheets, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.explain.fates import moves_between
from planner.model import BAND_STAGE, BANDS
from planner.plan import Plan
from planner.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("close", "merge", "convert")
SAME = ["demand_id", "from_school", "to_school", "minutes_before", "mode_before", "minutes_after", "mode_after"]


def ending(plan: Plan) -> list[str]:
    """Schools with a stage that ends, in the order of the area's schools.

    >>> ending(tiny.plan)
    ['S2']
    """
    ids = set(plan.actions["school_id"][plan.actions["action"].isin(ENDS)])
    return [str(school) for school in plan.area.schools.index if school in ids]


@remembered
def trips(plan: Plan) -> pd.DataFrame:
    """Everybody who changes school, bands with the same two trips in one row, the most pupils first.

    Returns
    -------
    Columns ``demand_id, from_school, to_school, bands`` (tuple), ``pupils``, and ``minutes, km, mode`` each ``_before``
    and ``_after``; NaN and "" where there is no school

    >>> trips(tiny.plan)[["demand_id", "to_school", "pupils", "km_after"]].values.tolist()
    [['V2', 'S1', 10, 1.5], ['V3', 'S3', 10, 1.5]]
    """
    import pandas as pd

    today = plan.today or plan
    moved = moves_between(today, plan)
    for side, of, school in (("before", today, "from_school"), ("after", plan, "to_school")):
        ways = of.assignment.drop_duplicates(["demand_id", "band", "school_id"])
        ways = ways.set_index(["demand_id", "band", "school_id"])[["km", "mode"]]
        at = pd.MultiIndex.from_frame(moved[["demand_id", "band", school]])
        found = ways.reindex(at)
        moved[f"km_{side}"] = found["km"].to_numpy()
        moved[f"mode_{side}"] = found["mode"].fillna("").to_numpy()
    moved["order"] = [BANDS.index(band) for band in moved["band"]]
    groups = moved.sort_values("order", kind="stable").groupby(SAME, sort=False, dropna=False)
    table = groups.agg(
        bands=("band", lambda bands: tuple(dict.fromkeys(bands))),
        pupils=("pupils", "sum"),
        km_before=("km_before", "first"),
        km_after=("km_after", "first"),
    )
    return table.reset_index().sort_values(["pupils", "demand_id"], ascending=[False, True], ignore_index=True)


def seats(plan: Plan, moved: pd.DataFrame) -> pd.DataFrame:
    """Seats and pupils at the schools that receive, by stage.

    Parameters
    ----------
    moved : rows of ``trips``

    Returns
    -------
    Columns ``school_id, stage, coming`` (of these rows), ``seats_before, pupils_before, seats_after, pupils_after``,
    those with most coming first; seats NaN where unknown

    >>> seats(tiny.plan, trips(tiny.plan)).values.tolist()
    [['S1', 'primary', 10, 100.0, 20.0, 100.0, 30.0], ['S3', 'primary', 10, 50.0, 20.0, 50.0, 30.0]]
    """
    import pandas as pd

    today = plan.today or plan
    wanted = {(school, BAND_STAGE[band]) for school, bands in _pairs(moved) for band in bands if school}
    before, after = (p.actions.set_index(["school_id", "stage"])[["seats", "pupils"]] for p in (today, plan))
    went = moves_between(today, plan)
    here = went.merge(moved[["demand_id", "from_school", "to_school"]].drop_duplicates())
    coming = here.groupby(["to_school", here["band"].map(dict(BAND_STAGE))])["pupils"].sum()
    rows = []
    for school, stage in sorted(wanted):
        old, new = (_row(table, school, stage) for table in (before, after))
        rows.append((school, stage, int(coming.get((school, stage), 0)), *old, *new))
    columns = ["school_id", "stage", "coming", "seats_before", "pupils_before", "seats_after", "pupils_after"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], float))
    return table.sort_values(["coming", "school_id"], ascending=[False, True], ignore_index=True)


def _pairs(moved: pd.DataFrame) -> Sequence[tuple[str, tuple[str, ...]]]:
    return list(zip(moved["to_school"], moved["bands"], strict=True))


def _row(table: pd.DataFrame, school: str, stage: str) -> tuple[float, float]:
    """Seats and pupils of a stage; none where it is not open."""
    if (school, stage) not in table.index:
        return 0.0, 0.0
    seats_there, pupils_there = table.loc[[(school, stage)]].to_numpy(dtype=float)[0]
    return float(seats_there), float(pupils_there)
