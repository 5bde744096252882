"""Commands that say why, on the screen and on paper: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.console import put_json, say, show, step
from planner.commands.options import AreaOf, AsJson, PublicEdition, either_language

LEFT_OUT = (
    "Leave out what takes longest: what would have to be true to keep a school, who would go where if it were kept, "
    "and whether easing the town's rule would keep it."
)


def explain(
    plan: Annotated[Path, typer.Argument(help="A plan folder.")],
    school: Annotated[str | None, typer.Argument(help="An id of the area's schools; without one, all of them.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="A table of all schools.")] = False,
    language: Annotated[str, typer.Option("--lang", help="en or zh: what the sentences are in.")] = "en",
    area: AreaOf = None,
    as_json: AsJson = False,
) -> None:
    """Why a school closes or stays: the best plan with the opposite, proven, who moves, and what would flip it."""
    from planner.explain import explain as explain_school
    from planner.explain import explain_all, read_plan
    from planner.explain.show import document, records, table_of

    language = either_language(language)
    if everyone and school is not None:
        raise typer.BadParameter("give a school or --all, not both")
    with step(f"Reading {plan}"):
        found = read_plan(plan, area)
    if school is None:
        with step("Turning every school's fate round"):
            table = explain_all(found)
        if as_json:
            put_json({"objective_unit": found.scenario.objective.minimise, "schools": records(table)})
        else:
            show(*table_of(found, table, language))
        return
    with step(f"Turning the fate of {school} round"):
        why = explain_school(found, school)
    if as_json:
        put_json(document(found, why))
        return
    print(why.text(language))
    if why.other_way is not None:
        label = ["label_en", "label_zh", "plan", "other", "unit", "other_change"]
        heads = ["", "指标", "plan 本方案", "other way 相反", "unit", ""]
        show("The plan beside its opposite / 本方案与相反方案", why.indicators[label].set_axis(heads, axis=1))


def report(
    plan: Annotated[Path, typer.Argument(help="A plan folder.")],
    language: Annotated[str, typer.Option("--lang", help="zh or en: what the sheets are in.")] = "zh",
    school: Annotated[list[str] | None, typer.Option(help="Only this school's sheet; may stand again.")] = None,
    town: Annotated[list[str] | None, typer.Option(help="Only this town's sheet; may stand again.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it with Chromium, Chrome or Edge, too.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help=LEFT_OUT)] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="For each threshold of a school; more settles more.")] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write; without it NAME-hearing, -en, -public beside the plan."),
    ] = None,
    area: AreaOf = None,
    public: PublicEdition = False,
) -> None:
    """The paper for the hearing: a sheet for every school that closes, for every town, and one for the county."""
    from planner.explain import read_plan
    from planner.hearing import browser, hearing_pack, save_pack
    from planner.report import free_target

    language = either_language(language)
    target = free_target(out or beside(plan, language, public=public), "hearing.json")
    program = browser() if pdf else ""
    with step(f"Reading {plan}"):
        found = read_plan(plan, area)
    with step("Why each school ends"):
        chosen = {"schools": school or (), "towns": town or ()}
        pack = hearing_pack(found, language=language, **chosen, quick=quick, seconds=seconds, public=public, tell=say)
    with step(f"Writing {target}") as tell:
        folder = save_pack(pack, target, program=program)
        tell(f"{len(pack.sheets)} sheets")
    print(f"Open {folder / ('hearing.pdf' if pdf else 'hearing.html')}")


def beside(plan: Path, language: str, *, public: bool) -> Path:
    """Where a plan's paper goes: beside its folder, by a name of its own for each language and edition.

    No edition takes another's place, and planning again does not take the paper away.

    >>> beside(Path("/out/county"), "zh", public=False).as_posix(), beside(Path("/out/county"), "en", public=True).name
    ('/out/county-hearing', 'county-hearing-en-public')
    """
    folder = plan.resolve()
    return folder.with_name(f"{folder.name}-hearing{'-en' * (language == 'en')}{'-public' * public}")
