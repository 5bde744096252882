"""The command that draws saved plans again: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.commands.console import put_json, step
from planner.commands.options import AreaOf, AsJson, MapTiles, PublicEdition, TilesCredit, TilesDatum, either_language
from planner.errors import DataError, Fault

if TYPE_CHECKING:
    from planner.plan import Plan


def draw_map(
    plans: Annotated[list[Path], typer.Argument(help="Plan folders of one area.")],
    language: Annotated[str, typer.Option("--lang", help="zh or en: what the page opens in.")] = "zh",
    tiles: MapTiles = "",
    tiles_datum: TilesDatum = "",
    tiles_credit: TilesCredit = "",
    out: Annotated[Path | None, typer.Option("--out", help="The page to write.")] = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """Today's layout and saved plans on one page, in the language and on the ground that are asked for."""
    from planner.draw import draw, tiles_of
    from planner.explain import read_plan
    from planner.public import public as public_edition

    language = either_language(language)
    ground = tiles_of(tiles, datum=tiles_datum, credit=tiles_credit) if tiles else None
    target = out or Path("out") / f"{plans[0].resolve().name}-map.html"
    made: list[Plan] = []
    for folder in plans:
        with step(f"Reading {folder}"):
            plan = read_plan(folder, area)
            made.append(public_edition(plan) if public else plan)
    _of_one_area(made, plans)
    with step(f"Writing {target}"):
        first = made[0].today
        draw(made[0].area, *([first] if first else []), *made, lang=language, tiles=ground).save(target)
    if as_json:
        put_json({"file": str(target), "plans": [plan.title for plan in made]})
        return
    print(f"Open {target}")


def _of_one_area(made: list[Plan], folders: list[Path]) -> None:
    """One page has one set of schools and villages.

    Raises
    ------
    DataError : a plan is of another area than the first
    """
    said = f"its area is not that of {folders[0]}"
    fix = "Draw plans of one area on a page; compare others with planner compare."
    faults = [
        Fault(str(folder), said, fix)
        for folder, plan in zip(folders, made, strict=True)
        if plan.rooted.area_sha256 != made[0].rooted.area_sha256
    ]
    if faults:
        raise DataError(faults)
