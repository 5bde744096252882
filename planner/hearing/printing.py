"""A page to PDF, by the browser that is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from planner.errors import DataError, Fault

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no name is ever looked up
)
SECONDS = 180


def browser() -> str:
    """The program that prints: what PLANNER_CHROMIUM names, else Chromium, Chrome or Edge on the PATH.

    Raises
    ------
    DataError : there is none
    """
    named = os.environ.get("PLANNER_CHROMIUM", "")
    found = next((path for name in ([named] if named else NAMES) if (path := shutil.which(name))), None)
    if found is None:
        said = (
            f"PLANNER_CHROMIUM names {named!r}, which cannot be run" if named else "no Chromium, Chrome or Edge found"
        )
        fix = "Put one on the PATH, name it in PLANNER_CHROMIUM, or print hearing.html from any browser."
        raise DataError([Fault("--pdf", said, fix)])
    return found


def print_pdf(page: Path, target: Path, program: str | None = None) -> Path:
    """Print an HTML file; no name is looked up, and the browser's profile is thrown away.

    Raises
    ------
    DataError : there is no browser, or it failed
    """
    program = program or browser()
    root = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()  # its sandbox refuses root
    with tempfile.TemporaryDirectory(prefix="planner-print-", ignore_cleanup_errors=True) as profile:
        made = Path(profile) / "made.pdf"
        command = [program, *QUIET, *root, f"--user-data-dir={profile}", f"--print-to-pdf={made}"]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the program is the user's own browser
                [*command, page.resolve().as_uri()], check=False, capture_output=True, timeout=SECONDS
            )
            said = f"it ended with code {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
        if not made.is_file():
            raise DataError([Fault(program, f"it printed no PDF: {said}", "Print hearing.html from any browser.")])
        shutil.copyfile(made, target)
    return target
