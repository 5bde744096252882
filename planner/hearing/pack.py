"""The pack: every sheet, laid out and written as a folder that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import DataError, Fault
from planner.hearing.facts import ending, trips
from planner.hearing.pages import page
from planner.hearing.printing import print_pdf
from planner.hearing.sheets import Sheet, county_sheet, school_sheet, town_sheet
from planner.hearing.why import reasons_of
from planner.plan import Plan
from planner.public import public as published
from planner.report import free_target, whole_folder
from planner.travel import paths

WHOLE, MARKER = "hearing.html", "hearing.json"


def _silent(_: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, eq=False)
class Pack:
    """The sheets of a plan in one language, the county's first.

    Parameters
    ----------
    plan : what they speak of
    language : ``zh`` or ``en``
    sheets : county, towns, schools
    """

    plan: Plan
    language: str
    sheets: tuple[Sheet, ...]


def hearing_pack(
    plan: Plan,
    *,
    language: str = "zh",
    schools: Sequence[str] = (),
    towns: Sequence[str] = (),
    quick: bool = False,
    seconds: float = 1.0,
    public: bool = False,
    tell: Callable[[str], object] = _silent,
) -> Pack:
    """The sheets for the hearing of a plan.

    Parameters
    ----------
    language : ``zh`` or ``en``
    schools, towns : ids of those that get a sheet; where neither is named, every school that ends and every town
    quick : why a school ends is read off one table, without what would flip it
    seconds : for each threshold of each school: more settles more of them
    public : the sheets of the plan's public edition; why a school ends is found in the full plan and said without
        figures
    tell : is told what is being done

    Raises
    ------
    DataError : there is no such school or town, the school goes on with all its stages, or the plan is a public
        edition itself

    >>> [sheet.file for sheet in hearing_pack(tiny.plan, quick=True).sheets]
    ['county.html', 'towns/01-A.html', 'towns/02-B.html', 'schools/01-S2.html']
    """
    if plan.area.public:
        fix = "Give the full plan, and ask for its public edition (public=True, --public)."
        raise DataError([Fault("plan", "it is a public edition: why a school ends cannot be proven of it", fix)])
    ends = ending(plan)
    if faults := [*_strangers("town", towns, plan.area.towns.index), *_unfit(plan, schools, ends)]:
        raise DataError(faults)
    every = not schools and not towns
    numbers = {school: f"{number:02d}" for number, school in enumerate(ends, 1)}
    chosen = [s for s in ends if every or s in schools]
    asked = [s for s in ends if s in chosen or plan.area.schools.at[s, "town_id"] in towns]
    whys = reasons_of(plan, asked, quick=quick, seconds=seconds, tell=tell, public=public)
    plan = published(plan) if public else plan
    moved = trips(plan)
    pairs = moved[["demand_id", "to_school", "mode_after"]].set_axis(["demand_id", "school_id", "mode"], axis=1)
    ways = paths(plan.area, plan.scenario.travel, pairs[pairs["school_id"] != ""])
    of_schools = [school_sheet(plan, s, numbers[s], whys[s], ways) for s in chosen]
    of_towns = [
        town_sheet(plan, str(t), number, numbers, whys, ways)
        for number, t in enumerate(plan.area.towns.index, 1)
        if every or str(t) in towns
    ]
    return Pack(plan, language, (county_sheet(plan, numbers, of_schools, of_towns), *of_towns, *of_schools))


def _strangers(what: str, asked: Sequence[str], known: Any) -> list[Fault]:
    ids = [str(i) for i in known]
    fix = f"Use one of {', '.join(ids[:10])}{', ...' if ids[10:] else ''}."
    return [Fault(f"--{what}", f"there is no {what} {i!r}", fix) for i in asked if i not in ids]


def _unfit(plan: Plan, asked: Sequence[str], ends: Sequence[str]) -> list[Fault]:
    """Schools that get no sheet."""
    faults = _strangers("school", asked, plan.area.schools.index)
    known = [school for school in asked if school in plan.area.schools.index and school not in ends]
    fix = f"Schools with a sheet: {', '.join(ends[:10])}{', ...' if ends[10:] else ''}." if ends else "No school ends."
    return faults + [Fault("--school", f"{s!r} ends no stage in this plan, so there is no sheet", fix) for s in known]


def save_pack(pack: Pack, folder: str | Path, *, program: str = "", tell: Callable[[str], object] = _silent) -> Path:
    """Write the pack: ``hearing.html`` with all sheets, each sheet in a file of its own, and ``hearing.json``.

    Parameters
    ----------
    program : a browser, where the whole is printed as ``hearing.pdf``, too

    Raises
    ------
    DataError : the folder exists and is no pack, or may not be written, or nothing could be printed
    """
    from planner.folders import write_json

    target = free_target(folder, MARKER)
    with whole_folder(target) as part:
        (part / WHOLE).write_text(page(pack.plan, pack.language, pack.sheets), "utf-8")
        for sheet in pack.sheets:
            file = part / sheet.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(page(pack.plan, pack.language, [sheet]), "utf-8")
        if program:
            tell("printing")
            print_pdf(part / WHOLE, part / "hearing.pdf", program)
        rooted = pack.plan.rooted
        said = {
            "plan": pack.plan.title,
            "language": pack.language,
            "public": pack.plan.area.public,
            "sheets": [{"kind": sheet.kind, "file": sheet.file, "name": sheet.name} for sheet in pack.sheets],
            "scenario_sha256": rooted.scenario_sha256,
            "area_sha256": rooted.area_sha256,
            "versions": dict(rooted.versions),
        }
        write_json(said, part / MARKER)
    return target
