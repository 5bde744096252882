"""A county as it may come to be: other pupils, other speeds, other roads."""

from __future__ import annotations

import dataclasses

from planner.demand import scaled
from planner.model import BAND_GRADES, BANDS, ROAD_MODES, StudyArea
from planner.roads import SPEED_KMH
from planner.scenario import Future, Scenario, Travel


def come_true(area: StudyArea, scenario: Scenario, future: Future) -> tuple[StudyArea, Scenario]:
    """The area and the scenario of a future.

    >>> area, scenario = come_true(tiny.area, tiny.scenario, Future(name="fewer", pupils=0.5, speed=0.8))
    >>> int(area.pupils.to_numpy().sum()), round(scenario.travel.access_kmh, 2)
    (33, 3.6)
    """
    factor = {grade: future.pupils_factor(band) for band in BANDS for grade in BAND_GRADES[band]}
    pupils = scaled(area.pupils, factor)
    travel = _closed(_quicker(scenario.travel, future.speed), future)
    return dataclasses.replace(area, pupils=pupils), scenario.model_copy(update={"travel": travel})


def _quicker(travel: Travel, factor: float) -> Travel:
    """Every speed times a factor; waits stay as long."""
    if factor == 1.0:
        return travel
    speeds = {
        mode: {word: kmh * factor for word, kmh in {**SPEED_KMH[mode], **travel.speeds.get(mode, {})}.items()}  # type: ignore[call-overload]
        for mode in ROAD_MODES
    }
    return travel.model_copy(update={"speeds": speeds, "access_kmh": travel.access_kmh * factor})


def _closed(travel: Travel, future: Future) -> Travel:
    return travel.model_copy(update={"closed_edges": (*travel.closed_edges, *future.closed_edges)})
