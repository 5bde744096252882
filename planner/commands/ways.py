"""Commands about the ways to school: the roads that matter most, and the land within reach: parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.commands.console import put_json, show, show_links, step
from planner.commands.opening import question_of, read
from planner.commands.options import AreaOf, AsJson

if TYPE_CHECKING:
    import pandas as pd

    from planner.model import StudyArea
    from planner.scenario import Travel


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
    question, county = question_of(scenario, area)
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


def _assigned(path: Path, area: Path | None) -> tuple[StudyArea, Travel, pd.DataFrame]:
    """Who goes where: in a plan folder, or in today's layout where a scenario is given."""
    if path.is_dir():
        import pandas as pd

        from planner.verify.folder import read_folder

        folder = read_folder(path, area)
        return folder.area, folder.scenario.travel, pd.DataFrame(folder.assignment).astype({"pupils": "int64"})
    from planner.plan import current_plan

    question, county, times = read(path, area)
    return county, question.travel, current_plan(county, times, question).assignment
