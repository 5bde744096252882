"""An independent check of a saved plan: its own reading, own shortest paths, no code of ``optimise`` or ``plan``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from planner.model import StudyArea
from planner.verify import checks, conditions
from planner.verify.checks import Check
from planner.verify.folder import read_folder
from planner.verify.futures import over_futures

__all__ = ["Check", "Verification", "verify"]


PUBLIC = (
    checks.files,
    checks.pupils_conserved,
    checks.schools_open_and_teaching,
    checks.town_rules,
    checks.norms,
    checks.trips,
)
"""What holds of rounded counts as well."""


@dataclass(frozen=True)
class Verification:
    """What was checked of a plan folder."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Nothing failed."""
        return not any(check.failures for check in self.checks)

    def __str__(self) -> str:
        lines = []
        for check in self.checks:
            lines.append(f"{'FAIL' if check.failures else 'ok  '} {check.name}: {check.checked} checked")
            lines += [f"     {failure}" for failure in check.failures[:5]]
            if len(check.failures) > 5:
                lines.append(f"     ... and {len(check.failures) - 5} more")
        return "\n".join(lines)


def verify(folder: str | Path, *, area: str | Path | StudyArea | None = None) -> Verification:
    """Check a plan folder against its area and scenario.

    Pupils conserved, schools open and teaching, whole villages, seats, every rule, the norms, costs, the objective and
    its gap, and the times and kilometres of a sample of trips by another algorithm than the planner's. Of a plan made
    over futures who goes where in each, too, and the objective over them.

    Parameters
    ----------
    area : the study area, or its folder; by default the folder that plan.json names

    Raises
    ------
    DataError : the folder is no plan folder or its area cannot be found
    """
    plan = read_folder(Path(folder), area)
    if plan.public:
        left = Check("public edition: seats, costs, proof and conditions can be checked of the full plan alone", 0)
        return Verification((*(check(plan) for check in PUBLIC), left))
    battery = (
        checks.files,
        checks.pupils_conserved,
        checks.schools_open_and_teaching,
        checks.whole_villages,
        checks.seats,
        checks.what_may_end,
        checks.town_rules,
        checks.norms,
        checks.trips,
        checks.costs,
        checks.proof,
    )
    return Verification((*(check(plan) for check in battery), *conditions.asked(plan, plan), *over_futures(plan)))
