"""Options that several commands take, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Out = Annotated[Path | None, typer.Option("--out", help="The folder to write.")]
AreaOf = Annotated[
    Path | None, typer.Option("--area", help="The study area, where the scenario is not in its scenarios folder.")
]
PublicEdition = Annotated[
    bool, typer.Option("--public", help="Write the public edition: numbers of pupils in multiples of five, everywhere.")
]

MapTiles = Annotated[
    str,
    typer.Option(
        "--tiles",
        help="A ground from the network: tianditu or tianditu-image (the environment variable TIANDITU_KEY holds the "
        "key, which is then in the page for everybody to read), or an https address with {z}, {x} and {y}. Whoever "
        "opens the page asks that host for it; without this option a page asks nobody.",
    ),
]
TilesDatum = Annotated[str, typer.Option("--tiles-datum", help="Of tiles by address: wgs84 or cgcs2000.")]
TilesCredit = Annotated[str, typer.Option("--tiles-credit", help="Of tiles by address: whose they are.")]


def either_language(language: str) -> str:
    """The language, if it is one that the planner speaks.

    >>> either_language("zh")
    'zh'
    """
    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    return language
