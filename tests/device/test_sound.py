"""Sound from the device itself: what is played, and that silence is said."""

from __future__ import annotations

import io
import itertools
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from guardian.device.alarm import Sound
from guardian.device.sound import NOTES_HZ, Speaker, tone_wav
from guardian.device.speech import sentence, spoken_number
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


def test_a_sound_card_that_was_busy_is_tried_again_and_heard_again(tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    voice = tmp_path / "espeak-ng"
    voice.write_text(f"#!/bin/sh\n[ ! -e {busy} ]\n")
    voice.chmod(0o755)
    speaker = Speaker(espeak=str(voice))
    speaker._aplay = None
    assert not speaker.play(Sound(1, "none", "緊急。")) and speaker.silence
    busy.unlink()
    assert speaker.play(Sound(2, "none", "緊急。"))
    assert speaker.silence == "", "and the screen no longer says that it is silent"


def samples(data: bytes) -> tuple[np.ndarray, int]:
    """Mono samples, -1 to 1, and their rate."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2") / 32768, file.getframerate()


def stretches(sound: np.ndarray, rate: int, *, gap_s: float, level: float = 0.02) -> list[tuple[int, int]]:
    """Where something is heard: begin and end, with silence of at least `gap_s` between."""
    step = rate // 200
    loud = [float(np.abs(sound[i : i + step]).max()) > level for i in range(0, len(sound), step)]
    found: list[tuple[int, int]] = []
    for place, heard in enumerate(loud):
        if not heard:
            continue
        if found and (place - found[-1][1]) * step < gap_s * rate:
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return [(a * step, b * step) for a, b in found]


@pytest.mark.parametrize("tone", list(NOTES_HZ))
def test_a_tone_is_heard_note_by_note_at_its_pitch_and_never_clips(tone: str) -> None:
    sound, rate = samples(tone_wav(tone))
    notes = stretches(sound, rate, gap_s=0.02)
    assert len(notes) == len(NOTES_HZ[tone])
    for (begin, end), wanted in zip(notes, NOTES_HZ[tone], strict=True):
        note = sound[begin:end] * np.hanning(end - begin)
        spectrum = np.abs(np.fft.rfft(note, 1 << 15))
        assert np.fft.rfftfreq(1 << 15, 1 / rate)[spectrum.argmax()] == pytest.approx(wanted, abs=4)
        assert 0.1 < end / rate - begin / rate < 0.5
    assert np.abs(sound).max() < 0.75, "no clipping"
    assert np.abs(sound[0]) < 0.01 and np.abs(sound[-1]) < 0.01, "no click at either end"
    rms = float(np.sqrt((sound**2).mean()))
    assert (rms < 0.2) == (tone == "near")
    assert rms > 0.08, "and not silent"


def test_no_two_priorities_sound_alike() -> None:
    bands = {}
    for tone in NOTES_HZ:
        sound, rate = samples(tone_wav(tone))
        spectrum = np.abs(np.fft.rfft(sound, 1 << 16))
        bands[tone] = np.histogram(np.fft.rfftfreq(1 << 16, 1 / rate), np.arange(0, 2000, 50), weights=spectrum)[0]
        bands[tone] /= np.linalg.norm(bands[tone])
    for one, other in itertools.combinations(NOTES_HZ, 2):
        assert float(bands[one] @ bands[other]) < 0.9, f"{one} and {other}"


def said(text: str, out: Path) -> tuple[np.ndarray, int]:
    """What the machine's voice makes of a text, asked as the device asks it."""
    command = ["espeak-ng", *Speaker.voice_arguments(), "-w", str(out)]
    subprocess.run(command, input=text.encode(), check=True, timeout=30)
    return samples(out.read_bytes())


@pytest.mark.real("espeak")
def test_the_real_voice_is_heard_at_a_good_level_for_as_long_as_the_sentence_takes(tmp_path: Path) -> None:
    sound, rate = said(sentence(card(URGENT)), tmp_path / "said.wav")
    assert 4 < len(sound) / rate < 25
    heard = stretches(sound, rate, gap_s=0.3)
    assert sum(end - begin for begin, end in heard) > 0.5 * len(sound), "most of it is speech"
    assert 0.02 < float(np.sqrt((sound**2).mean())) < 0.5
    assert float((np.abs(sound) > 0.999).mean()) < 0.001, "it does not clip"


@pytest.mark.real("espeak")
@pytest.mark.parametrize("plate", ["BKD8869", "3022JM"])
def test_the_real_voice_says_a_number_sign_by_sign_with_gaps(tmp_path: Path, plate: str) -> None:
    """G59 as it is heard: as many bursts as characters; read as one number there are far fewer."""
    sound, rate = said(spoken_number(plate), tmp_path / "said.wav")
    assert len(stretches(sound, rate, gap_s=0.06)) >= len(plate)
    unprepared, _ = said(plate, tmp_path / "raw.wav")
    assert len(stretches(unprepared, rate, gap_s=0.06)) < len(plate)
