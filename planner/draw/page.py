"""Data -> one HTML page: everything inline and packed, nothing asked of any host."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from xstatic.pkg import leaflet

from planner.draw.pack import pack
from planner.draw.words import asset, words

SCRIPTS = (
    *("tools.js", "symbols.js", "flows.js", "isochrones.js", "ways.js", "charts.js"),
    *("difference.js", "swipe.js", "several.js", "listing.js", "print.js"),
    *("whatif.js", "exchange.js", "cards.js", "panel.js"),
    *("details.js", "scores.js"),
    "map.js",
)
STYLES = ("map.css", "whatif.css", "listing.css", "compare.css", "print.css")
MAP = """var map_plan = L.map("map_plan", {
  center: [0, 0], zoom: 1, zoomSnap: 0.25, zoomControl: false, attributionControl: false, preferCanvas: true,
});"""


def render(data: Mapping[str, Any], lang: str) -> str:
    """The page that shows ``data`` (see ``layers.payload``)."""
    scripts = "\n".join(asset(name) for name in SCRIPTS)
    code = f"{library()}\n{MAP}\n{scripts}\nstart(map_plan);"
    loader = asset("pack.js")
    return Template(asset("skeleton.html")).substitute(
        lang=lang,
        policy=content_policy([loader, code]),
        title=escape(data["area"]["title"]),
        leaflet=stylesheet(),
        styles="\n".join(asset(name) for name in STYLES),
        panels=asset("page.html"),
        data=to_text({**data, "lang": lang, "words": words(), "pin": pin()}),
        code=to_text(code),
        loader=loader,
    )


def to_text(data: object) -> str:
    r"""Data as a script element may hold it: packed, in base64.

    >>> set("<>&") & set(to_text(["</script>"] * 20))
    set()
    """
    return base64.b64encode(pack(data)).decode()


def content_policy(scripts: Sequence[str]) -> str:
    """A policy under which only these scripts run, packed or not, and nothing is fetched."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def stylesheet() -> str:
    """Leaflet's own, its images inside."""
    css = _leaflet("leaflet.css").decode()
    return re.sub(r"url\((images/[\w.-]+)\)", lambda found: f"url({_image(found[1])})", css).replace("\r\n", "\n")


def library() -> str:
    """Leaflet, without the pointer to its source map."""
    return re.sub(r"//# sourceMappingURL=.*", "", _leaflet("leaflet.js").decode()).replace("\r\n", "\n")


def pin() -> dict[str, str]:
    """Leaflet's marker as images that need no fetching."""
    names = {"iconUrl": "marker-icon.png", "iconRetinaUrl": "marker-icon-2x.png", "shadowUrl": "marker-shadow.png"}
    return {option: _image(f"images/{name}") for option, name in names.items()}


def _leaflet(name: str) -> bytes:
    return (Path(leaflet.BASE_DIR) / name).read_bytes()


def _image(name: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(_leaflet(name)).decode()}"
