"""The peer rapidocr, as its package comes: its own finder, turner and reader with its own settings.

It reads every text of a picture and knows nothing of plates, so the right number anywhere in its output counts in its
favour, and its finds are not counted as false alarms. Only the number of threads is ours, so that processor times compare.
"""

from __future__ import annotations

from typing import Any

from guardian.domain.read import Corners
from guardian.evaluation.ports import Looked, PlateRead
from guardian.evaluation.subjects import no_such_peer, normal_form, version_of
from guardian.vision.ports import Frame


class RapidOCRPeer:
    """rapidocr's whole pipeline."""

    name = "rapidocr"
    tells_plates = False

    def __init__(self, threads: int = 1) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise no_such_peer(self.name, "is not installed", "Install guardian[device].") from error
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    @property
    def version(self) -> str:
        return version_of("rapidocr")

    def look(self, frame: Frame) -> Looked:
        out = self._engine(frame)
        if out.boxes is None or out.txts is None or out.scores is None:
            return Looked(())
        reads: list[PlateRead] = []
        for box, text, score in zip(out.boxes, out.txts, out.scores, strict=True):
            a, b, c, d = ((float(x), float(y)) for x, y in box)
            corners: Corners = (a, b, c, d)
            reads.append(PlateRead(normal_form(str(text)), min(1.0, float(score)), corners))
        return Looked(tuple(read for read in reads if read.text), tuple(read.text for read in reads))

    def look_at_crop(self, frame: Frame) -> Looked:
        return self.look(frame)
