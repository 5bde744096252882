"""Tiles of a web map under a page that was asked to have them: the one thing a page may ask a host for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from planner.errors import DataError, Fault

KEY = "TIANDITU_KEY"
"""The environment variable that holds the key for Tianditu."""
SETS = {"tianditu": ("vec", "cva"), "tianditu-image": ("img", "cia")}
"""What may be asked for by name: a ground of Tianditu's, and the names that lie on it."""
HOST = "https://t0.tianditu.gov.cn"
CREDIT = "天地图 Tianditu (tianditu.gov.cn)"
TEMPLATE = re.compile(r"(https://[a-z0-9.-]+|http://127\.0\.0\.1)(:\d+)?/[\w./?&=%~+:@-]*", re.ASCII)
PLACES = ("{z}", "{x}", "{y}")
FITTING = ("wgs84", "cgcs2000")
"""CGCS2000 lies within decimetres of WGS-84, less than a dot of the map."""
SHIFTED = {
    "gcj02": ("amap.com", "autonavi.com", "gaode.com", "qq.com", "gtimg.com", "google.cn", "geoq.cn", "mapabc.com"),
    "bd09": ("baidu.com", "bdimg.com", "bdstatic.com", "bcebos.com"),
}
"""Hosts whose tiles of China are in another datum, whatever is said of them."""
DEEPEST = 18


@dataclass(frozen=True)
class Tiles:
    """Tiles in Web Mercator that a page fetches when it is opened.

    Parameters
    ----------
    layers : addresses with ``{z}``, ``{x}`` and ``{y}``, the lowest layer first; https, or this machine's 127.0.0.1
    credit : whose they are, as the map says it
    datum : ``wgs84`` or ``cgcs2000``

    Raises
    ------
    DataError : an address is none, or its tiles lie in another datum than the page's WGS-84; all in one pass

    >>> Tiles(("https://tiles.example/a/{z}/{x}/{y}.png",), "Example", "wgs84").sources
    ('https://tiles.example/a/',)
    """

    layers: tuple[str, ...]
    credit: str
    datum: str

    def __post_init__(self) -> None:
        faults = [fault for layer in self.layers for fault in _faults(layer)]
        if self.datum not in FITTING:
            declared = f"their datum is {self.datum!r}, the map's is WGS-84"
            said = declared if self.datum else "their datum is not declared"
            fix = "Take tiles in wgs84 or cgcs2000: those in gcj02 and bd09 lie 300 to 1,200 m beside the places."
            faults.append(Fault("tiles", said, fix))
        if not self.credit.strip():
            faults.append(Fault("tiles", "nobody is credited", "Say whose they are, as their licence asks."))
        if faults:
            raise DataError(faults)

    @property
    def sources(self) -> tuple[str, ...]:
        """The folders on hosts that the page's policy lets images come from."""
        return tuple(dict.fromkeys(re.split(r"[?{]", layer)[0].rpartition("/")[0] + "/" for layer in self.layers))

    def plain(self) -> dict[str, Any]:
        """What the page knows of them."""
        return {"layers": list(self.layers), "credit": self.credit, "deepest": DEEPEST}


def tiles_of(named: str, *, datum: str = "", credit: str = "", host: str = HOST) -> Tiles:
    """Tiles by name (of ``SETS``), or by an address with ``{z}``, ``{x}`` and ``{y}``.

    Parameters
    ----------
    datum, credit : of an address; Tianditu's are known
    host : where Tianditu's tiles are asked for

    Raises
    ------
    DataError : no such name, no key for it, or an address that may not be used (see ``Tiles``)

    >>> tiles_of("http://127.0.0.1:8000/{z}/{x}/{y}.png", datum="wgs84", credit="Ours").sources
    ('http://127.0.0.1:8000/',)
    """
    if named in SETS:
        key = _key()
        return Tiles(tuple(_tianditu(host, layer, key) for layer in SETS[named]), CREDIT, "cgcs2000")
    if "/" not in named:
        fix = f"One of {', '.join(SETS)}, or an address with {{z}}, {{x}} and {{y}}."
        raise DataError([Fault("tiles", f"there are none named {named!r}", fix)])
    return Tiles((named,), credit, datum)


def _tianditu(host: str, layer: str, key: str) -> str:
    """A layer in Web Mercator (matrix set ``w``), as its service WMTS 1.0.0 answers to keywords."""
    asked = f"SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    return f"{host}/{layer}_w/wmts?{asked}&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"


def _key() -> str:
    """The key for Tianditu; it is never said in a message."""
    key = os.environ.get(KEY, "").strip()
    if re.fullmatch(r"\w{8,64}", key, re.ASCII):
        return key
    said = "the environment variable holds no key" if key else "the environment variable is not set"
    fix = "Get a key from Tianditu's console (console.tianditu.gov.cn) and set it; it is written into the page."
    raise DataError([Fault(KEY, said, fix)])


def _faults(address: str) -> list[Fault]:
    """What is wrong with an address; a key may stand behind its question mark, so that is not said."""
    said, filled = address.partition("?")[0], re.sub(r"\{[zxy]\}", "_", address)
    if not TEMPLATE.fullmatch(filled) or not all(place in address for place in PLACES):
        fix = "Write https://host/path with {z}, {x} and {y} in it."
        return [Fault("tiles", f"{said!r} is no address of tiles", fix)]
    host = urlsplit(address).hostname or ""
    return [
        Fault("tiles", f"the tiles of {host} are in {datum}, the map is in WGS-84", "Use Tianditu's: tianditu.")
        for datum, domains in SHIFTED.items()
        if any(host == domain or host.endswith(f".{domain}") for domain in domains)
    ]
