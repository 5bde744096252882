"""A scenario laid on an area: which stages of which schools may end or open, and who could go where."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import Fault, ScenarioError
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, STAGES, StudyArea, TravelTimes
from planner.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE_MINUTES = 1e-6


@dataclass(frozen=True, eq=False)
class Question:
    """The arrays that every plan of a scenario is made from.

    Parameters
    ----------
    rows : a demand point's band with pupils: columns ``demand_id, band, stage, town_id, pupils``
    sites : a school's stage: columns ``school_id, stage, kind, town_id, name, seats`` (NaN unknown), ``origin``
        (``existing``, ``candidate``, or ``gain``: a stage that an existing school may take up)
    minutes, km : (n_row, n_site) NaN where the site does not teach the band or no way exists
    mode : (n_row, n_site) index into ``times.modes``, -1 where there is no way
    teaches : (n_row, n_site) the site teaches the band, whether or not a way exists
    """

    area: StudyArea
    scenario: Scenario
    times: TravelTimes
    rows: pd.DataFrame
    sites: pd.DataFrame
    minutes: np.ndarray
    km: np.ndarray
    mode: np.ndarray
    teaches: np.ndarray

    @cached_property
    def exists(self) -> np.ndarray:
        """(n_site,) open in today's layout."""
        return (self.sites["origin"] == "existing").to_numpy()

    @cached_property
    def reachable(self) -> np.ndarray:
        """(n_row,) some site that teaches the band can be reached at all."""
        return np.asarray(np.isfinite(self.minutes).any(axis=1))

    @cached_property
    def nearest_today(self) -> np.ndarray:
        """(n_row,) the quickest existing site, -1 where there is none; of equals the earlier school."""
        return nearest(self.minutes, self.exists)

    @cached_property
    def norm(self) -> np.ndarray:
        """(n_row,) the band's travel norm in minutes, infinite where there is none."""
        limits = {band: self.scenario.travel.limit_minutes(band) for band in BANDS}
        return np.array([limits[band] for band in self.rows["band"].tolist()], dtype=float)

    @cached_property
    def limit(self) -> np.ndarray:
        """(n_row,) longest trip allowed: the norm, today's where that is longer and the scenario says so, or any."""
        norm = self.norm
        if self.scenario.assignment.beyond_norm == "allow":
            return np.full(len(norm), np.inf)
        if self.scenario.assignment.beyond_norm == "as_today":
            served = self.nearest_today >= 0
            today = np.full(len(norm), np.nan)
            today[served] = self.minutes[served, self.nearest_today[served]]
            norm = np.fmax(norm, today)
            # No existing school joined by road: the nearest that could open is what there is to hope for.
            with np.errstate(invalid="ignore"):
                far = np.where(np.isfinite(self.minutes), self.minutes, np.inf).min(axis=1, initial=np.inf)
            norm = np.where((self.nearest_today < 0) & np.isfinite(far), np.maximum(norm, far), norm)
        return norm

    @cached_property
    def allowed(self) -> np.ndarray:
        """(n_row, n_site) the band may go there."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.minutes <= self.limit[:, None] + TOLERANCE_MINUTES)

    @cached_property
    def enrolled(self) -> np.ndarray:
        """(n_site,) pupils today: the bureau's figure where there is one, else who is nearest."""
        counted = np.zeros(len(self.sites))
        served = self.nearest_today >= 0
        np.add.at(counted, self.nearest_today[served], self.rows["pupils"].to_numpy()[served])
        reported = self.area.schools.loc[self.sites["school_id"], [f"pupils_{stage}" for stage in STAGES]]
        stage = [STAGES.index(stage) for stage in self.sites["stage"].tolist()]
        given = reported.to_numpy(dtype=float)[np.arange(len(stage)), stage]
        return np.where(np.isnan(given), counted, given)

    @cached_property
    def may_end(self) -> np.ndarray:
        """(n_site,) the rules let the stage end.

        A whole school of fewer than ``may_close_below_pupils`` pupils, a stage below that of a school with several, and
        every stage of the kinds in ``may_merge_kinds``; never what ``keep`` names, always what ``close`` names.
        """
        rules, school = self.scenario.rules, self.sites["school_id"]
        below = rules.may_close_below_pupils
        of = np.unique(school, return_inverse=True)[1]
        pupils = np.bincount(of, weights=self.enrolled * self.exists)[of]
        stages = np.bincount(of, weights=self.exists)[of]
        may = (
            (pupils < below)
            | ((stages > 1) & (self.enrolled < below))
            | self.sites["kind"].isin(rules.may_merge_kinds).to_numpy()
            | ~self.exists
            | school.isin(rules.close).to_numpy()
        )
        return np.asarray(may & ~school.isin(rules.keep).to_numpy())


def nearest(minutes: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """(n_row,) the quickest open site, -1 where there is none.

    >>> nearest(np.array([[5.0, 3.0], [np.nan, 1.0]]), np.array([True, False])).tolist()
    [0, -1]
    """
    if minutes.shape[1] == 0:
        return np.full(len(minutes), -1)
    time = np.where(np.isfinite(minutes) & is_open[None, :], minutes, np.inf)
    best = time.argmin(axis=1)
    return np.where(np.isfinite(time[np.arange(len(time)), best]), best, -1)


def ask(area: StudyArea, times: TravelTimes, scenario: Scenario) -> Question:
    """Lay the scenario on the area.

    Raises
    ------
    ScenarioError : the scenario names a school or town that the area has not; all in one pass

    >>> ask(tiny.area, tiny.times, tiny.scenario).may_end.tolist()
    [True, True, True, True]
    """
    if faults := list(misfits(area, scenario)):
        raise ScenarioError(faults)
    sites = _sites(area, scenario)
    rows = _rows(area)
    trips = times.trips
    place, school_at, band_at = (
        {str(label): i for i, label in enumerate(ids)} for ids in (trips.demand, trips.school, trips.band)
    )
    i = np.array([place[d] for d in rows["demand_id"].tolist()], dtype=np.int64)
    j = np.array([school_at[s] for s in sites["school_id"].tolist()], dtype=np.int64)
    b = np.array([band_at[band] for band in rows["band"].tolist()], dtype=np.int64)
    teaches = _teaches(area, rows, sites)
    index = (b[:, None], i[:, None], j[None, :])
    return Question(
        area,
        scenario,
        times,
        rows,
        sites,
        minutes=np.where(teaches, trips.minutes[index], np.nan),
        km=np.where(teaches, trips.km[index], np.nan),
        mode=np.where(teaches, trips.mode[index], -1),
        teaches=teaches,
    )


def _rows(area: StudyArea) -> pd.DataFrame:
    import pandas as pd

    grades = area.pupils.reindex(area.demand.index)
    pupils = np.array([grades[list(BAND_GRADES[band])].to_numpy().sum(axis=1) for band in BANDS])
    band, place = np.nonzero(pupils > 0)
    return pd.DataFrame(
        {
            "demand_id": area.demand.index[place],
            "band": pd.Index(BANDS)[band],
            "stage": pd.Index([BAND_STAGE[band] for band in BANDS])[band],
            "town_id": area.demand["town_id"].array.take(place),
            "pupils": pupils[band, place],
        }
    )


def _sites(area: StudyArea, scenario: Scenario) -> pd.DataFrame:
    import pandas as pd

    found = []
    for school in area.schools.itertuples():
        gains = scenario.rules.may_gain.get(str(school.Index), ())
        for stage in STAGES:
            bands = [band for band in BANDS if BAND_STAGE[band] == stage]
            if any(set(BAND_GRADES[band]) <= set(school.grades) for band in bands):
                origin = "candidate" if school.status == "candidate" else "existing"
                seats = float(getattr(school, f"seats_{stage}"))
            elif stage in gains:
                origin, seats = "gain", 0.0
            else:
                continue
            found.append((str(school.Index), stage, school.kind, school.town_id, school.name, seats, origin))
    columns = ["school_id", "stage", "kind", "town_id", "name", "seats", "origin"]
    return pd.DataFrame(found, columns=columns).astype({"seats": float})


def _teaches(area: StudyArea, rows: pd.DataFrame, sites: pd.DataFrame) -> np.ndarray:
    """(n_row, n_site) the site teaches every grade of the row's band."""
    import pandas as pd

    grades = [set(given) for given in area.schools["grades"].reindex(sites["school_id"])]
    places = list(zip(sites["stage"].tolist(), (sites["origin"] == "gain").tolist(), grades, strict=True))
    by_band = [
        [BAND_STAGE[band] == stage and (gains or set(BAND_GRADES[band]) <= given) for stage, gains, given in places]
        for band in BANDS
    ]
    of_row = pd.Index(BANDS).get_indexer(pd.Index(rows["band"]))
    return np.array(by_band, dtype=bool).reshape(len(BANDS), len(sites))[of_row]


def misfits(area: StudyArea, scenario: Scenario) -> Iterator[Fault]:
    """What the scenario names that the area has not, and costs that its objective needs and nobody gives."""
    file = str(scenario.path or "scenario")
    rules = scenario.rules
    schools = [str(s) for s in area.schools.index]
    towns = [str(t) for t in area.towns.index]
    targets = tuple(dict.fromkeys(school for some in rules.merge_into.values() for school in some))
    for key, names in (
        ("keep", rules.keep),
        ("close", rules.close),
        ("may_gain", tuple(rules.may_gain)),
        ("merge_into", (*rules.merge_into, *targets)),
    ):
        for name in names:
            if name not in schools:
                yield Fault(file, f"rules.{key}: there is no school {name}", _hint(name, schools))
    for number, rule in enumerate(rules.per_town, 1):
        for town in rule.except_towns:
            if town not in towns:
                yield Fault(file, f"rules.per_town {number}: except_towns: there is no town {town}", _hint(town, towns))
    if "annual_cost_cny" in scenario.objective.named or np.isfinite(scenario.costs.max_annual_cny):
        own = area.schools["annual_cost_cny"].notna()
        given = area.schools["kind"].isin(list(scenario.costs.annual_cny_per_school))
        lost = [str(s) for s in area.schools.index[~(own | given)]]
        if lost:
            yield Fault(
                file,
                f"annual_cost_cny counts, but no annual cost is known for {len(lost)} schools ({', '.join(lost[:5])})",
                "Fill annual_cost_cny in schools, or give costs.annual_cny_per_school for their kinds.",
            )
    if "capital_cost_cny" in scenario.objective.named or np.isfinite(scenario.costs.max_capital_cny):
        sites = _sites(area, scenario)
        new = sites[(sites["origin"] == "candidate") & sites["seats"].isna()]
        if len(new):
            some = ", ".join(f"{s} {stage}" for s, stage in new[["school_id", "stage"]].to_numpy()[:5])
            yield Fault(
                file,
                f"capital_cost_cny counts, but no seats are known for {len(new)} candidate "
                f"stage{'s' if len(new) > 1 else ''} ({some})",
                "Fill the seats of these stages in schools.",
            )


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else "Use an id of the area's tables."
