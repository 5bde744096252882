"""The map's page beside plain Folium's on the same drawn county: size, ready, a school closed, pan and zoom.

python -m tests.benchmarks.page [--small]

Folium's page holds roads and towns (GeoJson), villages (CircleMarker) and schools (Marker), each with a popup, and
lines from village to school; it has no travel times and answers nothing. What it would fetch from a network is served
from this machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.draw import draw
from planner.model import GRADES, KIND_GRADES, Roads, StudyArea
from planner.plan import Plan, current_plan, score
from planner.scenario import parse_scenario
from planner.travel import travel_times
from tests import tiny

SPACING_M = 900.0
OPENINGS = 5
SCENARIO = """
title = "Drawn"
norms = "unlimited"
travel.modes = ["walk", "bus"]
travel.max_minutes = { lower_primary = 30, upper_primary = 30, junior = 60, kindergarten = 30 }
"""
READY = """const look = () => document.querySelector(SIGN)
  ? setTimeout(() => (window.readyAt = performance.now()))
  : requestAnimationFrame(look);
requestAnimationFrame(look);"""
FRAME = """async (act) => {
  const begin = performance.now();
  eval(act);
  await new Promise(requestAnimationFrame);
  await new Promise((next) => setTimeout(next));
  return performance.now() - begin;
}"""


def county(villages: int, schools: int, side: int, towns: int, seed: int = 0) -> StudyArea:
    """A grid of roads, bent a little, with villages and schools at its crossings, and square towns."""
    rng = np.random.default_rng(seed)
    base = tiny.make_area()
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    xy = np.column_stack([x, y]) * SPACING_M + rng.normal(0, SPACING_M / 6, (side * side, 2)) + (tiny.X0, tiny.Y0)
    number = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    middle = xy[ends].mean(axis=1) + rng.normal(0, SPACING_M / 12, (len(ends), 2))
    lines = shapely.linestrings(np.stack([xy[ends[:, 0]], middle, xy[ends[:, 1]]], axis=1))
    edges = base.roads.edges.iloc[np.zeros(len(ends), dtype=int)].reset_index(drop=True)
    classes = rng.choice(["tertiary", "residential", "track"], len(ends), p=[0.2, 0.5, 0.3])
    edges = edges.assign(from_node=ends[:, 0], to_node=ends[:, 1], road_class=classes, length_m=shapely.length(lines))
    edges.geometry = gpd.GeoSeries(list(lines), crs=tiny.CRS)
    home = rng.choice(side * side, villages, replace=False)
    at = shapely.points(xy[home])
    town = [f"T{k}" for k in range(towns * towns)]
    size = side * SPACING_M / towns
    where = np.clip(((xy[home] - (tiny.X0, tiny.Y0) + SPACING_M / 2) // size).astype(int), 0, towns - 1)
    town_id = [town[i * towns + j] for i, j in where]
    demand = base.demand.iloc[np.zeros(villages, dtype=int)].set_index(
        pd.Index([f"V{k:05}" for k in range(villages)], name="demand_id")
    )
    demand = demand.assign(name=[f"村庄 {k}" for k in range(villages)], town_id=town_id).set_geometry(at, crs=tiny.CRS)
    pupils = pd.DataFrame(rng.integers(0, 8, (villages, len(GRADES))), index=demand.index, columns=list(GRADES))
    kinds = rng.choice(
        ["village_primary", "central_primary", "nine_year", "kindergarten"], schools, p=[0.4, 0.2, 0.2, 0.2]
    )
    kinds[:2] = ["nine_year", "kindergarten"]
    taught = base.schools.iloc[np.zeros(schools, dtype=int)].set_index(
        pd.Index([f"S{k:03}" for k in range(schools)], name="school_id")
    )
    seats = {
        f"seats_{stage}": 1.3 * pupils.to_numpy().sum() / schools for stage in ("kindergarten", "primary", "junior")
    }
    taught = taught.assign(
        name=[f"学校 {k}" for k in range(schools)],
        kind=kinds,
        town_id=town_id[:schools],
        grades=[KIND_GRADES[kind] for kind in kinds],
        **dict.fromkeys((f"pupils_{stage}" for stage in ("kindergarten", "primary", "junior")), np.nan),
        **{name: np.floor(value) for name, value in seats.items()},
    ).set_geometry(at[:schools], crs=tiny.CRS)
    corner = (
        np.array([(tiny.X0 + i * size, tiny.Y0 + j * size) for i in range(towns) for j in range(towns)]) - SPACING_M / 2
    )
    shapes = gpd.GeoDataFrame(
        {"name": [f"镇 {k}" for k in range(len(town))]},
        geometry=list(shapely.segmentize(shapely.box(*corner.T, *(corner + size).T), size / 8)),
        index=pd.Index(town, name="town_id"),
        crs=tiny.CRS,
    )
    nodes = pd.DataFrame(xy, columns=["x", "y"])
    parts = {"schools": taught, "demand": demand, "pupils": pupils.astype("int64"), "towns": shapes}
    return dataclasses.replace(base, title="Drawn county", roads=Roads(edges, nodes), **parts)


def plans(area: StudyArea) -> tuple[Plan, Plan]:
    """Today's layout, and one with a fifth of the schools closed; seats are left out of it, to be quick."""
    area = dataclasses.replace(
        area, schools=area.schools.assign(seats_primary=np.nan, seats_junior=np.nan, seats_kindergarten=np.nan)
    )
    scenario = parse_scenario(SCENARIO)
    times = travel_times(area, scenario.travel, cache=False)
    closed = pd.DataFrame({"school_id": area.schools.index[4::5], "action": "close"})
    return current_plan(area, times, scenario), score(area, times, scenario, closed)


def folium_page(area: StudyArea, plan: Plan, path: Path) -> str:
    """Plain Folium's page of the same things; the name of its map."""
    import folium

    at = {name: getattr(area, name).to_crs(4326) for name in ("schools", "demand", "towns")}
    place = {name: {str(i): (p.y, p.x) for i, p in at[name].geometry.items()} for name in ("schools", "demand")}
    shown = folium.Map(tiles=None, prefer_canvas=True)
    folium.GeoJson(area.roads.edges[["road_class", "geometry"]].to_crs(4326)).add_to(shown)
    folium.GeoJson(at["towns"], tooltip=folium.GeoJsonTooltip(["name"])).add_to(shown)
    for row in plan.assignment[plan.assignment["band"] == "lower_primary"].itertuples():
        if row.school_id:
            ends = [place["demand"][str(row.demand_id)], place["schools"][str(row.school_id)]]
            folium.PolyLine(ends, weight=1).add_to(shown)
            text = f"{row.school_id}: {row.pupils} pupils, {row.minutes:.1f} min"
            folium.CircleMarker(ends[0], radius=4, fill=True, popup=text).add_to(shown)
    for school, where in place["schools"].items():
        folium.Marker(where, popup=str(area.schools.at[school, "name"])).add_to(shown)
    shown.fit_bounds(
        [list(p) for p in zip(at["demand"].total_bounds[[1, 0]], at["demand"].total_bounds[[3, 2]], strict=True)]
    )
    shown.save(str(path))
    return str(shown.get_name())


def opened(browser: object, path: Path, ready: str) -> tuple[object, float]:
    """A page, and the seconds from its navigation to the end of the first frame that has what ``ready`` selects."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.route("**/*", local)
    page.add_init_script(READY.replace("SIGN", json.dumps(ready)))
    page.goto(path.as_uri())
    while not page.evaluate("window.readyAt"):  # the page's policy lets no condition be waited for in it
        page.wait_for_timeout(200)
    return page, page.evaluate("readyAt") / 1000


def local(route: object) -> None:
    """What a page would fetch from a network comes from this machine."""
    from xstatic.pkg import leaflet

    url = route.request.url
    if url.startswith(("file:", "data:", "blob:")):
        route.continue_()
    else:
        file = Path(leaflet.BASE_DIR) / Path(url).name
        script = file.read_bytes() if file.name in ("leaflet.js", "leaflet.css") else b""
        route.fulfill(body=script, content_type="text/css" if url.endswith(".css") else "text/javascript")


def openings(browser: object, pages: dict[str, tuple]) -> dict[str, list[float]]:
    """Seconds until each page is drawn, the pages in alternation; a first round, which fills caches, is not counted."""
    found: dict[str, list[float]] = {kind: [] for kind in pages}
    for _ in range(1 + OPENINGS):
        for kind, (path, _, ready, _) in pages.items():
            page, seconds = opened(browser, path, ready)
            found[kind].append(seconds)
            page.close()
    return {kind: seconds[1:] for kind, seconds in found.items()}


def timed(browser: object, path: Path, name: str, ready: str, toggle: bool) -> dict[str, float]:
    """Milliseconds to the next frame of a toggle, a pan and a zoom."""
    page, _ = opened(browser, path, ready)
    page.wait_for_timeout(1000)
    found = {}

    def middle(acts: list[str]) -> float:
        times = []
        for act in acts:
            times.append(page.evaluate(FRAME, act))
            page.wait_for_timeout(150)
        return statistics.median(times)

    if toggle:
        page.evaluate("document.querySelector('[data-school=S002], [data-school=S003]').focus()")
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        found["toggle"] = middle(["document.getElementById('toggle').click()"] * 7)
    found["pan"] = middle([f"{name}.panBy([{step}, 0], {{animate: false}})" for step in (200, -200, 200, -200, 200)])
    found["zoom"] = middle(
        [f"{name}.setZoom({name}.getZoom() + {step}, {{animate: false}})" for step in (1, -1, 1, -1, 1)]
    )
    page.close()
    return found


def main() -> None:
    """Print a table in Markdown."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser()
    ask.add_argument("--small", action="store_true", help="the small county alone")
    sizes = [(500, 60, 32, 5), (5000, 200, 100, 20)]
    sizes = sizes[:1] if ask.parse_args().small else sizes
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| villages x schools | edges, towns | page | MB | ready s (least) | toggle ms | pan ms | zoom ms |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for villages, schools, side, towns in sizes:
            area = county(villages, schools, side, towns)
            today, plan = plans(area)
            ours, theirs = Path(folder) / "planner.html", Path(folder) / "folium.html"
            draw(plan.area, today, plan, lang="en").save(ours)
            pages = {
                "planner": (ours, "map_plan", "[data-school]", True),
                "Folium": (theirs, folium_page(area, plan, theirs), "path, canvas", False),
            }
            seconds = openings(browser, pages)
            for kind, (path, *how) in pages.items():
                found = timed(browser, path, *how)
                toggle = f"{found['toggle']:.0f}" if "toggle" in found else "–"
                what = f"{villages} x {schools} | {len(area.roads.edges)}, {len(area.towns)} | {kind}"
                size = path.stat().st_size / 1e6
                ready = f"{statistics.median(seconds[kind]):.2f} ({min(seconds[kind]):.2f})"
                figures = f"{ready} | {toggle} | {found['pan']:.0f} | {found['zoom']:.0f}"
                print(f"| {what} | {size:.2f} | {figures} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
