"""A few lines that draw SVG: enough for two diagrams, legible on light and dark ground.

Colours are classes, not values: the picture carries its own paper and turns it over where the viewer asks for dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """\
svg { --paper:#ffffff; --ink:#1f2937; --dim:#6b7280; --rule:#e5e7eb; --s0:#1d4ed8; --s1:#c2410c; --s2:#0f766e; --s3:#7e22ce;
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
@media (prefers-color-scheme: dark) { svg { --paper:#111827; --ink:#f3f4f6; --dim:#9ca3af; --rule:#374151; --s0:#93c5fd;
  --s1:#fdba74; --s2:#5eead4; --s3:#d8b4fe; } }
.paper { fill: var(--paper); } .rule { stroke: var(--rule); fill: none; } .axis { stroke: var(--dim); fill: none; }
text { fill: var(--ink); font-size: 12px; } .dim { fill: var(--dim); font-size: 11px; } .title { font-size: 13px;
  font-weight: 600; } .head { font-size: 16px; font-weight: 600; } .num { font-variant-numeric: tabular-nums; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .s1.line { stroke-dasharray: 7 3; }
.s2.line { stroke-dasharray: 2 3; } .s3.line { stroke-dasharray: 9 3 2 3; }
.m { fill: var(--paper); stroke-width: 2; }
.f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); } .f3 { fill: var(--s3); }
.bar { fill: var(--s0); opacity: .8; } .few { opacity: .35; } .gap { fill: none; stroke: var(--s1); stroke-width: 1.5; stroke-dasharray: 3 2; }"""

SERIES = 4
"""So many lines can be told apart; more than that do not fit into one diagram."""


class Drawing:
    """Shapes in order; the last lies on top. Sizes are px."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._width, self._height, self._title = width, height, title
        self._shapes: list[str] = []

    def text(self, x: float, y: float, said: str, *, kind: str = "", anchor: str = "start") -> None:
        """A line of text on its base line."""
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'
        )

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(f'<polyline points="{path}" class="{kind}"/>')

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """A rectangle."""
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}" class="{kind}"/>'
        )

    def mark(self, x: float, y: float, number: int) -> None:
        """The mark of a series: circle, square, diamond, triangle; shape and colour both tell it."""
        kind = f"m s{number % SERIES}"
        if number % SERIES == 0:
            self._shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" class="{kind}"/>')
            return
        shapes = {
            1: ((-3, -3), (3, -3), (3, 3), (-3, 3)),
            2: ((0, -4), (4, 0), (0, 4), (-4, 0)),
            3: ((0, -4), (4, 3), (-4, 3)),
        }
        path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in shapes[number % SERIES])
        self._shapes.append(f'<polygon points="{path}" class="{kind}"/>')

    def svg(self) -> str:
        """The picture as a file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width:.0f}" height="{self._height:.0f}" '
            f'viewBox="0 0 {self._width:.0f} {self._height:.0f}" role="img">\n<title>{escape(self._title)}</title>\n'
            f"<style>\n{_STYLE}\n</style>\n"
            f'<rect width="100%" height="100%" class="paper"/>\n' + "\n".join(self._shapes) + "\n</svg>\n"
        )
