"""What a reader must know of a plan before its figures: the first sheets of the workbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.draw.words import words
from planner.model import BANDS
from planner.plan import Plan
from planner.report.dictionary import unit_words
from planner.scenario import Scenario, read_preset
from planner.wording import Phrase, bilingual, spoken

if TYPE_CHECKING:
    import pandas as pd

UNITS = {
    "pupil_minutes": "pupil-min",
    "excess_pupil_minutes": "pupil-min",
    "schools_open": "schools",
    "annual_cost_cny": "CNY/year",
    "capital_cost_cny": "CNY",
    "weighted_cny": "CNY",
}
"""Of the objectives."""


def about(plan: Plan) -> pd.DataFrame:
    """Rows ``item_zh, item_en, value``: whose plan it is, how good it is proven to be, and what it rests on.

    >>> about(tiny.plan).set_index("item_en").at["status", "value"]
    '最优方案：已证明，差距 0.00%。 Optimal: proven, gap 0.00%.'
    """
    import pandas as pd

    area, label, goal = plan.area, words(), plan.scenario.objective.minimise
    unit = unit_words(UNITS.get(goal, ""))
    rows: list[tuple[str, str, Any]] = [
        ("县域", "study area", area.title),
        ("方案", "plan", plan.title),
        ("情形设定", "scenario", plan.scenario.title),
        ("数据性质", "data", _both(label["synthetic.long"]) if area.synthetic else "reported 上报数据"),
        ("数据日期", "data of", area.data_date or _both(label["unknown"])),
        ("结论性质", "status", status(plan)),
        (f"目标：{spoken(Phrase(goal), 'zh')}", f"objective: {goal}", f"{_figure(plan.objective)} {unit}"),
        ("下界（任何方案不低于）", "bound: no plan is below", f"{_figure(plan.bound)} {unit}"),
        ("差距", "gap", "unknown 未知" if math.isnan(plan.gap) else f"{plan.gap:.2%}"),
        ("年度运行成本", "running costs", f"{_figure(plan.annual_cost_cny)} {unit_words('CNY/year')}"),
        ("建设投资", "building costs", f"{_figure(plan.capital_cost_cny)} {unit_words('CNY')}"),
    ]
    for band in BANDS:
        limit, name = plan.scenario.travel.limit_minutes(band), label[f"band.{band}"]
        said = label["norm.none"] if math.isinf(limit) else label["norm"]
        rows.append((f"路程标准：{name['zh']}", f"travel norm: {name['en']}", _both(said, f"{limit:g}")))
    rows += [("假设", "assumed", bilingual(said)) for said in area.assumptions]
    rows += [("说明", "note", bilingual(said)) for said in plan.notes]
    rows += [
        ("数据来源", "source of the data", "; ".join(area.attribution) or _both(label["unknown"])),
        ("未知值", "unknown figures", "写作 unknown 未知，不以 0 代替 / are said to be unknown, never 0"),
        ("县域数据指纹", "SHA-256 of the area", plan.rooted.area_sha256),
        ("情形设定指纹", "SHA-256 of the scenario", plan.rooted.scenario_sha256),
        *((f"版本：{name}", f"version: {name}", number) for name, number in plan.rooted.versions.items()),
    ]
    return pd.DataFrame(rows, columns=["item_zh", "item_en", "value"])


def status(plan: Plan) -> str:
    """How the plan came about and what is proven of it, in both languages.

    >>> status(tiny.today)
    '未经最优性证明：给定布局的评分。 Not proven: a layout that was given, and scored.'
    """
    key = "feasible_unbounded" if plan.status == "feasible" and math.isnan(plan.gap) else plan.status
    return _both(words()[f"status.{key}"], f"{plan.gap:.2%}")


def norms(scenario: Scenario) -> pd.DataFrame:
    r"""The norms of the scenario's preset with their documents; ``in_force`` is what the scenario uses.

    >>> from planner.scenario import parse_scenario
    >>> norms(parse_scenario('title = "t"\nnorms = "cn-shaanxi"')).iloc[1, [0, 2, 4]].tolist()
    ['travel.max_minutes.lower_primary', '30', '国办发〔2018〕27号']
    """
    import pandas as pd

    rows = [
        {
            "limit": row.get("key", ""),
            "value": str(row["value"]),
            "in_force": _in_force(scenario, row["key"]) if "key" in row else "",
            "unit": row["unit"],
            "source": _sources(row["source"], row.get("source_zh", "")),
            "text": f"{row['text_zh']} {row['text']}",
        }
        for row in read_preset(scenario.norms)["norm"]
    ]
    return pd.DataFrame(rows, columns=["limit", "value", "in_force", "unit", "source", "text"])


def _sources(source: str, chinese: str) -> str:
    """A document in both languages; most are named in Chinese alone."""
    return f"{chinese} {source}" if chinese else source


def _in_force(scenario: Scenario, key: str) -> str:
    """The scenario's own value of a key such as ``travel.max_minutes.lower_primary``."""
    value: Any = scenario
    for word in key.split("."):
        value = value.get(word) if hasattr(value, "get") else getattr(value, word, None)
    return "" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _both(said: dict[str, str], number: str = "") -> str:
    """A sentence in both languages, its ``{n}`` filled in."""
    return f"{said['zh']} {said['en']}".replace("{n}", number)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "unknown 未知"
