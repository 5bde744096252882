"""The way into every command: a scenario, its area, and its travel times, with what is being done on stderr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.commands.console import say, step
from planner.errors import DataError, Fault

if TYPE_CHECKING:
    from planner.model import StudyArea, TravelTimes
    from planner.scenario import Scenario


def question_of(path: Path, area: Path | None) -> tuple[Scenario, StudyArea]:
    """The scenario of a file, and its area: the one it lies in unless another is named.

    Raises
    ------
    DataError, ScenarioError : either cannot be read, or the file lies in no area
    """
    from planner.area import read_area
    from planner.scenario import read_scenario

    question = read_scenario(path)
    folder = area or path.resolve().parent.parent
    if area is None and not (folder / "area.toml").is_file():
        said = "it does not lie in the scenarios folder of a study area"
        raise DataError([Fault(str(path), said, "Say which area with --area.")])
    with step(f"Reading {folder.name}") as tell:
        county = read_area(folder)
        tell(", ".join(f"{value:,} {word}" for word, value in facts_of(county)["counts"].items()))
    return question, county


def read(path: Path, area: Path | None) -> tuple[Scenario, StudyArea, TravelTimes]:
    """The scenario of a file, its area, and the travel times it asks for."""
    question, county = question_of(path, area)
    return question, county, times_of(county, question)


def times_of(county: StudyArea, question: Scenario) -> TravelTimes:
    """The travel times that a scenario asks for; places without any way are said."""
    from planner.travel import travel_times

    with step("Travel times") as tell:
        times = travel_times(county, question.travel, tell=lambda what: say(f"Travel times: {what} ..."))
        tell("from the cache" if times.from_cache else "")
    if times.off_network:
        named = list(times.off_network.items())
        say(f"{len(named)} places have no way to or from anywhere; the first: {named[0][0]}: {named[0][1]}.")
    return times


def read_either(path: Path, area: Path | None) -> tuple[Scenario, StudyArea, TravelTimes]:
    """As ``read``; a plan folder is asked the question that it answers."""
    if not path.is_dir():
        return read(path, area)
    from planner.travel import travel_times
    from planner.verify.folder import full, read_folder

    with step(f"Reading {path}"):
        folder = full(read_folder(path, area))
        times = travel_times(folder.area, folder.scenario.travel)
    return folder.scenario, folder.area, times


def facts_of(area: StudyArea) -> dict[str, Any]:
    """What an area holds, in figures.

    >>> facts_of(tiny.area)["counts"]["pupils"]
    66
    """
    return {
        "title": area.title,
        "crs": area.crs,
        "synthetic": area.synthetic,
        "counts": {
            "schools": len(area.schools),
            "demand points": len(area.demand),
            "pupils": int(area.pupils.to_numpy().sum()),
            "towns": len(area.towns),
            "km of road": round(float(area.roads.edges["length_m"].sum()) / 1000),
        },
    }
