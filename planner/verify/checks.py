"""What is checked of a plan: one function a check, each counting what it looked at."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from planner.model import BAND_GRADES, BAND_STAGE, BANDS, BUS_MODES
from planner.remembered import remembered
from planner.verify.folder import ENDED, Folder, changed, changed_besides, number, open_stages, place
from planner.verify.network import network_of

SAMPLE = 40
FEW_TRIPS = 40
"""Trips beyond the norm up to which each is searched for, as far as it goes; more by one search from all schools."""
SLACK_MINUTES = 1e-4


@dataclass(frozen=True)
class Check:
    """One thing that was checked: how many times, and each failure in words."""

    name: str
    checked: int
    failures: tuple[str, ...] = ()


def files(plan: Folder) -> Check:
    """Every file is the one that the manifest names, and the area has not changed since."""
    failures = (*changed(plan), *changed_besides(plan))
    return Check("files are as written", len(plan.files) + 2 + len(plan.summary["layers"]), failures)


def pupils_conserved(plan: Folder) -> Check:
    """Every demand point's band is in the plan with all its pupils."""
    found: Counter[tuple[str, str]] = Counter()
    for row in plan.assignment:
        found[row["demand_id"], row["band"]] += round(number(row["pupils"]))
    pupils = plan.area.pupils
    expected = {
        (str(d), band): int(count)
        for band in BANDS
        for d, count in zip(pupils.index, pupils[list(BAND_GRADES[band])].sum(axis=1).tolist(), strict=True)
    }
    keys = set(found) | set(expected)
    failures = [
        f"{d} {band}: {found[d, band]} pupils in the plan, {expected.get((d, band), 0)} in the area"
        for d, band in sorted(keys)
        if found[d, band] != expected.get((d, band), 0)
    ]
    return Check("every pupil is in the plan", len(keys), tuple(failures))


def schools_open_and_teaching(plan: Folder) -> Check:
    """Every pupil's school is open in the plan and teaches all grades of the band."""
    is_open, failures = open_stages(plan), []
    gains = plan.scenario.rules.may_gain
    for row in plan.assignment:
        school, band = row["school_id"], row["band"]
        if not school:
            continue
        if (school, BAND_STAGE[band]) not in is_open:
            failures.append(f"{place(row)}: {school} is not open for it")
        elif not set(BAND_GRADES[band]) <= set(plan.area.schools.loc[school, "grades"]) and BAND_STAGE[
            band
        ] not in gains.get(school, ()):
            failures.append(f"{place(row)}: {school} does not teach it")
    return Check("schools are open and teach the band", len(plan.assignment), tuple(failures))


def whole_villages(plan: Folder) -> Check:
    """A band of a demand point goes to one school, unless the scenario lets it be split."""
    if plan.scenario.assignment.unit == "pupil":
        return Check("villages may be split", 0)
    count = Counter((row["demand_id"], row["band"]) for row in plan.assignment)
    failures = [f"{d} {band}: {n} rows" for (d, band), n in count.items() if n > 1]
    return Check("villages are whole", len(count), tuple(failures))


def seats(plan: Folder) -> Check:
    """Pupils within seats; seats are those of the area and what the plan adds; no more than may be."""
    load: Counter[tuple[str, str]] = Counter()
    for row in plan.assignment:
        if row["school_id"]:
            load[row["school_id"], BAND_STAGE[row["band"]]] += round(number(row["pupils"]))
    capacity, failures, schools = plan.scenario.capacity, [], plan.area.schools
    for (school, stage), row in open_stages(plan).items():
        have, added = float(schools.loc[school, f"seats_{stage}"]), number(row["seats_added"])
        existed = row["action"] != "open"
        candidate = schools.loc[school, "status"] == "candidate"
        expected = have + added if existed else added
        if round(number(row["pupils"])) != load[school, stage]:
            failures.append(f"{school} {stage}: actions say {row['pupils']} pupils, assignment {load[school, stage]}")
        if math.isnan(have) and (existed or candidate):
            if not math.isnan(number(row["seats"])):
                failures.append(f"{school} {stage}: {row['seats']} seats, but the area does not know them")
            continue
        if abs(number(row["seats"]) - expected) > 1e-6:
            failures.append(f"{school} {stage}: {row['seats']} seats, but {have:g} and {added:g} added")
        if load[school, stage] > expected + 1e-6:
            failures.append(f"{school} {stage}: {load[school, stage]} pupils, {expected:g} seats")
        if added > 0 and existed:
            if not capacity.expansion:
                failures.append(f"{school} {stage}: seats added, which the scenario does not allow")
            if expected > capacity.max_seats_per_school or added > capacity.max_added_seats_per_school:
                failures.append(f"{school} {stage}: {added:g} seats added to {have:g}, more than may be")
    return Check("pupils have seats", len(open_stages(plan)), tuple(failures))


def what_may_end(plan: Folder) -> Check:
    """Only small schools, or kinds that may merge, end; kept ones stay; closed ones end."""
    rules, failures = plan.scenario.rules, []
    pupils, may = enrolled(plan), may_end(plan)
    in_all: dict[str, float] = defaultdict(float)
    for (school, _), count in pupils.items():
        in_all[school] += count
    for row in plan.actions:
        school, stage, action = row["school_id"], row["stage"], row["action"]
        ends = action in ENDED
        if (school, stage) not in pupils:
            continue  # a candidate, or a stage that is taken up
        if ends and not may[school, stage]:
            failures.append(f"{school} {stage}: {action}, but it has {in_all[school]:g} pupils")
        if ends and school in rules.keep:
            failures.append(f"{school} {stage}: {action}, but the scenario keeps it")
        if not ends and school in rules.close:
            failures.append(f"{school} {stage}: {action}, but the scenario closes it")
    still_open = {school for school, _ in open_stages(plan)}
    failures += [
        f"{row['school_id']}: merges into {row['into']}, which is not open"
        for row in plan.actions
        if row["action"] == "merge" and row["into"] and row["into"] not in still_open
    ]
    missing = set(map(str, plan.area.schools.index)) - {row["school_id"] for row in plan.actions}
    failures += [f"{school} stands in no row of actions" for school in sorted(missing)]
    return Check("only what may end ends", len(plan.actions), tuple(failures))


def may_end(plan: Folder) -> dict[tuple[str, str], bool]:
    """School and stage of today -> whether its pupils and kind, or ``close``, let it end (docs/conventions.md 3.8)."""
    rules, pupils = plan.scenario.rules, enrolled(plan)
    of: dict[str, list[float]] = defaultdict(list)
    for (school, _), count in pupils.items():
        of[school].append(count)
    return {
        (school, stage): sum(of[school]) < rules.may_close_below_pupils
        or (len(of[school]) > 1 and count < rules.may_close_below_pupils)
        or plan.area.schools.loc[school, "kind"] in rules.may_merge_kinds
        or school in rules.close
        for (school, stage), count in pupils.items()
    }


@remembered
def enrolled(plan: Folder) -> dict[tuple[str, str], float]:
    """School and stage of today -> pupils: the enrolment, where that is unknown those whose quickest school it is."""
    schools, nearest, found = plan.area.schools, _nearest_today(plan), {}
    for row in plan.actions:
        school, stage = row["school_id"], row["stage"]
        if schools.loc[school, "status"] != "candidate" and row["action"] != "open":
            given = float(schools.loc[school, f"pupils_{stage}"])
            found[school, stage] = float(nearest[school, stage]) if math.isnan(given) else given
    return found


def _nearest_today(plan: Folder) -> Counter[tuple[str, str]]:
    """Pupils by school and stage if every band went to its quickest existing school (for unknown enrolments)."""
    schools = plan.area.schools
    count: Counter[tuple[str, str]] = Counter()
    if not schools[[c for c in schools.columns if c.startswith("pupils_")]].isna().any(axis=None):
        return count
    existing = schools["status"].to_numpy() != "candidate"
    for band in BANDS:
        teaches = np.array([set(BAND_GRADES[band]) <= set(grades) for grades in schools["grades"]], dtype=bool)
        times = np.where(existing & teaches, minutes_by_band(plan, band), np.nan)
        pupils = plan.area.pupils[list(BAND_GRADES[band])].sum(axis=1).to_numpy()
        for i in np.flatnonzero(np.isfinite(times).any(axis=1)):
            count[str(schools.index[int(np.nanargmin(times[i]))]), BAND_STAGE[band]] += int(pupils[i])
    return count


def minutes_by_band(plan: Folder, band: str) -> np.ndarray:
    """(n_demand, n_school) the planner's own times, of which ``trips`` checks a sample; NaN where there is no way."""
    from planner.travel import travel_times

    return np.asarray(travel_times(plan.area, plan.scenario.travel).trips.minutes[BANDS.index(band)])


def town_rules(plan: Folder) -> Check:
    """How many schools of a kind are open in every town."""
    count: Counter[tuple[str, str, str]] = Counter()
    for school, stage in open_stages(plan):
        row = plan.area.schools.loc[school]
        count[str(row["town_id"]), row["kind"], stage] += 1
    failures, checked = [], 0
    for town, name in plan.area.towns["name"].items():
        for rule in plan.scenario.rules.per_town:
            span = rule.except_towns.get(str(town), rule.open)
            found = sum(count[str(town), kind, rule.stage] for kind in rule.kinds)
            checked += 1
            if found < span.min or (span.max is not None and found > span.max):
                most = "" if span.max is None else f" to {span.max}"
                failures.append(f"{name}: {found} {' or '.join(rule.kinds)} open, not {span.min}{most}")
    return Check("town rules", checked, tuple(failures))


def norms(plan: Folder) -> Check:
    """No trip is longer than the norm, or than today's where the scenario allows that."""
    failures, checked = [], 0
    today = plan.scenario.assignment.beyond_norm == "as_today"
    if plan.scenario.assignment.beyond_norm == "allow":
        return Check("travel norms are no limit", 0)
    beyond: list[dict[str, str]] = []
    for row in plan.assignment:
        limit = plan.scenario.travel.limit_minutes(row["band"])
        if not row["school_id"] or math.isinf(limit):
            continue
        checked += 1
        if number(row["minutes"]) > limit + SLACK_MINUTES:
            beyond.append(row)
    if beyond and today:
        network, few = network_of(plan), len(beyond) <= FEW_TRIPS

        def longer_than_today(row: dict[str, str]) -> bool:
            minutes = number(row["minutes"])
            limit = minutes + SLACK_MINUTES if few else math.inf
            return not minutes <= network.today(row["demand_id"], row["band"], limit) + SLACK_MINUTES

        beyond = [row for row in beyond if longer_than_today(row)]
    failures = [
        f"{place(row)}: {number(row['minutes']):.1f} min, norm {plan.scenario.travel.limit_minutes(row['band']):g}"
        for row in beyond
    ]
    return Check("travel norms", checked, tuple(failures))


def trips(plan: Folder) -> Check:
    """A sample of trips, times, kilometres and modes, by a search of its own from the village outwards."""
    step = max(len(plan.assignment) // SAMPLE, 1)
    rows = plan.assignment[::step] + [row for row in plan.assignment if row["reason"] == "unreachable"][:10]
    network, failures = network_of(plan), []
    for row in rows:
        if not row["school_id"]:
            if row["reason"] == "unreachable":
                way = _any_school(plan, row)
                if way is not None:
                    failures.append(f"{place(row)}: called unreachable, but {way} can be reached")
            continue
        trip = (row["demand_id"], row["band"], row["school_id"])
        found = network.minutes(*trip, number(row["minutes"]) + SLACK_MINUTES)
        if not math.isfinite(found):  # no way that quick
            found = network.minutes(*trip)
        if not abs(found - number(row["minutes"])) <= SLACK_MINUTES:
            failures.append(f"{place(row)} to {row['school_id']}: {row['minutes']} min in the plan, {found:.4f} found")
    return Check("travel times of a sample", len(rows), tuple(failures))


def _any_school(plan: Folder, row: dict[str, str]) -> str | None:
    """An open school that teaches the row's band and can be reached."""
    stage, grades, network = BAND_STAGE[row["band"]], set(BAND_GRADES[row["band"]]), network_of(plan)
    for school, of in open_stages(plan):
        teaches = grades <= set(plan.area.schools.loc[school, "grades"])
        if of == stage and teaches and math.isfinite(network.minutes(row["demand_id"], row["band"], school)):
            return school
    return None


def costs(plan: Folder) -> Check:
    """Annual and capital cost, added up again."""
    failures = []
    added = sum(number(a["seats_added"]) for a in plan.actions)
    price = plan.scenario.capacity.cost_per_seat_cny
    capital = 0.0 if added == 0 else math.nan if price is None else added * price
    for name, found in (("annual_cost_cny", annual_cost(plan)), ("capital_cost_cny", capital)):
        said = plan.summary[name]
        said = math.nan if said is None else float(said)
        agree = (math.isnan(said) and math.isnan(found)) or math.isclose(said, found, rel_tol=1e-6, abs_tol=1.0)
        if not agree:
            failures.append(f"{name}: {said:,.0f} in the plan, {found:,.0f} added up")
    return Check("costs", 2, tuple(failures))


def annual_cost(plan: Folder) -> float:
    """A year's running costs, added up again; NaN where an open school's are unknown."""
    costs = plan.scenario.costs
    annual = 0.0
    for school in {school for school, _ in open_stages(plan)}:
        row = plan.area.schools.loc[school]
        own = float(row["annual_cost_cny"])
        annual += costs.annual_cny_per_school.get(row["kind"], math.nan) if math.isnan(own) else own
    bus_days = 2 * 200  # both ways, 200 days
    for row in plan.assignment:
        if row["school_id"]:
            pupils = round(number(row["pupils"]))
            annual += costs.annual_cny_per_pupil * pupils
            if row["mode"] in BUS_MODES:
                annual += costs.bus_cny_per_pupil_km * bus_days * pupils * number(row["km"])
    return annual


def proof(plan: Folder) -> Check:
    """The objective is the sum of its parts (over futures: ``verify.futures``); bound, gap and status agree."""
    said, failures = plan.summary, []
    if said["status"] == "scored":
        return Check("scored plan: no optimum is claimed", 0)
    if missing := [key for key in ("objective", "bound", "gap") if said[key] is None]:
        return Check("objective, bound and gap", 4, tuple(f"{key} is unknown" for key in missing))
    found = said["objective"] if plan.scenario.objective.over else objective_value(plan, said["objective_unit"])
    if not math.isclose(found, said["objective"], rel_tol=1e-5, abs_tol=0.5):
        failures.append(f"objective {said['objective']:,.2f} in plan.json, {found:,.2f} from the tables")
    if said["bound"] > said["objective"] + 1e-6 * abs(said["objective"]):
        failures.append("the bound is above the objective")
    else:
        gap = (said["objective"] - said["bound"]) / max(abs(said["objective"]), 1e-9)
        if abs(gap - said["gap"]) > 1e-6:
            failures.append(f"gap {said['gap']} in plan.json, {gap:.6f} from objective and bound")
    if said["status"] == "optimal" and said["gap"] > plan.scenario.solver.gap + 1e-6:
        failures.append("called optimal, but the gap is above the scenario's")
    return Check("objective, bound and gap", 4, tuple(failures))


def objective_value(plan: Folder, objective: str) -> float:
    """An objective from the tables, the weighted one from its parts."""
    if objective == "weighted_cny":
        return sum(price * _value(plan, word) for word, price in plan.scenario.objective.weights_cny.items() if price)
    return _value(plan, objective)


def _value(plan: Folder, objective: str) -> float:
    """An objective from the tables; running costs without those for a pupil, which no plan can change."""
    rows = [row for row in plan.assignment if row["school_id"]]
    if objective == "pupil_minutes":
        return sum(round(number(r["pupils"])) * number(r["minutes"]) for r in rows)
    if objective == "excess_pupil_minutes":
        limit = plan.scenario.travel.limit_minutes
        return sum(round(number(r["pupils"])) * max(number(r["minutes"]) - limit(r["band"]), 0.0) for r in rows)
    if objective == "schools_open":
        return float(len({school for school, _ in open_stages(plan)}))
    if objective == "capital_cost_cny":
        return float(plan.summary["capital_cost_cny"] or 0)
    served = sum(round(number(r["pupils"])) for r in rows)
    return float(plan.summary["annual_cost_cny"] or math.nan) - plan.scenario.costs.annual_cny_per_pupil * served
