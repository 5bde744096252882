"""The HTML page round a map's data, on Folium's skeleton: everything inline and packed, nothing asked of any host."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import folium
from branca.element import Element, Figure
from folium.template import Template
from xstatic.pkg import leaflet

from planner.draw.pack import to_text
from planner.draw.tiles import Tiles
from planner.draw.words import asset

SCRIPTS = (
    *("tools.js", "symbols.js", "sheet.js", "ground.js", "dots.js"),
    *("flows.js", "isochrones.js", "ways.js", "charts.js", "tiles.js"),
    *("difference.js", "swipe.js", "several.js", "listing.js", "print.js"),
    *("whatif.js", "questions.js", "exchange.js", "cards.js", "panel.js"),
    *("layouts.js", "classes.js", "painted.js", "marks.js"),
    *("key.js", "controls.js", "details.js", "scores.js"),
    "map.js",
)
STYLES = ("map.css", "whatif.css", "listing.css", "compare.css", "print.css")
POLICY = "policy-goes-here"
NO_DATA = "data-goes-here"
DATA = f'id="plan-data">{NO_DATA}</script>'
"""No title reads like that: it is escaped."""


class Page(Figure):
    """Folium's page with a language, a title as text, and one script that runs the packed ones, Folium's too."""

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.lang }}">\n<head>\n{{ this.header.render(**kwargs) }}\n'
        "<title>{{ this.title|e }}</title>\n</head>\n<body>\n{{ this.html.render(**kwargs) }}\n"
        "<script>{{ this.loader }}</script>\n</body>\n</html>\n"
    )

    def __init__(self, title: str, lang: str) -> None:
        super().__init__(title=title)
        self.lang = lang
        self.loader = asset("pack.js")


class Verbatim(Element):
    """Text that goes into the page as it is: Folium reads every other text as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: object) -> str:
        """The text."""
        return self.text


def page_round(title: str, lang: str, tiles: Tiles | None = None) -> tuple[str, str]:
    """The page of a map up to its data and from there on; ``tiles`` are all that it asks a host for."""
    page = Page(title, lang)
    fmap = folium.Map(tiles=None, zoom_control=False, attribution_control=False, prefer_canvas=True, zoom_snap=0.25)
    fmap.default_js, fmap.default_css = [], []
    fmap._id = "plan"
    fmap.add_to(page)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page.header.add_child(Verbatim(policy), name="policy", index=0)
    page.header.add_child(Verbatim(f"<style>{stylesheet()}</style>"), name="leaflet_css")
    page.html.add_child(Verbatim(asset("page.html")), name="panels")
    page.html.add_child(Verbatim(f'<script type="application/octet-stream" {DATA}'), name="data")
    page.render()  # Folium adds its own parts now; ours come after them
    scripts = "\n".join(bare(asset(name)) for name in SCRIPTS)
    code = f"{library()}\n{page.script.render()}\n{scripts}\nstart({fmap.get_name()});"
    page.html.add_child(
        Verbatim(f'<script type="application/octet-stream" id="plan-code">{to_text(code)}</script>'), name="code"
    )
    styles = "\n".join(asset(name) for name in STYLES)
    page.header.add_child(Verbatim(f"<style>{styles}</style>"), name="plan_css")
    html: str = page.render()
    html = html.replace(", maximum-scale=1.0, user-scalable=no", "", 1)  # readers may magnify the page
    run = [*re.findall(r"<script>(.*?)</script>", html, re.DOTALL), code]
    html = html.replace(POLICY, content_policy(run, tiles.sources if tiles else ()), 1)
    begin, end = DATA.split(NO_DATA)
    before, after = html.split(DATA)
    return before + begin, end + after


def bare(script: str) -> str:
    r"""A script of ours without indents and the comments that stand on lines of their own.

    >>> bare("/* All\nof it. */\nif (a)\n  b(/x/); // c\n/* d */ e();\n/* f */\n")
    'if (a)\nb(/x/); // c\n/* d */ e();'
    """
    lines = re.sub(r"^\s*/\*(?:(?!\*/).)*\*/\s*$", "", script, flags=re.MULTILINE | re.DOTALL).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def content_policy(scripts: Sequence[str], images: Sequence[str] = ()) -> str:
    """A policy under which only these scripts run, packed or not, nothing is fetched but images from some folders."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src {' '.join(('data:', *images))}; "
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
