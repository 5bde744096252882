"""What a user can cause, and how it is said: the place, the value, the rule, the repair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


class InfeasibleError(PlannerError):
    """No plan keeps every rule of the scenario; the message speaks of towns, bands, pupils and seats."""

    exit_code = 1

    def __init__(self, reasons: Sequence[str], repairs: Sequence[str] = ()) -> None:
        self.reasons = tuple(reasons)
        self.repairs = tuple(repairs)
        text = "\n".join(self.reasons[:SHOWN_IN_FULL])
        if len(self.reasons) > SHOWN_IN_FULL:
            text += f"\n... and {len(self.reasons) - SHOWN_IN_FULL} more reasons."
        if self.repairs:
            text += "\nSmallest repairs:\n" + "\n".join(f"- {repair}" for repair in self.repairs)
        super().__init__(text)
