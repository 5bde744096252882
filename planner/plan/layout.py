"""From open sites and who goes where to a plan: actions, assignment, costs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.demand import largest_remainder
from planner.model import BUS_MODES, Rooted
from planner.optimise import LocationSolution
from planner.plan.question import Question
from planner.plan.types import Plan

if TYPE_CHECKING:
    import pandas as pd

SCHOOL_DAYS = 200
"""Days of school in a year, for the annual cost of buses (both ways)."""


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen for a question.

    Parameters
    ----------
    is_open : (n_site,) bool
    row, site, pupils : (n,) which row goes to which site (-1 none), and how many pupils; split rows stand several times
    reason : (n,) "" or why there is no site
    added : (n_site,) seats added
    """

    is_open: np.ndarray
    row: np.ndarray
    site: np.ndarray
    pupils: np.ndarray
    reason: np.ndarray
    added: np.ndarray


def whole(question: Question, is_open: np.ndarray, site: np.ndarray, added: np.ndarray | None = None) -> Choice:
    """A choice in which every row goes whole to one site (-1: none)."""
    reason = np.where(site >= 0, "", np.where(question.reachable, "no_seat", "unreachable"))
    # An open school may be out of reach although another, closed, is not.
    with np.errstate(invalid="ignore"):
        joined = (np.isfinite(question.minutes) & is_open[None, :]).any(axis=1) if len(site) else np.zeros(0, bool)
    reason = np.where((site < 0) & ~joined, "unreachable", reason)
    none = np.zeros(len(is_open)) if added is None else added
    return Choice(is_open, np.arange(len(site)), site, question.rows["pupils"].to_numpy(), reason, none)


def split(choice: Choice, row: np.ndarray, found: LocationSolution, pupils: np.ndarray) -> Choice:
    """Shares of a row as whole pupils; the total of every row is kept (largest remainder)."""
    parts: list[tuple[int, int, int, str]] = [
        (int(i), -1, int(pupils[i]), str(choice.reason[i])) for i in np.setdiff1d(np.arange(len(pupils)), row)
    ]
    for k, i in enumerate(row):
        begin, end = found.shares.indptr[k], found.shares.indptr[k + 1]
        share, at = found.shares.data[begin:end], found.shares.indices[begin:end]
        for j, count in zip(at, largest_remainder(int(pupils[i]), share), strict=True):
            if count:
                parts.append((int(i), int(j), int(count), ""))
    parts.sort()
    if not parts:
        return choice
    r, s, p, why = (np.array(column) for column in zip(*parts, strict=True))
    return dataclasses.replace(choice, row=r, site=s, pupils=p, reason=why)


def make_plan(question: Question, choice: Choice, *, title: str, status: str, **fields: Any) -> Plan:
    """The plan of a choice; ``fields`` go to ``Plan`` as they are."""
    return Plan(
        question.area,
        question.scenario,
        question.times,
        title=title,
        status=status,
        actions=actions_table(question, choice),
        assignment=assignment_table(question, choice),
        annual_cost_cny=annual_cost(question, choice),
        capital_cost_cny=capital_cost(question, choice),
        rooted=rooted(question),
        **fields,
    )


def assignment_table(question: Question, choice: Choice) -> pd.DataFrame:
    """Who goes where: see ``Plan.assignment``."""
    import pandas as pd

    rows, some = question.rows.iloc[choice.row], choice.site >= 0
    at = (choice.row, np.maximum(choice.site, 0))
    nan = np.full(len(some), np.nan)
    have = len(question.sites) > 0
    ids = question.sites["school_id"].to_numpy(dtype=object)
    words = np.array([*question.times.modes, ""], dtype=object)
    return pd.DataFrame(
        {
            "demand_id": rows["demand_id"].to_numpy(dtype=object),
            "band": rows["band"].to_numpy(dtype=object),
            "school_id": np.where(some, ids[at[1]], "") if have else np.full(len(some), ""),
            "pupils": choice.pupils.astype(np.int64),
            "minutes": np.where(some, question.minutes[at], nan) if have else nan,
            "km": np.where(some, question.km[at], nan) if have else nan,
            "mode": words[np.where(some, question.mode[at], -1)] if have else np.full(len(some), ""),
            "reason": choice.reason,
        }
    )


def loads(question: Question, choice: Choice) -> np.ndarray:
    """(n_site,) pupils."""
    some = choice.site >= 0
    return np.bincount(choice.site[some], weights=choice.pupils[some], minlength=len(question.sites)).astype(np.int64)


def actions_table(question: Question, choice: Choice) -> pd.DataFrame:
    """What becomes of every school's stage: see ``Plan.actions`` and docs/conventions.md 3.4."""
    import pandas as pd

    sites, pupils = question.sites, loads(question, choice)
    school = sites["school_id"].to_numpy()
    goes_on = set(school[choice.is_open])
    small = small_enough(question)
    found = []
    given = sites["seats"].to_numpy(dtype=float)
    for j, site in enumerate(sites.itertuples()):
        into, seats, added = "", float(given[j]), float(choice.added[j])
        if site.origin == "existing" and choice.is_open[j]:
            action, seats = ("expand" if added > 0 else "keep"), seats + added
        elif choice.is_open[j]:  # all its seats are new ones
            action, seats = "open", seats + added
            added = seats
        elif site.origin == "candidate":
            action, seats, added = "none", 0.0, 0.0
        elif site.origin == "gain":
            continue
        else:
            seats = added = 0.0
            if site.school_id in goes_on:
                action = "convert"
            elif small[j] or site.school_id in question.scenario.rules.close:
                action = "close"
            else:
                action, into = "merge", _receiver(question, choice, j)
        found.append((site.school_id, site.stage, action, into, seats, added, int(pupils[j])))
    columns = ["school_id", "stage", "action", "into", "seats", "seats_added", "pupils"]
    table = pd.DataFrame(found, columns=columns)
    return table.astype({"seats": float, "seats_added": float, "pupils": "int64"})


def small_enough(question: Question) -> np.ndarray:
    """(n_site,) the whole school is small enough to close."""
    import pandas as pd

    school = question.sites["school_id"].to_numpy()
    whole_school = pd.Series(question.enrolled * question.exists).groupby(school).transform("sum").to_numpy()
    return np.asarray(whole_school < question.scenario.rules.may_close_below_pupils)


def _receiver(question: Question, choice: Choice, ended: int) -> str:
    """The school that receives most of the pupils whose nearest school this stage was; "" when it had none."""
    came = (question.nearest_today[choice.row] == ended) & (choice.site >= 0)
    if not came.any():
        return ""
    count = np.bincount(choice.site[came], weights=choice.pupils[came], minlength=len(question.sites))
    return str(question.sites["school_id"].iloc[int(count.argmax())])


def school_costs(question: Question) -> pd.Series:
    """A year's running cost of every school, CNY: its own figure, else that of its kind, else NaN; index school_id."""
    schools = question.area.schools
    by_kind = schools["kind"].map(dict(question.scenario.costs.annual_cny_per_school)).astype(float)
    costs: pd.Series = schools["annual_cost_cny"].astype(float).fillna(by_kind)
    return costs


def bus_cny_per_pupil(question: Question) -> np.ndarray:
    """(n_row, n_site) a year's bus for one pupil, both ways on every school day; 0 on foot."""
    is_bus = np.isin(question.mode, [question.times.modes.index(mode) for mode in BUS_MODES])
    rate = question.scenario.costs.bus_cny_per_pupil_km * 2 * SCHOOL_DAYS
    return np.where(is_bus, np.nan_to_num(question.km) * rate, 0.0)


def annual_cost(question: Question, choice: Choice) -> float:
    """A year's running costs, CNY; NaN where an open school's is unknown."""
    open_schools = question.sites["school_id"][choice.is_open].unique()
    some = choice.site >= 0
    buses = bus_cny_per_pupil(question)[choice.row[some], choice.site[some]] * choice.pupils[some]
    per_pupil = question.scenario.costs.annual_cny_per_pupil * choice.pupils[some].sum()
    return float(school_costs(question)[open_schools].sum(skipna=False) + per_pupil + buses.sum())


def capital_cost(question: Question, choice: Choice) -> float:
    """What the added seats cost to build, CNY; NaN where they have no price or an opened school's seats are unknown."""
    opened = choice.is_open & ~question.exists
    seats = choice.added.sum() + question.sites["seats"].to_numpy()[opened].sum()
    if seats == 0:
        return 0.0
    price = question.scenario.capacity.cost_per_seat_cny
    return float("nan") if price is None else float(seats * price)


def rooted(question: Question) -> Rooted:
    """Hashes of what went in and versions of what worked on it."""
    return Rooted(question.scenario.sha256, question.area.content_hash, dict(_versions()))


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    """Looked up once: each takes milliseconds, and a plan is made in about a hundred."""
    from importlib.metadata import version

    parts = ("school-layout-planner", "highspy", "numpy", "scipy", "geopandas")
    return tuple((name, version(name)) for name in parts)
