"""An independent check of a saved plan: its own reading, own shortest paths, no code of ``optimise`` or ``plan``."""

from __future__ import annotations

import csv
import hashlib
import heapq
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.area import read_area
from planner.errors import DataError, Fault
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, StudyArea
from planner.roads import speeds_kmh
from planner.scenario import Scenario, parse_scenario

SAMPLE = 40
ENDED = ("close", "merge", "convert", "none")
SLACK_MINUTES = 1e-4


@dataclass(frozen=True)
class Check:
    """One thing that was checked: how many times, and each failure in words."""

    name: str
    checked: int
    failures: tuple[str, ...] = ()


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


@dataclass(frozen=True, eq=False)
class Folder:
    """A plan folder as it was read: plan.json, the rows of the tables, and what they were made from."""

    path: Path
    summary: dict[str, Any]
    actions: list[dict[str, str]]
    assignment: list[dict[str, str]]
    area: StudyArea
    scenario: Scenario


def verify(folder: str | Path, *, area: str | Path | None = None) -> Verification:
    """Check a plan folder against its area and scenario.

    Pupils conserved, schools open and teaching, whole villages, seats, every rule, the norms, costs, the objective and
    its gap, and the times and kilometres of a sample of trips by another algorithm than the planner's.

    Parameters
    ----------
    area : the study-area folder; by default the one that plan.json names

    Raises
    ------
    DataError : the folder is no plan folder or its area cannot be found
    """
    plan = read_folder(Path(folder), area)
    checks = (
        files,
        pupils_conserved,
        schools_open_and_teaching,
        whole_villages,
        seats,
        what_may_end,
        town_rules,
        norms,
        trips,
        costs,
        proof,
    )
    return Verification(tuple(check(plan) for check in checks))


def read_folder(path: Path, area: str | Path | None = None) -> Folder:
    """Read the folder with the standard library alone, and its area and scenario."""
    try:
        summary = json.loads((path / "plan.json").read_text("utf-8"))
        actions, assignment = (_rows(path / name) for name in ("actions.csv", "assignment.csv"))
        scenario = parse_scenario((path / "scenario.toml").read_text("utf-8"), str(path / "scenario.toml"))
        where = summary["area"]["folder"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        fault = Fault(str(path), f"it is no complete plan folder: {error}", "Name a folder that planner run wrote.")
        raise DataError([fault]) from None
    if area is None and where is None:
        raise DataError([Fault(str(path), "plan.json names no area", "Say which with --area.")])
    return Folder(path, summary, actions, assignment, read_area(path / where if area is None else area), scenario)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: _plain(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _plain(value: str) -> str:
    return value[1:] if len(value) > 1 and value[0] == "'" and value[1] in "=+-@\t\r'" else value


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _place(row: dict[str, str]) -> str:
    return f"{row['demand_id']} {row['band']}"


def files(plan: Folder) -> Check:
    """The tables are those that plan.json was written with, and the area has not changed since."""
    failures = [
        f"{name} has been changed since the plan was written"
        for name, sha in plan.summary["tables"].items()
        if hashlib.sha256((plan.path / name).read_bytes()).hexdigest() != sha
    ]
    if plan.summary["area"]["sha256"] != plan.area.content_hash:
        failures.append("the study area has changed since the plan was written")
    if plan.summary["scenario"]["sha256"] != plan.scenario.sha256:
        failures.append("the scenario has changed since the plan was written")
    return Check("files are as written", len(plan.summary["tables"]) + 2, tuple(failures))


def pupils_conserved(plan: Folder) -> Check:
    """Every demand point's band is in the plan with all its pupils."""
    found: Counter[tuple[str, str]] = Counter()
    for row in plan.assignment:
        found[row["demand_id"], row["band"]] += int(row["pupils"])
    expected = {
        (str(d), band): int(plan.area.pupils.loc[d, list(BAND_GRADES[band])].sum())
        for d in plan.area.pupils.index
        for band in BANDS
    }
    keys = set(found) | set(expected)
    failures = [
        f"{d} {band}: {found[d, band]} pupils in the plan, {expected.get((d, band), 0)} in the area"
        for d, band in sorted(keys)
        if found[d, band] != expected.get((d, band), 0)
    ]
    return Check("every pupil is in the plan", len(keys), tuple(failures))


def _open(plan: Folder) -> dict[tuple[str, str], dict[str, str]]:
    return {(a["school_id"], a["stage"]): a for a in plan.actions if a["action"] not in ENDED}


def schools_open_and_teaching(plan: Folder) -> Check:
    """Every pupil's school is open in the plan and teaches all grades of the band."""
    is_open, failures = _open(plan), []
    gains = plan.scenario.rules.may_gain
    for row in plan.assignment:
        school, band = row["school_id"], row["band"]
        if not school:
            continue
        if school not in plan.area.schools.index:
            failures.append(f"{_place(row)}: there is no school {school}")
        elif (school, BAND_STAGE[band]) not in is_open:
            failures.append(f"{_place(row)}: {school} is not open for it")
        elif not set(BAND_GRADES[band]) <= set(plan.area.schools.loc[school, "grades"]) and BAND_STAGE[
            band
        ] not in gains.get(school, ()):
            failures.append(f"{_place(row)}: {school} does not teach it")
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
            load[row["school_id"], BAND_STAGE[row["band"]]] += int(row["pupils"])
    capacity, failures, schools = plan.scenario.capacity, [], plan.area.schools
    for (school, stage), row in _open(plan).items():
        have, added = float(schools.loc[school, f"seats_{stage}"]), _number(row["seats_added"])
        existed = row["action"] != "open"
        expected = have + added if existed else added
        if int(row["pupils"]) != load[school, stage]:
            failures.append(f"{school} {stage}: actions say {row['pupils']} pupils, assignment {load[school, stage]}")
        if math.isnan(have) and existed:
            continue
        if abs(_number(row["seats"]) - expected) > 1e-6:
            failures.append(f"{school} {stage}: {row['seats']} seats, but {have:g} and {added:g} added")
        if load[school, stage] > expected + 1e-6:
            failures.append(f"{school} {stage}: {load[school, stage]} pupils, {expected:g} seats")
        if added > 0 and existed:
            if not capacity.expansion:
                failures.append(f"{school} {stage}: seats added, which the scenario does not allow")
            if expected > capacity.max_seats_per_school or added > capacity.max_added_seats_per_school:
                failures.append(f"{school} {stage}: {added:g} seats added to {have:g}, more than may be")
    return Check("pupils have seats", len(_open(plan)), tuple(failures))


def what_may_end(plan: Folder) -> Check:
    """Only small schools, or kinds that may merge, end; kept ones stay; closed ones end."""
    rules, failures, schools = plan.scenario.rules, [], plan.area.schools
    nearest = _nearest_today(plan)
    stages: dict[str, dict[str, str]] = defaultdict(dict)
    for row in plan.actions:
        stages[row["school_id"]][row["stage"]] = row["action"]
    for school, of in stages.items():
        if schools.loc[school, "status"] == "candidate":
            continue
        size = {}
        for stage in of:
            given = float(schools.loc[school, f"pupils_{stage}"])
            size[stage] = nearest[school, stage] if math.isnan(given) else given
        total = sum(size[stage] for stage, action in of.items() if action != "open")
        for stage, action in of.items():
            ends = action in ENDED
            small = total < rules.may_close_below_pupils or (len(of) > 1 and size[stage] < rules.may_close_below_pupils)
            free = small or schools.loc[school, "kind"] in rules.may_merge_kinds or school in rules.close
            if ends and not free:
                failures.append(f"{school} {stage}: {action}, but it has {total:g} pupils")
            if ends and school in rules.keep:
                failures.append(f"{school} {stage}: {action}, but the scenario keeps it")
            if not ends and school in rules.close:
                failures.append(f"{school} {stage}: {action}, but the scenario closes it")
    still_open = {school for school, _ in _open(plan)}
    failures += [
        f"{row['school_id']}: merges into {row['into']}, which is not open"
        for row in plan.actions
        if row["action"] == "merge" and row["into"] and row["into"] not in still_open
    ]
    missing = set(map(str, schools.index)) - set(stages)
    failures += [f"{school} stands in no row of actions" for school in sorted(missing)]
    return Check("only what may end ends", len(plan.actions), tuple(failures))


def _nearest_today(plan: Folder) -> Counter[tuple[str, str]]:
    """Pupils by school and stage if every band went to its quickest existing school (for unknown enrolments)."""
    schools = plan.area.schools
    count: Counter[tuple[str, str]] = Counter()
    if not schools[[c for c in schools.columns if c.startswith("pupils_")]].isna().any(axis=None):
        return count
    from planner.travel import travel_times

    minutes = travel_times(plan.area, plan.scenario.travel).data["minutes"]
    existing = schools["status"].to_numpy() != "candidate"
    for band in BANDS:
        teaches = np.array([set(BAND_GRADES[band]) <= set(grades) for grades in schools["grades"]], dtype=bool)
        times = np.where(existing & teaches, minutes.sel(band=band).to_numpy(), np.nan)
        pupils = plan.area.pupils[list(BAND_GRADES[band])].sum(axis=1).to_numpy()
        for i in np.flatnonzero(np.isfinite(times).any(axis=1)):
            count[str(schools.index[int(np.nanargmin(times[i]))]), BAND_STAGE[band]] += int(pupils[i])
    return count


def town_rules(plan: Folder) -> Check:
    """How many schools of a kind are open in every town."""
    count: Counter[tuple[str, str, str]] = Counter()
    for school, stage in _open(plan):
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
    beyond: list[dict[str, str]] = []
    for row in plan.assignment:
        limit = plan.scenario.travel.limit_minutes(row["band"])
        if not row["school_id"] or math.isinf(limit):
            continue
        checked += 1
        if _number(row["minutes"]) > limit + SLACK_MINUTES:
            beyond.append(row)
    if beyond and today:
        network = Network(plan)
        allowed = [row for row in beyond if _number(row["minutes"]) <= network.today(row) + SLACK_MINUTES]
        beyond = [row for row in beyond if row not in allowed]
    failures = [
        f"{_place(row)}: {_number(row['minutes']):.1f} min, norm {plan.scenario.travel.limit_minutes(row['band']):g}"
        for row in beyond
    ]
    return Check("travel norms", checked, tuple(failures))


def trips(plan: Folder) -> Check:
    """A sample of trips, times, kilometres and modes, by a search of its own from the village outwards."""
    step = max(len(plan.assignment) // SAMPLE, 1)
    rows = plan.assignment[::step] + [row for row in plan.assignment if row["reason"] == "unreachable"][:10]
    network, failures = Network(plan), []
    for row in rows:
        if not row["school_id"]:
            if row["reason"] == "unreachable":
                way = network.any_school(row)
                if way is not None:
                    failures.append(f"{_place(row)}: called unreachable, but {way} can be reached")
            continue
        found = network.minutes(row["demand_id"], row["band"], row["school_id"])
        if not abs(found - _number(row["minutes"])) <= SLACK_MINUTES:
            failures.append(f"{_place(row)} to {row['school_id']}: {row['minutes']} min in the plan, {found:.4f} found")
    return Check("travel times of a sample", len(rows), tuple(failures))


class Network:
    """The roads as plain lists, searched with a heap from one village at a time."""

    def __init__(self, plan: Folder) -> None:
        self.plan = plan
        self._arcs: dict[str, dict[int, list[tuple[int, float]]]] = {}
        self._kmh: dict[str, np.ndarray] = {}
        self._reach: dict[tuple[str, str], dict[str, float]] = {}

    def minutes(self, demand: str, band: str, school: str) -> float:
        """By the quickest mode that the band may use; infinite without a way."""
        travel = self.plan.scenario.travel
        modes = travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
        return min(self.reach(demand, mode).get(school, math.inf) for mode in modes)

    def today(self, row: dict[str, str]) -> float:
        """Minutes to the quickest existing school that teaches the band."""
        schools = self.plan.area.schools
        grades = set(BAND_GRADES[row["band"]])
        existing = [str(s) for s, r in schools.iterrows() if r["status"] != "candidate" and grades <= set(r["grades"])]
        return min((self.minutes(row["demand_id"], row["band"], s) for s in existing), default=math.inf)

    def any_school(self, row: dict[str, str]) -> str | None:
        """An open school that teaches the band and can be reached."""
        stage, grades = BAND_STAGE[row["band"]], set(BAND_GRADES[row["band"]])
        for school, of in _open(self.plan):
            teaches = grades <= set(self.plan.area.schools.loc[school, "grades"])
            if of == stage and teaches and math.isfinite(self.minutes(row["demand_id"], row["band"], school)):
                return school
        return None

    def reach(self, demand: str, mode: str) -> dict[str, float]:
        """Minutes, door to door, to every school that the mode reaches."""
        if (demand, mode) not in self._reach:
            self._reach[demand, mode] = self._search(demand, mode)
        return self._reach[demand, mode]

    def _search(self, demand: str, mode: str) -> dict[str, float]:
        import shapely

        area, travel = self.plan.area, self.plan.scenario.travel
        arcs, kmh = self._graph(mode)
        pace = travel.access_kmh * 1000 / 60
        start = self._door(area.demand.geometry.loc[demand], mode)
        if start is None:
            return {}
        edge, along, away = start
        best: dict[int, float] = {}
        heap = [(t, node) for node, t in self._ends(edge, along, mode, outward=True)]
        heapq.heapify(heap)
        while heap:
            time, node = heapq.heappop(heap)
            if node in best:
                continue
            best[node] = time
            for other, cost in arcs[node]:
                if other not in best:
                    heapq.heappush(heap, (time + cost, other))
        found = {}
        for school, point in zip(area.schools.index, area.schools.geometry, strict=True):
            door = self._door(point, mode)
            if door is None:
                continue
            there, at, far = door
            ride = min(
                (best.get(n, math.inf) + t for n, t in self._ends(there, at, mode, outward=False)), default=math.inf
            )
            if there == edge:
                one = 0 if mode == "walk" else int(area.roads.edges["oneway"].iloc[edge])
                if abs(at - along) < 1e-5 or (one >= 0 and at >= along) or (one <= 0 and at <= along):
                    ride = min(ride, abs(at - along) / (kmh[edge] * 1000 / 60))
            elif shapely.distance(self._on(edge, along), self._on(there, at)) < 1e-5 and self._joined(edge, there):
                ride = 0.0
            total = ride + (away + far) / pace + (travel.bus_wait_minutes if mode == "bus" else 0.0)
            if math.isfinite(total) and not (mode == "walk" and total > travel.walk_max_minutes + 1e-9):
                found[str(school)] = total
        return found

    def _on(self, edge: int, along: float) -> Any:
        row = self.plan.area.roads.edges.iloc[edge]
        return row.geometry.interpolate(along / row["length_m"] if row["length_m"] else 0.0, normalized=True)

    def _joined(self, a: int, b: int) -> bool:
        ends = self.plan.area.roads.edges[["from_node", "to_node"]].to_numpy()
        return bool(set(ends[a]) & set(ends[b]))

    def _graph(self, mode: str) -> tuple[dict[int, list[tuple[int, float]]], np.ndarray]:
        if mode not in self._arcs:
            edges = self.plan.area.roads.edges
            own = self.plan.scenario.travel.speeds.get(mode)  # type: ignore[call-overload]
            kmh = speeds_kmh(edges, mode, own)
            arcs: dict[int, list[tuple[int, float]]] = defaultdict(list)
            columns = (edges[c].tolist() for c in ("from_node", "to_node", "length_m", "oneway"))
            for a, b, metres, one, speed in zip(*columns, kmh.tolist(), strict=True):
                if speed > 0:
                    cost = metres / (speed * 1000 / 60)
                    if mode == "walk" or one >= 0:
                        arcs[a].append((b, cost))
                    if mode == "walk" or one <= 0:
                        arcs[b].append((a, cost))
            self._arcs[mode], self._kmh[mode] = arcs, kmh
        return self._arcs[mode], self._kmh[mode]

    def _door(self, point: Any, mode: str) -> tuple[int, float, float] | None:
        """Edge, metres along it, metres away; None where no usable road is near enough."""
        import shapely

        edges = self.plan.area.roads.edges
        _, kmh = self._graph(mode)
        stops = (kmh > 0) & ~((mode == "bus") & edges["road_class"].str.startswith("motorway").to_numpy())
        if not stops.any():
            return None
        away = np.where(stops, shapely.distance(edges.geometry.to_numpy(), point), np.inf)
        edge = int(away.argmin())
        if away[edge] > self.plan.scenario.travel.max_access_m:
            return None
        row = edges.iloc[edge]
        return edge, float(row.geometry.project(point, normalized=True) * row["length_m"]), float(away[edge])

    def _ends(self, edge: int, along: float, mode: str, *, outward: bool) -> Iterator[tuple[int, float]]:
        """The junctions that a door on an edge leads to, or is led to from, and the minutes between."""
        row = self.plan.area.roads.edges.iloc[edge]
        one = 0 if mode == "walk" else int(row["oneway"]) * (1 if outward else -1)
        pace = self._kmh[mode][edge] * 1000 / 60
        a, b, length = int(row["from_node"]), int(row["to_node"]), float(row["length_m"])
        if one >= 0 or length - along < 1e-5:
            yield b, (length - along) / pace
        if one <= 0 or along < 1e-5:
            yield a, along / pace


def costs(plan: Folder) -> Check:
    """Annual and capital cost, added up again."""
    area, scenario, failures = plan.area, plan.scenario, []
    kinds = scenario.costs.annual_cny_per_school
    annual = 0.0
    for school in {school for school, _ in _open(plan)}:
        row = area.schools.loc[school]
        own = float(row["annual_cost_cny"])
        annual += kinds.get(row["kind"], math.nan) if math.isnan(own) else own
    bus_days = 2 * 200  # both ways, 200 days
    for row in plan.assignment:
        if row["school_id"]:
            annual += scenario.costs.annual_cny_per_pupil * int(row["pupils"])
            if row["mode"] == "bus":
                annual += scenario.costs.bus_cny_per_pupil_km * bus_days * int(row["pupils"]) * _number(row["km"])
    added = sum(_number(a["seats_added"]) for a in plan.actions)
    price = scenario.capacity.cost_per_seat_cny
    capital = 0.0 if added == 0 else math.nan if price is None else added * price
    for name, found in (("annual_cost_cny", annual), ("capital_cost_cny", capital)):
        said = plan.summary[name]
        said = math.nan if said is None else float(said)
        agree = (math.isnan(said) and math.isnan(found)) or math.isclose(said, found, rel_tol=1e-6, abs_tol=1.0)
        if not agree:
            failures.append(f"{name}: {said:,.0f} in the plan, {found:,.0f} added up")
    return Check("costs", 2, tuple(failures))


def proof(plan: Folder) -> Check:
    """The objective is the sum of its parts; bound, gap and status agree."""
    said, failures = plan.summary, []
    if said["status"] == "scored":
        return Check("scored plan: no optimum is claimed", 0)
    open_schools = {school for school, _ in _open(plan)}
    if said["objective_unit"] == "pupil_minutes":
        found = sum(int(r["pupils"]) * _number(r["minutes"]) for r in plan.assignment if r["school_id"])
    elif said["objective_unit"] == "schools_open":
        found = float(len(open_schools))
    elif said["objective_unit"] == "capital_cost_cny":
        found = float(said["capital_cost_cny"] or 0)
    else:
        per_pupil = plan.scenario.costs.annual_cny_per_pupil
        served = sum(int(r["pupils"]) for r in plan.assignment if r["school_id"])
        found = float(said["annual_cost_cny"]) - per_pupil * served
    if not math.isclose(found, said["objective"], rel_tol=1e-5, abs_tol=0.5):
        failures.append(f"objective {said['objective']:,.2f} in plan.json, {found:,.2f} from the tables")
    if said["bound"] is None or said["bound"] > said["objective"] + 1e-6 * abs(said["objective"]):
        failures.append("the bound is above the objective, or missing")
    else:
        gap = (said["objective"] - said["bound"]) / max(abs(said["objective"]), 1e-9)
        if abs(gap - said["gap"]) > 1e-6:
            failures.append(f"gap {said['gap']} in plan.json, {gap:.6f} from objective and bound")
    if said["status"] == "optimal" and said["gap"] > plan.scenario.solver.gap + 1e-9:
        failures.append("called optimal, but the gap is above the scenario's")
    return Check("objective, bound and gap", 4, tuple(failures))
