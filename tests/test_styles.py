"""The GeoPackage opens styled in QGIS: every layer has a document in QGIS's words, and it reads the layer's columns."""

import dataclasses
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest

from planner import report
from planner.model import ACTIONS, KIND_GRADES
from planner.report import styles
from planner.report.dictionary import lookup
from planner.report.geopackage import LAYERS, state, write_geopackage

DRAW = Path(styles.__file__).parents[1] / "draw"


def written(plan, path):
    write_geopackage(plan, report.tables(plan), path)
    return path


@pytest.fixture
def file(tiny, tmp_path):
    return written(tiny.plan, tmp_path / "plan.gpkg")


def documents(file):
    with closing(sqlite3.connect(file)) as book:
        rows = book.execute("SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles")
        return {name: (column, default, ET.fromstring(qml)) for name, column, default, qml in rows}


def test_every_layer_has_a_default_style_of_its_geometry_column(file):
    found = documents(file)
    assert set(found) == set(LAYERS)
    for column, default, root in found.values():
        assert (column, default, root.tag) == ("geom", 1, "qgis")


def test_rules_name_columns_that_are_there_and_symbols_that_are_drawn(file):
    for name, (_, _, root) in documents(file).items():
        columns = set(gpd.read_file(file, layer=name).columns)
        symbols = {symbol.get("name") for symbol in root.iter("symbol")}
        drawn = [rule.get("symbol") for rule in root.iter("rule") if rule.get("symbol") is not None]
        assert set(drawn) == symbols
        for rule in root.iter("rule"):
            assert set(re.findall(r'"(\w+)"', rule.get("filter", ""))) <= columns
            assert rule.get("label")
        keys = [rule.get("key") for rule in root.iter("rule")]
        assert len(keys) == len(set(keys))
        for alias in root.iter("alias"):
            assert alias.get("field") in columns
            assert alias.get("name") == lookup(f"gpkg:{name}", alias.get("field")).heading


def test_every_school_and_village_is_drawn_by_one_rule(tiny, file):
    schools = gpd.read_file(file, layer="schools")
    rules = [rule.get("filter") for rule in documents(file)["schools"][2].iter("rule")]
    for kind, fate in zip(schools["kind"], schools["state"], strict=True):
        assert rules.count(f"\"kind\" = '{kind}' AND \"state\" = '{fate}'") == 1
    low, mid, high = styles.breaks(tiny.plan)
    assert (low, mid, high) == (15, 30, 45)


def test_colours_are_those_of_the_map():
    page = (DRAW / "symbols.js").read_text("utf-8") + (DRAW / "flows.js").read_text("utf-8")
    tints = re.search(r"const TINTS = \[(.*?)\]", page)[1]
    assert re.findall("#[0-9a-f]{6}", tints) == list(styles.TINTS)
    classes = re.search(r"const CLASS_COLOURS = \[(.*?)\]", page)[1]
    assert re.findall("#[0-9a-f]{6}", classes) == list(styles.CLASS_COLOURS)
    assert f'FLOW = {{ color: "{styles.FLOW}"' in page
    for word, (fill, _, width, _) in styles.STATES.items():
        drawn = re.search(rf'  {word}: {{ fill: "(#\w+)", stroke: "#\w+", width: ([\d.]+)', page)
        assert drawn[1].replace("#fff", "#ffffff") == fill
        assert float(drawn[2]) == width


def test_every_action_and_kind_has_a_sign():
    assert set(styles.STATES) == set(ACTIONS)
    assert set(styles.SHAPES) == set(KIND_GRADES)
    assert {state(pd.Series([action])) for action in ACTIONS} == set(ACTIONS)


def test_names_do_nothing_to_the_documents(tiny, tmp_path):
    schools = tiny.area.schools.assign(kind=["central_primary", "odd'; DROP TABLE x", "nine_year"])
    plan = dataclasses.replace(tiny.plan, area=dataclasses.replace(tiny.area, schools=schools))
    assert len(documents(written(plan, tmp_path / "plan.gpkg"))) == len(LAYERS)


def test_layers_are_registered_named_and_timeless(file):
    with closing(sqlite3.connect(file)) as book:
        rows = book.execute("SELECT table_name, data_type, identifier, description, last_change FROM gpkg_contents")
        said = {name: rest for name, *rest in rows}
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert said["layer_styles"][0] == "attributes"
    for name, (title, words) in LAYERS.items():
        assert said[name][:3] == ["features", title, words]
    assert len({rest[3] for rest in said.values()}) == 1


def test_the_same_plan_gives_the_same_bytes(tiny, tmp_path):
    one, other = (written(tiny.plan, tmp_path / f"{name}.gpkg").read_bytes() for name in "ab")
    assert one == other


def test_layers_read_back_with_every_pupil(tiny, file):
    demand = gpd.read_file(file, layer="demand").set_index("demand_id")
    assert demand["pupils"].sum() == 66
    assert demand.loc["V2", "minutes"] == 20
    tints = gpd.read_file(file, layer="catchments").query("stage == 'primary'")["tint"]
    assert tints.tolist() == [0, 1]
