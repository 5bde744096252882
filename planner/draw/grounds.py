"""What roads carry under some plans: kept once for all plans whose pupils travel the same way on the same roads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.draw.basemap import closed
from planner.draw.flows import flows
from planner.draw.isochrones import isochrones
from planner.model import StudyArea
from planner.plan import Plan


def grounds(area: StudyArea, plans: Sequence[Plan]) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    """Closed roads, pupils on roads and isochrones, for each way of travelling that there is among the plans.

    Norms are no part of the way of travelling. Without a plan there is one ground, with nothing on it.

    Returns
    -------
    Grounds, each with ``closed`` (lines), ``flows`` and ``isochrones`` (see there; their plans are this ground's); and
    for each plan its ground and its number among the plans of that ground

    >>> found, places = grounds(tiny.area, [tiny.today, tiny.plan])
    >>> len(found), places, found[0]["flows"]["pupils"]
    (1, [(0, 0), (0, 1)], [[0, 10], [10, 0], [2, 12]])
    """
    keys = [plan.scenario.travel.model_copy(update={"max_minutes": {}}).model_dump_json() for plan in plans]
    members = {key: [i for i, other in enumerate(keys) if other == key] for key in dict.fromkeys(keys)}
    made = []
    for rows in members.values() or [[]]:
        some = [plans[i] for i in rows]
        made.append(
            {
                "closed": closed(area, some[-1].scenario.travel) if some else [],
                "flows": flows(area, some),
                "isochrones": isochrones(area, some),
            }
        )
    numbers = list(members)
    return made, [(numbers.index(key), members[key].index(i)) for i, key in enumerate(keys)]
