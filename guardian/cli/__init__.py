"""The command line: one file for each noun, thin; a noun's file is only imported when it is called.

To add a noun: write `guardian/cli/<noun>.py` with a function (or a cyclopts `App` for a noun with verbs), and one line in
`_NOUNS`. Data go to stdout, talk to stderr. Exit codes say the cause: 0 done, 1 looked and found something wrong,
2 misused, 3 input refused, 4 neighbour unreachable, 5 not allowed, 70 our bug.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from cyclopts import App, CycloptsError, Group

from guardian.cli.page import Page
from guardian.domain.errors import GuardianError, InputRefusedError, NeighbourUnreachableError, NotAllowedError

_PAGE = """\
Police Safety Guardian Cloud: plates read on the device, matched there, checked
by a person, found again by a detective.

Start here:
  guardian read photo.jpg           the plates in a photo
  guardian read folder --show out   the same, drawn into pictures
  guardian demo                     a station and a patrol car on this machine
  guardian COMMAND --help           what a command does, with examples

Results go to stdout, talk to stderr; --json gives one object a line.
"""

_TRY = Group("Try it", sort_key=1)
_RUN = Group("Run it", sort_key=2)
_KEEP = Group("Look after it", sort_key=3)
_OTHER = Group("Other", sort_key=9)

# name, where, group, one sentence for `guardian --help`
_NOUNS: tuple[tuple[str, str, Group, str], ...] = (
    ("read", "guardian.cli.read:app", _TRY, "Read the plates in photos and folders of photos."),
    ("demo", "guardian.cli.demo:app", _TRY, "A station and a patrol car on this machine, with footage of our own."),
    ("footage", "guardian.cli.footage:app", _TRY, "Render street drives with plates, and their truth."),
    ("evaluate", "guardian.cli.evaluate:app", _TRY, "Measure an engine on labelled pictures, peers beside it."),
    ("serve", "guardian.cli.serve:app", _RUN, "Run the cloud: ingest, matching, hits, search, console."),
    ("device", "guardian.cli.device:app", _RUN, "Run a patrol device: enrol it, play a source, see how it is."),
    ("access", "guardian.cli.access:app", _RUN, "Sign people in with one-time links."),
    ("archive", "guardian.cli.archive:app", _KEEP, "Destroy what is older than its year, on record."),
    ("migrate", "guardian.cli.migrate:app", _KEEP, "Bring the records to this version's tables."),
    ("doctor", "guardian.cli.doctor:app", _KEEP, "What is configured, reachable, and how full."),
    ("train", "guardian.cli.train:app", _KEEP, "Train our own models from labelled or rendered pictures."),
    ("basemap", "guardian.cli.basemap:app", _KEEP, "Build the base map from OpenStreetMap files."),
)


def _version() -> str:
    try:
        return f"guardian {version('guardian')}"
    except PackageNotFoundError:
        return "guardian (not installed)"


def build_app() -> App:
    """The root of the command line, with every noun that is here."""
    app = App(
        name="guardian",
        help=_PAGE,
        help_formatter=Page(),
        help_format="plaintext",
        version=_version,
        version_flags=["--version"],
    )
    app["--help"].group = _OTHER
    app["--version"].group = _OTHER
    for name, where, group, sentence in _NOUNS:
        if find_spec(where.partition(":")[0]) is None:
            continue  # an installation in parts (guardian[device], [cloud]) has the nouns of its parts
        app.command(where, name=name, group=group, help=sentence)
    return app


def exit_code_of(error: GuardianError) -> int:
    """The exit code of a cause."""
    if isinstance(error, InputRefusedError):
        return 3
    if isinstance(error, NeighbourUnreachableError):
        return 4
    if isinstance(error, NotAllowedError):
        return 5
    return 1


def log_to_stderr() -> None:
    """What the rooms log goes beside the answer, never into it: stdout is for what was asked."""
    import logging

    import structlog

    from guardian.serve.log import without_texts

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_texts,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Whatever stderr is when something is logged: this process may go on after `main` (tests, a notebook).
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; errors of the house are a sentence and a hint, never a traceback."""
    log_to_stderr()
    app = build_app()
    try:
        answer = app(
            list(argv) if argv is not None else None,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except CycloptsError as error:
        print(f"misused: {' '.join(str(error).split())}", file=sys.stderr)
        print("  guardian --help shows what there is; guardian COMMAND --help how it is used.", file=sys.stderr)
        return 2
    except GuardianError as error:
        print(f"{error.reference}: {error.sentence}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return exit_code_of(error)
    except BrokenPipeError:  # the reader of our output has gone: `guardian read … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception:
        traceback.print_exc()
        print("internal-error: this is a fault of guardian; please report it with the lines above.", file=sys.stderr)
        return 70
    return answer if isinstance(answer, int) else 0
