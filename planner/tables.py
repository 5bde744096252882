"""A table against its schema (``planner/schema/NAME.csv``): every fault in one pass, nothing coerced in silence."""

from __future__ import annotations

import csv
import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import Fault
from planner.model import GRADES

if TYPE_CHECKING:
    import pandas as pd

SCHEMAS = ("schools", "demand", "pupils", "towns", "totals")
BLANKS = frozenset(
    ["", "-", "--", "—", "——", "–", "/", "\\", "无", "暂无", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "<na>"]
)
NOT_DATA = frozenset(["序号"])
"""Headers that need no word: a running number is no datum."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
CUT_CODE = re.compile(r"\d(\.\d+)?e\+?\d+", re.IGNORECASE)
MOST_DIGITS = 1e15  # a spreadsheet keeps 15 digits of a number and writes 0 for the rest


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file.

    Parameters
    ----------
    file : path as the user gave it
    frame : object columns under the headers as written; parts of a header of several rows are joined by ``/``
    rows : (n,) rows as a spreadsheet counts them, header included; in a file of shapes, features from 1
    geometry : (n,) shapely geometries, or None
    crs : of the geometry, ``"EPSG:4326"`` or WKT; None where the file does not say
    notes : what was left out or chosen while reading, in sentences
    """

    file: str
    frame: pd.DataFrame
    rows: np.ndarray
    geometry: np.ndarray | None = None
    crs: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One row of a schema. ``choices`` leads from every accepted spelling to the word of the model."""

    name: str
    type: str
    required: bool
    unit: str = ""
    meaning: str = ""
    aliases: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """The columns one table may have."""

    name: str
    columns: tuple[Column, ...]

    def find(self, header: str) -> Column | None:
        """The column a header means; of a joined header first the whole, then its lower parts.

        >>> read_schema("schools").find("学位(个)/小学").name, read_schema("demand").find("在校生/一年级").name
        ('seats_primary', 'g1')
        """
        known = _spellings(self)
        parts = [part for part in map(plain, header.split("/")) if part]
        for start in range(len(parts)):
            if (spelling := "".join(parts[start:])) in known:
                return known[spelling]
        return None


@dataclass(frozen=True)
class Checked:
    """What a schema makes of a table.

    Parameters
    ----------
    frame : every column of the schema (blank where the table has none); numbers float64 (NaN blank), words str
        (``""`` blank), grades tuples (``()`` blank); index ``row``, the spreadsheet's own
    faults : what must be repaired
    doubts : what should be looked at
    headers : header as written, by column name
    """

    frame: pd.DataFrame
    faults: tuple[Fault, ...]
    doubts: tuple[Fault, ...]
    headers: Mapping[str, str]


def plain(text: str) -> str:
    """A header or word without what people write in different ways: case, width, spaces, units in brackets.

    >>> plain("School_ID "), plain("床位 （张）")
    ('schoolid', '床位')
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\([^)]*\)|\[[^\]]*\]|[\s_\-*:、.]", "", text)


def nearest(word: str, words: Sequence[str]) -> str | None:
    """The most alike of ``words``, None where none is alike.

    >>> nearest("skools", ["schools", "demand"])
    'schools'
    """
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else None


@cache
def read_schema(name: str) -> Schema:
    """The schema of one table.

    Parameters
    ----------
    name : one of ``SCHEMAS``

    >>> [column.name for column in read_schema("towns").columns]
    ['town_id', 'name']
    """
    text = resources.files("planner").joinpath("schema", f"{name}.csv").read_text("utf-8")
    return Schema(name, tuple(_column(row) for row in csv.DictReader(text.splitlines())))


def _column(row: Mapping[str, str]) -> Column:
    low, high = -math.inf, math.inf
    choices: dict[str, str] = {}
    if row["type"] == "choice":
        for group in row["range"].split("|"):
            word, *others = group.split("=")
            choices |= {plain(spelling): word for spelling in (word, *others)}
    elif row["range"]:
        start, stop = row["range"].split("..")
        low, high = float(start or -math.inf), float(stop or math.inf)
    aliases = tuple(alias for alias in row["aliases"].split("|") if alias)
    required = row["required"] == "yes"
    return Column(row["name"], row["type"], required, row["unit"], row["meaning"], aliases, low, high, choices)


@cache
def _spellings_of(name: str) -> Mapping[str, Column]:
    return _spell(read_schema(name))


def _spell(schema: Schema) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in schema.columns:
        for alias in column.aliases:
            found.setdefault(plain(alias), column)
    return found | {plain(column.name): column for column in schema.columns}


def _spellings(schema: Schema) -> Mapping[str, Column]:
    return _spellings_of(schema.name) if schema.name in SCHEMAS else _spell(schema)


@cache
def is_known_header(header: str) -> bool:
    """Whether any table of an area has such a column.

    >>> is_known_header("学校名称"), is_known_header("城关小学")
    (True, False)
    """
    return plain(header) in NOT_DATA or any(read_schema(name).find(header) for name in SCHEMAS)


def is_blank(value: Any) -> bool:
    """Empty, or a sign that people write for it.

    >>> is_blank(None), is_blank(" — "), is_blank(0)
    (True, True, False)
    """
    if value is None or value != value:  # noqa: PLR0124 (NaN and NaT of any library)
        return True
    return isinstance(value, str) and unicodedata.normalize("NFKC", value).strip().casefold() in BLANKS


def parse_number(value: Any) -> float:
    """A number as people write it: full-width digits, separators of thousands. ValueError where it is none.

    >>> parse_number("１,２３４.5")
    1234.5
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, (bool, np.bool_)):
        number = float(value)
    else:
        text = unicodedata.normalize("NFKC", str(value)).strip().replace("−", "-")
        if THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if not NUMBER.fullmatch(text):
            raise ValueError(text)
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(str(value))
    return number


def parse_code(value: Any) -> str:
    """A code as text; leading zeros stay. ValueError where a spreadsheet has cut its digits.

    >>> parse_code(610429001.0), parse_code("610429001.0"), parse_code(" 007 ")
    ('610429001', '610429001', '007')
    """
    if isinstance(value, (int, float)):
        if abs(value) >= MOST_DIGITS:
            raise ValueError(str(value))
        return str(int(value)) if value == int(value) else str(value)
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if CUT_CODE.fullmatch(text):
        raise ValueError(text)
    return text.partition(".")[0] if re.fullmatch(r"\d+\.0+", text) else text


def parse_grades(value: Any) -> tuple[str, ...]:
    """Grades as people list them, in the order of ``model.GRADES``. ValueError where a word is no grade.

    >>> parse_grades("k1-k3, 1"), parse_grades("一年级至三年级")
    (('k1', 'k2', 'k3', 'g1'), ('g1', 'g2', 'g3'))
    """
    text = parse_code(value).casefold()
    words = re.split(r"[\s,;、/+]+", re.sub(r"\s*(-|–|—|~|至|到)\s*", "-", text).strip(" ,;、"))
    found: set[str] = set()
    for word in words:
        ends = [_grade(part) for part in word.split("-")]
        first, last = GRADES.index(ends[0]), GRADES.index(ends[-1])
        if len(ends) > 2 or first > last:
            raise ValueError(word)
        found.update(GRADES[first : last + 1])
    return tuple(grade for grade in GRADES if grade in found)


def _grade(word: str) -> str:
    column = read_schema("totals").find(word)
    if column is not None and column.name in GRADES:
        return column.name
    if (spelled := word.removesuffix("年级")) in "123456789" and spelled:
        return f"g{spelled}"
    if len(spelled) == 1 and spelled in "一二三四五六七八九":
        return f"g{'一二三四五六七八九'.index(spelled) + 1}"
    raise ValueError(word)


def check_table(raw: RawTable, schema: Schema) -> Checked:
    """A table in the model's words, with every fault and doubt in it.

    Rows with the same problem are one fault that shows the first value and counts the rest.
    """
    import pandas as pd

    headers, faults, doubts = _match(raw, schema)
    made: dict[str, Any] = {}
    for column in schema.columns:
        if column.name in headers:
            values = raw.frame[headers[column.name]].tolist()
            made[column.name], found = _read_column(values, column, raw, headers[column.name])
            faults.extend(found)
        else:
            made[column.name] = [BLANK_OF.get(column.type, "")] * len(raw.rows)
    if not len(raw.rows):
        faults.append(Fault(raw.file, "there is no row below the header", "Enter the data, a row each."))
    frame = pd.DataFrame({name: _series(values) for name, values in made.items()})
    frame.index = pd.Index(np.asarray(raw.rows, dtype=np.int64), name="row")
    return Checked(frame, tuple(faults), tuple(doubts), headers)


BLANK_OF: Mapping[str, Any] = {"float": math.nan, "int": math.nan, "grades": ()}


def _series(values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if values and not isinstance(values[0], float):
        return pd.Series(values, dtype=object)
    return pd.Series(values, dtype=float)


def _match(raw: RawTable, schema: Schema) -> tuple[dict[str, str], list[Fault], list[Fault]]:
    """Which header is which column."""
    found: dict[str, list[str]] = {}
    doubts = []
    for header in map(str, raw.frame.columns):
        column = schema.find(header)
        if column is not None:
            found.setdefault(column.name, []).append(header)
        elif plain(header) not in NOT_DATA:
            doubts.append(_unknown(raw, header, schema))
    faults = []
    for name, headers in found.items():
        if len(headers) > 1:
            problem = f"{' and '.join(headers)} both mean {name}"
            faults.append(Fault(raw.file, problem, "Keep one of them and rename the other."))
    for column in schema.columns:
        if column.required and column.name not in found:
            accepted = ", ".join((column.name, *column.aliases[:5]))
            faults.append(Fault(raw.file, f"column {column.name} is missing", f"Add it, headed {accepted}."))
    return {name: headers[0] for name, headers in found.items()}, faults, doubts


def _unknown(raw: RawTable, header: str, schema: Schema) -> Fault:
    spellings = {alias: column.name for column in schema.columns for alias in (*column.aliases, column.name)}
    alike = nearest(header.rpartition("/")[2], list(spellings))
    fix = f"Did you mean {alike}?" if alike else "Rename it if it should be read."
    return Fault(raw.file, f"column {header} is not known and is not read", fix)


def _read_column(values: list[Any], column: Column, raw: RawTable, header: str) -> tuple[list[Any], list[Fault]]:
    """The values of one column, blank where one is at fault, and the faults by rule."""
    blank = BLANK_OF.get(column.type, "")
    read = READERS[column.type]
    made: list[Any] = []
    problems: dict[str, tuple[str, str, list[int]]] = {}
    for value, row in zip(values, raw.rows.tolist(), strict=True):
        empty = is_blank(value)
        rule = ("blank", f"{column.name} is blank", "Enter it.") if empty and column.required else None
        made.append(blank)
        if not empty:
            try:
                made[-1] = read(value, column)
            except _ValueError as wrong:
                rule = wrong.said
        if rule:
            problems.setdefault(rule[0], (rule[1], rule[2], []))[2].append(row)
    faults = [Fault(raw.file, text, fix, header, tuple(rows)) for text, fix, rows in problems.values()]
    if column.type == "id":
        faults += _twice(made, raw, header)
    return made, faults


def _twice(ids: list[str], raw: RawTable, header: str) -> list[Fault]:
    at: dict[str, list[int]] = {}
    for word, row in zip(ids, raw.rows.tolist(), strict=True):
        at.setdefault(word, []).append(row)
    return [
        Fault(raw.file, f"{word} stands {len(rows)} times", "Give each row its own id.", header, tuple(rows))
        for word, rows in at.items()
        if word and len(rows) > 1
    ]


class _ValueError(Exception):
    """Carries ``said``: the rule (rows that break it are one fault), the problem and the repair."""

    def __init__(self, rule: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.said = (rule, problem, fix)


def _number(value: Any, column: Column) -> float:
    try:
        number = parse_number(value)
    except ValueError:
        raise _ValueError("number", f"'{value}' is not a number", "Enter digits, or leave blank if unknown.") from None
    what = column.unit or "a number"
    if number < column.low:
        raise _ValueError("low", f"{value} is below {column.low:g}", f"Enter {what}, or leave blank if unknown.")
    if number > column.high:
        raise _ValueError("high", f"{value} is above {column.high:g}", f"Enter {what}, or leave blank if unknown.")
    if column.type == "int" and number != int(number):
        raise _ValueError("whole", f"{value} is not a whole number", f"Enter whole {what}.")
    return number


def _code(value: Any, _: Column) -> str:
    try:
        return parse_code(value)
    except ValueError:
        fix = "Format the column as text and enter the codes again."
        raise _ValueError("cut", f"{value} is a code whose digits the spreadsheet has cut", fix) from None


def _text(value: Any, _: Column) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value).strip()


def _choice(value: Any, column: Column) -> str:
    spelling = plain(str(value))
    if spelling in column.choices:
        return column.choices[spelling]
    alike = nearest(spelling, list(column.choices))
    if alike:
        word = column.choices[alike]
        fix = f"Did you mean {word}?" if plain(word) == alike else f"Did you mean {alike} ({word})?"
    else:
        fix = f"Enter one of {', '.join(dict.fromkeys(column.choices.values()))}."
    raise _ValueError(f"choice {spelling}", f"'{value}' is no {column.name}", fix)


def _grades(value: Any, _: Column) -> tuple[str, ...]:
    try:
        return parse_grades(value)
    except ValueError:
        raise _ValueError(
            f"grades {value}", f"'{value}' is not a list of grades", "Enter it like g1-g6 or k1 k2 k3."
        ) from None


READERS: Mapping[str, Callable[[Any, Column], Any]] = {
    "id": _code,
    "code": _code,
    "text": _text,
    "float": _number,
    "int": _number,
    "choice": _choice,
    "grades": _grades,
}
