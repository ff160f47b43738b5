"""The engine of day one: the PP-OCRv6 text finder and text reader whose weights lie in the `rapidocr` wheel.

Only the two ONNX files are taken from there; the steps around them are ours, because they need what that package does
not give: probabilities of every sign (and so alternatives), crops of one's choice, a bound on threads, no logging, no
look at the network, and half of the start-up time.

It reads every text that a picture holds; what is no plate is sorted out in `judge.py`.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.errors import GuardianError
from guardian.domain.read import Alternative, Corners
from guardian.vision.crop import grow, quad_size, straighten
from guardian.vision.ctc import runs_of
from guardian.vision.ports import Crop, Detection, Frame, ReadChar, TextRead
from guardian.vision.series import fold_sign

_DETECTOR_FILE = "PP-OCRv6_det_small.onnx"
_READER_FILE = "PP-OCRv6_rec_small.onnx"
_READER_HEIGHT_PX = 48
_READER_STEP_PX = 8  # one step of the reader's output for every 8 px of width
# It names a character a little after the character's middle: by 0.28 of a step on 71 real training plates whose signs come
# apart by themselves, by 0.29 on 134 plates of the shipped drive, whose middles are known.
_LATE_STEPS = 0.285


class EngineMissingError(GuardianError):
    """The weights of the day-one engine are not on this machine."""

    reference = "engine-missing"


class Settings(msgspec.Struct, frozen=True):
    """How the day-one engine looks.

    `side_max_px` is the longest side that the finder sees; a frame that is larger is made smaller for it (the reader's
    crops are cut from the full frame), one below `side_min_px` larger. The thresholds are those of the models' makers.
    """

    side_max_px: int = 1696
    side_min_px: int = 640
    pixel_prob_min: float = 0.3
    box_prob_min: float = 0.5
    unclip_ratio: float = 1.6
    detections_max: int = 100
    batch_max: int = 8


def _model_path(name: str) -> Path:
    """Where a file of the rapidocr wheel lies, without importing that package (half a second and a log handler)."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissingError(
            "The reading engine is not installed; no picture was read.", hint="Install guardian[device]."
        )
    path = Path(next(iter(spec.submodule_search_locations))) / "models" / name
    if not path.exists():
        raise EngineMissingError(
            f"The reading engine lacks its file {name}; no picture was read.", hint="Install guardian[device] again."
        )
    return path


def _open_session(name: str, threads: int) -> Any:
    from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

    options = SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(_model_path(name)), options, providers=["CPUExecutionProvider"])


_SCALED = np.arange(256, dtype=np.float32)
_SCALED *= 1 / 127.5
_SCALED -= 1


def _planes(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(H, W, 3) uint8 to (3, H, W) float32 in -1..1, as both models were trained; by table, a fifth of the arithmetic's time."""
    planes = np.empty((3, *picture.shape[:2]), np.float32)
    for channel in range(3):
        planes[channel] = cv2.LUT(cv2.extractChannel(picture, channel), _SCALED)
    return planes


def order_corners(points: npt.NDArray[np.float64]) -> Corners:
    """Four points of a text box as corners, clockwise from the top left of the text (which runs along the long side)."""
    by_x = points[np.argsort(points[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    (a, b, c, d) = ((float(p[0]), float(p[1])) for p in (left[0], right[0], right[1], left[1]))
    return (a, b, c, d)


class PPOCRDetector:
    """Finds lines of text. Its quadrangles enclose the characters; the plate around them is grown in `judge.py`."""

    def __init__(self, *, threads: int = 1, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._session = _open_session(_DETECTOR_FILE, threads)
        self._input = self._session.get_inputs()[0].name

    def seeing(self, settings: Settings) -> PPOCRDetector:
        """The same model, loaded once, looking in another way."""
        other = copy.copy(self)
        other.settings = settings
        return other

    def detect(self, frame: Frame) -> list[Detection]:
        """Lines of text in a frame, likeliest first, in pixels of the frame."""
        s = self.settings
        found = self._look(frame, s.side_max_px)
        found.sort(key=lambda d: -d.prob)
        return found[: s.detections_max]

    def _look(self, frame: Frame, side_max_px: int) -> list[Detection]:
        s = self.settings
        height, width = frame.shape[:2]
        longest = max(height, width)
        factor = min(1.0, side_max_px / longest)
        if longest < s.side_min_px:
            factor = min(s.side_min_px, side_max_px) / longest
        w = max(32, round(width * factor / 32) * 32)
        h = max(32, round(height * factor / 32) * 32)
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(frame, (w, h), interpolation=method), dtype=np.uint8)
        heat = self._session.run(None, {self._input: _planes(small)[None]})[0][0, 0]
        return self._boxes(heat, width / w, height / h)

    def _boxes(self, heat: npt.NDArray[np.float32], fx: float, fy: float) -> list[Detection]:
        """Quadrangles from the map of text probability.

        Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, 3.5: the map
        holds shrunken text regions, which are grown back by area times ratio over perimeter.
        """
        s = self.settings
        mask = cv2.dilate((heat > s.pixel_prob_min).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        out: list[Detection] = []
        for contour in contours[:1000]:
            (cx, cy), (bw, bh), angle = cv2.minAreaRect(contour)
            if min(bw, bh) < 3:
                continue
            x, y, w, h = cv2.boundingRect(contour)
            inside = np.zeros((h, w), np.uint8)
            shrunken = cv2.boxPoints(((cx, cy), (bw, bh), angle)) - (x, y)
            cv2.fillPoly(inside, [shrunken.astype(np.int32)], 1)
            prob = float(cv2.mean(heat[y : y + h, x : x + w], inside)[0])
            if prob < s.box_prob_min:
                continue
            grown = bw * bh * s.unclip_ratio / (2 * (bw + bh))
            box = cv2.boxPoints(((cx, cy), (bw + 2 * grown, bh + 2 * grown), angle)).astype(np.float64)
            corners = order_corners(box * (fx, fy))
            _, tall = quad_size(corners)
            # Read best when the characters nearly fill the crop: 252 of 257 training plates, against 250 as found.
            # Of small ones the box's ends are too uncertain for cutting: an outer 1 would go.
            side = -0.06 * tall if tall > 40 else 0.0
            tight = grow(corners, left=side, right=side, top=-0.12 * tall, bottom=-0.12 * tall)
            out.append(Detection(corners, prob, text_corners=tight))
        return out


class PPOCRReader:
    """Reads one line of text from each crop, with the probability of each sign and of what else may stand there."""

    def __init__(self, *, threads: int = 1, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._session = _open_session(_READER_FILE, threads)
        self._input = self._session.get_inputs()[0].name
        listed = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._signs = ["", *listed, " "]
        folded = [fold_sign(sign) for sign in self._signs]
        # Signs that fold to the same plate character are one: their probabilities add up.
        self._alphabet = [*"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-"]
        self._columns = [
            np.asarray([i for i, sign in enumerate(folded) if sign == wanted], dtype=np.int64)
            for wanted in self._alphabet
        ]

    def view(self, detection: Detection) -> Corners:
        """The line of characters, where the finder knows it."""
        return detection.reading_corners

    def cut(self, frame: Frame, corners: Corners) -> Crop:
        """That part of the frame, 48 px high."""
        return straighten(frame, corners, height_px=_READER_HEIGHT_PX)

    def read(self, crops: Sequence[Crop]) -> list[TextRead]:
        """One `TextRead` for each crop, in order."""
        out: list[TextRead] = [TextRead(())] * len(crops)
        order = sorted(range(len(crops)), key=lambda i: crops[i].shape[1] / max(1, crops[i].shape[0]))
        for start in range(0, len(order), self.settings.batch_max):
            batch = order[start : start + self.settings.batch_max]
            resized = [self._resize(crops[i]) for i in batch]
            width = max(160, max(r.shape[1] for r in resized))
            width = -(-width // 32) * 32
            planes = np.zeros((len(batch), 3, _READER_HEIGHT_PX, width), np.float32)
            for row, picture in enumerate(resized):
                planes[row, :, :, : picture.shape[1]] = _planes(picture)
            probs = self._session.run(None, {self._input: planes})[0]
            for row, index in enumerate(batch):
                # Only steps over the crop count: padding has no characters (field case G05).
                steps = min(probs.shape[1], -(-resized[row].shape[1] // _READER_STEP_PX) + 1)
                out[index] = self._decode(probs[row, :steps], resized[row].shape[1])
        return out

    @staticmethod
    def _resize(crop: Crop) -> npt.NDArray[np.uint8]:
        height, width = crop.shape[:2]
        w = int(min(1280, max(8, round(width * _READER_HEIGHT_PX / max(1, height)))))
        method = cv2.INTER_AREA if height > _READER_HEIGHT_PX else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(crop, (w, _READER_HEIGHT_PX), interpolation=method), dtype=np.uint8)

    def _decode(self, probs: npt.NDArray[np.float32], width_px: int) -> TextRead:
        """The best path; characters are taken where they are surest."""
        chars: list[ReadChar] = []
        for index, start, end, surest in runs_of(probs):
            place = ((start + end) / 2 - _LATE_STEPS) * _READER_STEP_PX / max(1, width_px)
            chars.append(self._char(probs[surest], index, place))
        return TextRead(tuple(chars))

    def _char(self, row: npt.NDArray[np.float32], index: int, place: float) -> ReadChar:
        folded = fold_sign(self._signs[index])
        figures = [float(row[columns].sum()) for columns in self._columns]
        others = sorted(
            (
                (p, sign)
                for p, sign in zip(figures, self._alphabet, strict=True)
                if sign != folded and sign != "-" and p > 0.0005
            ),
            reverse=True,
        )[:6]
        prob = figures[self._alphabet.index(folded)] if folded in self._alphabet else float(row[index])
        return ReadChar(
            self._signs[index],
            min(1.0, prob),
            min(1.0, place),
            tuple(Alternative(sign, round(p, 4)) for p, sign in others),
        )
