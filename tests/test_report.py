"""The plan folder: whole or not at all, ids and names intact, nothing a spreadsheet would run."""

import dataclasses
import json
import re
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from planner import report
from planner.errors import DataError
from planner.sources.files import unguarded

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hostile(tiny):
    """The tiny plan with names that a spreadsheet would run."""
    schools = tiny.area.schools.assign(name=["=HYPERLINK(1)", "+cmd|' /C calc'!A0", "@SUM(1)"])
    area = dataclasses.replace(tiny.area, schools=schools)
    return dataclasses.replace(tiny.plan, area=area)


def test_a_spreadsheet_runs_nothing(hostile, tmp_path):
    report.save(hostile, tmp_path / "p")
    rows = pd.read_csv(tmp_path / "p" / "actions.csv", encoding="utf-8-sig")
    assert rows["school_name"].tolist()[:2] == ["'=HYPERLINK(1)", "'+cmd|' /C calc'!A0"]
    book = openpyxl.load_workbook(tmp_path / "p" / "report.xlsx")
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
    assert book["actions 学校"]["B3"].value == "=HYPERLINK(1)"


def test_unknown_is_said_and_null(tiny, tmp_path):
    plan = dataclasses.replace(tiny.plan, annual_cost_cny=float("nan"))
    report.save(plan, tmp_path / "p")
    document = json.loads((tmp_path / "p" / "plan.json").read_text("utf-8"))
    assert document["annual_cost_cny"] is None
    book = openpyxl.load_workbook(tmp_path / "p" / "report.xlsx")
    values = [[cell.value for cell in row] for row in book["scorecard 评分"].iter_rows()]
    assert "unknown 未知" in next(row for row in values if row[0] == "annual_cost_cny")
    moved = next(row for row in values if row[0] == "changing_more_minutes")
    assert moved[5:7] == ["–", 10], "today nobody changes school: nothing is unknown"


def test_the_geopackage_holds_schools_villages_towns_catchments_and_lines(tiny, tmp_path):
    report.save(tiny.plan, tmp_path / "p")
    file = tmp_path / "p" / "plan.gpkg"
    layers = {"schools", "demand", "towns", "catchments", "assignment", "road_flows", "layer_styles"}
    assert set(gpd.list_layers(file)["name"]) == layers
    lines = gpd.read_file(file, layer="assignment")
    assert len(lines) == len(tiny.plan.assignment)
    assert lines.crs.to_epsg() == 4545
    roads = gpd.read_file(file, layer="road_flows")
    assert roads[["mode", "edge", "pupils"]].values.tolist() == [["walk", 0, 10], ["walk", 2, 12]]
    schools = gpd.read_file(file, layer="schools").set_index("school_id")
    assert schools["action"].to_dict() == {"S1": "keep", "S2": "close", "S3": "keep; keep"}


def test_a_plan_without_pupils_on_the_roads_is_written(tiny, tmp_path):
    report.save(dataclasses.replace(tiny.plan, assignment=tiny.plan.assignment.iloc[:0]), tmp_path / "p")
    assert len(gpd.read_file(tmp_path / "p" / "plan.gpkg", layer="road_flows")) == 0


def test_a_failure_leaves_the_old_folder(tiny, tmp_path, monkeypatch):
    report.save(tiny.plan, tmp_path / "p")
    before = (tmp_path / "p" / "plan.json").read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("planner.report.folder.write_geopackage", fail)
    with pytest.raises((OSError, DataError)):
        report.save(dataclasses.replace(tiny.plan, title="new"), tmp_path / "p")
    assert (tmp_path / "p" / "plan.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_tables_hold_ids_and_names(tiny):
    rows = report.tables(tiny.plan)["assignment"]
    assert rows.columns.tolist() == [
        *("demand_id", "demand_name", "town_id", "band", "school_id", "school_name"),
        *("pupils", "minutes", "km", "mode", "reason"),
    ]
    assert rows["demand_name"][0] == "东村"


@pytest.mark.parametrize("text", ["'", "''=1", "=1", "-5", "x", "@", "'x", ""])
def test_guarding_loses_nothing(text):
    assert unguarded(report.safe(pd.DataFrame({"a": [text]}))["a"][0]) == text


def test_the_readmes_python_runs(tmp_path, monkeypatch):
    code = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL))
    assert "pl.frontier(" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace('"data/', f'"{ROOT.as_posix()}/data/'), "README.md", "exec"), {})
    assert (tmp_path / "out" / "county-2023" / "map.html").is_file()


def test_notebook_views(tiny):
    assert "<iframe" in tiny.plan.explore()._repr_html_()
