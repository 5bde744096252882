"""The workbook: every column explained, units, nothing unknown as 0, the same bytes every time."""

import dataclasses
import math

import openpyxl
import pandas as pd
import pytest

from planner import report
from planner.report.dictionary import lookup, unit_words
from planner.report.workbook import SHEETS, number_format, sheets, width, write_workbook


@pytest.fixture
def book(tiny, tmp_path):
    return write(tiny.plan, tmp_path / "report.xlsx")


def write(plan, path):
    write_workbook(plan, report.tables(plan), path)
    return openpyxl.load_workbook(path)


def column(sheet, name):
    at = [cell.value for cell in sheet[1]].index(name)
    return [row[at].value for row in sheet.iter_rows(min_row=3)]


def test_a_sheet_per_table_with_a_frozen_heading_and_a_filter(book):
    assert [sheet.title for sheet in book] == [f"{name} {zh}" for name, zh in SHEETS.items() if name != "futures"]
    assert set(report.tables.__doc__.split("``")) >= set(SHEETS) - {"about", "norms", "dictionary", "words"}
    for sheet in book:
        assert sheet.freeze_panes == "A3"
        assert sheet.auto_filter.ref.startswith("A2:")
        assert int(sheet.auto_filter.ref.split(":")[1].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == max(sheet.max_row, 2)


def test_the_dictionary_says_of_every_column_of_every_sheet_what_it_means(book):
    dictionary = book["dictionary 字典"]
    said = set(zip(column(dictionary, "sheet"), column(dictionary, "column"), strict=True))
    for sheet in book:
        name = sheet.title.split()[0]
        for cell in sheet[1]:
            assert (name, cell.value) in said
            assert sheet.cell(2, cell.column).value == lookup(name, cell.value).heading
    assert all(column(dictionary, "zh"))
    assert all(column(dictionary, "en"))


def test_a_column_without_an_entry_is_an_error(tiny):
    frames = report.tables(tiny.plan)
    frames["bands"] = frames["bands"].assign(new=1)
    with pytest.raises(KeyError):
        sheets(tiny.plan, frames)


def test_columns_of_numbers_have_units_that_are_known(tiny):
    words = {"pupils", "seats", "schools", "min", "km", "%", "CNY", "CNY/year", "people", "beds", "see unit"}
    for name, frame in sheets(tiny.plan, report.tables(tiny.plan)).items():
        for heading, kind in frame.dtypes.items():
            unit = lookup(name, heading).unit
            assert (unit in words) == (kind.kind in "if"), (name, heading)
    assert unit_words("seats") == "seats 个"


def test_the_first_sheet_says_what_a_reader_must_know(tiny, tmp_path):
    plan = dataclasses.replace(tiny.plan, annual_cost_cny=math.nan, notes=("Mind this.",))
    area = dataclasses.replace(plan.area, data_date="2023-09-01", assumptions=("Roads are level.",))
    book = write(dataclasses.replace(plan, area=area), tmp_path / "report.xlsx")
    sheet = book.worksheets[0]
    said = dict(zip(column(sheet, "item_en"), column(sheet, "value"), strict=True))
    assert said["study area"] == "Tiny 小县"
    assert said["objective: pupil_minutes"] == "440 pupil-min 人·分钟"
    assert (said["gap"], said["data of"], said["note"]) == ("0.00%", "2023-09-01", "Mind this.")
    assert "Synthetic" in said["data"]
    assert said["running costs"].startswith("unknown 未知")
    assert "30" in said["travel norm: Lower primary, grades 1–3"]
    assert said["assumed"] == "Roads are level."


def test_norms_stand_with_their_documents_and_what_holds_here(tiny, tmp_path):
    scenario = tiny.scenario.model_copy(update={"norms": "cn-shaanxi"})
    sheet = write(dataclasses.replace(tiny.plan, scenario=scenario), tmp_path / "r.xlsx")["norms 标准"]
    rows = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=3)}
    assert rows["capacity.seat_step"][1:3] == ["45", "10"]  # tiny's scenario says 10
    assert "GB 50099-2011" in rows["capacity.seat_step"][4]


def test_what_is_unknown_is_no_number(tiny, tmp_path):
    schools = tiny.area.schools.assign(seats_primary=[math.nan, 30.0, 50.0])
    plan = dataclasses.replace(tiny.plan, area=dataclasses.replace(tiny.area, schools=schools))
    assert column(write(plan, tmp_path / "r.xlsx")["schools 现有学校"], "seats_primary") == ["unknown 未知", 30, 50]


def test_numbers_are_shown_as_their_unit_asks(book):
    card = book["scorecard 评分"]
    shown = {row[0].value: row[6].number_format for row in card.iter_rows(min_row=3)}
    assert (shown["mean_minutes"], shown["schools_open"]) == ("#,##0.0", "#,##0")
    assert number_format("", 0.25) == "#,##0.0000"
    minutes = book["assignment 划片"].cell(3, 8)
    assert (book["assignment 划片"].cell(1, 8).value, minutes.number_format) == ("minutes", "#,##0.0")


def test_wide_characters_count_two():
    assert (width("中心小学"), width("abc"), width("")) == (8, 3, 0)


def test_moves_name_the_schools_before_and_after(tiny):
    moves = report.tables(tiny.plan)["moves"]
    first = moves.iloc[0]
    assert first[["demand_id", "from_school_id", "to_school_id", "pupils"]].tolist() == ["V2", "S2", "S1", 5]
    assert moves["pupils"].sum() == 20
    assert report.tables(tiny.today)["moves"].empty


def test_the_same_plan_gives_the_same_bytes(tiny, tmp_path):
    write(tiny.plan, tmp_path / "a.xlsx")
    write(tiny.plan, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_every_table_is_a_csv_file_too(tiny, tmp_path):
    report.save(tiny.plan, tmp_path / "p")
    for name, frame in report.tables(tiny.plan).items():
        raw = (tmp_path / "p" / f"{name}.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        assert pd.read_csv(tmp_path / "p" / f"{name}.csv").columns.tolist() == frame.columns.tolist()
