"""``planner`` as people call it: in this process, or, where starting is what is looked at, in one of its own."""

import contextlib
import gc
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from planner.cli import main

ROOT = Path(__file__).parents[1]


def process(*words, cwd=None):
    """``python -m planner WORDS``: a process of its own, which takes seconds to begin."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "140"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as on a user's machine: the second start reads what is compiled
    command = [sys.executable, "-m", "planner", *map(str, words)]
    return subprocess.run(command, check=False, cwd=cwd, capture_output=True, encoding="utf-8", env=environment)


def planner(*words, cwd=None):
    """The same in this process: what a command does not end with an exit code is raised here, with its traceback."""
    out, err = io.StringIO(), io.StringIO()
    log = logging.getLogger("planner")
    handlers, level, often = log.handlers[:], log.level, gc.get_threshold()
    with (
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["planner", *map(str, words)]),
        mock.patch.dict(os.environ, {"COLUMNS": "140"}),
    ):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            log.handlers[:] = handlers
            log.setLevel(level)
            gc.set_threshold(*often)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
