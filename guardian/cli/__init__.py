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

from cyclopts import App, CycloptsError, Group

from guardian.domain.errors import GuardianError, InputRefusedError, NeighbourUnreachableError, NotAllowedError

_EPILOGUE = """\
Start here:

  guardian read photo.jpg               the plates in a photo
  guardian read folder --show out       the same, drawn into pictures
  make demo                             a station and a patrol car on this machine

Every command takes --help. Results go to stdout, talk to stderr; --json gives one object a line.
"""

_TRY = Group("Try it", sort_key=1)
_RUN = Group("Run it", sort_key=2)
_KEEP = Group("Look after it", sort_key=3)
_OTHER = Group("Other", sort_key=9)

# name, where, group, one sentence for `guardian --help`
_NOUNS: tuple[tuple[str, str, Group, str], ...] = (
    ("read", "guardian.cli.read:read", _TRY, "Read the plates in photos and folders of photos."),
    ("device", "guardian.cli.device:app", _RUN, "The patrol device: read, alarm, keep, send."),
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
        help="Police Safety Guardian Cloud: plates read on the device, matched there, checked by a person.",
        help_epilogue=_EPILOGUE,
        help_format="plaintext",
        version=_version,
        version_flags=["--version"],
    )
    app["--help"].group = _OTHER
    app["--version"].group = _OTHER
    for name, where, group, sentence in _NOUNS:
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; errors of the house are a sentence and a hint, never a traceback."""
    app = build_app()
    try:
        answer = app(
            list(argv) if argv is not None else None,
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
        sys.stdout.flush()
    except CycloptsError:
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
