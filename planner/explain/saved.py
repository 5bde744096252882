"""A saved plan, as a plan again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import DataError, Fault
from planner.model import Rooted, TravelTimes
from planner.plan import Plan, current_plan
from planner.travel import travel_times
from planner.verify.folder import ACTIONS, IN_FUTURES, ROWS, changed, full, number, read_folder
from planner.wording import is_plain, remark_of

if TYPE_CHECKING:
    import pandas as pd


def read_plan(folder: str | Path, area: str | Path | None = None) -> Plan:
    """The plan of a folder that ``planner run`` or ``score`` wrote; travel times are made anew or come from the cache.

    Parameters
    ----------
    area : the study-area folder; by default the one that plan.json names

    Raises
    ------
    DataError : the folder is no plan folder, its area cannot be found, or what it holds or comes from has changed since
    """
    saved = full(read_folder(Path(folder), area))
    if found := changed(saved):
        raise DataError([Fault(str(saved.path), what, "Run its scenario again.") for what in found])
    said = saved.summary
    times = travel_times(saved.area, saved.scenario.travel)
    unknown: dict[str, Any] = {key: math.nan if said.get(key) is None else float(said[key]) for key in _NUMBERS}
    return Plan(
        saved.area,
        saved.scenario,
        times,
        title=str(said["title"]),
        status=str(said["status"]),
        actions=_frame(saved.actions, ACTIONS, whole=("pupils",)),
        assignment=_unrounded(_frame(saved.assignment, ROWS, whole=("pupils",)), times),
        seconds=float(said["seconds"]),
        today=current_plan(saved.area, times, saved.scenario),
        rooted=Rooted(said["scenario"]["sha256"], said["area"]["sha256"], said["versions"]),
        notes=tuple(remark_of(held) for held in said["notes"] if is_plain(held)),
        futures=_frame(saved.futures, IN_FUTURES, whole=("pupils",)) if saved.futures else None,
        **unknown,
    )


def _unrounded(rows: pd.DataFrame, times: TravelTimes) -> pd.DataFrame:
    """Minutes and km as the travel times have them: the table's are rounded, and would differ from any other plan's."""
    import pandas as pd

    some, table = (rows["school_id"] != "").to_numpy(), rows.copy()
    at = [
        times.data.get_index(dim).get_indexer(pd.Index(rows.loc[some, column]))
        for dim, column in (("band", "band"), ("demand", "demand_id"), ("school", "school_id"))
    ]
    for name in ("minutes", "km"):
        table.loc[some, name] = times.data[name].to_numpy()[tuple(at)]
    return table


_NUMBERS = ("objective", "bound", "gap", "annual_cost_cny", "capital_cost_cny")


def _frame(rows: list[dict[str, str]], columns: dict[str, str], whole: tuple[str, ...]) -> pd.DataFrame:
    """Rows of text as a table with numbers where they are meant."""
    import pandas as pd

    table = pd.DataFrame({name: [row[name] for row in rows] for name in columns})
    for name, kind in columns.items():
        if kind:
            table[name] = [number(cell) for cell in table[name]]
    return table.astype(dict.fromkeys(whole, "int64"))
