"""Folders of many plans: a table, a page, and every plan as a folder of its own; they appear complete or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.draw import FUTURES, Drawing, draw
from planner.draw.chart import chart, figure
from planner.errors import DataError, Fault
from planner.indicators import INDICATORS
from planner.plan import Alternatives, Frontier, Plan
from planner.report import free_target, number, save, whole_folder, write_table
from planner.robust import USUAL, Robustness

if TYPE_CHECKING:
    import pandas as pd

PLANS = "plans"


def plan_names(count: int) -> list[str]:
    """Folders of so many plans, in order.

    >>> plan_names(2)
    ['plans/01', 'plans/02']
    """
    return [f"{PLANS}/{k:0{max(len(str(count)), 2)}}" for k in range(1, count + 1)]


def save_frontier(front: Frontier, folder: str | Path, tell: Callable[[str], object] = str) -> Path:
    """Write ``frontier.html`` (open it), ``map.html``, ``frontier.csv``, ``frontier.json`` and a plan folder per point.

    Parameters
    ----------
    tell : is told which plan is being written

    Raises
    ------
    DataError : the folder exists and is no frontier folder, or may not be written
    """
    target = free_target(folder, "frontier.json")
    names = plan_names(len(front.points))
    with whole_folder(target) as part:
        _write_plans([point.plan for point in front.points], names, part, tell)
        (part / "frontier.html").write_text(chart(front, [f"{name}/map.html" for name in names]), "utf-8")
        frontier_map(front).save(part / "map.html")
        write_table(front.table.assign(plan=names), part / "frontier.csv")
        write_json(frontier_summary(front) | {"plans": names}, part / "frontier.json")
    return target


def frontier_map(front: Frontier) -> Drawing:
    """All points on one map, with a slider through them; today's layout is the first.

    >>> from planner.plan import frontier
    >>> front = frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open"))
    >>> frontier_map(front).html.startswith("<!DOCTYPE html>")
    True
    """
    first, second = (INDICATORS[key].unit for key in front.between)

    titles = [f"{figure(point.first)} {first} · {figure(point.second)} {second}" for point in front.points]
    plans = [replace(point.plan, title=f"{k}: {titles[k - 1]}") for k, point in enumerate(front.points, 1)]
    return draw(front.area, front.today, *plans)


def futures_map(found: Robustness, lang: str = "zh") -> Drawing:
    """A plan in the present and in every future on one map, with a slider through them.

    >>> from planner.robust import robustness
    >>> futures_map(robustness(tiny.plan, roads=0)).html.startswith("<!DOCTYPE html>")
    True
    """
    both = zip(found.futures, found.plans, strict=True)
    some = [replace(plan, title=future.name) for future, plan in both if future != USUAL[0]]
    return draw(found.plan.area, found.plan, *some, lang=lang, sides=FUTURES)


def save_alternatives(found: Alternatives, folder: str | Path, tell: Callable[[str], object] = str) -> Path:
    """Write ``alternatives.csv``, ``schools.csv`` (how often each is open), ``alternatives.json``, a folder per plan.

    Parameters
    ----------
    tell : is told which plan is being written

    Raises
    ------
    DataError : the folder exists and is no alternatives folder, or may not be written
    """
    target = free_target(folder, "alternatives.json")
    names = plan_names(len(found.plans))
    with whole_folder(target) as part:
        _write_plans(found.plans, names, part, tell)
        write_table(found.table.assign(folder=names), part / "alternatives.csv")
        write_table(found.schools, part / "schools.csv")
        write_json(alternatives_summary(found) | {"folders": names}, part / "alternatives.json")
    return target


def alternatives_summary(found: Alternatives) -> dict[str, Any]:
    """What ``alternatives.json`` holds.

    >>> from planner.plan import alternatives
    >>> alternatives_summary(alternatives(tiny.area, tiny.times, tiny.scenario))["plans"][0]["objective"]
    440.0
    """
    return {
        "area": found.area.title,
        "public": found.area.public,
        "scenario": {"title": found.scenario.title, "sha256": found.scenario.sha256},
        "objective_unit": found.scenario.objective.minimise,
        "plans": records(found.table),
        "schools": records(found.schools),
        "ended": found.ended,
    }


def frontier_summary(front: Frontier) -> dict[str, Any]:
    """What ``frontier.json`` holds.

    >>> from planner.plan import frontier
    >>> frontier_summary(frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open")))["between"]
    ['mean_minutes', 'schools_open']
    """
    return {
        "area": front.area.title,
        "public": front.area.public,
        "scenario": {"title": front.scenario.title, "sha256": front.scenario.sha256},
        "between": list(front.between),
        "points": records(front.table),
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows for JSON; what is unknown or infinite is null.

    >>> import pandas as pd
    >>> records(pd.DataFrame({"a": [1, 2], "b": [0.5, float("inf")]}))
    [{'a': 1, 'b': 0.5}, {'a': 2, 'b': None}]
    """
    return [
        {str(key): number(value) if isinstance(value, float) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]


def write_whole_table(frame: pd.DataFrame, file: str | Path) -> Path:
    """A table as a CSV file of its own, all of it or nothing; a file of that name is replaced.

    Raises
    ------
    DataError : it may not be written
    """
    target = Path(file)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as beside:
            part = Path(beside) / target.name
            write_table(frame, part)
            part.replace(target)
    except OSError as error:
        fault = Fault(str(file), f"it cannot be written: {error.strerror}", "Name another file.")
        raise DataError([fault]) from None
    return target


def write_json(document: Any, path: Path) -> None:
    """One JSON document."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", "utf-8")


def _write_plans(plans: Sequence[Plan], names: Sequence[str], part: Path, tell: Callable[[str], object]) -> None:
    """Every plan where it will lie in the end: the way from there to its area is the same."""
    for name, plan in zip(names, plans, strict=True):
        tell(f"plan {name.removeprefix(f'{PLANS}/')} of {len(names)}")
        save(plan, part / name, draw(plan.area, *([plan.today] if plan.today else []), plan))
