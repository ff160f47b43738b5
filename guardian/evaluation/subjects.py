"""What can be measured, by name: engines of ours, and the peers that are on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import ALPHABET
from guardian.evaluation.ports import Looked, PlateRead, Subject
from guardian.vision.engine import Engine, StageTimes, open_engine
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import Crop, Detection, Detector, Frame, Reader, TextRead
from guardian.vision.series import fold_sign

PEERS = ("rapidocr", "tesseract", "day-one")


def open_peer(name: str, threads: int = 1) -> Subject:
    """A peer by name: `rapidocr` and `tesseract` as they come, or any engine of ours.

    Raises:
        InputRefusedError: no such peer, or it is not installed.
    """
    if name == "rapidocr":
        from guardian.evaluation.rapidocr_peer import RapidOCRPeer

        return RapidOCRPeer(threads)
    if name == "tesseract":
        from guardian.evaluation.tesseract_peer import TesseractPeer

        return TesseractPeer(threads)
    return EngineSubject(open_engine(name, threads))


def normal_form(text: str) -> str:
    """What of a text could stand on a plate: upper case, half width, letters and digits only."""
    folded = (fold_sign(sign) for sign in text)
    return "".join(sign for sign in folded if sign in ALPHABET and sign)


def version_of(package: str) -> str:
    """The installed version of a package; empty where it is not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class EngineSubject:
    """An engine of ours. Its detector and reader are clocked on the processor as well, since the wall's clock counts what
    else the machine does."""

    tells_plates = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cpu: dict[str, float] = {}
        engine.detector = _ClockedDetector(engine.detector, self._cpu)
        engine.near_detector = _ClockedDetector(engine.near_detector, self._cpu)
        engine.reader = _ClockedReader(engine.reader, self._cpu)

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def version(self) -> str:
        said = str(getattr(self._engine, "version", ""))
        if not said and self.name.startswith("day-one"):
            return f"(weights of rapidocr {version_of('rapidocr')})"
        return said

    def look(self, frame: Frame) -> Looked:
        self._cpu.clear()
        times = StageTimes()
        seen = self._engine.look(frame, times)
        stages = {
            "detect": times.detect_ms,
            "rectify": times.rectify_ms,
            "read": times.read_ms,
            "judge": times.judge_ms,
        }
        return Looked(tuple(map(_told, seen)), (), stages, dict(self._cpu))

    def look_at_crop(self, frame: Frame) -> Looked:
        self._cpu.clear()
        seen = self._engine.look_at_crop(frame)
        return Looked((_told(seen),) if seen is not None else (), (), {}, dict(self._cpu))

    def watch(self, frame: Frame) -> list[PlateSeen]:
        return self._engine.look(frame)


def _told(seen: PlateSeen) -> PlateRead:
    return PlateRead(seen.number.text, seen.confidence_prob, seen.corners)


class _Clocked:
    """Adds up the processor time of one part of an engine; all else about the part stays as it is."""

    def __init__(self, part: Any, cpu: dict[str, float]) -> None:
        self._part = part
        self._cpu = cpu

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def _timed(self, stage: str, work: Callable[[], Any]) -> Any:
        begun = time.process_time()
        try:
            return work()
        finally:
            self._cpu[stage] = self._cpu.get(stage, 0.0) + (time.process_time() - begun) * 1000


class _ClockedDetector(_Clocked):
    def __init__(self, part: Detector, cpu: dict[str, float]) -> None:
        super().__init__(part, cpu)

    def detect(self, frame: Frame) -> list[Detection]:
        found: list[Detection] = self._timed("detect", lambda: self._part.detect(frame))
        return found


class _ClockedReader(_Clocked):
    def __init__(self, part: Reader, cpu: dict[str, float]) -> None:
        super().__init__(part, cpu)

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        texts: list[TextRead] = self._timed("read", lambda: self._part.read(crops))
        return texts


def no_such_peer(name: str, why: str, hint: str) -> InputRefusedError:
    """The refusal of a peer that is not on this machine."""
    return InputRefusedError(f"The peer {name} {why}; nothing was evaluated.", hint=hint, reference="peer-missing")
