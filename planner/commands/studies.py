"""Commands that weigh many plans against each other: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.commands.console import put_json, show, step
from planner.commands.opening import read, read_either
from planner.commands.options import AreaOf, AsJson, Out, PublicEdition, either_language

if TYPE_CHECKING:
    import pandas as pd

    from planner.plan import Alternatives, Frontier, Plan

FUTURE_COLUMNS = {
    "future": "future 情形",
    "pupils": "pupils 学生",
    "mean_minutes": "mean 平均",
    "longest_minutes": "longest 最长",
    "within_norm_percent": "% in norm 达标",
    "beyond_norm_pupils": "beyond 超标",
    "unreachable_pupils": "no way 无路",
    "without_seat_pupils": "no seat 缺位",
    "seats_used_percent": "% seats 用率",
    "annual_cost_cny": "CNY/year 成本",
}


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
    public: PublicEdition = False,
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
    if public:
        from planner.public import public_frontier

        front = public_frontier(front)
    with step(f"Writing {target}"):
        folder = save_frontier(front, target)
    if as_json:
        put_json(frontier_summary(front) | {"folder": str(folder)})
        return
    _show_frontier(front)
    print(f"Open {folder / 'frontier.html'}")


def alternatives(
    plan: Annotated[Path, typer.Argument(help="A scenario file or a plan folder.")],
    within: Annotated[float, typer.Option(min=0, help="Per cent above the best.")] = 2.0,
    plans: Annotated[int, typer.Option(min=1, help="How many at most.")] = 10,
    apart: Annotated[int, typer.Option(min=1, help="Schools by which any two differ at least.")] = 2,
    out: Out = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """The best plans that differ, in a proven order, and how often each school is open among them."""
    from planner.folders import alternatives_summary, save_alternatives
    from planner.plan import alternatives as alternatives_of
    from planner.report import free_target

    target = free_target(out or Path("out") / f"{plan.resolve().stem}-alternatives", "alternatives.json")
    question, county, times = read_either(plan, area)
    with step("Finding the best plans that differ") as tell:
        found = alternatives_of(county, times, question, within_percent=within, plans=plans, apart=apart)
        tell(f"{len(found.plans)}")
    if public:
        from planner.public import public_alternatives

        found = public_alternatives(found)
    with step(f"Writing {target}"):
        folder = save_alternatives(found, target)
    if as_json:
        put_json(alternatives_summary(found) | {"folder": str(folder)})
        return
    _show_alternatives(found)
    print(f"Open {folder / 'plans' / '01' / 'map.html'}")


def _show_alternatives(found: Alternatives) -> None:
    from planner.plan.alternatives import ENDINGS

    table = found.table.assign(proof=_proofs(found.table))
    table["more"] = [f"{more:+.2f} %" for more in table["more_percent"]]
    columns = {"objective": f"{found.scenario.objective.minimise}", "schools_open": "schools open 开办"}
    shown = table[["plan", "objective", "more", "proof", "schools_open", "opens", "closes"]]
    show(f"{found.scenario.title}: the best plans that differ / 最优且不同的方案", shown.rename(columns=columns))
    some = found.schools[found.schools["fate"] == "sometimes"].sort_values(["plans_open", "school_id"])
    if len(some):
        counted = some[["school_id", "name", "kind", "plans_open"]]
        show(f"Open in some of the {len(found.plans)} plans only / 仅在部分方案中开办", counted)
    counts = found.schools["fate"].value_counts()
    print(f"Open in every plan: {counts.get('always', 0)} schools; in none: {counts.get('never', 0)}.")
    print(ENDINGS[found.ended])


def robust(
    plan: Annotated[Path, typer.Argument(help="A plan folder.")],
    roads: Annotated[int, typer.Option(min=0, help="How many critical roads are closed, one by one.")] = 5,
    out: Annotated[Path | None, typer.Option("--out", help="A CSV file to write the table to.")] = None,
    page: Annotated[
        Path | None, typer.Option("--map", help="A map to write: the plan in every future, with a slider through them.")
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="zh or en: what the map opens in.")] = "zh",
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """A plan's schools in futures: fewer and more pupils, slower and quicker ways, critical roads closed."""
    from planner.explain import read_plan
    from planner.folders import futures_map, records, write_whole_table
    from planner.public import public as published
    from planner.robust import robustness

    language = either_language(language)
    with step(f"Reading {plan}"):
        given = read_plan(plan, area)
        given = published(given) if public else given
    with step("Putting the plan to the test") as tell:
        found = robustness(given, roads=roads)
        tell(f"{len(found.futures)} futures")
    if out is not None:
        write_whole_table(found.table, out)
    if page is not None:
        with step(f"Writing {page}"):
            futures_map(found, language).save(page)
    if as_json:
        put_json({"plan": given.title, "futures": records(found.table)} | ({"map": str(page)} if page else {}))
        return
    show(f"{given.title}: its schools, in futures / 各情形下的表现", found.table.rename(columns=FUTURE_COLUMNS))
    in_futures = (future for future in found.plans if future is not found.plan)
    for note in dict.fromkeys(note for future in in_futures for note in future.notes):
        print(f"Note: {note}")
    if page is not None:
        print(f"Open {page}")


def _proofs(table: pd.DataFrame) -> list[str]:
    return [
        "proven 已证明" if proven else f"gap {gap:.2%}"
        for proven, gap in zip(table["proven"], table["gap"], strict=True)
    ]


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
    table["proof"] = _proofs(table)
    names = {key: f"{INDICATORS[key].label_en} {INDICATORS[key].label_zh}" for key in front.between}
    shown = table[["point", *front.between, "closed", "proof"]]
    show(f"{front.scenario.title}: no plan beats these on both", shown.rename(columns=names))


def _ended(plan: Plan) -> int:
    """School stages that end."""
    return int(plan.actions["action"].isin(("close", "merge", "convert")).sum())
