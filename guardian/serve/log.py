"""What a log of the cloud may say: fixed event names, ids, kinds of errors and where they came from.

Never the text of an exception, ours or a library's: it quotes what was being worked on, a statement with a plate in it for
example. That holds for structlog, for what libraries say through `logging` (the web server prints whole tracebacks), and
for what the event loop says of a task that nobody waited for.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from guardian.domain.errors import frames_of

log = structlog.get_logger(__name__)

CAUSES_MAX = 4

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def kinds_of(error: BaseException) -> str:
    """The kinds of an exception and of its causes, the outermost first."""
    kinds: list[str] = []
    one: BaseException | None = error
    while one is not None and len(kinds) < CAUSES_MAX:
        kinds.append(getattr(one, "reference", "") or type(one).__name__)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return " < ".join(kinds)


def without_texts(_: Any, __: str, event_dict: EventDict) -> EventDict:
    """A processor of structlog: `exc_info` becomes kinds and frames."""
    found = event_dict.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()[1]
    elif isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event_dict.setdefault("error", kinds_of(found))
        event_dict["frames"] = frames_of(found)
    return event_dict


class QuietFormatter(logging.Formatter):
    """Lines of libraries, with the kinds and frames of an exception in the place of its traceback."""

    def formatException(self, ei: _ExcInfo) -> str:
        error = ei[1]
        return "" if error is None else f"{kinds_of(error)} at {' > '.join(frames_of(error)[-4:])}"

    def formatStack(self, stack_info: str) -> str:
        return ""


def configure_log(*, json: bool, out: TextIO | None = None) -> None:
    """Readable in a terminal, JSON in service; to stderr unless `out` is given."""
    out = out or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_texts,
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if json
            else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(QuietFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def quieten_loop() -> None:
    """Have the running event loop say no texts either."""

    def say(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            log.error("loop.exception", exc_info=error)
        else:
            log.error("loop.complaint", said=str(context.get("message", ""))[:200])

    asyncio.get_running_loop().set_exception_handler(say)
