"""G26 (and G05) on the device: an exact match that rests on a doubtful character is no exact alarm, in any way of showing."""

from __future__ import annotations

from rich.console import Console

from guardian.device.card import make_card
from guardian.device.screen import render_card
from guardian.device.speech import sentence
from guardian.domain.read import Alternative
from guardian.domain.watch import MatchStrength
from guardian.watch.matcher import Matcher
from tests.device.rig import NOW_MS, entry, make_read

PROBS = (0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.52)
ALTERNATIVES = ((),) * 6 + ((Alternative("7", 0.47),),)


def test_word_tone_mark_and_sentence_differ_from_an_exact_alarm() -> None:
    watched = entry("BKD2012", "e1", kind="car")
    read = make_read(1, text="BKD2012", probs=PROBS, alternatives=ALTERNATIVES)
    (match,) = Matcher((watched,), 1).match(read.text, read.char_probs, read.alternatives, at_ms=NOW_MS)
    assert match.strength is MatchStrength.LOOKALIKE
    shown = make_card(read, match, watched, list_version=1, list_issued_ms=NOW_MS)
    assert not shown.sure
    assert shown.tone == "near"
    assert [s.place for s in shown.signs if s.doubtful] == [6]
    assert shown.yes == "是 BKD-2012"
    said = sentence(shown)
    assert said.startswith("再看一眼。像失竊車輛。")
    assert "第七字可能是拐" in said
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(render_card(shown, 0, NOW_MS, 100, 34))
    text = console.export_text()
    assert "再看一眼" in text
    assert "完全相符" not in text
    assert "（或 7）" in text
    assert "╍" in text, "a dashed frame"
