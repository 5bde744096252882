"""Seats that nobody told: enough for the pupils who reach each school soonest."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np

from planner.beside import Beside, in_turn
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, STAGES, StudyArea
from planner.scenario import Travel
from planner.travel.times import mode_times
from planner.travel.trips import hierarchy_for
from planner.wording import Label, remark

SEAT_STEP = 45
SPARE_SEATS = 1.15


def seats_from_pupils(area: StudyArea, said: list[Label], beside: Beside = in_turn) -> StudyArea:
    """Seats that are not known, from the pupils who reach the school soonest, on foot or by bus."""
    schools = area.schools.copy()
    existing = (schools["status"] != "candidate").to_numpy()
    teaches = {
        band: existing & np.array([set(BAND_GRADES[band]) <= set(taught) for taught in schools["grades"]], dtype=bool)
        for band in BANDS
    }
    minutes = _minutes(area, beside)
    filled = np.zeros(len(schools), dtype=bool)
    for stage in STAGES:
        count, blank = np.zeros(len(schools)), np.zeros(len(schools), dtype=bool)
        for band in (band for band in BANDS if BAND_STAGE[band] == stage):
            blank |= teaches[band]
            time = np.where(teaches[band], minutes, np.nan)
            some = np.isfinite(time).any(axis=1)
            pupils = area.pupils[list(BAND_GRADES[band])].sum(axis=1).to_numpy()
            np.add.at(count, np.nanargmin(time[some], axis=1), pupils[some])
        blank &= schools[f"seats_{stage}"].isna().to_numpy()
        seats = np.maximum(np.ceil(count * SPARE_SEATS / SEAT_STEP), 1) * SEAT_STEP
        schools[f"seats_{stage}"] = np.where(blank, seats, schools[f"seats_{stage}"])
        words = schools["assumed"].where(~blank, schools["assumed"] + f" seats_{stage}").str.split()
        schools["assumed"] = words.map(lambda given: " ".join(dict.fromkeys(given)))
        filled |= blank
    if filled.any():
        said.append(remark("intake.seats", n=filled.sum(), spare=f"{SPARE_SEATS - 1:.0%}", step=SEAT_STEP))
    return dataclasses.replace(area, schools=schools)


def _minutes(area: StudyArea, beside: Beside = in_turn) -> np.ndarray:
    """Minutes (n_demand, n_school) by the quickest mode; NaN where there is no way.

    >>> _minutes(tiny.area).round(1).min(axis=1).tolist()
    [0.0, 0.0, 8.6, 0.0]
    """
    travel = Travel()
    hierarchy = hierarchy_for(area.roads, len(area.schools), len(travel.modes))

    def by(mode: str) -> bytes:
        return mode_times(area, travel, mode, hierarchy).minutes.tobytes()

    begin = beside if hierarchy is None else in_turn  # a hierarchy is searched by both cores as it is
    begun = [begin(partial(by, mode)) for mode in travel.modes[1:]]
    held = [by(travel.modes[0]), *(minutes() for minutes in begun)]
    shape = len(area.demand), len(area.schools)
    return np.asarray(np.fmin.reduce([np.frombuffer(minutes).reshape(shape) for minutes in held]))
