"""Pictures drawn for tests: a street, plates on it, the stamp of a camera; and the engine, loaded once per run.

Nothing here is a photo: no real plate stands in the repository. Numbers are invented ones that fit a series.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from guardian.domain.read import Alternative
from guardian.footage.plate_art import STYLES, draw_plate
from guardian.vision.engine import Engine, open_engine
from guardian.vision.judge import PlateSeen
from guardian.vision.ports import ReadChar, TextRead
from guardian.vision.series import SeriesRead, number_of


class Draw:
    """Draws what tests need; all pictures are RGB, `frame()` turns one into what the engine takes."""

    def plate(self, text: str, *, height: int = 72) -> Image.Image:
        """A white plate with dark signs in equal cells, as wide as a car's."""
        style = STYLES["car-2012" if len(text) == 7 else "car-1992"]
        face = draw_plate(text, style, np.random.default_rng(5))
        image = Image.fromarray(np.ascontiguousarray(face[:, :, ::-1]))
        return image.resize((round(height * 2.4), height), Image.Resampling.LANCZOS)

    def street(self, width: int = 960, height: int = 540, *, shift: int = 0, seed: int = 3) -> Image.Image:
        """A street without any text: sky, house fronts that move by `shift` px, road; the same for the same arguments."""
        rng = np.random.default_rng(seed)
        image = Image.new("RGB", (width, height), (168, 188, 204))
        pen = ImageDraw.Draw(image)
        horizon = int(height * 0.45)
        x = -400
        while x < width + 1200:
            wide, tone = int(rng.integers(60, 190)), int(rng.integers(60, 190))
            left = x - shift
            pen.rectangle(
                (left, int(rng.integers(10, horizon // 2)), left + wide, horizon), fill=(tone, tone - 8, tone - 16)
            )
            for wx in range(left + 8, left + wide - 16, 26):
                pen.rectangle(
                    (wx, horizon - 70, wx + 12, horizon - 46), fill=(tone // 2, tone // 2 + 6, tone // 2 + 12)
                )
            x += wide + 6
        pen.rectangle((0, horizon, width, height), fill=(84, 84, 88))
        for i in range(-4, 40):
            left = i * 110 - shift * 2
            pen.polygon(
                [(left, height - 20), (left + 60, height - 20), (left + 70, height), (left + 4, height)],
                fill=(206, 206, 198),
            )
            tone = 60 + (i * 53) % 70
            pen.rectangle((left, horizon + 40, left + 55, height - 40), fill=(tone, tone, tone + 4))
        noise = rng.normal(0, 4, (height, width, 3))
        return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))

    def car(
        self, street: Image.Image, text: str, at: tuple[int, int], *, height: int = 60
    ) -> tuple[int, int, int, int]:
        """Put the rear of a car with a plate onto a street, middle at `at`; gives the plate's box."""
        plate = self.plate(text, height=height)
        w, h = plate.size
        x, y = at[0] - w // 2, at[1] - h // 2
        pen = ImageDraw.Draw(street)
        pen.rounded_rectangle((x - w, y - h * 3, x + w * 2, y + h * 2), radius=h // 2, fill=(38, 54, 96))
        pen.rounded_rectangle(
            (x - w // 2, y - int(h * 2.6), x + int(w * 1.5), y - int(h * 1.2)), radius=h // 4, fill=(20, 26, 34)
        )
        street.paste(plate, (x, y))
        return x, y, x + w, y + h

    def stamp(self, image: Image.Image, *lines: str, top: int | None = None) -> None:
        """Burn white text into the lower edge, as dash cameras do."""
        pen = ImageDraw.Draw(image)
        font = ImageFont.load_default(26)
        y = image.size[1] - 34 * len(lines) - 8 if top is None else top
        for line in lines:
            pen.text((16, y), line, font=font, fill=(255, 255, 255), stroke_width=1, stroke_fill=(20, 20, 20))
            y += 34

    def blurred(self, image: Image.Image, radius: float) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(radius))

    def frame(self, image: Image.Image) -> np.ndarray:
        """(H, W, 3) uint8 BGR."""
        return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


class Say:
    """Makes what a reader would have said, without a picture."""

    def text(self, raw: str, prob: float | tuple[float, ...] = 0.99, *, hole_before: int | None = None) -> TextRead:
        """A line of text, its signs evenly spaced; `prob` for all or for each sign that is not a dash."""
        places = [i + (1.0 if hole_before is not None and i >= hole_before else 0.0) for i in range(len(raw))]
        span = places[-1] + 1 if places else 1
        probs = iter([prob] * len(raw) if isinstance(prob, float) else prob)
        chars = []
        for sign, place in zip(raw, places, strict=True):
            p = 0.99 if sign == "-" else next(probs)
            chars.append(ReadChar(sign, p, (place + 0.5) / span))
        return TextRead(tuple(chars))

    def number(
        self, raw: str, prob: float | tuple[float, ...] = 0.99, others: dict[int, dict[str, float]] | None = None
    ) -> SeriesRead:
        """The number in a line; `others` adds alternatives to places of the raw text."""
        read = self.text(raw, prob)
        chars = list(read.chars)
        for place, signs in (others or {}).items():
            old = chars[place]
            chars[place] = ReadChar(old.sign, old.prob, old.place, tuple(Alternative(s, p) for s, p in signs.items()))
        number = number_of(TextRead(tuple(chars)))
        assert number is not None, raw
        return number

    def seen(
        self,
        raw: str,
        prob: float | tuple[float, ...] = 0.99,
        *,
        at: tuple[float, float] = (400, 300),
        height: float = 40,
        sharp: float = 400,
        others: dict[int, dict[str, float]] | None = None,
    ) -> PlateSeen:
        """A plate seen in a frame, its middle at `at`."""
        w, (x, y) = height * 2.4, at
        corners = (
            (x - w / 2, y - height / 2),
            (x + w / 2, y - height / 2),
            (x + w / 2, y + height / 2),
            (x - w / 2, y + height / 2),
        )
        return PlateSeen(self.number(raw, prob, others), corners, 0.9, raw, sharp)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The product's engine, loaded once."""
    return open_engine(threads=2)


@pytest.fixture(scope="session")
def draw() -> Iterator[Draw]:
    """Draws streets, plates and stamps."""
    yield Draw()


@pytest.fixture(scope="session")
def say() -> Iterator[Say]:
    """Says what a reader would have said."""
    yield Say()
