"""Commands about a study area: build it, check it, and the norms it is held to: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from planner.beside import beside
from planner.commands.console import put_json, say, show, show_repairs, step
from planner.commands.opening import facts_of
from planner.commands.options import AsJson
from planner.wording import plain


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
            beside=beside,
        )
    facts = facts_of(made)
    if as_json:
        put_json(facts | {"folder": str(area), "assumptions": [plain(said) for said in made.assumptions]})
        return
    _say_facts(facts)
    say("Assumed (also in area.toml):")
    for sentence in made.assumptions:
        say(f"  - {sentence}")
    print(f"Next: planner check {area}; planner run {area / 'scenarios' / 'default.toml'}")


def check(
    area: Annotated[Path, typer.Argument(help="A study-area folder.")],
    as_json: AsJson = False,
) -> None:
    """Every fault and doubt of an area, file by file, and what is missing for which feature."""
    from planner.area import check_area, find_repairs

    report = check_area(area)
    facts = facts_of(report.area) if report.area is not None else {}
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
        counts = (("fault", len(report.faults)), ("doubt", len(report.doubts)))
        print(", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts) + ".")
    if report.faults:
        raise SystemExit(2)


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


def _say_facts(facts: dict[str, Any]) -> None:
    counts = ", ".join(f"{value:,} {word}" for word, value in facts["counts"].items())
    say(f"{facts['title']}: {counts}{' (synthetic)' if facts['synthetic'] else ''}")
