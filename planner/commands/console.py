"""What the command line says: lines and progress on stderr, tables and JSON documents on stdout."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def say(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class _Said(logging.Handler):
    """What is logged becomes a line for people."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        say(record.getMessage())


def say_what_is_logged() -> None:
    """From here on the package's log is said, too."""
    log = logging.getLogger("planner")
    log.setLevel(logging.INFO)
    log.addHandler(_Said())


@contextmanager
def step(text: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done, and afterwards how long it took; on a terminal with a spinner."""
    began, added = time.perf_counter(), [""]
    with _spinner(text) if sys.stderr.isatty() else nullcontext():
        yield lambda more: added.__setitem__(0, more)
    say(f"{text}{f': {added[0]}' if added[0] else ''} ({time.perf_counter() - began:.1f} s)")


def _spinner(text: str) -> AbstractContextManager[object]:
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False).status(text)


def show(title: str, frame: pd.DataFrame) -> None:
    """A table on stdout."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    wide = console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=140)
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE)
    for column in frame.columns:
        numbers = any(not isinstance(value, str) for value in frame[column])
        table.add_column(Text(str(column)), justify="right" if numbers else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(figure(value)) for value in row))
    wide.print(table)


def figure(value: Any) -> str:
    """A cell as people read it; unknown numbers say so.

    >>> figure(1234.5), figure(float("nan")), figure(3.0), figure("甲")
    ('1,234.50', 'unknown', '3', '甲')
    """
    if isinstance(value, str):
        return value
    number = float(value)
    if number != number:  # noqa: PLR0124 - NaN
        return "unknown"
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.4f}" if abs(number) < 1 else f"{number:,.2f}"


def put_json(document: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


LINKS = (
    "edge",
    "name",
    "class",
    "lon",
    "lat",
    "pupils 学生",
    "no way 无路",
    "longer 绕行",
    "min more 平均",
    "at most 最多",
)


def show_links(rows: pd.DataFrame) -> None:
    """Roads by what their failure would do, one column a name of ``LINKS``."""
    show("One road closed, everybody keeps their school / 一处道路中断，学校不变", rows.set_axis(LINKS, axis=1))


def show_repairs(repairs: pd.DataFrame) -> None:
    """Repairs of a road network: the first ten, with the rows of their roads."""
    words = {"gap": "gap 断头", "island": "island 孤立", "track": "track 便道"}
    first = repairs.head(10)
    shown = first[["kind", "pupils", "on_foot", "by_bus", "metres"]].assign(kind=first["kind"].map(words))
    shown["metres"] = shown["metres"].map("{:,.1f}".format)
    for name, pair in {"from lon, lat": ("lon", "lat"), "to lon, lat": ("to_lon", "to_lat")}.items():
        shown[name] = [f"{x:.6f}, {y:.6f}" for x, y in first[list(pair)].to_numpy()]
    shown["edges"] = [", ".join(map(str, rows[:4])) + (", ..." if len(rows) > 4 else "") for rows in first["edges"]]
    useful = int((repairs["pupils"] > 0).sum())
    title = f"Repairs of the network 路网修复: {len(repairs):,}, {useful:,} of them give pupils a way; all with --json"
    show(title, shown.rename(columns={"kind": "repair 修复", "pupils": "pupils gained 受益学生"}))
