"""What the page says, in every language it speaks."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

LANGUAGES = ("zh", "en")


def asset(name: str) -> str:
    """A text file that lies beside this one.

    >>> asset("map.css").startswith("/*")
    True
    """
    return (resources.files("planner.draw") / name).read_text("utf-8").replace("\r\n", "\n")


@cache
def words() -> dict[str, dict[str, str]]:
    """Every label by key and language.

    >>> words()["state.merge"]
    {'en': 'merged', 'zh': '并入'}
    """
    table: dict[str, dict[str, str]] = json.loads(asset("words.json"))
    return table
