"""The plan's tables as people read them: names beside ids, and nothing that a spreadsheet would run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.compare import scorecard
from planner.indicators import by_band, by_town, open_by_kind_and_town
from planner.indicators import moves as moves_of
from planner.model import BAND_GRADES, BANDS
from planner.plan import Plan
from planner.sources.files import FORMULA_STARTS

if TYPE_CHECKING:
    import pandas as pd

MINUTES = {word: f"{word}_minutes" for word in ("mean", "median", "p90", "longest")}


def tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """The plan's tables as people read them, with the names beside the ids.

    Returns
    -------
    By name: ``scorecard``, ``actions``, ``assignment``, ``moves`` (who changes school), ``bands`` and ``towns``
    (trips), ``kept`` (open schools by town and kind), ``schools`` and ``villages`` (as they are today); of a plan made
    over futures ``futures`` (who goes where in each), too

    >>> list(tables(tiny.plan))
    ['scorecard', 'actions', 'assignment', 'moves', 'bands', 'towns', 'kept', 'schools', 'villages']
    """
    over = {} if plan.futures is None else {"futures": _named(plan, plan.futures)}
    return over | {
        "scorecard": scorecard(plan),
        "actions": _actions(plan),
        "assignment": _named(plan, plan.assignment),
        "moves": moves(plan),
        "bands": by_band(plan).rename(columns=MINUTES).rename_axis("band").reset_index(),
        "towns": _of_towns(plan, by_town(plan).rename(columns=MINUTES)),
        "kept": _of_towns(plan, open_by_kind_and_town(plan)),
        "schools": _schools(plan),
        "villages": villages(plan),
    }


def _actions(plan: Plan) -> pd.DataFrame:
    schools, actions = plan.area.schools, plan.actions.copy()
    for column, place in (("town_id", "town_id"), ("kind", "kind"), ("school_name", "name")):
        actions.insert(1, column, actions["school_id"].map(schools[place]))
    return actions


def _named(plan: Plan, given: pd.DataFrame) -> pd.DataFrame:
    """Who goes where, with the names beside the ids."""
    schools, demand, assignment = plan.area.schools, plan.area.demand, given.copy()
    for after, column, names in (
        ("demand_id", "demand_name", assignment["demand_id"].map(demand["name"])),
        ("demand_name", "town_id", assignment["demand_id"].map(demand["town_id"])),
        ("school_id", "school_name", assignment["school_id"].map(schools["name"]).fillna("")),
    ):
        assignment.insert(list(assignment.columns).index(after) + 1, column, names)
    assignment[["minutes", "km"]] = assignment[["minutes", "km"]].round(6)
    return assignment


def moves(plan: Plan) -> pd.DataFrame:
    """Who changes school: ``planner.indicators.moves`` with names, and the schools before and after.

    Of a band that is split among schools, the one that takes most of it.

    >>> moves(tiny.plan)[["demand_name", "from_school_id", "to_school_id"]].values.tolist()[0]
    ['Two', 'S2', 'S1']
    """
    import pandas as pd

    rows, demand = moves_of(plan).copy(), plan.area.demand
    keys = pd.MultiIndex.from_frame(rows[["demand_id", "band"]])
    rows.insert(1, "demand_name", rows["demand_id"].map(demand["name"]))
    rows.insert(2, "town_id", rows["demand_id"].map(demand["town_id"]))
    for when, layout in (("from", plan.today), ("to", plan)):
        school = _receivers(layout).reindex(keys).fillna("") if layout is not None else pd.Series("", index=keys)
        rows[f"{when}_school_id"] = school.to_numpy()
        rows[f"{when}_school_name"] = rows[f"{when}_school_id"].map(plan.area.schools["name"]).fillna("")
    return rows


def _receivers(plan: Plan) -> pd.Series:
    """The school that takes most of each demand point's band; index ``demand_id, band``."""
    most = plan.assignment.sort_values("pupils", ascending=False, kind="stable")
    first = most.drop_duplicates(["demand_id", "band"])
    schools: pd.Series = first.set_index(["demand_id", "band"])["school_id"]
    return schools


def _of_towns(plan: Plan, frame: pd.DataFrame) -> pd.DataFrame:
    named: pd.DataFrame = frame.rename_axis("town_id").reset_index()
    named.insert(1, "town", named["town_id"].map(plan.area.towns["name"]))
    return named


def _schools(plan: Plan) -> pd.DataFrame:
    schools = plan.area.schools
    words = schools.drop(columns="geometry").assign(grades=[" ".join(grades) for grades in schools["grades"]])
    table: pd.DataFrame = words.rename_axis("school_id").reset_index()
    return table


def villages(plan: Plan) -> pd.DataFrame:
    """Where pupils live: one row a demand point, pupils by band.

    >>> villages(tiny.plan)["pupils_lower_primary"].tolist()
    [10, 5, 5, 10]
    """
    import pandas as pd

    table = pd.DataFrame(plan.area.demand[["name", "town_id", "population"]])
    for band in BANDS:
        table[f"pupils_{band}"] = plan.area.pupils[list(BAND_GRADES[band])].sum(axis=1)
    return table.assign(assumed=plan.area.demand["assumed"]).rename_axis("demand_id").reset_index()


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; columns' numbers stay numbers.

    >>> import pandas as pd
    >>> safe(pd.DataFrame({"name": ["=1+1", "王家塬"]}))["name"].tolist()
    ["'=1+1", '王家塬']
    """
    import pandas as pd

    def guard(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value

    guarded = frame.copy()
    for column in guarded:
        if not pd.api.types.is_numeric_dtype(guarded[column]):
            guarded[column] = guarded[column].map(guard)
    return guarded


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV; text that a spreadsheet would run as a formula is guarded."""
    safe(frame).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
