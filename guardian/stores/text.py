"""Which text may go into the records: the same answer on every engine (field case G32).

PostgreSQL refuses U+0000 and takes the whole transaction with it; SQLite keeps it. Halves of surrogate pairs (JSON can
carry them as `\\ud800`) cannot be written as UTF-8 at all. Both are found here, before an engine is asked; all else,
U+0085 and other control characters too, is kept as it came by both.
"""

from __future__ import annotations

TEXT_CHARS_MAX = 4000
"""How long a text of a record may be where its room says nothing else."""


def text_problem(text: str, *, chars_max: int = TEXT_CHARS_MAX) -> str | None:
    """Why `text` cannot be kept (`text-has-nul`, `text-not-unicode`, `text-too-long`), or None."""
    if len(text) > chars_max:
        return "text-too-long"
    if "\x00" in text:
        return "text-has-nul"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text-not-unicode"
    return None


def clean_text(text: str, *, chars_max: int = TEXT_CHARS_MAX) -> str:
    """The nearest text that both engines keep: no U+0000, U+FFFD for halves of pairs, cut at `chars_max`."""
    kept = text.replace("\x00", "")[:chars_max]
    try:
        kept.encode()
    except UnicodeEncodeError:
        kept = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in kept)
    return kept
