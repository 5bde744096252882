"""TOML -> Scenario: unknown keys get the nearest spelling, contradictions are said before solving."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import Fault, ScenarioError
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, KIND_GRADES, MODES, ROAD_CLASSES, SURFACES

Band = Literal["kindergarten", "lower_primary", "upper_primary", "junior"]
Stage = Literal["kindergarten", "primary", "junior"]
Kind = Literal[
    "kindergarten",
    "central_kindergarten",
    "teaching_point",
    "village_primary",
    "central_primary",
    "junior_middle",
    "nine_year",
]
Mode = Literal["walk", "bicycle", "ebike", "bus", "walk_bus", "car"]
RoadMode = Literal["walk", "bicycle", "ebike", "bus", "car"]
Objective = Literal["pupil_minutes", "excess_pupil_minutes", "annual_cost_cny", "capital_cost_cny", "schools_open"]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


class Part(BaseModel):
    """A section of a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=True)


class Travel(Part):
    """How pupils travel. Minutes are one way, door to door; speeds km/h.

    ``speeds`` by mode and class of road, and ``surface_factors`` by mode and surface, are laid over the tables of
    ``planner.roads.speeds``; ``""`` is every other one. ``winter``: every road is iced but those of ``winter_cleared``.
    ``trip``: ``to_school``, or the mean of the way there and the way back (``both``).
    ``closed_edges`` are rows of the area's roads, from 0, as reports print them; ``closed_areas`` is a file of shapes
    in the area's folder (``closed_areas_datum``: what it is in, where the file's own word is missing or wrong);
    ``close_gaps_m`` joins dead ends that nearly touch another road, up to 25 m.
    """

    modes: tuple[Mode, ...] = ("walk", "bus")
    modes_by_band: Mapping[Band, tuple[Mode, ...]] = Field(default_factory=dict)
    walk_max_minutes: Positive = math.inf
    walk_to_stop_max_minutes: Positive = 15.0
    bus_wait_minutes: NonNegative = 5.0
    trip: Literal["to_school", "both"] = "to_school"
    access_kmh: Positive = 4.5
    access_detour: Annotated[float, Field(ge=1)] = 2.0
    max_access_m: Positive = 2000.0
    max_minutes: Mapping[Band, Positive] = Field(default_factory=dict)
    speeds: Mapping[RoadMode, Mapping[str, NonNegative]] = Field(default_factory=dict)
    surface_factors: Mapping[RoadMode, Mapping[str, Annotated[float, Field(gt=0, le=2)]]] = Field(default_factory=dict)
    winter: bool = False
    winter_cleared: tuple[str, ...] = ("motorway", "trunk", "primary")
    closed_edges: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = ()
    closed_areas: str = ""
    closed_areas_datum: str = ""
    close_gaps_m: Annotated[float, Field(ge=0, le=25)] = 0.0

    def limit_minutes(self, band: str) -> float:
        """The band's norm in minutes; infinite where there is none."""
        return float(self.max_minutes.get(band, math.inf))  # type: ignore[call-overload]


class Range(Part):
    """How many may be open: ``min`` to ``max``, both inclusive."""

    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=0)] | None = None


class TownRule(Part):
    """How many schools of these kinds may teach the stage in each town."""

    kinds: tuple[Kind, ...]
    stage: Stage
    open: Range
    except_towns: Mapping[str, Range] = Field(default_factory=dict)


class Rules(Part):
    """What may close, what must stay.

    ``min_pupils_per_school``: a school that could close and goes on has at least so many pupils. ``merge_into``: where
    the pupils go whose quickest school today a school is, should it close.
    """

    per_town: tuple[TownRule, ...] = ()
    may_close_below_pupils: NonNegative = math.inf
    may_merge_kinds: tuple[Kind, ...] = ()
    min_pupils_per_school: NonNegative = 0.0
    merge_into: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    may_gain: Mapping[str, tuple[Stage, ...]] = Field(default_factory=dict)


class Capacity(Part):
    """Seats, what more of them would cost, and how many pupils a school may have, whatever its seats."""

    expansion: bool = False
    seat_step: Annotated[int, Field(ge=1)] = 45
    cost_per_seat_cny: NonNegative | None = None
    max_seats_per_school: Positive = math.inf
    max_added_seats_per_school: Positive = math.inf
    max_pupils_per_school: Positive = math.inf


class Assignment(Part):
    """Who goes where: whole villages or single pupils, and what holds beyond the norm.

    ``closest``: nobody is sent past a nearer open school with room. ``contiguous``: the villages that go to one school,
    stage by stage, touch each other.
    """

    unit: Literal["village", "pupil"] = "village"
    beyond_norm: Literal["forbid", "as_today", "allow"] = "forbid"
    closest: bool = False
    contiguous: bool = False


class Costs(Part):
    """A year's running costs, CNY, where the school's own figure is blank; and the most that may be spent."""

    annual_cny_per_school: Mapping[Kind, NonNegative] = Field(default_factory=dict)
    annual_cny_per_pupil: NonNegative = 0.0
    bus_cny_per_pupil_km: NonNegative = 0.0
    max_annual_cny: NonNegative = math.inf
    max_capital_cny: NonNegative = math.inf


class Goal(Part):
    """What is minimised, and among equals what next.

    ``weighted_cny``: several at once, each at its price in ``weights_cny`` (CNY for a unit of it, so CNY a
    pupil-minute, CNY a school, 1 for a CNY). ``over``: the present, or the scenario's futures, the worst
    of them or their weighted average.
    """

    minimise: Objective | Literal["weighted_cny"] = "pupil_minutes"
    weights_cny: Mapping[Objective, NonNegative] = Field(default_factory=dict)
    then: Annotated[tuple[Objective, ...], Field(max_length=2)] = ()
    over: Literal["", "worst", "average"] = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Every objective that counts for something."""
        first = self.weights_cny if self.minimise == "weighted_cny" else (self.minimise,)
        return (*first, *self.then)


class Future(Part):
    """What may come: the same county with more or fewer pupils, slower or quicker ways, or roads closed.

    ``pupils`` multiplies every grade's total, or the totals of the bands that it names; ``speed`` every speed on and
    off the road (signed and legal maxima hold); ``closed_edges`` are closed beside those of ``travel``.
    """

    name: str
    weight: NonNegative = 1.0
    pupils: NonNegative | Mapping[Band, NonNegative] = 1.0
    speed: Positive = 1.0
    closed_edges: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = ()

    def pupils_factor(self, band: str) -> float:
        """By how much the pupils of a band are multiplied."""
        factor = self.pupils
        return float(factor.get(band, 1.0)) if isinstance(factor, Mapping) else float(factor)  # type: ignore[call-overload]


class Solver(Part):
    """When to stop: relative gap, seconds (compiling, once on a machine, left out), seed."""

    gap: NonNegative = 0.001
    time_limit_s: Positive = 60.0
    seed: Annotated[int, Field(ge=0)] = 0


class Scenario(Part):
    """The question: rules, limits, objective, year.

    ``source_text`` and ``folder`` tell where it was read from; they are no part of the question.
    """

    title: str
    year: int | None = None
    norms: str = "unlimited"
    travel: Travel = Travel()
    rules: Rules = Rules()
    capacity: Capacity = Capacity()
    assignment: Assignment = Assignment()
    costs: Costs = Costs()
    objective: Goal = Goal()
    futures: tuple[Future, ...] = ()
    solver: Solver = Solver()
    source_text: str = Field(default="", exclude=True)
    path: Path | None = Field(default=None, exclude=True)

    @property
    def sha256(self) -> str:
        """Hash of the whole question, preset values included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def preset_names() -> tuple[str, ...]:
    """Names of the shipped presets.

    >>> preset_names()
    ('cn-hebei', 'cn-rural-2018', 'cn-shaanxi', 'england', 'unlimited')
    """
    files = resources.files("planner") / "norms"
    return tuple(sorted(f.name.removesuffix(".toml") for f in files.iterdir() if f.name.endswith(".toml")))


def read_preset(name: str) -> dict[str, Any]:
    """A preset's document: ``title``, ``[[norm]]`` rows (key, value, unit, source, text).

    Raises
    ------
    KeyError : no such preset

    >>> read_preset("england")["norm"][0]["source"]
    'Education Act 1996 s.444(5)'
    """
    if name not in preset_names():
        raise KeyError(name)
    return tomllib.loads((resources.files("planner") / "norms" / f"{name}.toml").read_text("utf-8"))


def preset_values(name: str) -> dict[str, Any]:
    """The preset's limits as scenario sections; rows without a ``key`` are for reading only.

    >>> preset_values("cn-rural-2018")["travel"]["max_minutes"]["lower_primary"]
    30
    """
    values: dict[str, Any] = {}
    for row in read_preset(name)["norm"]:
        if "key" in row:
            *sections, last = row["key"].split(".")
            place = values
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = row["value"]
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` laid on it, table by table.

    >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file and lay it over its preset.

    Raises
    ------
    ScenarioError : every fault of the file in one pass
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ScenarioError([Fault(str(path), "there is no such file", "Check the path.")]) from None
    except IsADirectoryError:
        raise ScenarioError(
            [Fault(str(path), "this is a folder", "Name a scenario file, as in scenarios/default.toml.")]
        ) from None
    except PermissionError:
        raise ScenarioError([Fault(str(path), "it may not be read", "Give yourself the right to.")]) from None
    except UnicodeDecodeError:
        raise ScenarioError([Fault(str(path), "it is not UTF-8 text", "Save it as UTF-8.")]) from None
    scenario = parse_scenario(text, str(path))
    return scenario.model_copy(update={"path": file})


def parse_scenario(text: str, file: str = "scenario") -> Scenario:
    """Scenario from TOML text; ``file`` is the name that messages use.

    Raises
    ------
    ScenarioError : every fault of the text in one pass

    >>> parse_scenario('title = "A"').solver.gap
    0.001
    >>> parse_scenario('titel = "A"')
    Traceback (most recent call last):
    ...
    planner.errors.ScenarioError: scenario: title is missing. Add it.
    scenario: titel is not a key here. Did you mean title?
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([Fault(file, f"not TOML: {error}", "Mend the line it names.")]) from None
    name = document.get("norms", "unlimited")
    if not isinstance(name, str) or name not in preset_names():
        near = difflib.get_close_matches(str(name), preset_names(), 1, 0.4)
        fix = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(preset_names())}."
        raise ScenarioError([Fault(file, f"norms: {name!r} is no preset", fix)])
    reserved = [
        Fault(file, f"{key} is not a key here", "Remove it.") for key in ("source_text", "path") if key in document
    ]
    try:
        scenario = Scenario.model_validate(merge(preset_values(name), document))
    except ValidationError as error:
        raise ScenarioError([*reserved, *_faults(error, file)]) from None
    faults = [*reserved, *contradictions(scenario, file)]
    if faults:
        raise ScenarioError(faults)
    return scenario.model_copy(update={"source_text": text})


def _faults(error: ValidationError, file: str) -> Iterator[Fault]:
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        match item["type"]:
            case "extra_forbidden":
                fix = _nearest(str(item["loc"][-1]), _keys_at(item["loc"][:-1]))
                yield Fault(file, f"{where} is not a key here", fix)
            case "missing":
                yield Fault(file, f"{where} is missing", "Add it.")
            case "literal_error":
                known = re.findall("'([^']+)'", str(item["ctx"]["expected"]))
                where = where.removesuffix(".[key]")
                yield Fault(file, f"{where}: {item['input']!r} is no word for it", _nearest(str(item["input"]), known))
            case _:
                yield Fault(file, f"{where}: {item['input']!r}: {item['msg']}", "Correct the value.")


def _nearest(word: str, known: Sequence[str]) -> str:
    """The repair of a word that is not known."""
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _keys_at(loc: Sequence[int | str]) -> list[str]:
    """Keys known in the section that ``loc`` names."""
    kind: Any = Scenario
    for part in loc:
        if isinstance(part, int):
            continue
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or part not in kind.model_fields:
            return []
        kind = kind.model_fields[part].annotation
        for inner in getattr(kind, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                kind = inner
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [key for key in kind.model_fields if key not in ("source_text", "path")]


def contradictions(scenario: Scenario, file: str) -> Iterator[Fault]:
    """What the scenario alone already rules out."""
    rules = scenario.rules
    for school in sorted(set(rules.keep) & set(rules.close)):
        yield Fault(file, f"rules: school {school} is in keep and in close", "Take it out of one of them.")
    for number, rule in enumerate(rules.per_town, 1):
        where = f"rules.per_town {number}"
        ranges = {"open": rule.open} | {f"except_towns.{town}": r for town, r in rule.except_towns.items()}
        for name, span in ranges.items():
            if span.max is not None and span.min > span.max:
                yield Fault(file, f"{where}: {name}: min {span.min} is above max {span.max}", "Swap or correct them.")
        if not rule.kinds:
            yield Fault(file, f"{where}: kinds is empty", "Name at least one kind of school.")
        for kind in rule.kinds:
            if rule.stage not in {BAND_STAGE[band] for band in BANDS if _teaches(KIND_GRADES[kind], band)}:
                yield Fault(file, f"{where}: {kind} teaches no {rule.stage} stage", "Correct kinds or stage.")
    if not scenario.travel.modes:
        yield Fault(file, "travel.modes is empty", f"Name at least one of {', '.join(MODES)}.")
    for band, modes in scenario.travel.modes_by_band.items():
        if not modes:
            yield Fault(file, f"travel.modes_by_band.{band} is empty", f"Name at least one of {', '.join(MODES)}.")
    yield from _unknown_words(scenario.travel, file)
    for school, targets in rules.merge_into.items():
        if school in targets or not targets:
            problem = f"rules.merge_into.{school} names {'itself' if targets else 'no school'}"
            yield Fault(file, problem, "Name the schools that take its pupils in, or leave it out.")
    if scenario.assignment.contiguous and scenario.assignment.unit == "pupil":
        yield Fault(file, "assignment: contiguous needs whole villages", 'Set unit = "village", or contiguous = false.')
    yield from _goals(scenario, file)


def _goals(scenario: Scenario, file: str) -> Iterator[Fault]:
    goal, costs = scenario.objective, scenario.costs
    words = (goal.minimise, *goal.then)
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        yield Fault(file, f"objective: {twice} stands twice", "Name another objective in then, or none.")
    if (goal.minimise == "weighted_cny") != bool(goal.weights_cny):
        fix = 'Give both minimise = "weighted_cny" and weights_cny, or neither.'
        yield Fault(file, "objective: weights_cny and minimise do not fit", fix)
    priced = "capital_cost_cny" in goal.named or math.isfinite(costs.max_capital_cny)
    if priced and scenario.capacity.cost_per_seat_cny is None:
        what = "objective: capital_cost_cny" if "capital_cost_cny" in goal.named else "costs.max_capital_cny"
        yield Fault(file, f"{what} needs capacity.cost_per_seat_cny", "Give a cost per seat.")
    if not goal.over:
        return
    names = [future.name for future in scenario.futures]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(file, f"futures: {name!r} stands twice", "Give each a name of its own: a plan tells them by it.")
    if not sum(future.weight for future in scenario.futures):
        yield Fault(
            file, f'objective.over = "{goal.over}" needs futures with a weight', "Add [[futures]], or leave it out."
        )


def _unknown_words(travel: Travel, file: str) -> Iterator[Fault]:
    """Classes of road and surfaces that no network has."""
    for section, known in (("speeds", ROAD_CLASSES), ("surface_factors", SURFACES)):
        for mode, table in getattr(travel, section).items():
            for word in sorted(set(table) - {"", *known}):
                yield Fault(file, f"travel.{section}.{mode}.{word} is not a key here", _nearest(word, known))
    for word in sorted(set(travel.winter_cleared) - set(ROAD_CLASSES)):
        yield Fault(file, f"travel.winter_cleared: {word!r} is no class of road", _nearest(word, ROAD_CLASSES))


def _teaches(grades: Sequence[str], band: str) -> bool:
    return set(BAND_GRADES[band]) <= set(grades)
