"""Sound from the device itself: what is played, and that silence is said."""

from __future__ import annotations

import io
import subprocess
import wave
from pathlib import Path

import pytest

from guardian.device.alarm import Sound
from guardian.device.sound import NOTES_HZ, Speaker, tone_wav
from guardian.device.speech import sentence
from tests.device.cards import URGENT, card


def program(path: Path, log: Path) -> str:
    path.write_text(f'#!/bin/sh\nprintf "%s " "$(basename $0)" >> {log}\ncat >> {log}\nprintf "\\n" >> {log}\n')
    path.chmod(0o755)
    return str(path)


def test_a_tone_then_the_sentence(tmp_path: Path) -> None:
    log = tmp_path / "log"
    speaker = Speaker(espeak=program(tmp_path / "espeak-ng", log), aplay=program(tmp_path / "aplay", log))
    assert speaker.silence == ""
    assert speaker.play(Sound(1, "urgent", "緊急。"))
    heard = log.read_bytes()
    assert heard.startswith(b"aplay RIFF")
    assert heard.rstrip().endswith("espeak-ng 緊急。".encode())


def test_a_machine_without_a_voice_says_so_and_stays_silent() -> None:
    speaker = Speaker(muted=True)
    assert "由告警頁發聲" in speaker.silence
    assert not speaker.play(Sound(1, "urgent", "緊急。"))


def test_a_voice_that_fails_is_said_from_then_on(tmp_path: Path) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    speaker = Speaker(espeak=str(broken), aplay=None)
    speaker._aplay = None
    assert not speaker.play(Sound(1, "none", "緊急。"))
    assert "播放失敗" in speaker.silence


def test_the_three_tones_differ_in_notes_length_and_loudness() -> None:
    lengths = {}
    for tone in NOTES_HZ:
        with wave.open(io.BytesIO(tone_wav(tone))) as file:
            lengths[tone] = file.getnframes()
            peak = max(abs(int.from_bytes(file.readframes(1), "little", signed=True)) for _ in range(file.getnframes()))
        assert (peak < 9_000) == (tone == "near"), "only the look-alike is soft"
    assert lengths["urgent"] > lengths["high"]
    assert tone_wav("none") == b""


@pytest.mark.real("espeak")
def test_the_real_voice_speaks_the_whole_sentence_in_mandarin(tmp_path: Path) -> None:
    out = tmp_path / "said.wav"
    subprocess.run(
        ["espeak-ng", "-v", "cmn", "-s", "150", "-g", "4", "--stdin", "-w", str(out)],
        input=sentence(card(URGENT)).encode(),
        check=True,
        timeout=30,
    )
    with wave.open(str(out)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert 4 < seconds < 25
