"""The one family of errors that the house shows to people.

An error says what happened, to which item, what was done about it and what to do now. Its `reference` is a fixed
kebab-case name: screens look the Chinese sentence up by it, people quote it. What the outside may not learn (paths,
queries, keys) belongs into the cause (`raise … from`), never into the sentence.
"""

from __future__ import annotations

import traceback


class GuardianError(Exception):
    """Something happened that a person should hear about.

    Args:
        sentence: what happened, to which item, and what was done.
        hint: what to do now; empty where nothing can be done.
        reference: overrides the class's reference where one class serves several causes.
    """

    reference = "guardian-error"

    def __init__(self, sentence: str, *, hint: str = "", reference: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        if reference is not None:
            self.reference = reference

    def __str__(self) -> str:
        return f"{self.reference}: {self.sentence}" + (f" {self.hint}" if self.hint else "")


class InputRefusedError(GuardianError):
    """What came in cannot be taken; the sender can mend it. Exit code 3, HTTP 400 or 422."""

    reference = "input-refused"


class NotFoundError(GuardianError):
    """The named thing is not here. HTTP 404."""

    reference = "not-found"


class ConflictError(GuardianError):
    """The thing has moved on since the caller looked. HTTP 409."""

    reference = "conflict"


class NotAllowedError(GuardianError):
    """`access` refused; the sentence is its reason. Exit code 5, HTTP 403."""

    reference = "not-allowed"


class NeighbourUnreachableError(GuardianError):
    """A store, device or service that we depend on does not answer. Exit code 4, HTTP 503."""

    reference = "neighbour-unreachable"


class DiskFullError(GuardianError):
    """A write found no room; nothing that was acknowledged is lost. HTTP 507."""

    reference = "disk-full"


def frames_of(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last: files, lines and functions, never its text (a plate may be in it)."""
    return [
        f"{frame.filename.rpartition('/guardian/')[2].rpartition('/site-packages/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]
