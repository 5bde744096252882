"""What the page needs to answer "what if this school stayed?": travel times, who may teach whom, today's schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.draw.asked import without_rules
from planner.model import BAND_GRADES, BANDS, STAGES, StudyArea
from planner.plan import Plan, Question, ask
from planner.plan.whatif import limits_of, tenths

ORIGINS = ("existing", "candidate", "gain")


def whatif(
    area: StudyArea, plans: Sequence[Plan], school_row: Mapping[str, int], village_row: Mapping[str, int]
) -> dict[str, Any] | None:
    """Travel times and sites of the plans' questions, each question and each table of times once; None without a plan.

    Returns
    -------
    ``stages``; ``times``: each with ``schools`` and ``villages`` (rows) and ``tenths`` (a list for each of these
    villages: tenths of a minute to each of these schools, -1: no way); ``of``: a question a plan; ``questions``, each
    with ``limits`` (minutes by band, None: no norm); ``pupils``, by village and band where they are not those of the
    area, else None; ``bands``: which of the times a band has (-1: none), the ``schools`` that may teach it, and
    ``today``, a school row a village (-1: no pupils or no way); ``sites``: school row, stage (of ``stages``), seats,
    and where the stage comes from (of ``ORIGINS``); ``scenario``: the question in TOML, without the rules that keep and
    close; ``moved``: times, village, school and the tenths there, where a norm forbids plain rounding

    >>> rows = {"S1": 0, "S2": 1, "S3": 2}, {"V1": 0, "V2": 1, "V3": 2, "V4": 3}
    >>> found = whatif(tiny.area, [tiny.today, tiny.plan], *rows)
    >>> found["times"][0]["tenths"][1], found["of"], found["questions"][0]["bands"][3]
    ([200, 0, 400], [0, 0], {'times': 0, 'schools': [2], 'today': [-1, -1, 2, 2]})
    """
    if not plans:
        return None
    tables = Tables(plans[-1].area, list(school_row), list(village_row))
    counts = pupils(area)
    made: list[dict[str, Any]] = []
    of: list[int] = []
    for i, plan in enumerate(plans):
        known = next((of[k] for k, other in enumerate(plans[:i]) if _same_question(plan, other)), None)
        if known is None:
            own = pupils(plan.area)
            found = _question(plan, tables, school_row, village_row) | {"pupils": None if own == counts else own}
            if found not in made:
                made.append(found)
            known = made.index(found)
        of.append(known)
    return {"stages": list(STAGES), "times": tables.packed(), "questions": made, "of": of}


def lean(plans: Sequence[Mapping[str, Any]], asked: Mapping[str, Any] | None, area: StudyArea) -> list[list[Any]]:
    """Trips of the page's plans without what ``whatif`` says already; ``knownTrips`` of ``questions.js`` puts it back.

    ``pupils`` is None where all of a village's band make the trip, ``minutes`` where it takes what the tables say.
    """
    if asked is None:
        return []
    places = [
        {name: {row: i for i, row in enumerate(table[name])} for name in ("villages", "schools")}
        for table in asked["times"]
    ]
    counts = pupils(area)

    def left(
        trip: dict[str, Any], question: Mapping[str, Any], moved: Mapping[tuple[int, int, int], int]
    ) -> dict[str, Any]:
        village, band, school = (trip[key] for key in ("village", "band", "school"))
        whole = trip["pupils"] == (question["pupils"] or counts)[village][band]
        said = {"pupils": None if whole else trip["pupils"]}
        if school >= 0:
            at = question["bands"][band]["times"]
            row, column = places[at]["villages"][village], places[at]["schools"][school]
            tenth = moved.get((at, village, school), asked["times"][at]["tenths"][row][column])
            said["minutes"] = None if trip["minutes"] == tenth / 10 else trip["minutes"]
        return {**trip, **said}

    made = []
    for plan, of in zip(plans, asked["of"], strict=True):
        question = asked["questions"][of]
        moved = {(at, village, school): tenth for at, village, school, tenth in question["moved"]}
        made.append([left(trip, question, moved) for trip in plan["trips"]])
    return made


def pupils(area: StudyArea) -> list[list[int]]:
    """Pupils of every village, in the area's order, by band.

    >>> pupils(tiny.area)[2]
    [0, 5, 5, 2]
    """
    sums = [area.pupils[list(BAND_GRADES[band])].sum(axis=1).reindex(area.demand.index) for band in BANDS]
    made: list[list[int]] = np.column_stack(sums).astype(int).tolist()
    return made


class Tables:
    """Tables of minutes, each kept once, with villages and schools along a curve so that they take few bytes."""

    def __init__(self, area: StudyArea, schools: Sequence[str], villages: Sequence[str]) -> None:
        self.villages = _along_a_curve(area.demand.geometry)
        self.beside = _along_a_curve(area.schools.geometry)
        self.ids = [villages[row] for row in self.villages], [schools[row] for row in self.beside]
        self.minutes: list[np.ndarray] = []
        self.taught: list[set[int]] = []

    def put(self, plan: Plan, band: str, taught: Sequence[int]) -> int:
        """The number of a band's table; these schools may be asked for in it."""
        trips = plan.times.trips
        villages, schools = (
            pd.Index(ids).get_indexer(pd.Index(wanted))
            for ids, wanted in zip((trips.demand, trips.school), self.ids, strict=True)
        )
        minutes = trips.minutes[trips.band.tolist().index(band)][np.ix_(villages, schools)]
        same = (k for k, other in enumerate(self.minutes) if np.array_equal(other, minutes, equal_nan=True))
        at = next(same, len(self.minutes))
        if at == len(self.minutes):
            self.minutes.append(minutes)
            self.taught.append(set())
        self.taught[at].update(taught)
        return at

    def moved(self, at: int, taught: Sequence[int], limits: Sequence[float]) -> list[list[int]]:
        """Where these norms forbid plain rounding: the table, village, school and tenths of a minute."""
        minutes = self.minutes[at]
        right = tenths(minutes, limits)
        row, column = np.nonzero((right != tenths(minutes, ())) & np.isfinite(right))
        cells = zip(row.tolist(), column.tolist(), right[row, column].astype(int).tolist(), strict=True)
        return [[at, self.villages[i], self.beside[j], value] for i, j, value in cells if self.beside[j] in taught]

    def packed(self) -> list[dict[str, Any]]:
        """All of them for the page, in tenths of a minute."""
        made = []
        for minutes, rows in zip(self.minutes, self.taught, strict=True):
            columns = [j for j, row in enumerate(self.beside) if row in rows]
            cells = np.nan_to_num(tenths(minutes[:, columns], ()), nan=-1).astype(int).tolist()
            made.append({"schools": [self.beside[j] for j in columns], "villages": self.villages, "tenths": cells})
        return made


def _same_question(plan: Plan, other: Plan) -> bool:
    """Whether two plans are known to answer one question, without laying either out."""
    return plan.area is other.area and plan.times is other.times and plan.scenario == other.scenario


def _question(
    plan: Plan, tables: Tables, school_row: Mapping[str, int], village_row: Mapping[str, int]
) -> dict[str, Any]:
    question, limits = ask(plan.area, plan.times, plan.scenario), limits_of(plan.scenario)
    bands, moved = [], set()
    for band in BANDS:
        taught = _schools_of(question, band, school_row)
        at = tables.put(plan, band, taught) if taught else -1
        moved |= {tuple(cell) for cell in tables.moved(at, taught, limits)} if taught else set()
        today = _today(question, band, school_row, village_row)
        bands.append({"times": at, "schools": taught, "today": today})
    sites = question.sites
    names = (sites["school_id"].map(dict(school_row)), sites["stage"].map(STAGES.index))
    return {
        "limits": {band: _known(plan.scenario.travel.limit_minutes(band)) for band in BANDS},
        "bands": bands,
        "sites": [
            [school, stage, _known(seats), ORIGINS.index(origin)]
            for school, stage, seats, origin in zip(*names, sites["seats"], sites["origin"], strict=True)
        ],
        "scenario": without_rules(plan.scenario),
        "moved": sorted(map(list, moved)),
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
    """A number as JSON says it, unknown and unlimited as null."""
    if not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)
