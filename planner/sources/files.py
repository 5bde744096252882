"""Tables as bureaus keep them: CSV, XLSX and files of shapes, read as they stand.

What a value means is for ``tables.check_table``; here it is only found: encoding, delimiter, sheet, where the header
is and over how many rows it goes. Totals (合计) and remarks below a table are left out, and ``notes`` says which.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from planner.errors import DataError, Fault
from planner.tables import RawTable, is_blank, is_known_header, nearest, parse_number, plain

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
SHAPES = (".gpkg", ".geojson", ".json", ".shp", ".parquet")
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", *SHAPES)
HEADER_WITHIN = 15
HEADER_DEPTH = 3
TOTALS = ("合计", "小计", "总计", "共计", "总数", "total", "subtotal", "grandtotal", "sum")
REMARK = re.compile(r"^\s*(注|备注|说明|填表|制表|审核|填报|单位负责人|note|source)", re.IGNORECASE)
EMPTY_FORMULA = re.compile(rb"<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)")

Grid = list[list[Any]]


def read_table(path: str | Path, sheet: str | None = None) -> RawTable:
    r"""A table of any format a county office has.

    Parameters
    ----------
    path : CSV (UTF-8, GB18030; comma, semicolon or tab), XLSX, GeoPackage, GeoJSON, Shapefile or (Geo)Parquet
    sheet : sheet of a workbook or layer of a GeoPackage; None = the first that holds a table

    Raises
    ------
    DataError : the file is absent, empty, unreadable or ragged; no traceback of any library

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_bytes("村名;人口\n东村;１２０\n合计;120\n".encode("gb18030"))
    ...     table = read_table(Path(folder, "a.csv"))
    >>> table.frame.to_numpy().tolist(), table.rows.tolist(), table.notes
    ([['东村', '１２０']], [2], ('row 3 is a total and was left out',))
    """
    path = Path(path)
    file = str(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise _fault(file, "there is no such file", "Correct the path.")
    if path.is_dir():
        raise _fault(file, "this is a folder", "Name a file in it.")
    if suffix not in SUFFIXES:
        fix = "Save it as .xlsx." if suffix == ".xls" else f"Give one of {', '.join(SUFFIXES)}."
        raise _fault(file, f"{suffix or 'a file without an ending'} is no format that is read here", fix)
    if path.stat().st_size == 0:
        raise _fault(file, "the file is empty", "Save the table again.")
    if suffix in SHAPES:
        return _shapes(path, sheet)
    if suffix in (".xlsx", ".xlsm"):
        return _workbook(path, sheet)
    return _csv(path)


def _fault(file: str, problem: str, fix: str, rows: Sequence[int] = ()) -> DataError:
    return DataError([Fault(file, problem, fix, rows=tuple(rows))])


# --- CSV


def decode(content: bytes) -> str | None:
    """Text of the encodings Chinese offices save in; None where it is none of them.

    >>> decode("县".encode("gbk")), decode("县".encode("utf-8-sig")), decode(bytes([0xFF, 0xFF]))
    ('县', '县', None)
    """
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _csv(path: Path) -> RawTable:
    file = str(path)
    text = decode(path.read_bytes())
    if text is None:
        raise _fault(file, "not text in UTF-8 or GB18030", "Save it as CSV UTF-8.")
    head = re.sub(r'"[^"]*"', "", "\n".join(text.splitlines()[:HEADER_WITHIN]))
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        grid: Grid = [list(row) for row in reader]
    except csv.Error as error:
        raise _fault(file, f"quotes do not close ({error})", "Mend the quotes.", [reader.line_num]) from None
    return _table(file, grid, ragged=True)


# --- XLSX


def _workbook(path: Path, sheet: str | None) -> RawTable:
    import openpyxl

    file = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            uncounted = any(EMPTY_FORMULA.search(archive.read(name)) for name in sheets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know are of no use here
            book = openpyxl.load_workbook(path, data_only=True)
    except Exception:  # a broken workbook raises a dozen types
        raise _fault(
            file, "not a workbook that can be read", "Open it in a spreadsheet and save it as .xlsx."
        ) from None
    if uncounted:
        raise _fault(file, "formulas without values", "Open it in a spreadsheet, let it calculate, and save it.")
    pages = {page.title: page for page in book.worksheets}
    if sheet is not None and sheet not in pages:
        fix = f"Did you mean {nearest(sheet, list(pages)) or ' or '.join(pages)}?"
        raise _fault(file, f"there is no sheet {sheet}", fix)
    filled = [name for name, page in pages.items() if page.sheet_state == "visible" and page.max_row > 1]
    name = sheet if sheet is not None else next(iter(filled), next(iter(pages), ""))
    if name not in pages:
        raise _fault(file, "there is no sheet in it", "Save the table again.")
    notes = (f"sheet {name} was read, of {', '.join(pages)}",) if sheet is None and len(filled) > 1 else ()
    return _table(file, _grid(pages[name]), notes)


def _grid(page: Any) -> Grid:
    """The cells of a sheet, words of merged cells repeated in each; numbers are not, lest they count twice."""
    grid: Grid = [list(row) for row in page.iter_rows(values_only=True)]
    for area in page.merged_cells.ranges:
        word = page.cell(area.min_row, area.min_col).value
        if not isinstance(word, str):
            continue
        for row in range(area.min_row - 1, min(area.max_row, len(grid))):
            grid[row][area.min_col - 1 : area.max_col] = [word] * (area.max_col - area.min_col + 1)
    return grid


# --- from cells to a table


def _table(file: str, grid: Grid, notes: Sequence[str] = (), *, ragged: bool = False) -> RawTable:
    import pandas as pd

    found = _find_header(grid)
    if found is None:
        raise _fault(file, "there is no header row", "Put the names of the columns in the first row.")
    start, depth = found
    headers = _join(grid[start : start + depth])
    columns = [i for i, header in enumerate(headers) if header]
    body = [(number, row) for number, row in enumerate(grid[start + depth :], start + depth + 1) if _filled(row)]
    body, left_out = _leave_out(body)
    if ragged:
        _refuse_ragged(file, body, len(grid[start]))
    wide = max((i + 1 for _, row in body for i, value in enumerate(row) if not is_blank(value)), default=0)
    nameless = [i for i in range(wide) if i >= len(headers) or not headers[i]]
    if lost := [n for n, row in body if any(i < len(row) and not is_blank(row[i]) for i in nameless)]:
        raise _fault(file, f"column {nameless[0] + 1} has values and no header", "Give it a header.", lost)
    names = _unlike([headers[i] for i in columns])
    cells = [[row[i] if i < len(row) else None for i in columns] for _, row in body]
    frame = pd.DataFrame(cells, columns=names, dtype=object)
    return RawTable(file, frame, np.array([n for n, _ in body], dtype=np.int64), notes=(*notes, *left_out))


def _filled(row: Sequence[Any]) -> list[Any]:
    return [value for value in row if value is not None and str(value).strip()]


def _find_header(grid: Grid) -> tuple[int, int] | None:
    """First row and depth of the header: where most columns get a name that is known, the flattest of equals.

    Where no name is known, the first row that names more than half of the columns.
    """
    best: tuple[int, int, int] | None = None
    for start in range(min(HEADER_WITHIN, len(grid))):
        for depth in range(1, HEADER_DEPTH + 1):
            rows = grid[start : start + depth]
            if len(rows) < depth or not _filled(rows[-1]) or any(_is_number(v) for row in rows for v in row):
                break
            known = len({header for header in _join(rows) if header and is_known_header(header)})
            if known and (best is None or (known, -depth, -start) > best):
                best = (known, -depth, -start)
    if best is not None:
        return -best[2], -best[1]
    width = max((len(_filled(row)) for row in grid), default=0)
    for start, row in enumerate(grid[:HEADER_WITHIN]):
        if len(_filled(row)) > width / 2:
            return None if any(_is_number(value) for value in row) else (start, 1)
    return None


def _is_number(value: Any) -> bool:
    if is_blank(value):
        return False
    try:
        parse_number(value)
    except ValueError:
        return False
    return True


def _join(rows: Grid) -> list[str]:
    """One name a column; a word above that stands once for several columns goes on to the right of it."""
    width = max(len(row) for row in rows)
    words = [[" ".join(str(v).split()) if not is_blank(v) else "" for v in row] for row in rows]
    words = [row + [""] * (width - len(row)) for row in words]
    for above, below in itertools.pairwise(words):
        for i in range(1, width):
            if not above[i] and below[i]:
                above[i] = above[i - 1]
    return ["/".join(dict.fromkeys(word for word in column if word)) for column in zip(*words, strict=True)]


def _unlike(headers: list[str]) -> list[str]:
    """Headers told apart: a second ``人口`` is ``人口 (2)``, which the schema will call a column named twice."""
    seen: dict[str, int] = {}
    made = []
    for header in headers:
        seen[header] = seen.get(header, 0) + 1
        made.append(header if seen[header] == 1 else f"{header} ({seen[header]})")
    return made


def _leave_out(body: list[tuple[int, list[Any]]]) -> tuple[list[tuple[int, list[Any]]], list[str]]:
    """Totals, remarks below the table and the row that numbers the columns."""
    tests: Mapping[str, Callable[[list[Any]], bool]] = {
        "total": _is_total,
        "remark": _is_remark,
        "count of columns": _counts,
    }
    kept, out = [], {what: list[int]() for what in tests}
    for number, row in body:
        what = next((what for what, test in tests.items() if test(row)), None)
        if what:
            out[what].append(number)
        else:
            kept.append((number, row))
    notes = []
    for what, rows in out.items():
        if len(rows) == 1:
            notes.append(f"row {rows[0]} is a {what} and was left out")
        elif rows:
            notes.append(f"rows {', '.join(map(str, rows))} are {what}s and were left out")
    return kept, notes


def _is_total(row: list[Any]) -> bool:
    words = [plain(value).strip("/、,:") for value in _filled(row)[:3] if isinstance(value, str)]
    return any(word in TOTALS or word.endswith(("合计", "小计", "总计")) for word in words)


def _is_remark(row: list[Any]) -> bool:
    filled = set(map(str, _filled(row)))
    return len(filled) == 1 and bool(REMARK.match(next(iter(filled))))


def _counts(row: list[Any]) -> bool:
    filled = [str(value).strip() for value in _filled(row)]
    return len(filled) > 2 and filled == [str(i + 1) for i in range(len(filled))]


def _refuse_ragged(file: str, body: list[tuple[int, list[Any]]], width: int) -> None:
    wrong = [(n, len(row)) for n, row in body if len(row) < width or _filled(row[width:])]
    if wrong:
        problem = f"{wrong[0][1]} cells where the header has {width}"
        fix = "Put values that hold the delimiter in quotes, and leave no cell out."
        raise _fault(file, problem, fix, [n for n, _ in wrong])


# --- shapes


def read_shapes(path: str | Path, layer: str | None = None) -> Any:
    """A file of shapes as a GeoDataFrame; a DataFrame where it holds none.

    Parameters
    ----------
    path : GeoPackage, GeoJSON, Shapefile or (Geo)Parquet
    layer : of a GeoPackage; None = the first

    Raises
    ------
    DataError : the file cannot be read
    """
    import pyarrow as pa
    import pyogrio.errors
    import shapely

    path = Path(path)
    try:
        return _parquet(path) if path.suffix.lower() == ".parquet" else _first_readable(path, _layer(path, layer))
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        shapely.errors.ShapelyError,
        pa.ArrowException,
        OSError,
        ValueError,
    ):
        problem = f"not a {path.suffix} file that can be read"
        raise _fault(str(path), problem, "Export it again from the GIS, in UTF-8.") from None


def _layers(path: Path) -> list[str]:
    import pyogrio

    return [str(name) for name in pyogrio.list_layers(path)[:, 0]] if path.suffix.lower() == ".gpkg" else []


def _layer(path: Path, asked: str | None) -> str | None:
    layers = _layers(path)
    if asked is not None and layers and asked not in layers:
        fix = f"Did you mean {nearest(asked, layers) or ' or '.join(layers)}?"
        raise _fault(str(path), f"there is no layer {asked}", fix)
    return (asked or layers[0]) if layers else None


def _first_readable(path: Path, layer: str | None) -> Any:
    """As the file's own word (.cpg) for its encoding has it, else UTF-8, else GB18030."""
    import pyogrio

    options = {} if layer is None else {"layer": layer}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of GDAL, about ring order, measured shapes, several layers
        if path.suffix.lower() != ".shp":
            return pyogrio.read_dataframe(path, **options)
        declared = path.with_suffix(".cpg")
        own = declared.read_text("ascii", errors="ignore").strip() if declared.exists() else ""
        for encoding in filter(None, (own, "utf-8", "gb18030")):
            try:
                return pyogrio.read_dataframe(path, encoding=encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    raise ValueError("its words are neither UTF-8 nor GB18030")


def _parquet(path: Path) -> Any:
    import geopandas as gpd
    import pandas as pd
    import pyarrow.parquet as pq

    shapes = b"geo" in (pq.read_schema(path).metadata or {})
    return gpd.read_parquet(path) if shapes else pd.read_parquet(path)


def _shapes(path: Path, layer: str | None) -> RawTable:
    import pandas as pd

    frame = read_shapes(path, layer)
    geometry, crs = None, None
    if hasattr(frame, "crs"):
        geometry = np.asarray(frame.geometry.to_numpy(), dtype=object)
        crs = frame.crs.to_string() if frame.crs is not None else None
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    cells = frame.reset_index(drop=True).astype(object)
    layers = _layers(path) if layer is None else []
    notes = (f"layer {layers[0]} was read, of {', '.join(layers)}",) if len(layers) > 1 else ()
    rows = np.arange(1, len(cells) + 1, dtype=np.int64)
    return RawTable(str(path), cells.where(cells.notna(), None), rows, geometry, crs, notes)


def unguarded(value: str) -> str:
    """The text without the apostrophe that keeps a spreadsheet from running it (docs/conventions.md 6.1).

    >>> unguarded("'=1+1"), unguarded("O'Neil")
    ('=1+1', "O'Neil")
    """
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA_STARTS) else value
