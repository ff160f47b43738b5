"""Sound in the car from the device itself: a tone, then one sentence (console.md, section 8).

Uses what the machine has: `espeak-ng` for the voice and `aplay` for tones. Where there is neither, or no sound card, it
stays silent *and says so*; the alarm page then sounds in the browser. One sound at a time; a newer one replaces what
waits.
"""

from __future__ import annotations

import io
import math
import shutil
import struct
import subprocess
import threading
import wave
from pathlib import Path

import structlog

from guardian.device.alarm import AlarmDesk, Sound

log = structlog.get_logger("device.sound")

RATE_HZ = 22_050
NOTE_S = 0.16
SPEAK_TIMEOUT_S = 20.0

NOTES_HZ: dict[str, tuple[float, ...]] = {
    "urgent": (784.0, 988.0, 1319.0),  # three rising notes
    "high": (784.0, 988.0),  # two
    "near": (262.0,),  # one low soft note
}


def tone_wav(tone: str) -> bytes:
    """A tone as a WAV file: 16 bit, mono; empty for `none`."""
    notes = NOTES_HZ.get(tone, ())
    if not notes:
        return b""
    loud = 0.25 if tone == "near" else 0.7
    samples: list[int] = []
    length = int(RATE_HZ * NOTE_S * (2.5 if tone == "near" else 1))
    for hz in notes:
        for i in range(length):
            swell = min(1.0, i / 400, (length - i) / 1200)  # no click at either end
            samples.append(int(32_767 * loud * swell * math.sin(2 * math.pi * hz * i / RATE_HZ)))
        samples.extend([0] * int(RATE_HZ * 0.04))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


class Speaker:
    """Plays what the desk says. `silence` is empty while it can, else the reason in zh-TW.

    Args:
        espeak, aplay: the programs, instead of those that the machine has; then a missing sound card is no reason either.
    """

    def __init__(self, *, muted: bool = False, espeak: str | None = None, aplay: str | None = None) -> None:
        self._espeak = espeak or shutil.which("espeak-ng")
        self._aplay = aplay or shutil.which("aplay")
        self.silence = ""
        self._failed = False  # the last try; the next sound is tried all the same, a busy sound card comes free again
        if muted:
            self.silence = "裝置無聲（--silent），由告警頁發聲"
        elif self._espeak is None and self._aplay is None:
            self.silence = "裝置無聲：沒有語音程式（espeak-ng、aplay），由告警頁發聲"
        elif not _has_sound_card() and espeak is None and aplay is None:
            self.silence = "裝置無聲：沒有音效卡，由告警頁發聲"

    @staticmethod
    def voice_arguments() -> tuple[str, ...]:
        """How the voice is asked to speak: Mandarin, slowly enough to be written down (-s: words a minute), with a pause
        between words (-g: in 10 ms)."""
        return ("-v", "cmn", "-s", "150", "-g", "4", "--stdin")

    def run(self, desk: AlarmDesk, stop: threading.Event) -> None:
        """Sound each new sound of the desk once, until stopped."""
        seen_version, seen_sound = -1, 0
        while not stop.is_set():
            view = desk.wait_for_change(seen_version, 0.5)
            seen_version = view.version
            if view.sound is not None and view.sound.number > seen_sound:
                seen_sound = view.sound.number
                self.play(view.sound)

    def play(self, sound: Sound) -> bool:
        """One tone and one sentence; gives whether anything could be heard."""
        if self.silence and not self._failed:
            return False
        try:
            tone = tone_wav(sound.tone)
            if tone and self._aplay is not None:
                self._pipe([self._aplay, "-q", "-"], tone)
            if self._espeak is not None:
                self._pipe([self._espeak, *self.voice_arguments()], sound.sentence.encode())
        except (OSError, subprocess.SubprocessError) as error:
            if not self._failed:
                log.warning("sound-failed", error=type(error).__name__)
            self._failed, self.silence = True, "裝置無聲：播放失敗，由告警頁發聲；檢查喇叭與音量"
            return False
        self._failed, self.silence = False, ""
        return True

    @staticmethod
    def _pipe(command: list[str], data: bytes) -> None:
        subprocess.run(  # fixed arguments; the text goes through stdin
            command, input=data, check=True, capture_output=True, timeout=SPEAK_TIMEOUT_S
        )


def _has_sound_card() -> bool:
    try:
        return "no soundcards" not in Path("/proc/asound/cards").read_text()
    except OSError:
        return False
