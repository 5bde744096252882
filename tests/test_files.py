"""Files as bureaus make them: encodings, delimiters, titles, merged headers, totals, codes, shapes."""

from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from planner.errors import DataError
from planner.sources.files import read_table
from planner.tables import check_table, read_schema

CASES = Path(__file__).parents[2] / "shared" / "cases"
TEXT = '村代码,村名,人口\n001,东村,"1,200"\n002,"西\n村",85\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_any_encoding_and_delimiter(tmp_path, encoding, delimiter):
    path = tmp_path / "a.csv"
    text = TEXT.replace('"1,200"', "@").replace(",", delimiter).replace("@", '"1,200"')
    path.write_bytes(text.encode(encoding))
    table = read_table(path)
    assert list(table.frame.columns) == ["村代码", "村名", "人口"]
    assert table.frame.to_numpy().tolist() == [["001", "东村", "1,200"], ["002", "西\n村", "85"]]
    assert table.rows.tolist() == [2, 3]
    checked = check_table(table, read_schema("demand"))
    assert checked.faults == ()
    assert checked.frame["population"].tolist() == [1200.0, 85.0]


def test_blank_rows_and_columns_are_passed_over_and_rows_keep_their_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "旬邑县村庄一览表,,,\n,,,\n"
        "村代码,村名,人口,\n\n001,东村,5,\n,,,\n002,西村,6,\n,,,\n合 计,,11,\n注：2023年,,,\n",
        "utf-8",
    )
    table = read_table(path)
    assert list(table.frame.columns) == ["村代码", "村名", "人口"]
    assert table.rows.tolist() == [5, 7]
    assert table.notes == ("row 9 is a total and was left out", "row 10 is a remark and was left out")


def workbook(path, rows, merged=(), title="Sheet1"):
    book = openpyxl.Workbook()
    page = book.active
    page.title = title
    for row in rows:
        page.append(row)
    for area in merged:
        page.merge_cells(area)
    book.save(path)
    return path


def test_a_bureaus_workbook(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        [
            ["旬邑县2023年学校基本情况表"] + [None] * 8,
            ["填报单位：教育局"] + [None] * 8,
            ["乡镇", "学校标识码", "学校名称", "办学类型", "坐标", None, "学位(个)", None, None],
            [None, None, None, None, "经度", "纬度", "幼儿园", "小学", "初中"],
            ["土桥镇", 610429001.0, "一小", "村小", 108.3, 35.1, None, 90, None],
            [None, "0042", "二小", "中心小学", 108.4, 35.0, None, 200, None],
            ["小计", None, None, None, None, None, None, 290, None],
            ["城关", 610429003, "一中", "初级中学", 108.33, 35.11, "—", "/", 600],
            ["总计", None, None, None, None, None, None, 290, 600],
            [None] * 9,
            [None] * 9,
        ],
        ["A1:I1", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:F3", "G3:I3", "A5:A6"],
    )
    table = read_table(path)
    assert list(table.frame.columns) == [
        *("乡镇", "学校标识码", "学校名称", "办学类型", "坐标/经度", "坐标/纬度"),
        *("学位(个)/幼儿园", "学位(个)/小学", "学位(个)/初中"),
    ]
    assert table.rows.tolist() == [5, 6, 8]
    assert table.notes == ("rows 7, 9 are totals and were left out",)
    checked = check_table(table, read_schema("schools"))
    assert checked.faults == checked.doubts == ()
    assert checked.frame["school_id"].tolist() == ["610429001", "0042", "610429003"]
    assert checked.frame["town_id"].tolist() == ["土桥镇", "土桥镇", "城关"]
    assert checked.frame["seats_primary"].tolist()[:2] == [90, 200]
    assert checked.frame["seats_junior"].tolist()[2] == 600


def test_three_rows_of_header_and_a_row_that_numbers_the_columns(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        [
            ["村代码", "适龄儿童", None, None],
            [None, "在园", "小学", None],
            [None, "小班", "一年级", "二年级"],
            [1, 2, 3, 4],
            ["V1", 5, 6, 7],
        ],
        ["A1:A3", "B1:D1", "C2:D2"],
    )
    table = read_table(path)
    checked = check_table(table, read_schema("pupils"))
    assert checked.faults == checked.doubts == ()
    assert checked.frame[["k1", "g1", "g2"]].to_numpy().tolist() == [[5, 6, 7]]
    assert table.notes == ("row 4 is a count of columns and was left out",)


def test_a_total_is_not_found_in_a_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("村代码,村名\n1,合计村\n2,总计合作社\n", "utf-8")
    assert len(read_table(path).frame) == 2


def said(path, sheet=None):
    with pytest.raises(DataError) as caught:
        read_table(path, sheet)
    return str(caught.value).replace(f"{path}", path.name)


def test_sheets_are_named_and_chosen(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["村代码"], ["V1"]], title="村庄")
    assert read_table(path, "村庄").frame.shape == (1, 1)
    assert said(path, "村庄表") == "a.xlsx: there is no sheet 村庄表. Did you mean 村庄?"


def test_workbooks_that_hold_no_table(tmp_path):
    assert said(workbook(tmp_path / "a.xlsx", [])) == (
        "a.xlsx: there is no header row. Put the names of the columns in the first row."
    )
    path = workbook(tmp_path / "b.xlsx", [["村代码", "人口"], ["V1", "=1+1"]])
    assert said(path) == "b.xlsx: formulas without values. Open it in a spreadsheet, let it calculate, and save it."


def test_what_is_no_file_of_a_table(tmp_path):
    assert said(tmp_path) == f"{tmp_path.name}: this is a folder. Name a file in it."
    (tmp_path / "a.doc").write_text("x")
    assert said(tmp_path / "a.doc") == (
        "a.doc: .doc is no format that is read here. "
        "Give one of .csv, .tsv, .txt, .xlsx, .xlsm, .gpkg, .geojson, .json, .shp, .parquet."
    )


FRAME = gpd.GeoDataFrame(
    {"村代码": ["001", "002"], "人口": [5.0, None]}, geometry=[shapely.Point(108, 35), None], crs="EPSG:4326"
)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp", ".parquet"])
def test_files_of_shapes(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.to_file(path, **({"encoding": "utf-8"} if suffix == ".shp" else {}))
    table = read_table(path)
    assert table.frame["村代码"].tolist() == ["001", "002"]
    assert table.frame["人口"].tolist() == [5.0, None]
    assert table.rows.tolist() == [1, 2]
    assert table.crs == "EPSG:4326"
    assert table.geometry is not None
    assert table.geometry[0].equals(shapely.Point(108, 35))
    assert table.geometry[1] is None


def test_a_shapefile_in_gbk_that_does_not_say_so(tmp_path):
    FRAME.rename(columns={"村代码": "id"}).assign(name=["东村", "西村"]).to_file(tmp_path / "a.shp", encoding="gb18030")
    (tmp_path / "a.cpg").unlink()
    assert read_table(tmp_path / "a.shp").frame["name"].tolist() == ["东村", "西村"]


def test_layers(tmp_path):
    for layer in ("villages", "towns"):
        FRAME.to_file(tmp_path / "a.gpkg", layer=layer)
    assert read_table(tmp_path / "a.gpkg").notes == ("layer villages was read, of villages, towns",)
    assert said(tmp_path / "a.gpkg", "town") == "a.gpkg: there is no layer town. Did you mean towns?"


def test_a_parquet_without_shapes(tmp_path):
    pd.DataFrame({"demand_id": ["V1"]}).to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").geometry is None


def test_the_official_list_of_coxs_bazar():
    path = CASES / "coxsbazar" / "education_cxb" / "education_cxb_lged.shp"
    if not path.exists():
        pytest.skip("../shared/cases/coxsbazar is not here")
    table = read_table(path)
    assert table.frame.shape == (788, 19)
    assert table.crs == "EPSG:32646"
    assert table.frame["SCH_NAME"].isna().sum() == 434
