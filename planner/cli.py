"""The command line: parse, call, print. Results go to stdout, progress and messages to stderr.

Exit 0: fine; 1: a scenario has no feasible plan, or a plan does not hold; 2: bad input.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.beside import beside
from planner.console import put_json, say, say_what_is_logged, show, show_links, show_repairs, step
from planner.errors import InfeasibleError, PlannerError
from planner.opening import facts as _facts
from planner.opening import question_of as _question
from planner.opening import read as _read
from planner.options import AreaOf, AsJson, Out, PublicEdition
from planner.papers import explain, report
from planner.pictures import draw_map
from planner.studies import alternatives, frontier, robust
from planner.wording import plain

if TYPE_CHECKING:
    import pandas as pd

    from planner.model import StudyArea
    from planner.plan import Plan
    from planner.scenario import Travel
    from planner.verify import Check

GARBAGE_AFTER = 50_000
"""Objects after which garbage is looked for: most that a command makes stay, and looking takes a twentieth of it."""

app = typer.Typer(
    name="planner",
    help="Which village schools may close, which must stay, and who travels how far.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; what a user can cause ends in a message and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console or a pipe of another encoding still gets every name
            stream.reconfigure(encoding="utf-8", errors="replace")
    say_what_is_logged()
    gc.set_threshold(GARBAGE_AFTER)
    try:
        app(standalone_mode=True)
    except InfeasibleError as error:
        say(f"{error.text('en')}\n\n{error.text('zh')}")
        raise SystemExit(error.exit_code) from None
    except PlannerError as error:
        say(str(error))
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        say("Stopped.")
        raise SystemExit(130) from None


# ---------------------------------------------------------------- commands


@app.command()
def new(
    area: Annotated[Path, typer.Argument(help="The study-area folder to write.")],
    osm: Annotated[Path | None, typer.Option(help="OpenStreetMap extract: .osm.pbf, .osm, .osm.gz, .osm.bz2")] = None,
    place: Annotated[str | None, typer.Option(help="Fetch a place by name from the live services.")] = None,
    towns: Annotated[Path | None, typer.Option(help="Polygons of the towns.")] = None,
    demand: Annotated[Path | None, typer.Option(help="Villages with pupils or population.")] = None,
    schools: Annotated[Path | None, typer.Option(help="The bureau's list of schools.")] = None,
    population: Annotated[Path | None, typer.Option(help="A population raster, clustered into demand points.")] = None,
    elevation: Annotated[
        list[Path] | None, typer.Option(help="Heights for slopes: SRTM .hgt or .hgt.zip, or GeoTIFF; may stand again.")
    ] = None,
    datum: Annotated[
        str, typer.Option(help="Datum of the tables given: wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")
    ] = "wgs84",
    title: Annotated[str, typer.Option(help="The area's name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Build a study area from an OSM extract (or a place's name) and the bureau's own tables."""
    from planner.intake import new_area

    if (osm is None) == (place is None):
        raise typer.BadParameter("give either --osm FILE or --place NAME")
    with step(f"Building {area}"):
        made = new_area(
            area,
            osm=osm,
            place=place,
            towns=towns,
            demand=demand,
            schools=schools,
            population=population,
            elevation=elevation or (),
            datum=datum,
            title=title,
        )
    facts = _facts(made)
    if as_json:
        put_json(facts | {"folder": str(area), "assumptions": [plain(said) for said in made.assumptions]})
        return
    _say_facts(facts)
    say("Assumed (also in area.toml):")
    for sentence in made.assumptions:
        say(f"  - {sentence}")
    print(f"Next: planner check {area}; planner run {area / 'scenarios' / 'default.toml'}")


@app.command()
def check(
    area: Annotated[Path, typer.Argument(help="A study-area folder.")],
    as_json: AsJson = False,
) -> None:
    """Every fault and doubt of an area, file by file, and what is missing for which feature."""
    from planner.area import check_area, find_repairs

    report = check_area(area)
    facts = _facts(report.area) if report.area is not None else {}
    repairs = find_repairs(report.area) if report.area is not None else None
    if as_json:
        put_json(
            facts
            | {
                "faults": [str(fault) for fault in report.faults],
                "doubts": [str(doubt) for doubt in report.doubts],
                "missing": list(report.missing),
                "repairs": [] if repairs is None else repairs.to_dict("records"),
            }
        )
    else:
        for word, rows in (("fault", report.faults), ("doubt", report.doubts)):
            for row in rows:
                print(f"{word}: {row}")
        for sentence in report.missing:
            print(f"missing: {sentence}")
        if repairs is not None and len(repairs):
            show_repairs(repairs)
        if facts:
            _say_facts(facts)
        print(f"{len(report.faults)} faults, {len(report.doubts)} doubts.")
    if report.faults:
        raise SystemExit(2)


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    out: Out = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """Travel times, today's layout, the best plan, its verification, scorecard and map."""
    from planner.plan import optimise
    from planner.report import free_target

    target = free_target(out or Path("out") / scenario.stem)
    question, county, times = _read(scenario, area)
    with step("Finding the best plan") as tell:
        plan = optimise(county, times, question)
        tell(f"{plan.status}, gap {plan.gap:.2%}")
    _finish(plan, target, as_json, public=public)


@app.command()
def score(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    actions: Annotated[Path, typer.Option(help="Table with school_id, action, and stage, into, seats_added.")],
    out: Out = None,
    area: AreaOf = None,
    public: PublicEdition = False,
    as_json: AsJson = False,
) -> None:
    """Score and verify a plan that people proposed."""
    from planner.plan import read_actions
    from planner.plan import score as score_plan
    from planner.report import free_target

    target = free_target(out or Path("out") / f"{scenario.stem}-{actions.stem}")
    proposed = read_actions(actions)
    question, county, times = _read(scenario, area)
    with step("Scoring the proposal"):
        plan = score_plan(county, times, question, proposed, file=str(actions))
    _finish(plan, target, as_json, public=public)


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(help="Plan folders.")],
    as_json: AsJson = False,
) -> None:
    """Plans side by side."""
    from planner.compare import compare_folders

    table = compare_folders(folders)
    if as_json:
        put_json(json.loads(table.to_json(orient="records", force_ascii=False)))
    else:
        show("Plans side by side", table.drop(columns=["indicator", "label_zh", "direction"]))


@app.command()
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


for _paper in (explain, report):
    app.command()(_paper)


@app.command()
def links(
    plan: Annotated[Path, typer.Argument(help="A scenario file (today's layout is looked at) or a plan folder.")],
    top: Annotated[int, typer.Option(min=1, help="How many roads to name.")] = 20,
    area: AreaOf = None,
    as_json: AsJson = False,
) -> None:
    """The roads whose failure would hurt most pupils: who loses the way to school, whose becomes longer."""
    from planner.travel import criticality

    county, travel, assignment = _assigned(plan, area)
    with step("Closing roads one by one"):
        found = criticality(county, travel, assignment, top)
    rows = found.drop(columns="geometry").round({"lon": 5, "lat": 5})
    if as_json:
        put_json(json.loads(rows.to_json(orient="records", force_ascii=False)))
    elif rows.empty:
        print("No road is on anybody's only or quickest way to school.")
    else:
        for column, digits in (("lon", 5), ("lat", 5), ("extra_minutes_mean", 1), ("extra_minutes_max", 1)):
            rows[column] = [f"{value:.{digits}f}" if value == value else "" for value in rows[column]]  # noqa: PLR0124
        show_links(rows)


@app.command()
def isochrones(
    scenario: Annotated[Path, typer.Argument(help="A scenario file.")],
    mode: Annotated[str, typer.Option(help="By what they travel: one of the modes of a scenario.")] = "walk",
    minutes: Annotated[str, typer.Option(help="Limits, with commas between them.")] = "5,10,15,20,30",
    each: Annotated[bool, typer.Option("--each", help="Of every school by itself, not of the nearest.")] = False,
    out: Annotated[Path, typer.Option(help="The file to write: .gpkg or .geojson.")] = Path("out/isochrones.gpkg"),
    area: AreaOf = None,
    as_json: AsJson = False,
) -> None:
    """The land from which an existing school is at most so many minutes away, as polygons."""
    from planner.report import save_layer
    from planner.travel import isochrones as isochrones_of

    try:
        limits = [float(word) for word in minutes.split(",")]
    except ValueError:
        limits = []
    if not limits or not all(0 < limit < float("inf") for limit in limits):
        raise typer.BadParameter(f"{minutes!r} is no list of minutes such as 5,10,15", param_hint="--minutes")
    question, county = _question(scenario, area)
    existing = county.schools.index[county.schools["status"] == "existing"]
    with step("Isochrones"):
        land = isochrones_of(county, question.travel, list(existing), limits, mode, each=each)
    with step(f"Writing {out}"):
        save_layer(land, out)
    square_km = (land.area / 1e6).round(3)
    table = land.drop(columns="geometry").assign(km2=square_km)
    if as_json:
        put_json({"file": str(out), "isochrones": table.to_dict("records")})
    else:
        show(f"Land within minutes of a school ({mode})", table.groupby("minutes", as_index=False)["km2"].sum())
        print(f"Written {out}")


for _study in (frontier, alternatives, robust):
    app.command()(_study)

app.command("map")(draw_map)


@app.command()
def norms(as_json: AsJson = False) -> None:
    """The presets: every limit with its unit and document."""
    import pandas as pd

    from planner.scenario import preset_names, read_preset

    presets = {name: read_preset(name) for name in preset_names()}
    if as_json:
        put_json(presets)
        return
    for name, preset in presets.items():
        rows = [
            {"limit": row.get("key", "for reading"), "value": str(row["value"]), "unit": row["unit"], **_said(row)}
            for row in preset["norm"]
        ]
        show(f"{name}: {preset['title']}", pd.DataFrame(rows))


def _said(row: dict[str, Any]) -> dict[str, str]:
    return {"source": row["source"], "text": row["text"]}


@app.command()
def demo(out: Out = None) -> None:
    """The whole way on the embedded county of Xunyi (synthetic)."""
    from planner.area.embedded import default_area

    county = default_area()
    run(county / "scenarios" / "county-2023.toml", out or Path("out") / "county-2023", None)


# ---------------------------------------------------------------- the way


def _assigned(path: Path, area: Path | None) -> tuple[StudyArea, Travel, pd.DataFrame]:
    """Who goes where: in a plan folder, or in today's layout where a scenario is given."""
    if path.is_dir():
        import pandas as pd

        from planner.verify.folder import read_folder

        folder = read_folder(path, area)
        return folder.area, folder.scenario.travel, pd.DataFrame(folder.assignment).astype({"pupils": "int64"})
    from planner.plan import current_plan

    question, county, times = _read(path, area)
    return county, question.travel, current_plan(county, times, question).assignment


def _finish(plan: Plan, out: Path, as_json: bool, *, public: bool) -> None:
    from planner.compare import scorecard
    from planner.public import public as public_edition
    from planner.report import add_map, free_target, summary, whole_folder, write
    from planner.verify import Verification
    from planner.verify import verify as verify_plan

    found = Verification(_checked_in_full(plan) if public else ())
    plan = public_edition(plan) if public else plan
    card = scorecard(plan)
    drawn = beside(plan.explore)  # it needs the tables no more than they need it
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
        card = card[["label_en", "label_zh", "today", "plan", "unit", "change"]]
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


def _say_facts(facts: dict[str, Any]) -> None:
    counts = ", ".join(f"{value:,} {word}" for word, value in facts["counts"].items())
    say(f"{facts['title']}: {counts}{' (synthetic)' if facts['synthetic'] else ''}")
