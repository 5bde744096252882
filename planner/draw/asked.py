"""The question that a map was made for, as a scenario file."""

from __future__ import annotations

import json
from typing import Any

from planner.scenario import Scenario, preset_values


def without_rules(scenario: Scenario) -> str:
    """A scenario as TOML without what it keeps and closes.

    >>> print(without_rules(tiny.scenario).splitlines()[0])
    title = "Tiny"
    """
    rules = scenario.rules.model_copy(update={"keep": (), "close": ()})
    return to_toml(scenario.model_copy(update={"rules": rules}))


def to_toml(scenario: Scenario) -> str:
    r"""A scenario as TOML that ``parse_scenario`` reads back as the same question; what its preset says is left out.

    >>> from planner.scenario import parse_scenario
    >>> print(to_toml(parse_scenario("title = 'a'\nnorms = 'cn-hebei'").model_copy(update={"title": 'a "b"'})))
    title = "a \"b\""
    norms = "cn-hebei"
    <BLANKLINE>
    """
    preset = Scenario.model_validate({**preset_values(scenario.norms), "title": "", "norms": ""}).model_dump()
    lines = []
    for key, value in scenario.model_dump(exclude_none=True).items():
        if not isinstance(value, dict):
            lines += [f"{key} = {_toml(value)}"] if value != preset[key] else []
            continue
        own = {inner: part for inner, part in value.items() if part != preset[key].get(inner)}
        lines += [f"{key}.{inner} = {_toml(part)}" for inner, part in own.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value on one line; strings are escaped as JSON does, and DEL, which JSON leaves."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
