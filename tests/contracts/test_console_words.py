"""The console has words in both languages for whatever the cloud says by a code.

That every code of a finding is there the console's types prove (`console/src/words/findings.ts`); a camera's reason is an
open text on the wire, so it is compared here.
"""

from __future__ import annotations

import re
from pathlib import Path

from guardian.domain.camera import CAMERA_WORDS

FINDINGS = Path(__file__).parents[2] / "console" / "src" / "words" / "findings.ts"


def test_every_reason_of_a_camera_without_a_picture_has_words_in_both_languages() -> None:
    said = FINDINGS.read_text(encoding="utf-8")
    for book in ("zhCameras", "enCameras"):
        block = said.split(f"const {book}: Camera = {{", 1)[1].split("\n};", 1)[0]
        assert set(re.findall(r'^  "(camera-[a-z-]+)": \[', block, re.MULTILINE)) == set(CAMERA_WORDS), book


def test_the_console_says_the_same_of_a_camera_as_the_device_does() -> None:
    said = FINDINGS.read_text(encoding="utf-8")
    for reason, (cause, cure) in CAMERA_WORDS.items():
        assert f'"{reason}": ["{cause}", "{cure}"]' in said
