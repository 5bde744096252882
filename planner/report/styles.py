"""How QGIS draws the layers of ``plan.gpkg``: QML documents in the colours and shapes of the map.

The elements are those that QGIS 3 itself writes ("QGIS layer style file"); renderers are rules, so that the legend says
in both languages what every sign means.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from planner.draw.words import words
from planner.model import BANDS, STAGES
from planner.plan import Plan
from planner.report.dictionary import lookup

# As in planner/draw/symbols.js and flows.js (tests compare them).
CLASS_COLOURS = ("#2166ac", "#67a9cf", "#f4a582", "#b2182b")
TINTS = ("#f3e3b3", "#d5e8d4", "#e3d5e8", "#d4e3ee", "#efd9d0", "#e6e6d0")
FLOW = "#6a3d9a"
STATES = {  # fill, outline, its width on the map, and the mark upon it
    "keep": ("#2166ac", "#123a63", 1.2, ""),
    "expand": ("#2166ac", "#111111", 2.4, "cross"),
    "open": ("#67a9cf", "#111111", 2.4, "triangle"),
    "convert": ("#f4a582", "#2166ac", 2.4, "line"),
    "merge": ("#f4a582", "#b2182b", 1.8, "arrowhead"),
    "close": ("#b2182b", "#5f0c16", 1.2, "cross2"),
    "none": ("#ffffff", "#444444", 1.4, ""),
}
SHAPES = {  # QGIS's marker, and its size beside a circle's
    "kindergarten": ("circle", 0.92),
    "central_kindergarten": ("hexagon", 1.05),
    "teaching_point": ("triangle", 1.25),
    "village_primary": ("square", 1.0),
    "central_primary": ("diamond", 1.22),
    "junior_middle": ("pentagon", 1.15),
    "nine_year": ("star", 1.4),
}
MM = 0.26
"""A pixel of the map."""


@dataclass(frozen=True)
class Part:
    """One layer of a symbol: QGIS's class, and its properties."""

    drawn_as: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A line of the legend: which features, what they are called, how they are drawn; or a heading over others."""

    label: str
    where: str
    parts: tuple[Part, ...] = ()
    under: tuple[Rule, ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Style:
    """How a layer is drawn.

    Parameters
    ----------
    kind : marker, line or fill
    label : the column that is written beside the features, "" for none
    """

    kind: str
    rules: tuple[Rule, ...]
    label: str = ""
    columns: tuple[str, ...] = field(default=())


def styles(plan: Plan, columns: Mapping[str, Sequence[str]], signs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """QML by layer.

    Parameters
    ----------
    columns : the layers' columns
    signs : kinds and states that schools have

    >>> made = styles(tiny.plan, {"towns": ["town_id", "name"]}, [])
    >>> list(made), made["towns"][:27]
    (['towns'], '<qgis version="3.22.0" styl')
    """
    made = {
        "schools": Style("marker", tuple(_school(kind, state) for kind, state in sorted(set(signs))), "name"),
        "demand": Style("marker", (*_by_minutes(plan, _dot), *_without())),
        "assignment": Style("line", _by_minutes(plan, lambda colour: _line(colour, 1.1, 0.75))),
        "catchments": Style("fill", tuple(_of_stage(stage) for stage in STAGES)),
        "road_flows": Style("line", _flows()),
        "towns": Style("fill", (Rule("乡镇 town", "", (_outline(),)),), "name"),
    }
    return {name: qml(name, made[name], columns[name]) for name in made if name in columns}


def qml(layer: str, style: Style, columns: Sequence[str]) -> str:
    """The document of a style; columns get the dictionary's words as aliases."""
    root = ET.Element(
        "qgis", version="3.22.0", styleCategories="Symbology|Labeling|Fields", labelsEnabled=str(int(bool(style.label)))
    )
    renderer = ET.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", enableorderby="0", forceraster="0"
    )
    rules, symbols = ET.SubElement(renderer, "rules", key=_key(layer)), ET.SubElement(renderer, "symbols")
    for rule in style.rules:
        _add(rules, symbols, rule, style.kind, layer)
    if style.label:
        _labels(root, style)
    aliases = ET.SubElement(root, "aliases")
    for index, column in enumerate(columns):
        ET.SubElement(aliases, "alias", field=column, index=str(index), name=lookup(f"gpkg:{layer}", column).heading)
    return ET.tostring(root, encoding="unicode")


def _add(parent: ET.Element, symbols: ET.Element, rule: Rule, kind: str, path: str) -> None:
    said = {"key": _key(f"{path}/{rule.label}/{rule.where}"), "label": rule.label}
    said |= {"filter": rule.where} if rule.where else {}
    said |= {} if rule.shown else {"checkstate": "0"}
    if rule.parts:
        said["symbol"] = str(len(symbols))
        symbol = ET.SubElement(symbols, "symbol", type=kind, name=said["symbol"], alpha="1", clip_to_extent="1")
        for part in rule.parts:
            layer = ET.SubElement(symbol, "layer", {"class": part.drawn_as, "enabled": "1", "pass": "0", "locked": "0"})
            for key, value in part.properties.items():
                ET.SubElement(layer, "prop", k=key, v=str(value))
    element = ET.SubElement(parent, "rule", said)
    for below in rule.under:
        _add(element, symbols, below, kind, f"{path}/{rule.label}")


def _labels(root: ET.Element, style: Style) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    text = {"fieldName": style.label, "isExpression": "0", "fontSize": "8", "fontSizeUnit": "Point"}
    text |= {"textColor": _rgba("#333333"), "textOpacity": "1", "namedStyle": "Regular"}
    written = ET.SubElement(settings, "text-style", text)
    halo = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": _rgba("#ffffff")}
    ET.SubElement(written, "text-buffer", halo | {"bufferOpacity": "1", "bufferNoFill": "1"})
    where = {"placement": "4" if style.kind == "fill" else "6", "dist": "1", "distUnits": "MM", "priority": "5"}
    ET.SubElement(settings, "placement", where)
    near = {"scaleVisibility": "0" if style.kind == "fill" else "1", "scaleMax": "60000", "scaleMin": "1"}
    ET.SubElement(settings, "rendering", near | {"drawLabels": "1", "obstacle": "1", "upsidedownLabels": "0"})


def _school(kind: str, state: str) -> Rule:
    fill, edge, width, mark = STATES.get(state, STATES["keep"])
    shape, size = SHAPES.get(kind, SHAPES["kindergarten"])
    parts = [_marker(shape, 3.7 * size, fill, edge, width * MM)]
    if mark:
        ink = "#222222" if state in ("convert", "merge") else "#ffffff"
        parts.append(_marker(mark, 1.9, ink, ink, 0.45))
    label = f"{_both(f'kind.{kind}')}: {_both(f'state.{state}')}"
    quoted = kind.replace("'", "''")
    return Rule(label, f"\"kind\" = '{quoted}' AND \"state\" = '{state}'", tuple(parts))


def breaks(plan: Plan) -> tuple[float, float, float]:
    """Where the classes of minutes end: half the strictest norm, the norm, half as much again.

    >>> breaks(tiny.plan)
    (15.0, 30.0, 45.0)
    """
    norm = min(plan.scenario.travel.limit_minutes(band) for band in BANDS)
    return (15.0, 30.0, 60.0) if math.isinf(norm) else (norm / 2, norm, norm * 1.5)


def _by_minutes(plan: Plan, part: Any) -> tuple[Rule, ...]:
    low, mid, high = breaks(plan)
    spans = ((None, low), (low, mid), (mid, high), (high, None))
    rules = []
    for colour, (above, most) in zip(CLASS_COLOURS, spans, strict=True):
        where = [f'"minutes" > {above:g}'] if above is not None else []
        where += [f'"minutes" <= {most:g}'] if most is not None else []
        name = f"{above or 0:g}–{most:g} 分钟 min" if most is not None else f"> {above:g} 分钟 min"
        rules.append(Rule(name, " AND ".join(where), (part(colour),)))
    return tuple(rules)


def _without() -> tuple[Rule, ...]:
    return (
        Rule(
            "有学生无校 pupils without a school", '"without_school" > 0', (_marker("x", 3, "#111111", "#111111", 0.6),)
        ),
        Rule("无学生 no pupils", '"minutes" IS NULL', (_marker("circle", 0.9, "#777777", "#777777", 0.1),)),
    )


def _of_stage(stage: str) -> Rule:
    tints = tuple(Rule(f"{k}", f'"tint" = {k}', (_fill(colour, "#8c6d31", 0.3),)) for k, colour in enumerate(TINTS))
    where = f"\"stage\" = '{stage}'"
    return Rule(f"{_both(f'stage.{stage}')} 学区 catchments", where, under=tints, shown=stage == "primary")


def _flows() -> tuple[Rule, ...]:
    most = (10, 50, 200, 1000, 5000)
    rules = []
    for less, more in zip((0, *most[:-1]), most, strict=True):
        width = min(0.8 + math.sqrt(more) * 0.3, 13)
        where = f'"pupils" > {less}' + (f' AND "pupils" <= {more}' if more < most[-1] else "")
        name = f"{less}–{more} 人 pupils" if more < most[-1] else f"> {less} 人 pupils"
        rules.append(Rule(name, where, (_line(FLOW, width, 0.8),)))
    return tuple(rules)


def _marker(name: str, size: float, fill: str, edge: str, width: float) -> Part:
    pen = {"outline_color": _rgba(edge), "outline_width": round(width, 3), "outline_style": "solid"}
    return Part("SimpleMarker", {"name": name, "size": round(size, 3), "color": _rgba(fill), **pen, "angle": 0})


def _dot(colour: str) -> Part:
    return _marker("circle", 2.0, colour, "#ffffff", 0.2)


def _line(colour: str, pixels: float, opacity: float) -> Part:
    pen = {"line_color": _rgba(colour, opacity), "line_width": round(pixels * MM, 3), "line_style": "solid"}
    return Part("SimpleLine", {**pen, "capstyle": "round", "joinstyle": "round"})


def _fill(colour: str, edge: str, width: float) -> Part:
    pen = {"outline_color": _rgba(edge), "outline_width": width, "outline_style": "solid"}
    return Part("SimpleFill", {"color": _rgba(colour, 0.7), "style": "solid", **pen, "joinstyle": "bevel"})


def _outline() -> Part:
    pen = {"outline_color": _rgba("#555555"), "outline_width": 0.4, "outline_style": "dash"}
    return Part("SimpleFill", {"color": "0,0,0,0", "style": "no", **pen, "joinstyle": "bevel"})


def _rgba(colour: str, opacity: float = 1.0) -> str:
    """QGIS's way to write a colour.

    >>> _rgba("#2166ac", 0.8)
    '33,102,172,204'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"


def _both(key: str) -> str:
    said = words().get(key, {"zh": key, "en": ""})
    return f"{said['zh']} {said['en']}".strip()


def _key(name: str) -> str:
    return f"{{{uuid.uuid5(uuid.NAMESPACE_OID, name)}}}"
