"""Sentences in English and Chinese: a key of a room's ``sentences.toml`` with the names and figures that go into it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh")
ROOMS = ("sources", "area", "travel", "plan", "explain", "hearing", "intake")


@dataclass(frozen=True)
class Sentence:
    """A sentence in no language yet.

    Parameters
    ----------
    key : its row in a ``sentences.toml``
    values : what stands in its braces: text as it is (names), or one of the parts below

    >>> print(Sentence("other.moves", {"pupils": Amount(1200, "pupils")}).text("en"))
    1,200 pupils would then go to another school than in the plan:
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The sentence in ``en`` or ``zh``."""
        return _row("sentences", self.key)[language].format(**_spoken_all(self.values, language))


@dataclass(frozen=True)
class Word:
    """Words that the map uses too (``planner/draw/words.json``), by their key."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Phrase:
    """Part of a sentence, by its key in ``sentences.toml``."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Label:
    """Words that come in both languages; as a string, the English ones."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


Remark = Label | str
"""What a reader must know of an area or a plan: in both languages, or a text of the user's own, shown as it is."""


@dataclass(frozen=True)
class Either:
    """Words or names with "or" between them."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Listed:
    """Names in a list, ``most`` of them at the longest, the rest counted."""

    parts: tuple[Any, ...]
    most: int = 5


@dataclass(frozen=True)
class Amount:
    """A number with its unit, a row of ``sentences.toml``; at most ``digits`` after the point."""

    value: float
    unit: str
    digits: int = 0


def spoken(value: Any, language: str) -> str:  # noqa: PLR0911 - one a part
    """One value as it stands in a sentence.

    >>> spoken(Amount(1234.5, "minutes", 1), "en"), spoken(Amount(2, "pupils"), "zh")
    ('1,234.5 minutes', '2名学生')
    >>> spoken(Listed(("A", "B", "C"), 2), "en"), spoken(Either(("A", "B")), "zh")
    ('A, B and 1 more', 'A或B')
    """
    match value:
        case Word(key, values):
            return _map_words()[key][language].format(**_spoken_all(values, language))
        case Phrase(key, values):
            return _row("phrases", key)[language].format(**_spoken_all(values, language))
        case Sentence():
            return value.text(language)
        case Label(en, zh):
            return zh if language == "zh" else en
        case Either(parts):
            return _row("phrases", "or")[language].join(spoken(part, language) for part in parts)
        case Listed(parts, most):
            shown = _row("phrases", "comma")[language].join(spoken(part, language) for part in parts[:most])
            return shown + (_row("phrases", "more")[language].format(n=len(parts) - most) if len(parts) > most else "")
        case Amount(number, unit, digits):
            forms = _row("units", unit)
            figure = _figure(number, digits)
            form = forms["one"] if language == "en" and figure == "1" else forms[language]
            return form.format(n=figure)
        case _:
            return str(value)


def _spoken_all(values: Mapping[str, Any], language: str) -> dict[str, str]:
    return {name: spoken(value, language) for name, value in values.items()}


def remark(key: str, **values: Any) -> Label:
    """A sentence said in both languages, to be kept with an area or a plan.

    >>> remark("note.seats_unknown", n=3).zh
    '3个学段的学位数未知，不作限制。'
    """
    sentence = Sentence(key, values)
    return Label(*(sentence.text(language) for language in LANGUAGES))


def plain(said: Remark) -> str | dict[str, str]:
    """A remark as files hold it; ``remark_of`` reads it again.

    >>> plain(Label("Roads are level.", "道路按平坦计算。")), plain("My own words.")
    ({'en': 'Roads are level.', 'zh': '道路按平坦计算。'}, 'My own words.')
    """
    return {"en": said.en, "zh": said.zh} if isinstance(said, Label) else said


def is_plain(held: object) -> bool:
    """Whether a file's value is a remark: a text, or one in English and Chinese."""
    if isinstance(held, dict):
        return set(held) == set(LANGUAGES) and all(isinstance(said, str) for said in held.values())
    return isinstance(held, str)


def remark_of(held: str | Mapping[str, str]) -> Remark:
    """A remark as a file holds it.

    >>> remark_of(plain(Label("a", "甲"))) == Label("a", "甲")
    True
    """
    return held if isinstance(held, str) else Label(held["en"], held["zh"])


def bilingual(said: Remark) -> str:
    """A remark where both languages stand together, Chinese first.

    >>> bilingual(Label("a", "甲")), bilingual("My own words.")
    ('甲 a', 'My own words.')
    """
    return f"{said.zh} {said.en}" if isinstance(said, Label) else said


def text(sentences: Sequence[Sentence], language: str) -> str:
    """Sentences one a line."""
    return "\n".join(sentence.text(language) for sentence in sentences)


def _figure(number: float, digits: int) -> str:
    said = f"{number:,.{digits}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    """Sections of every room's file, together."""
    together: dict[str, dict[str, dict[str, str]]] = {"sentences": {}, "phrases": {}, "units": {}}
    for room in ROOMS:
        for section, rows in tomllib.loads(
            (resources.files("planner") / room / "sentences.toml").read_text("utf-8")
        ).items():
            together[section] |= rows
    return together


@cache
def _map_words() -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = json.loads(
        (resources.files("planner") / "draw" / "words.json").read_text("utf-8")
    )
    return words


def can_say(key: str) -> bool:
    """Whether there is such a sentence.

    >>> can_say("proof.exact"), can_say("nothing")
    (True, False)
    """
    return key in _table()["sentences"]


def _row(section: str, key: str) -> dict[str, str]:
    return _table()[section][key]
