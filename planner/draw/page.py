"""Data -> one HTML page on Folium's skeleton: everything inline, nothing asked of any host."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, Figure
from folium.template import Template
from xstatic.pkg import leaflet

from planner.draw.words import asset, words

SCRIPTS = (
    "tools.js",
    "symbols.js",
    "flows.js",
    "isochrones.js",
    "ways.js",
    "charts.js",
    "difference.js",
    "swipe.js",
    "several.js",
    "listing.js",
    "print.js",
    "map.js",
)
STYLES = ("map.css", "listing.css", "compare.css", "print.css")
POLICY = "policy-goes-here"
UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Page(Figure):
    """Folium's page with a language, a title as text, and its script inside the body."""

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.lang }}">\n<head>\n{{ this.header.render(**kwargs) }}\n'
        "<title>{{ this.title|e }}</title>\n</head>\n<body>\n{{ this.html.render(**kwargs) }}\n"
        "<script>{{ this.script.render(**kwargs) }}</script>\n</body>\n</html>\n"
    )

    def __init__(self, title: str, lang: str) -> None:
        super().__init__(title=title)
        self.lang = lang


class Verbatim(Element):
    """Text that goes into the page as it is: Folium reads every other text as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: object) -> str:
        """The text."""
        return self.text


def render(data: Mapping[str, Any], lang: str) -> str:
    """The page that shows ``data`` (see ``layers.payload``)."""
    page = Page(data["area"]["title"], lang)
    fmap = folium.Map(tiles=None, zoom_control=False, attribution_control=False, prefer_canvas=True, zoom_snap=0.25)
    fmap.default_js, fmap.default_css = [], []
    fmap._id = "plan"
    fmap.add_to(page)
    everything = {**data, "lang": lang, "words": words(), "pin": pin()}
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page.header.add_child(Verbatim(policy), name="policy", index=0)
    page.header.add_child(Verbatim(f"<style>{stylesheet()}</style>"), name="leaflet_css")
    page.header.add_child(Verbatim(f"<script>{library()}</script>"), name="leaflet")
    page.html.add_child(Verbatim(asset("page.html")), name="panels")
    page.html.add_child(
        Verbatim(f'<script type="application/json" id="plan-data">{to_json(everything)}</script>'), name="data"
    )
    scripts = "\n".join(asset(name) for name in SCRIPTS)
    script = f"{scripts}\ndrawPlan({fmap.get_name()}, JSON.parse(document.getElementById('plan-data').text));"
    styles = "\n".join(asset(name) for name in STYLES)
    page.render()  # Folium adds its own parts now; ours come after them
    page.header.add_child(Verbatim(f"<style>{styles}</style>"), name="plan_css")
    page.script.add_child(Verbatim(script), name="plan")
    html: str = page.render()
    html = html.replace(", maximum-scale=1.0, user-scalable=no", "", 1)  # readers may magnify the page
    return html.replace(POLICY, content_policy(html), 1)


def to_json(data: object) -> str:
    r"""JSON that is safe inside a script element.

    >>> to_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(UNSAFE)


def content_policy(html: str) -> str:
    """A policy under which only this page's own scripts run and nothing is fetched."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
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
