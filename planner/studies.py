"""Commands that weigh many plans against each other: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.console import put_json, show, step
from planner.opening import read

if TYPE_CHECKING:
    from planner.plan import Frontier, Plan

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Out = Annotated[Path | None, typer.Option("--out", help="The folder to write.")]
AreaOf = Annotated[
    Path | None, typer.Option("--area", help="The study area, where the scenario is not in its scenarios folder.")
]


def frontier(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    between: Annotated[
        str,
        typer.Option(
            help="Two of mean_minutes, annual_cost_cny, capital_cost_cny, schools_open, longest_minutes: "
            "the first is made least at limits on the second."
        ),
    ] = "mean_minutes,annual_cost_cny",
    points: Annotated[int, typer.Option(min=2, help="Limits, evenly between the ends.")] = 9,
    every: Annotated[
        bool, typer.Option("--every", help="Every plan on the frontier instead; may be thousands.")
    ] = False,
    limits: Annotated[str, typer.Option(help="These limits on the second instead, with commas between them.")] = "",
    out: Out = None,
    area: AreaOf = None,
    as_json: AsJson = False,
) -> None:
    """The plans that no other plan beats on both of two indicators: chart, table, and each plan to open."""
    from planner.folders import frontier_summary, save_frontier
    from planner.plan import frontier as frontier_of
    from planner.report import free_target

    wanted = _numbers(limits, "--limits") if limits else None
    target = free_target(out or Path("out") / f"{scenario.stem}-frontier", "frontier.json")
    question, county, times = read(scenario, area)
    with step("Finding the frontier") as tell:
        front = frontier_of(
            county, times, question, between.split(","), points=None if every else points, limits=wanted
        )
        proven = sum(point.proven for point in front.points)
        tell(f"{len(front.points)} points, {proven} proven")
    with step(f"Writing {target}"):
        folder = save_frontier(front, target)
    if as_json:
        put_json(frontier_summary(front) | {"folder": str(folder)})
        return
    _show_frontier(front)
    print(f"Open {folder / 'frontier.html'}")


def _numbers(text: str, option: str) -> list[float]:
    """A list of numbers with commas between them."""
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(abs(value) < float("inf") for value in found):
        raise typer.BadParameter(f"{text!r} is no list of numbers such as 20,30", param_hint=option)
    return found


def _show_frontier(front: Frontier) -> None:
    from planner.indicators import INDICATORS

    table = front.table
    table["closed"] = [_ended(point.plan) for point in front.points]
    table["proof"] = ["proven 已证明" if p.proven else f"gap {p.gap:.2%}" for p in front.points]
    names = {key: f"{INDICATORS[key].label_en} {INDICATORS[key].label_zh}" for key in front.between}
    shown = table[["point", *front.between, "closed", "proof"]]
    show(f"{front.scenario.title}: no plan beats these on both", shown.rename(columns=names))


def _ended(plan: Plan) -> int:
    """School stages that end."""
    return int(plan.actions["action"].isin(("close", "merge", "convert")).sum())
