"""How a help page looks: plain columns, 80 wide, no boxes; fit to be shown to a friend or kept as a file."""

from __future__ import annotations

import io
from itertools import groupby
from typing import Any

from cyclopts.help import HelpEntry, HelpPanel
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions

WIDTH = 80
_COLUMN_MAX = 26


class Page:
    """Renders the parts of a help page; cyclopts calls it."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """One group of commands or parameters in two columns."""
        rows = [(_names(entry), _says(entry)) for entry in panel.entries]
        if not rows:
            return
        if panel.title:
            _write(console, f"{_plain(panel.title)}:")
        column = min(_COLUMN_MAX, max(len(name) for name, _ in rows)) + 3
        for name, said in rows:
            lines = _filled(said, WIDTH - 2 - column)
            if len(name) + 3 > column:
                _write(console, f"  {name}")
            else:
                _write(console, f"  {name:<{column}}{lines.pop(0)}".rstrip())
            for line in lines:
                _write(console, " " * (2 + column) + line)
        _write(console, "")

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """The usage line."""
        said = _plain(usage)
        if said:
            _write(console, said if said.startswith("Usage:") else f"Usage: {said}")
            _write(console, "")

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """What the command is for, and its examples."""
        said = _plain(description)
        if said:
            # Prose is filled; lines that are set in (examples) stay as they are.
            lines: list[str] = []
            for prose, part in groupby(said.strip("\n").splitlines(), lambda line: bool(line) and line[0] != " "):
                together = list(part)
                lines += _filled(" ".join(together), WIDTH) if prose else together
            _write(console, "\n".join(lines) + "\n")


def _names(entry: HelpEntry) -> str:
    if entry.display_labels_with_metavar:
        return ", ".join(entry.display_labels_with_metavar)
    return ", ".join((*entry.positive_names, *entry.positive_shorts))


def _says(entry: HelpEntry) -> str:
    said = " ".join(_plain(entry.description).split())
    if entry.choices:
        said += f" One of {', '.join(entry.choices)}."
    if entry.default is not None and str(entry.default) not in ("False", '""'):  # a switch is off, a text empty
        said += f" [{entry.default}]"
    return said


def _filled(said: str, width: int) -> list[str]:
    """`said` in lines of `width` columns; a Chinese sign takes two of them."""
    lines = [""]
    for word in said.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if cell_len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _plain(said: Any) -> str:
    """Any of the things that cyclopts hands over, as text without style."""
    if said is None:
        return ""
    if isinstance(said, str):
        return said.rstrip()
    if hasattr(said, "plain"):
        return str(said.plain).rstrip()
    bare = Console(file=io.StringIO(), width=400, no_color=True, highlight=False, markup=False, emoji=False)
    with bare.capture() as captured:
        bare.print(said, end="")
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())


def _write(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)
