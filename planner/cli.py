"""The command line: every command by its name. Results go to stdout, progress and messages to stderr.

Exit 0: fine; 1: a scenario has no feasible plan, or a plan does not hold; 2: bad input.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import typer

from planner.commands.areas import check, new, norms
from planner.commands.console import say, say_what_is_logged
from planner.commands.papers import explain, report
from planner.commands.pictures import draw_map
from planner.commands.plans import compare, demo, run, score, verify
from planner.commands.studies import alternatives, frontier, robust
from planner.commands.ways import isochrones, links
from planner.errors import InfeasibleError, PlannerError

COMMANDS: dict[str, Callable[..., None]] = {
    "new": new,
    "check": check,
    "run": run,
    "score": score,
    "compare": compare,
    "verify": verify,
    "explain": explain,
    "report": report,
    "links": links,
    "isochrones": isochrones,
    "frontier": frontier,
    "alternatives": alternatives,
    "robust": robust,
    "map": draw_map,
    "norms": norms,
    "demo": demo,
}

GARBAGE_AFTER = 1_000_000
"""Objects after which garbage is looked for: most that a command makes stay, and looking takes 0.2 s each time."""

app = typer.Typer(
    name="planner",
    help="Which village schools may close, which must stay, and who travels how far.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """Run the command line; what a user can cause ends in a message and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console or a pipe of another encoding still gets every name
            stream.reconfigure(encoding="utf-8", errors="replace")
    say_what_is_logged()
    gc.set_threshold(GARBAGE_AFTER)
    try:
        app(standalone_mode=True)
    except InfeasibleError as error:
        say(f"{error.text('en')}\n\n{error.text('zh')}")
        raise SystemExit(error.exit_code) from None
    except PlannerError as error:
        say(str(error))
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        say("Stopped.")
        raise SystemExit(130) from None
    finally:
        gc.freeze()  # the system takes back all of it at once; looking for garbage in it first takes half a second
