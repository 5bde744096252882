"""What a user can cause, and how it is said: the place, the value, the rule, the repair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

SHOWN_IN_FULL = 10


@dataclass(frozen=True)
class Fault:
    """One thing wrong (or doubtful) in an input.

    Parameters
    ----------
    file : path as the user gave it
    problem : the value and the rule it breaks, ``"-30 is below 0"``
    fix : the repair, an imperative sentence
    column : column name, where there is one
    rows : 1-based rows as a spreadsheet counts them, header included

    >>> print(Fault("schools.csv", "-30 is below 0", "Enter seats.", column="seats_primary", rows=(14, 22)))
    schools.csv row 14, column seats_primary: -30 is below 0. Enter seats. 2 rows: 14, 22.
    """

    file: str
    problem: str
    fix: str
    column: str | None = None
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        place = self.file
        if self.rows:
            place += f" row {self.rows[0]}"
        if self.column:
            place += f", column {self.column}"
        text = f"{place}: {self.problem}. {self.fix}"
        if len(self.rows) > 1:
            shown = ", ".join(str(row) for row in self.rows[:SHOWN_IN_FULL])
            more = ", ..." if len(self.rows) > SHOWN_IN_FULL else ""
            text += f" {len(self.rows)} rows: {shown}{more}."
        return text


def describe(faults: Sequence[Fault]) -> str:
    """Faults one a line: the first ten in full, the rest counted."""
    lines = [str(fault) for fault in faults[:SHOWN_IN_FULL]]
    if len(faults) > SHOWN_IN_FULL:
        lines.append(f"... and {len(faults) - SHOWN_IN_FULL} more faults.")
    return "\n".join(lines)


class PlannerError(Exception):
    """Whatever a user can cause; the command line prints it and exits with ``exit_code``."""

    exit_code = 2


class DataError(PlannerError):
    """Input tables or files that break a rule; carries every fault found in one pass."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(describe(self.faults))


class ScenarioError(PlannerError):
    """A scenario that cannot be read or contradicts itself; carries every fault found in one pass."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(describe(self.faults))


class Said(Protocol):
    """Something that can be said in English and in Chinese."""

    def text(self, language: str) -> str:
        """It in ``en`` or ``zh``."""


class InfeasibleError(PlannerError):
    """No plan keeps every rule of the scenario; the message speaks of towns, bands, pupils and seats.

    Parameters
    ----------
    why : reasons
    help : what would give the scenario a plan, the smallest first
    """

    exit_code = 1

    def __init__(self, why: Sequence[Said], help: Sequence[Said] = ()) -> None:  # noqa: A002 - what it is
        self.why = tuple(why)
        self.help = tuple(help)
        super().__init__(self.text("en"))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is no plan, in English."""
        return tuple(reason.text("en") for reason in self.why)

    @property
    def repairs(self) -> tuple[str, ...]:
        """What would help, in English."""
        return tuple(repair.text("en") for repair in self.help)

    def text(self, language: str) -> str:
        """The whole message in ``en`` or ``zh``: a reason or a repair a line, the first ten in full."""
        zh = language == "zh"
        lines = [reason.text(language) for reason in self.why[:SHOWN_IN_FULL]]
        if (more := len(self.why) - SHOWN_IN_FULL) > 0:
            lines.append(f"……另有{more}条原因。" if zh else f"... and {more} more reasons.")
        if self.help:
            lines.append("最小补救：" if zh else "Smallest repairs:")
            lines += [f"- {repair.text(language)}" for repair in self.help]
        return "\n".join(lines)
