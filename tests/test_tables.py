"""Tables against their schemas: a named bad file per rule, and the whole message for each."""

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import DataError, describe
from planner.model import GRADES, KIND_GRADES, STAGES
from planner.sources.files import read_table
from planner.tables import (
    SCHEMAS,
    RawTable,
    check_table,
    is_blank,
    parse_code,
    parse_grades,
    parse_number,
    plain,
    read_schema,
)

BAD = Path(__file__).parent / "data" / "bad"
MESSAGES = {
    "schools_missing_column.csv": "schools_missing_column.csv: column school_id is missing. Add it, headed school_id, "
    "学校标识码, 学校代码, 学校编码, 学校编号, 标识码.\n"
    "schools_missing_column.csv: column kind is missing. "
    "Add it, headed kind, 办学类型, 学校类型, 学校类别, 类型, 类别.",
    "schools_unknown_column.csv": "schools_unknown_column.csv: column seats_primry is not known and is not read. "
    "Did you mean seats_primary?\n"
    "schools_unknown_column.csv: column 颜色 is not known and is not read. Rename it if it should be read.",
    "schools_not_a_number.csv": "schools_not_a_number.csv row 2, column seats_primary: '三十' is not a number. "
    "Enter digits, or leave blank if unknown. 2 rows: 2, 3.",
    "schools_below_zero.csv": "schools_below_zero.csv row 2, column seats_primary: -30 is below 0. "
    "Enter seats, or leave blank if unknown. 2 rows: 2, 4.",
    "schools_beyond_range.csv": "schools_beyond_range.csv row 2, column lon: 1083 is above 180. "
    "Enter degrees east, or leave blank if unknown.",
    "schools_blank_id.csv": "schools_blank_id.csv row 3, column school_id: school_id is blank. Enter it.",
    "schools_same_id.csv": "schools_same_id.csv row 2, column school_id: 610429001 stands 2 times. "
    "Give each row its own id. 2 rows: 2, 4.",
    "schools_unknown_kind.csv": "schools_unknown_kind.csv row 2, column kind: '中心小校' is no kind. "
    "Did you mean 中心校 (central_primary)?\n"
    "schools_unknown_kind.csv row 3, column kind: 'vilage_primary' is no kind. Did you mean village_primary?\n"
    "schools_unknown_kind.csv row 4, column kind: '大学' is no kind. Enter one of kindergarten, central_kindergarten, "
    "teaching_point, village_primary, central_primary, junior_middle, nine_year.",
    "schools_column_twice.csv": "schools_column_twice.csv: 学校标识码 and 学校代码 both mean school_id. "
    "Keep one of them and rename the other.",
    "schools_cut_code.csv": "schools_cut_code.csv row 2, column school_id: 6.10429E+11 is a code whose digits the "
    "spreadsheet has cut. Format the column as text and enter the codes again.",
    "schools_bad_grades.csv": "schools_bad_grades.csv row 2, column grades: 'g1-g12' is not a list of grades. "
    "Enter it like g1-g6 or k1 k2 k3.",
    "schools_no_rows.csv": "schools_no_rows.csv: there is no row below the header. Enter the data, a row each.",
    "demand_half_a_pupil.csv": "demand_half_a_pupil.csv row 2, column g1: 2.5 is not a whole number. "
    "Enter whole pupils.",
    "demand_negative_pupils.csv": "demand_negative_pupils.csv row 2, column g1: -2 is below 0. "
    "Enter pupils, or leave blank if unknown.",
    "ragged.csv": "ragged.csv row 3: 3 cells where the header has 6. "
    "Put values that hold the delimiter in quotes, and leave no cell out. 2 rows: 3, 4.",
    "open_quote.csv": "open_quote.csv row 2: quotes do not close (unexpected end of data). Mend the quotes.",
    "no_header.csv": "no_header.csv: there is no header row. Put the names of the columns in the first row.",
    "nameless_column.csv": "nameless_column.csv row 2: column 4 has values and no header. Give it a header.",
    "empty.csv": "empty.csv: the file is empty. Save the table again.",
    "not_text.csv": "not_text.csv: not text in UTF-8 or GB18030. Save it as CSV UTF-8.",
    "broken.xlsx": "broken.xlsx: not a workbook that can be read. Open it in a spreadsheet and save it as .xlsx.",
    "broken.gpkg": "broken.gpkg: not a .gpkg file that can be read. Export it again from the GIS, in UTF-8.",
    "broken.geojson": "broken.geojson: not a .geojson file that can be read. Export it again from the GIS, in UTF-8.",
    "broken.parquet": "broken.parquet: not a .parquet file that can be read. Export it again from the GIS, in UTF-8.",
    "old.xls": "old.xls: .xls is no format that is read here. Save it as .xlsx.",
    "absent.csv": "absent.csv: there is no such file. Correct the path.",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_whole_message_of_every_bad_file(name):
    schema = read_schema("demand" if name.startswith("demand") else "schools")
    try:
        checked = check_table(read_table(BAD / name), schema)
        said = describe((*checked.faults, *checked.doubts))
    except DataError as error:
        said = str(error)
    assert said.replace(f"{BAD}/", "") == MESSAGES[name]


def test_every_bad_file_has_its_message():
    assert {path.name for path in BAD.iterdir()} == set(MESSAGES) - {"absent.csv"}


def raw(**columns):
    frame = pd.DataFrame(columns, dtype=object)
    return RawTable("a.csv", frame, np.arange(2, len(frame) + 2))


def test_a_table_comes_out_in_the_words_of_the_model():
    table = raw(
        学校代码=[610429001.0, "007"], 办学类型=["教学点", "中心小学"], 床位=["１,２００", "无"], 年级=["1-3", None]
    )
    checked = check_table(table, read_schema("schools"))
    assert checked.faults == checked.doubts == ()
    assert checked.frame["school_id"].tolist() == ["610429001", "007"]
    assert checked.frame["kind"].tolist() == ["teaching_point", "central_primary"]
    assert checked.frame["beds"].iloc[0] == 1200
    assert math.isnan(checked.frame["beds"].iloc[1])
    assert checked.frame["grades"].tolist() == [("g1", "g2", "g3"), ()]
    assert checked.frame.index.tolist() == [2, 3]
    assert checked.headers["school_id"] == "学校代码"


def test_all_faults_come_in_one_pass_and_the_table_stays_as_it_was():
    table = raw(school_id=["A", "A"], kind=["nonsense", ""], seats=["x", -1])
    before = table.frame.copy()
    checked = check_table(table, read_schema("schools"))
    assert len(checked.faults) == 5
    pd.testing.assert_frame_equal(table.frame, before)


@pytest.mark.parametrize("value", [True, "1.2.3", "12,34", "1,23", "inf", float("inf"), "3 人", "0x1F"])
def test_what_is_no_number(value):
    with pytest.raises(ValueError, match=r".*"):
        parse_number(value)


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        ("k1-k3", GRADES[:3]),
        ("g1-g6", GRADES[3:9]),
        ("1-6", GRADES[3:9]),
        ("g1 g2 g3", GRADES[3:6]),
        ("1,2,3", GRADES[3:6]),
        ("一至六年级", GRADES[3:9]),
        ("七年级、八年级", GRADES[9:11]),
        ("小班-大班", GRADES[:3]),
        (3.0, ("g3",)),
    ],
)
def test_grades_as_people_write_them(text, grades):
    assert parse_grades(text) == grades


@pytest.mark.parametrize("text", ["g0", "10", "6-1", "1-2-3", "abc", "g1-"])
def test_what_is_no_grade(text):
    with pytest.raises(ValueError, match=r".*"):
        parse_grades(text)


@given(st.integers(0, 10**14))
def test_a_code_is_the_same_as_number_and_as_text(code):
    assert parse_code(code) == parse_code(float(code)) == parse_code(str(code)) == str(code)


def test_a_long_code_stored_as_a_number_is_refused():
    with pytest.raises(ValueError, match=r".*"):
        parse_code(610429001001000123.0)


@pytest.mark.parametrize("value", ["", " ", "—", "/", "无", "NA", "n/a", None, math.nan, pd.NaT])
def test_signs_for_blank(value):
    assert is_blank(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_sound(name):
    with (Path(__file__).parents[1] / "planner" / "schema" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["name", "type", "unit", "range", "required", "meaning", "source", "aliases"]
    assert all(row["meaning"] for row in rows)
    spellings = [plain(word) for column in read_schema(name).columns for word in {column.name, *column.aliases}]
    twice = {word for word in spellings if spellings.count(word) > 1}
    assert not twice


def test_the_schemas_know_every_word_of_the_model():
    schools = {column.name: column for column in read_schema("schools").columns}
    assert set(schools["kind"].choices.values()) == set(KIND_GRADES)
    assert {f"{what}_{stage}" for what in ("seats", "pupils") for stage in STAGES} <= set(schools)
    for name in ("demand", "pupils", "totals"):
        assert set(GRADES) <= {column.name for column in read_schema(name).columns}
