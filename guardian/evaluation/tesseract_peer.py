"""The peer tesseract, as it is installed on this machine: its command line over a picture in memory.

It reads every text of a picture, so it is judged like rapidocr. Its processor time is that of the program it starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import cv2

from guardian.evaluation.ports import Looked, PlateRead
from guardian.evaluation.subjects import no_such_peer, normal_form
from guardian.vision.ports import Frame

_SPARSE_TEXT, _ONE_LINE = "11", "7"  # page segmentation modes of its manual


class TesseractPeer:
    """tesseract, English, sparse text for whole pictures and a single line for crops."""

    name = "tesseract"
    tells_plates = False

    def __init__(self, threads: int = 1) -> None:
        if shutil.which("tesseract") is None:
            raise no_such_peer(self.name, "is not installed", "Debian: apt install tesseract-ocr.")
        self._environment = {**os.environ, "OMP_THREAD_LIMIT": str(max(1, threads))}
        told = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=False)
        self._version = (told.stdout or told.stderr).partition("\n")[0].removeprefix("tesseract").strip()

    @property
    def version(self) -> str:
        return self._version

    def look(self, frame: Frame) -> Looked:
        return self._read(frame, _SPARSE_TEXT)

    def look_at_crop(self, frame: Frame) -> Looked:
        return self._read(frame, _ONE_LINE)

    def _read(self, frame: Frame, mode: str) -> Looked:
        done, data = cv2.imencode(".png", frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if not done:
            return Looked(())
        told = subprocess.run(
            ["tesseract", "stdin", "stdout", "--psm", mode, "-l", "eng", "tsv"],
            input=data.tobytes(),
            capture_output=True,
            env=self._environment,
            check=False,
        )
        reads: list[PlateRead] = []
        for line in told.stdout.decode("utf-8", "replace").splitlines()[1:]:
            # level page block par line word left top width height conf text
            fields = line.split("\t")
            if len(fields) != 12 or float(fields[10]) < 0:
                continue
            text = normal_form(fields[11])
            if text:
                left, top, width, height = (float(field) for field in fields[6:10])
                corners = (
                    (left, top),
                    (left + width, top),
                    (left + width, top + height),
                    (left, top + height),
                )
                reads.append(PlateRead(text, float(fields[10]) / 100, corners))
        return Looked(tuple(reads), tuple(read.text for read in reads))
