"""The data dictionary: what every column of the tables and layers means, in which unit, and where it comes from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from planner.draw.words import words

LISTS = {"kind": "kind", "stage": "stage", "band": "band", "action": "state", "mode": "mode", "reason": "reason"}
"""Columns whose cells are words, and how the words' labels begin."""


@dataclass(frozen=True)
class Column:
    """A row of ``dictionary.csv``.

    Parameters
    ----------
    table : a sheet, ``gpkg:`` and a layer, or ``*`` for every table that has the column
    zh, en : what it means
    unit : of its numbers; "" for text
    source : where it comes from
    """

    table: str
    column: str
    zh: str
    en: str
    unit: str
    source: str
    note: str

    @property
    def heading(self) -> str:
        """What it means, in both languages, with its unit.

        >>> lookup("assignment", "minutes").heading
        '单程时间 one-way trip (min 分钟)'
        """
        return f"{self.zh} {self.en}{f' ({unit_words(self.unit)})' if self.unit else ''}"


def unit_words(unit: str) -> str:
    """A unit in both languages.

    >>> unit_words("min"), unit_words("%")
    ('min 分钟', '%')
    """
    chinese = words().get(f"unit.{unit}", {}).get("zh", "") if unit not in _UNITS else _UNITS[unit]
    return unit if chinese in ("", unit) else f"{unit} {chinese}"


_UNITS = {"people": "人", "beds": "张", "see unit": "见单位列"}


@cache
def _rows() -> dict[tuple[str, str], Column]:
    text = (resources.files("planner.report") / "dictionary.csv").read_text("utf-8")
    return {(row["table"], row["column"]): Column(**row) for row in csv.DictReader(text.splitlines())}


def lookup(table: str, column: str) -> Column:
    """The entry of a table's column.

    Raises
    ------
    KeyError : the dictionary has none

    >>> lookup("towns", "pupils").unit
    'pupils'
    """
    return _rows().get((table, column)) or _rows()["*", column]


def entries(tables: Iterable[tuple[str, Iterable[str]]]) -> list[dict[str, str]]:
    """Rows of the dictionary sheet, for tables and their columns.

    >>> entries([("bands", ["mean_minutes"])])[0]["en"]
    'mean trip'
    """
    return [
        {
            "sheet": table,
            "column": column,
            "zh": entry.zh,
            "en": entry.en,
            "unit": entry.unit,
            "source": entry.source,
            "note": entry.note,
        }
        for table, columns in tables
        for column in columns
        for entry in [lookup(table, column)]
    ]


def vocabulary() -> list[dict[str, str]]:
    """What the words in the cells mean.

    >>> vocabulary()[0]
    {'column': 'kind', 'word': 'central_kindergarten', 'zh': '中心幼儿园', 'en': 'central kindergarten'}
    """
    return [
        {"column": column, "word": key.partition(".")[2], "zh": label["zh"], "en": label["en"]}
        for column, begins in LISTS.items()
        for key, label in words().items()
        if key.startswith(f"{begins}.") and "{" not in label["en"]
    ]
