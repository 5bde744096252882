"""Where the embedded county of Xunyi lies: in a checkout under ``data/``, in an installed package beside the code."""

from __future__ import annotations

from pathlib import Path

from planner.errors import DataError, Fault


def default_area() -> Path:
    """The folder of the embedded county.

    Raises
    ------
    DataError : the installation lacks it

    >>> default_area().name
    'xunyi'
    """
    package = Path(__file__).parents[1]
    for folder in (package.parent / "data" / "xunyi", package / "default_area" / "xunyi"):
        if (folder / "area.toml").is_file():
            return folder
    raise DataError([Fault(str(package), "the embedded county is missing", "Install the package again.")])
