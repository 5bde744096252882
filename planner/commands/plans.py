"""Commands that make a plan, or look at one that was made: parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.beside import beside
from planner.commands.console import put_json, show, step
from planner.commands.opening import question_of, times_of
from planner.commands.options import AreaOf, AsJson, Out, PublicEdition

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.verify import Check


def run(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    out: Out = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """Travel times, today's layout, the best plan, its verification, scorecard and map."""
    from planner.draw import blank_of
    from planner.plan import optimise
    from planner.report import free_target

    target = free_target(out or Path("out") / scenario.stem)
    question, county = question_of(scenario, area)
    blank = beside(lambda: blank_of(county, "zh").to_bytes())  # it needs neither times nor plan
    times = times_of(county, question)
    with step("Finding the best plan") as tell:
        plan = optimise(county, times, question)
        tell(f"{plan.status}, gap {plan.gap:.2%}")
    _finish(plan, target, as_json, blank, public=public)


def score(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    actions: Annotated[Path, typer.Option(help="Table with school_id, action, and stage, into, seats_added.")],
    out: Out = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """Score and verify a plan that people proposed."""
    from planner.draw import blank_of
    from planner.plan import read_actions
    from planner.plan import score as score_plan
    from planner.report import free_target

    target = free_target(out or Path("out") / f"{scenario.stem}-{actions.stem}")
    proposed = read_actions(actions)
    question, county = question_of(scenario, area)
    blank = beside(lambda: blank_of(county, "zh").to_bytes())
    times = times_of(county, question)
    with step("Scoring the proposal"):
        plan = score_plan(county, times, question, proposed, file=str(actions))
    _finish(plan, target, as_json, blank, public=public)


def demo(out: Out = None) -> None:
    """The whole way on the embedded county of Xunyi (synthetic)."""
    from planner.area.embedded import default_area

    county = default_area()
    run(county / "scenarios" / "county-2023.toml", out or Path("out") / "county-2023", None)


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Plan folders.")],
    as_json: AsJson = False,
) -> None:
    """Plans side by side."""
    from planner.compare import compare_folders, for_people

    table = compare_folders(folders)
    if as_json:
        put_json(json.loads(table.to_json(orient="records", force_ascii=False)))
    else:
        show("Plans side by side", for_people(table).drop(columns=["indicator", "label_zh", "direction"]))


def verify(
    folder: Annotated[Path, typer.Argument(help="A plan folder.")],
    area: AreaOf = None,
    as_json: AsJson = False,
) -> None:
    """Check a saved plan independently; exit 1 when anything fails."""
    from planner.verify import verify as verify_plan

    with step("Verifying"):
        found = verify_plan(folder, area=area)
    if as_json:
        put_json(_verification(found))
    else:
        print(found)
    if not found.passed:
        raise SystemExit(1)


def _finish(plan: Plan, out: Path, as_json: bool, blank: Callable[[], bytes], *, public: bool) -> None:
    from planner.compare import for_people, scorecard
    from planner.draw import Blank, draw
    from planner.plan import road_flows
    from planner.public import public as public_edition
    from planner.report import add_map, free_target, summary, whole_folder, write
    from planner.verify import Verification
    from planner.verify import verify as verify_plan

    found = Verification(_checked_in_full(plan) if public else ())
    plan = public_edition(plan) if public else plan
    card = scorecard(plan)  # these are remembered: both processes need them
    road_flows(plan)
    empty = blank()

    def page() -> bytes:
        layouts = [*([plan.today] if plan.today else []), plan]
        return draw(plan.area, *layouts, blank=Blank.of_bytes(empty)).html.encode()

    drawn = beside(page)
    folder = free_target(out)
    with whole_folder(folder) as part:
        with step(f"Writing {out}"):
            write(plan, part, folder)
        with step("Verifying") as tell:
            found = Verification((*found.checks, *verify_plan(part, area=plan.area).checks))
            tell("all holds" if found.passed else "SOME OF IT FAILS")
        with step("Drawing the map"):
            add_map(plan, part, drawn())
    if as_json:
        put_json(summary(plan) | {"folder": str(folder), "verification": _verification(found)})
    else:
        card = for_people(card)[["label_en", "label_zh", "today", "plan", "unit", "change"]]
        show(f"{plan.title}: today beside the plan", card.set_axis(["", "指标", "today", "plan", "unit", ""], axis=1))
        counts = plan.actions.drop_duplicates(["school_id", "action"])["action"].value_counts()
        print("Schools: " + ", ".join(f"{n} {action}" for action, n in counts.items()))
        if plan.status != "scored":
            unit = plan.scenario.objective.minimise.replace("_", " ")
            below = "" if public else f", no plan is below {plan.bound:,.0f}"
            print(
                f"Proven: {plan.status}; {plan.objective:,.0f} {unit}{below} (gap {plan.gap:.2%}, {plan.seconds:.1f} s)"
            )
        for note in plan.notes:
            print(f"Note: {note}")
        if not found.passed:
            print(found)
        print(f"Open {folder / 'map.html'}")
    if not found.passed and plan.status != "scored":
        raise SystemExit(1)


def _checked_in_full(plan: Plan) -> tuple[Check, ...]:
    """The checks of a plan whose folder nobody will see."""
    import tempfile

    from planner.report import save
    from planner.verify import verify as verify_plan

    with step("Verifying the full plan"), tempfile.TemporaryDirectory() as beside:
        return verify_plan(save(plan, Path(beside) / "plan"), area=plan.area).checks


def _verification(found: Any) -> dict[str, Any]:
    checks = [{"name": c.name, "checked": c.checked, "failures": list(c.failures)} for c in found.checks]
    return {"passed": found.passed, "checks": checks}
