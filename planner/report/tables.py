"""The plan's tables as people read them: names beside ids, and nothing that a spreadsheet would run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.compare import scorecard
from planner.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


def tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """The plan's tables as people read them, with the names beside the ids.

    >>> tables(tiny.plan)["actions"].columns.tolist()[:4]
    ['school_id', 'school_name', 'kind', 'town_id']
    """
    schools, demand = plan.area.schools, plan.area.demand
    actions = plan.actions.copy()
    for column, place in (("town_id", "town_id"), ("kind", "kind"), ("school_name", "name")):
        actions.insert(1, column, actions["school_id"].map(schools[place]))
    assignment = plan.assignment.copy()
    assignment.insert(1, "demand_name", assignment["demand_id"].map(demand["name"]))
    assignment.insert(2, "town_id", assignment["demand_id"].map(demand["town_id"]))
    at = assignment.columns.get_loc("school_id")
    assignment.insert(int(at) + 1, "school_name", assignment["school_id"].map(schools["name"]).fillna(""))  # type: ignore[arg-type]
    assignment[["minutes", "km"]] = assignment[["minutes", "km"]].round(6)
    return {"actions": actions, "assignment": assignment, "scorecard": scorecard(plan)}


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


def unguarded(value: str) -> str:
    """The text that ``safe`` was given.

    >>> unguarded("'=1+1"), unguarded("O'Neil")
    ('=1+1', "O'Neil")
    """
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA_STARTS) else value


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV; text that a spreadsheet would run as a formula is guarded."""
    safe(frame).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
