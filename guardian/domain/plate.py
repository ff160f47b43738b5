"""Number plates as values: what people type, the normal form, the display form, patterns, confusable characters.

One function reads what people type (`parse_plate`), for form, CSV, API and command line alike:
1. full-width forms, lower case, spaces, every kind of dash, zero-width signs and a spreadsheet's armour are taken off;
2. digits and letters of other scripts are refused, never guessed (field case G01);
3. what people write when there is no plate is refused (G28), a number that a spreadsheet has damaged is refused with
   what it may have been (G19).

A plate that fits no series is still a plate (foreign, military, diplomatic): it is read as it is and says so. What may
stand in a *list* is stricter: `inspect_plate`.
"""

from __future__ import annotations

import re

import msgspec

from guardian.domain.confused import CONFUSABLE as CONFUSABLE
from guardian.domain.errors import InputRefusedError
from guardian.domain.series import Series, VehicleClass, classes_of, series_of

LENGTH_MAX = 10
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Hyphen-minus, the Unicode dashes, minus, full-width and half-width prolonged sound marks, middle dots, bullet, underscore,
# and what Big5 has beside them: the small hyphen (A1DF) and the two lines of its tables (A15A, A277).
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u30fc\uff70\u2027\u00b7\u30fb\uff65\u02d9\u2022\uff3f_\ufe58\ufe63\u2574\u2500"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_NO_PLATE = {
    "無牌", "不明", "無", "未知", "未懸掛", "無號牌", "無車牌", "NULL", "NONE", "N/A", "NA", "NAN", "TEST", "VOID", "MISSING",
    "NOPLATE", "NOTAG", "UNKNOWN", "XXX", "XXXX", "XXXXXXX",
}  # fmt: skip


class PlateTextError(InputRefusedError):
    """What was typed is no plate number. `suggestions` holds what may have been meant (normal forms)."""

    reference = "plate-text"

    def __init__(
        self, sentence: str, *, hint: str = "", reference: str | None = None, suggestions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(sentence, hint=hint, reference=reference)
        self.suggestions = suggestions


class Plate(msgspec.Struct, frozen=True):
    """One number, in normal form, with the dash where it was seen or where its series prints it."""

    text: str
    dash_after: int | None = None

    @property
    def series(self) -> Series | None:
        """The likeliest series, or None where none is known."""
        fitting = series_of(self.text, self.dash_after)
        return fitting[0] if fitting else None

    @property
    def display(self) -> str:
        """The number as it is printed, with its dash."""
        series = self.series
        if series is not None:
            return series.display(self.text)
        if self.dash_after is not None and 0 < self.dash_after < len(self.text):
            return f"{self.text[: self.dash_after]}-{self.text[self.dash_after :]}"
        return self.text

    @property
    def vehicle_classes(self) -> tuple[VehicleClass, ...]:
        """Classes that the number implies."""
        return classes_of(self.text, self.dash_after)


def display_of(text: str) -> str:
    """The display form of a normal form."""
    return Plate(text).display


def _strip(typed: str) -> str:
    """Take off spreadsheet armour, invisible signs and half-width/full-width difference; refuse other scripts."""
    armoured = typed.strip()
    match = re.fullmatch(r'="?([^"]*)"?', armoured)
    if match is not None:
        armoured = match[1]
    armoured = armoured.lstrip("'’\t").strip()
    out: list[str] = []
    for sign in armoured:
        code = ord(sign)
        if 0xFF01 <= code <= 0xFF5E and sign not in _DASHES:
            sign = chr(code - 0xFEE0)
        if sign in _DASHES:
            out.append("-")
        elif sign.isspace() or sign in _INVISIBLE:
            continue
        else:
            out.append(sign.upper() if sign.isascii() else sign)
    return "".join(out)


def _refuse_other_scripts(cleaned: str, typed: str) -> None:
    for sign in cleaned:
        if not sign.isascii():
            kind = "digit" if sign.isnumeric() else "character"
            raise PlateTextError(
                f"'{typed.strip()}' has the {kind} '{sign}', which no plate has.",
                hint="Type letters A-Z and digits 0-9.",
                reference="plate-other-script",
            )


def parse_plate(typed: str) -> Plate:
    """Read what a person typed, or a file holds, into a plate.

    Raises:
        PlateTextError: with a sentence, a reference (`plate-empty`, `plate-none`, `plate-spreadsheet`,
            `plate-other-script`, `plate-sign`, `plate-length`) and suggestions.
    """
    cleaned = _strip(typed)
    bare = cleaned.replace("-", "")
    if not bare:
        raise PlateTextError("No plate number was given.", hint="Type one, like ABC-1235.", reference="plate-empty")
    if cleaned in _NO_PLATE or bare in _NO_PLATE or set(bare) in ({"0"}, {"X"}):
        raise PlateTextError(
            f"'{typed.strip()}' says that there is no plate; it is not a number.",
            hint="Describe the vehicle in the remark instead.",
            reference="plate-none",
        )
    damage = re.fullmatch(r"(\d(?:\.\d+)?)E([+-]?)(\d+)", cleaned)
    if damage is not None and ("." in damage[1] or damage[2] == "+"):
        meant = f"{damage[1][0]}E{int(damage[3]):04d}"
        raise PlateTextError(
            f"'{typed.strip()}' looks like a number written by a spreadsheet; was it {display_of(meant)}?",
            hint="Format the column as text, type the plates again, and save once more.",
            reference="plate-spreadsheet",
            suggestions=(meant,),
        )
    if re.fullmatch(r"\d{6}", cleaned):
        meant = "0" + cleaned
        raise PlateTextError(
            f"'{typed.strip()}' has six digits and no letter, which no series has; a spreadsheet drops leading zeros: "
            f"was it {display_of(meant)}?",
            hint="Format the column as text and type the plate again.",
            reference="plate-spreadsheet",
            suggestions=(meant,),
        )
    _refuse_other_scripts(cleaned, typed)
    for sign in bare:
        if sign not in ALPHABET:
            raise PlateTextError(
                f"'{typed.strip()}' has the sign '{sign}', which no plate has.",
                hint="Type letters A-Z and digits 0-9.",
                reference="plate-sign",
            )
    if not 2 <= len(bare) <= LENGTH_MAX:
        raise PlateTextError(
            f"'{typed.strip()}' has {len(bare)} characters; plates have 4 to 7.",
            hint="Check the number.",
            reference="plate-length",
        )
    parts = [p for p in cleaned.split("-") if p]
    return Plate(bare, len(parts[0]) if len(parts) == 2 else None)


class Inspection(msgspec.Struct, frozen=True):
    """What the typing guard has to say about a number that is to stand in a list (field cases G24, G28).

    `refusal` is None when it may be entered; `warning` is None when nothing is odd about it.
    """

    plate: Plate | None
    refusal: str | None = None
    reference: str | None = None
    warning: str | None = None
    suggestions: tuple[str, ...] = ()


_TO_LETTER = {"0": "D", "1": "J", "8": "B", "5": "S", "2": "Z", "6": "G", "O": "Q", "I": "J"}
_TO_DIGIT = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8", "G": "6"}


def inspect_plate(typed: str) -> Inspection:
    """Judge a number that somebody wants to enter into a list; never raises for what was typed."""
    try:
        plate = parse_plate(typed)
    except PlateTextError as error:
        return Inspection(None, f"{error.sentence} {error.hint}".strip(), error.reference, None, error.suggestions)
    text = plate.text
    series = plate.series
    # A typed dash decides: AB0-1235 is not the two-wheeler AB-01235 but a digit in a letter place.
    if series is not None and plate.dash_after in (None, series.dash_after):
        return Inspection(plate)
    # The shape of today's series (three letter places, four digit places) with something impossible in it.
    if len(text) == 7 and plate.dash_after in (None, 3):
        faults: list[str] = []
        fixed: list[str] = []
        for place, sign in enumerate(text):
            letter_place = place < 3
            if letter_place and (sign.isdigit() or sign in "IO"):
                why = "stands in a letter place" if sign.isdigit() else "does not occur in this series"
                faults.append(f"'{sign}' at place {place + 1} {why}")
                fixed.append(_TO_LETTER.get(sign, sign))
            elif not letter_place and (sign.isalpha() or sign == "4"):
                why = "stands in a digit place" if sign.isalpha() else "does not occur in this series"
                faults.append(f"'{sign}' at place {place + 1} {why}")
                fixed.append(_TO_DIGIT.get(sign, "9" if sign == "4" else sign))
            else:
                fixed.append(sign)
        nearest = "".join(fixed)
        suggestions = (nearest,) if series_of(nearest) and nearest != text else ()
        if 0 < len(faults) <= 3:
            said = f" The nearest right form is {display_of(nearest)}." if suggestions else ""
            return Inspection(
                None,
                f"{text[:3]}-{text[3:]}: {'; '.join(faults)}.{said} "
                "Look-alike readings are found by the matcher and are never entered.",
                "plate-impossible",
                None,
                suggestions,
            )
    return Inspection(plate, None, None, f"{plate.display} fits no series known in Taiwan.")


class PlatePattern(msgspec.Struct, frozen=True):
    """A question about plates: `?` is one character, `*` any number, nothing else is special."""

    text: str

    @property
    def exact(self) -> bool:
        """Whether the pattern names one plate."""
        return "?" not in self.text and "*" not in self.text

    @property
    def literals(self) -> int:
        """How many characters are given."""
        return sum(sign not in "?*" for sign in self.text)

    def matches(self, text: str) -> bool:
        """Whether a normal form answers the pattern."""
        return (
            re.fullmatch("".join("." if s == "?" else ".*" if s == "*" else re.escape(s) for s in self.text), text)
            is not None
        )


def parse_pattern(typed: str) -> PlatePattern:
    """Read a search text into a pattern; same cleaning as `parse_plate`, with `?` and `*` (also full-width).

    Raises:
        PlateTextError: a sign that no plate has, or nothing but wildcards (field cases G25, G40).
    """
    cleaned = _strip(typed)
    _refuse_other_scripts(cleaned, typed)
    bare = re.sub(r"\*+", "*", cleaned.replace("-", ""))
    if not bare:
        raise PlateTextError(
            "No plate number was given.", hint="Type one, like ABC-1235 or AB?-12*.", reference="plate-empty"
        )
    for sign in bare:
        if sign not in ALPHABET and sign not in "?*":
            raise PlateTextError(
                f"'{typed.strip()}' has the sign '{sign}', which no plate has.",
                hint="? stands for one character, * for any number.",
                reference="plate-sign",
            )
    if len(bare.replace("*", "")) > LENGTH_MAX:
        raise PlateTextError(
            f"'{typed.strip()}' is longer than any plate.", hint="Check the number.", reference="plate-length"
        )
    return PlatePattern(bare)


def pack_plate(text: str) -> int:
    """A normal form as a positive 63-bit integer: base 37, first character most significant; order is kept by length.

    Raises:
        ValueError: a sign outside A-Z0-9 or more than 12 characters.
    """
    if len(text) > 12:
        raise ValueError(f"{len(text)} characters do not fit into 63 bits")
    value = 0
    for sign in text:
        value = value * 37 + ALPHABET.index(sign) + 1
    return value


def unpack_plate(value: int) -> str:
    """The normal form that `pack_plate` packed."""
    out: list[str] = []
    while value:
        value, rest = divmod(value, 37)
        out.append(ALPHABET[rest - 1])
    return "".join(reversed(out))


_SPOKEN_DIGIT = {"plain": "零一二三四五六七八九", "radio": "洞么兩三四五六拐八勾"}


def spoken_plate(text: str, *, numerals: str = "radio") -> str:
    """The number as it is said: character by character with pauses (field case G59).

    Args:
        text: normal form; the dash is not spoken.
        numerals: `radio` (洞 么 兩 拐 勾) or `plain` (零 一 二 七 九).
    """
    digits = _SPOKEN_DIGIT[numerals]
    return "、".join(digits[int(sign)] if sign.isdigit() else sign for sign in text)
