"""Colour tokens of the console: chosen in OKLCH, written as sRGB hex, measured by WCAG 2.

    python scripts/tokens.py            print the contrast table; exit 1 if a pair misses its floor
    python scripts/tokens.py --write    also write console/src/tokens.css
    python scripts/tokens.py --check    exit 1 if console/src/tokens.css is not what this file says

Hex, not `oklch()`: the map's style language knows no CSS colour level 4 and no custom properties, and screen and map
must be painted from the same numbers. Every pair of text and ground that the console uses stands in `PAIRS`; a new
pair is added there before it is used.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

STYLESHEET = Path(__file__).resolve().parent.parent / "console" / "src" / "tokens.css"

Colour = tuple[float, float, float]
"""Lightness 0-1, chroma, hue in degrees (OKLCH)."""

N = 255  # hue of the neutrals: a cold grey that recedes behind every warm signal

TOKENS: dict[str, tuple[Colour, Colour]] = {  # name: light, dark
    "ground": ((0.968, 0.004, N), (0.158, 0.009, N)),  # page
    "surface": ((0.995, 0.001, N), (0.192, 0.010, N)),  # panels, rows
    "sunken": ((0.945, 0.005, N), (0.135, 0.008, N)),  # wells, track of a bar
    "raised": ((1.000, 0.000, N), (0.232, 0.012, N)),  # menus, dialogs, hovered row
    "selected": ((0.948, 0.014, 245), (0.248, 0.020, 245)),
    "line": ((0.905, 0.006, N), (0.278, 0.012, N)),  # hairlines: decoration, never the only edge of a control
    "line-strong": ((0.600, 0.014, N), (0.560, 0.014, N)),  # edges of controls, 3:1
    "ink": ((0.225, 0.014, N), (0.940, 0.004, N)),
    "ink-2": ((0.425, 0.014, N), (0.775, 0.008, N)),
    "ink-3": ((0.505, 0.014, N), (0.668, 0.010, N)),  # quietest text still allowed to say something
    "ink-on": ((0.990, 0.000, N), (0.175, 0.010, N)),  # on a button filled with ink
    "accent": ((0.500, 0.135, 250), (0.760, 0.105, 240)),  # focus, selection, links: nothing else
    "urgent": ((0.500, 0.190, 26), (0.735, 0.150, 25)),
    "urgent-fill": ((0.530, 0.200, 26), (0.565, 0.205, 26)),
    "urgent-on": ((1.000, 0.000, N), (1.000, 0.000, N)),
    "urgent-tint": ((0.962, 0.018, 25), (0.245, 0.050, 25)),
    "high": ((0.510, 0.125, 52), (0.800, 0.125, 65)),
    "high-fill": ((0.760, 0.155, 62), (0.790, 0.150, 65)),
    "high-on": ((0.225, 0.030, 60), (0.200, 0.030, 60)),
    "high-tint": ((0.966, 0.022, 70), (0.250, 0.035, 65)),
    "notice": ((0.500, 0.090, 92), (0.880, 0.120, 98)),
    "notice-fill": ((0.890, 0.140, 98), (0.890, 0.130, 98)),
    "notice-on": ((0.240, 0.030, 95), (0.220, 0.030, 95)),
    "notice-tint": ((0.975, 0.030, 98), (0.250, 0.026, 95)),
    "good": ((0.470, 0.105, 158), (0.780, 0.120, 158)),
    "good-tint": ((0.963, 0.022, 158), (0.240, 0.028, 158)),
    "map-land": ((0.958, 0.004, N), (0.176, 0.010, N)),
    "map-block": ((0.942, 0.005, N), (0.192, 0.011, N)),
    "map-park": ((0.938, 0.018, 150), (0.205, 0.018, 160)),
    "map-road": ((0.995, 0.000, N), (0.245, 0.012, N)),
    "map-road-2": ((1.000, 0.000, N), (0.290, 0.013, N)),
    "map-edge": ((0.885, 0.006, N), (0.150, 0.009, N)),
    "map-label": ((0.455, 0.014, N), (0.700, 0.010, N)),
    "map-halo": ((0.975, 0.002, N), (0.165, 0.009, N)),
}

TEXT, PART = 4.5, 3.0  # floors of WCAG 2.1 AA: text; parts of controls and graphics
PAIRS: tuple[tuple[str, str, float], ...] = (  # foreground, grounds, floor
    ("ink", "ground surface sunken raised selected urgent-tint high-tint notice-tint good-tint", TEXT),
    ("ink-2", "ground surface sunken raised selected urgent-tint high-tint notice-tint good-tint", TEXT),
    ("ink-3", "ground surface sunken raised selected", TEXT),
    ("ink-on", "ink", TEXT),
    ("accent", "ground surface sunken raised selected", TEXT),
    ("urgent", "ground surface raised selected urgent-tint", TEXT),
    ("high", "ground surface raised selected high-tint", TEXT),
    ("notice", "ground surface raised selected notice-tint", TEXT),
    ("good", "ground surface raised selected good-tint", TEXT),
    ("urgent-on", "urgent-fill", TEXT),
    ("high-on", "high-fill", TEXT),
    ("notice-on", "notice-fill", TEXT),
    ("ink", "map-land map-block map-road map-road-2 map-park", TEXT),
    ("ink-3", "map-land map-block map-road map-road-2 map-park", TEXT),
    ("map-label", "map-land map-block map-park map-road map-road-2", TEXT),
    ("line-strong", "ground surface sunken raised selected", PART),
    ("accent", "map-land map-road-2", PART),
    ("urgent", "map-land map-block map-park map-road map-road-2", PART),
    ("high", "map-land map-block map-park map-road map-road-2", PART),
    ("notice", "map-land map-block map-park map-road map-road-2", PART),
)


def linear_rgb(lightness: float, chroma: float, hue_deg: float) -> Colour:
    """Linear sRGB of an OKLCH colour (Björn Ottosson's matrices); may lie outside 0-1."""
    a, b = chroma * math.cos(math.radians(hue_deg)), chroma * math.sin(math.radians(hue_deg))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def hex_of(lightness: float, chroma: float, hue_deg: float) -> str:
    """The nearest sRGB colour of the same lightness and hue: chroma gives way until it fits."""
    while chroma > 0 and not all(-1e-4 <= v <= 1.0001 for v in linear_rgb(lightness, chroma, hue_deg)):
        chroma -= 0.001
    out = "#"
    for value in linear_rgb(lightness, max(chroma, 0.0), hue_deg):
        v = min(1.0, max(0.0, value))
        out += f"{round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055)):02x}"
    return out


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def theme(index: int) -> dict[str, str]:
    """Hex by token: 0 is light, 1 is dark."""
    return {name: hex_of(*both[index]) for name, both in TOKENS.items()}


def contrast_table() -> tuple[str, list[str]]:
    """The table in Markdown, and a sentence for each pair under its floor."""
    themes = (theme(0), theme(1))
    rows, faults = ["| foreground | on | floor | lowest, light | lowest, dark |", "|---|---|---|---|---|"], []
    for ink, grounds, floor in PAIRS:
        cells = []
        for colours, name in zip(themes, ("light", "dark"), strict=True):
            ratio, ground = min((contrast(colours[ink], colours[g]), g) for g in grounds.split())
            cells.append(f"{ratio:.1f} on {ground}")
            if ratio < floor:
                faults.append(f"{ink} on {ground} ({name}) has {ratio:.2f}, needs {floor}")
        rows.append(f"| `{ink}` | {grounds.replace(' ', ', ')} | {floor} | {cells[0]} | {cells[1]} |")
    return "\n".join(rows), faults


def render_stylesheet() -> str:
    """`tokens.css`: light on the root, dark where the root says so."""
    blocks = []
    for index, selector, scheme in ((0, ":root", "light"), (1, ":root[data-theme='dark']", "dark")):
        lines = "".join(f"  --{name}: {value};\n" for name, value in theme(index).items())
        blocks.append(f"{selector} {{\n  color-scheme: {scheme};\n{lines}}}\n")
    return "/* Written by scripts/tokens.py; change the numbers there. */\n" + "".join(blocks)


def main(arguments: list[str]) -> int:
    """Print the table; write or check the stylesheet as asked."""
    table, faults = contrast_table()
    print(table)
    if "--write" in arguments:
        STYLESHEET.write_text(render_stylesheet(), encoding="utf-8")
    if "--check" in arguments and STYLESHEET.read_text(encoding="utf-8") != render_stylesheet():
        faults.append("console/src/tokens.css is not current; run: python scripts/tokens.py --write")
    for fault in faults:
        print(f"FAILS: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
