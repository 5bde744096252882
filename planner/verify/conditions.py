"""What a scenario asks beside seats and town rules, checked from the tables; only what it asks is checked."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from planner.model import BAND_GRADES, BAND_STAGE, BANDS
from planner.verify.checks import SLACK_MINUTES, Check, may_end, minutes_by_band
from planner.verify.folder import ENDED, Folder, number, open_stages, place


def asked(plan: Folder, present: Folder) -> Iterator[Check]:
    """The checks that the scenario gives cause for; ``present``: the plan's, where ``plan`` is one of its futures."""
    scenario = plan.scenario
    if scenario.rules.min_pupils_per_school > 0 or math.isfinite(scenario.capacity.max_pupils_per_school):
        yield sizes(plan, present)
    if math.isfinite(scenario.costs.max_annual_cny) or math.isfinite(scenario.costs.max_capital_cny):
        yield ceilings(plan)
    if scenario.rules.merge_into:
        yield merging(plan, present)
    if scenario.assignment.closest:
        yield closest(plan)
    if scenario.assignment.contiguous:
        yield one_piece(plan)


def sizes(plan: Folder, present: Folder) -> Check:
    """Schools are neither too small nor too large; one that has a stage that may not end may be small."""
    rules, most = plan.scenario.rules, plan.scenario.capacity.max_pupils_per_school
    stay = {*rules.keep, *(school for (school, _), may in may_end(present).items() if not may)}
    pupils: Counter[str] = Counter()
    for row in plan.assignment:
        pupils[row["school_id"]] += round(number(row["pupils"]))
    schools, failures = sorted({school for school, _ in open_stages(plan)}), []
    for school in schools:
        if pupils[school] > most:
            failures.append(f"{school}: {pupils[school]} pupils, at most {most:g} may be")
        if pupils[school] < rules.min_pupils_per_school and school not in stay:
            failures.append(f"{school}: {pupils[school]} pupils, at least {rules.min_pupils_per_school:g} must be")
    return Check("schools are of the size asked for", len(schools), tuple(failures))


def ceilings(plan: Folder) -> Check:
    """Costs within what may be spent."""
    failures = []
    for name, most in (
        ("annual_cost_cny", plan.scenario.costs.max_annual_cny),
        ("capital_cost_cny", plan.scenario.costs.max_capital_cny),
    ):
        said = plan.summary[name]
        if math.isfinite(most) and (said is None or float(said) > most * (1 + 1e-6) + 1e-6):
            failures.append(f"{name}: {'unknown' if said is None else f'{said:,.0f}'}, at most {most:,.0f} may be")
    return Check("costs within their ceilings", 2, tuple(failures))


def merging(plan: Folder, present: Folder) -> Check:
    """The pupils of a closed school in ``merge_into`` go where the scenario sends them."""
    ended = {(a["school_id"], a["stage"]) for a in plan.actions if a["action"] in ENDED}
    minutes, failures, checked = _to_every_school(present), [], 0
    existing = (plan.area.schools["status"] != "candidate").to_numpy()
    for row in plan.assignment:
        if not row["school_id"]:
            continue
        times = np.where(existing & teaching(plan, row["band"]), minutes[row["demand_id"], row["band"]], np.inf)
        if not np.isfinite(times).any() or np.sum(times <= times.min() + SLACK_MINUTES) > 1:
            continue  # as far to two schools: either may be the one of today
        today = str(plan.area.schools.index[int(times.argmin())])
        into = plan.scenario.rules.merge_into.get(today)
        if into is not None and (today, BAND_STAGE[row["band"]]) in ended:
            checked += 1
            if row["school_id"] not in into:
                failures.append(f"{place(row)}: from {today} to {row['school_id']}, not to {' or '.join(into)}")
    return Check("pupils of merged schools go where they are sent", checked, tuple(failures))


def closest(plan: Folder) -> Check:
    """Nobody is sent past a nearer open school with room for them."""
    load: Counter[tuple[str, str]] = Counter()
    for row in plan.assignment:
        load[row["school_id"], BAND_STAGE[row["band"]]] += round(number(row["pupils"]))
    free = {key: number(a["seats"]) - load[key] for key, a in open_stages(plan).items()}
    whole, minutes, failures = plan.scenario.assignment.unit == "village", _to_every_school(plan), []
    for row in plan.assignment:
        if not row["school_id"]:
            continue
        times, teach = minutes[row["demand_id"], row["band"]], teaching(plan, row["band"])
        need, limit = (number(row["pupils"]) if whole else 1.0), number(row["minutes"]) - SLACK_MINUTES
        for j in np.flatnonzero(times < limit):
            school = str(plan.area.schools.index[j])
            room = free.get((school, BAND_STAGE[row["band"]]), -1.0)
            if teach[j] and (math.isnan(room) or room >= need):
                failures.append(f"{place(row)}: sent to {row['school_id']} past {school}, which has room")
                break
    return Check("nobody is sent past an open school with room", len(plan.assignment), tuple(failures))


def one_piece(plan: Folder) -> Check:
    """The land of the villages that go to one school, stage by stage, is in one piece."""
    import shapely

    villages: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # two bands may go to two schools
    for row in plan.assignment:
        if row["school_id"]:
            villages[BAND_STAGE[row["band"]]][row["demand_id"]].add(row["school_id"])
    failures, checked = [], 0
    county = shapely.union_all(shapely.make_valid(plan.area.towns.geometry.dropna().to_numpy()))
    for stage, schools_of in villages.items():
        points = plan.area.demand.geometry.loc[list(schools_of)].to_numpy()
        around = shapely.union_all([county, shapely.buffer(shapely.multipoints(points).convex_hull, 1.0)])
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=around))
        cells = cells if county.is_empty else shapely.intersection(cells, county)
        which, cell = shapely.STRtree(cells).query(points, predicate="intersects")
        cell_of = dict(zip(which.tolist(), cell.tolist(), strict=True))
        land, schools = cells[[cell_of[i] for i in range(len(points))]], list(schools_of.values())
        # Cells share their borders up to rounding: a strip of a millimetre tells a border from a common corner.
        one, other = shapely.STRtree(land).query(land, predicate="dwithin", distance=0.001)
        strip = shapely.area(shapely.intersection(shapely.buffer(land[one], 0.001), land[other]))
        beside: dict[int, set[int]] = defaultdict(set)
        for i, k in zip(one[strip > 1e-5].tolist(), other[strip > 1e-5].tolist(), strict=True):
            beside[i].add(k)
        for school in sorted(set().union(*schools)):
            checked += 1
            mine = {i for i, its in enumerate(schools) if school in its}
            first = min(mine)
            seen, ahead = {first}, [first]
            while ahead:
                new = (beside[ahead.pop()] & mine) - seen
                seen |= new
                ahead += new
            if seen != mine:
                failures.append(f"{school} {stage}: {len(mine - seen)} of its {len(mine)} villages lie apart")
    return Check("catchments are in one piece", checked, tuple(failures))


def _to_every_school(plan: Folder) -> dict[tuple[str, str], np.ndarray]:
    """Demand point and band -> (n_school,) minutes, infinite without a way."""
    found: dict[tuple[str, str], np.ndarray] = {}
    for band in BANDS:
        minutes = np.nan_to_num(minutes_by_band(plan, band), nan=np.inf)
        found |= {(str(d), band): minutes[i] for i, d in enumerate(plan.area.demand.index)}
    return found


def teaching(plan: Folder, band: str) -> np.ndarray:
    """(n_school,) bool, the school teaches the band, or may take it up."""
    gains = plan.scenario.rules.may_gain
    return np.array(
        [
            set(BAND_GRADES[band]) <= set(grades) or BAND_STAGE[band] in gains.get(str(school), ())
            for school, grades in plan.area.schools["grades"].items()
        ],
        dtype=bool,
    )
