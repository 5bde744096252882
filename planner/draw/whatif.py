"""What the page needs to answer "what if this school stayed?": travel times, who may teach whom, today's schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np

from planner.draw.asked import without_rules
from planner.model import BANDS, STAGES
from planner.plan import Plan, Question, ask
from planner.plan.whatif import limits_of, tenths

ORIGINS = ("existing", "candidate", "gain")


def whatif(
    plans: Sequence[Plan], school_row: Mapping[str, int], village_row: Mapping[str, int]
) -> dict[str, Any] | None:
    """Travel times and sites of the last plan's question; None without a plan.

    Returns
    -------
    ``times``: each with ``schools`` and ``villages`` (rows) and ``tenths`` (a list for each of these villages: tenths
    of a minute to each of these schools, -1: no way); ``bands``: which of the times a band has (-1: none), the
    ``schools`` that may teach it, and ``today``, a school row a village (-1: no pupils or no way); ``sites``: school
    row, stage (of ``stages``), seats, and where the stage comes from (of ``ORIGINS``); ``scenario``: the question in
    TOML, without the rules that keep and close

    >>> rows = {"S1": 0, "S2": 1, "S3": 2}, {"V1": 0, "V2": 1, "V3": 2, "V4": 3}
    >>> found = whatif([tiny.plan], *rows)
    >>> found["times"][0]["tenths"][1], found["bands"][3]
    ([200, 0, 400], {'times': 0, 'schools': [2], 'today': [-1, -1, 2, 2]})
    """
    if not plans:
        return None
    plan = plans[-1]
    question = ask(plan.area, plan.times, plan.scenario)
    times: list[dict[str, Any]] = []
    found: list[tuple[np.ndarray, set[int]]] = []
    bands = []
    for band in BANDS:
        taught = _schools_of(question, band, school_row)
        if not taught:
            bands.append({"times": -1, "schools": [], "today": [-1] * len(village_row)})
            continue
        minutes = plan.times.data["minutes"].sel(band=band).values
        at = next((k for k, (same, _) in enumerate(found) if np.array_equal(same, minutes, equal_nan=True)), len(found))
        if at == len(found):
            found.append((minutes, set()))
        found[at][1].update(taught)
        bands.append({"times": at, "schools": taught, "today": _today(question, band, school_row, village_row)})
    school_at = {str(school): i for i, school in enumerate(plan.times.data["school"].values)}
    demand_at = {str(demand): i for i, demand in enumerate(plan.times.data["demand"].values)}
    villages, ids = _along_a_curve(plan.area.demand.geometry), list(school_row)
    beside = _along_a_curve(plan.area.schools.geometry)
    order = [demand_at[str(plan.area.demand.index[row])] for row in villages]
    for minutes, rows in found:
        schools = [row for row in beside if row in rows]
        cells = minutes[np.ix_(order, [school_at[ids[row]] for row in schools])]
        made = np.nan_to_num(tenths(cells, limits_of(plan.scenario)), nan=-1).astype(int).tolist()
        times.append({"schools": schools, "villages": villages, "tenths": made})
    sites = question.sites
    names = (sites["school_id"].map(dict(school_row)), sites["stage"].map(STAGES.index))
    return {
        "stages": list(STAGES),
        "times": times,
        "bands": bands,
        "sites": [
            [school, stage, _known(seats), ORIGINS.index(origin)]
            for school, stage, seats, origin in zip(*names, sites["seats"], sites["origin"], strict=True)
        ],
        "scenario": without_rules(plan.scenario),
    }


def _along_a_curve(points: gpd.GeoSeries) -> list[int]:
    """Rows of the points, neighbours one after another: their times differ little, so that they take few bytes."""
    known = np.flatnonzero(~(points.is_empty | points.isna()).to_numpy())
    along = points.iloc[known].hilbert_distance().to_numpy() if len(known) else known
    rest = np.setdiff1d(np.arange(len(points)), known)
    return [int(row) for row in (*known[np.argsort(along, kind="stable")], *rest)]


def _schools_of(question: Question, band: str, school_row: Mapping[str, int]) -> list[int]:
    """Rows of the schools that may teach a band."""
    rows = np.flatnonzero((question.rows["band"] == band).to_numpy())
    if not len(rows):
        return []
    ids = question.sites["school_id"][question.teaches[rows[0]]]
    return sorted(school_row[str(school)] for school in ids)


def _today(question: Question, band: str, school_row: Mapping[str, int], village_row: Mapping[str, int]) -> list[int]:
    made = [-1] * len(village_row)
    here = (question.rows["band"] == band).to_numpy() & (question.nearest_today >= 0)
    ids = question.sites["school_id"].to_numpy()[question.nearest_today[here]]
    for village, school in zip(question.rows["demand_id"][here], ids, strict=True):
        made[village_row[str(village)]] = school_row[str(school)]
    return made


def _known(value: float) -> int | float | None:
    """A number as JSON says it, unknown as null."""
    if np.isnan(value):
        return None
    return int(value) if float(value).is_integer() else float(value)
