"""Things that look like plates and are none: what detector and reader must leave alone.

Signs of shops, telephone numbers, badges of cars, stickers, house numbers, a bus's route, price tags, notices, and sheets
of plate's size without a number. No line of them is a number of a common series as `guardian.vision.series` takes it; a
line that would be one is drawn again. Telephone numbers may fit its rare series (RARE), as they do on the road.
"""

from __future__ import annotations

import cv2
import numpy as np

from guardian.vision.ports import ReadChar, TextRead
from guardian.vision.series import RARE, number_of
from train.plates import fittings, stickers, wear
from train.plates.fonts import OTHER_FONTS, line_of
from train.plates.glyphs import PRESSES, glyph
from train.plates.layers import Layer, lay_at, noise, rounded_box
from train.plates.model import Picture

KINDS = (
    "shop-sign", "telephone", "badge", "sticker", "house-number", "bus-route", "price-tag", "notice", "bare-plate", "legend-plate",
    "advertising-plate", "parking-place",
)  # fmt: skip

_SHOPS = (
    "早餐店",
    "銀行",
    "便利商店",
    "牛肉麵",
    "珍珠奶茶",
    "機車行",
    "大藥局",
    "髮廊",
    "五金行",
    "小吃店",
    "冷氣維修",
    "當舖",
    "補習班",
    "洗衣店",
    "檳榔",
    "水果行",
    "停車場",
    "房屋出租",
    "快餐",
    "眼鏡行",
)
_BADGES = (
    "ALTIS",
    "CR-V",
    "RAV4",
    "YARIS",
    "CAMRY",
    "FOCUS",
    "LANCER",
    "TIIDA",
    "GTI",
    "TDI",
    "4WD",
    "TURBO",
    "HYBRID",
    "VVT-i",
    "2.0",
    "1.8L",
    "X5",
    "C200",
    "E220",
    "320i",
    "CX-5",
    "NX",
    "MANY 110",
    "GP 125",
    "JET S",
    "FIGHTER",
    "CUXI",
    "DRG",
    "KRV",
    "S-MAX",
    "VIVO",
    "125",
    "ABS",
    "FI",
)
_NOTICES = (
    "請勿停車",
    "禁止停車",
    "私人車位",
    "出租",
    "售",
    "NO PARKING",
    "限速 50",
    "小心行人",
    "停車收費",
    "24H",
    "P",
    "OPEN",
    "SALE",
    "FOR RENT",
    "WC",
    "EXIT",
    "STOP",
    "BABY IN CAR",
    "新手駕駛",
    "行車記錄",
)
_ROADS = ("中山路", "三民街", "民生東路", "五福路", "光華街", "大學路", "市府路", "中華路")


def common_number_in(line: str) -> bool:
    """Whether a reader that saw this line perfectly would be given a number of a common series for it."""
    signs = [c for c in line if c != " "]
    if not signs:
        return False
    step = 1 / len(signs)
    read = TextRead(tuple(ReadChar(sign=c, prob=0.99, place=(i + 0.5) * step) for i, c in enumerate(signs)))
    found = number_of(read)
    return found is not None and found.series.id not in RARE


def words_for(rng: np.random.Generator, kind: str) -> tuple[str, ...]:
    """The lines of one look-alike; none of them is a number of a common series.

    Raises:
        KeyError: no such kind.
    """
    for _ in range(40):
        lines = _draw_words(rng, kind)
        if not any(common_number_in(line) for line in lines):
            return lines
    return ("停車場",)


def _one(rng: np.random.Generator, of: tuple[str, ...]) -> str:
    return of[int(rng.integers(len(of)))]


def _draw_words(rng: np.random.Generator, kind: str) -> tuple[str, ...]:
    n = int(rng.integers(1, 1000))
    match kind:
        case "shop-sign":
            return (_one(rng, _SHOPS), stickers.phone(rng)) if rng.random() < 0.5 else (_one(rng, _SHOPS),)
        case "telephone":
            return (stickers.phone(rng),)
        case "badge":
            return (_one(rng, _BADGES),) if rng.random() < 0.7 else (stickers.brand(rng),)
        case "sticker":
            return (
                (stickers.name(rng), stickers.phone(rng))
                if rng.random() < 0.6
                else (_one(rng, _NOTICES), stickers.brand(rng))
            )
        case "house-number":
            road = _one(rng, _ROADS)
            return (
                (f"{n % 400}號",)
                if rng.random() < 0.3
                else (road, f"{n % 400}" + ("", f"-{n % 9}", "號", f"巷{n % 30}號")[int(rng.integers(4))])
            )
        case "bus-route":
            route = (f"{n}", f"{n % 99}路", f"{n} 區", f"{n} 車站")[int(rng.integers(4))]
            return (
                (route,)
                if rng.random() < 0.5
                else (f"{route} {_one(rng, ('火車站', '市政府', '大學', '海洋館', '五福路'))}",)
            )
        case "price-tag":
            return (
                (f"NT${n}", f"{n}元", f"特價 {n}", f"{n % 40 + 20}.{n % 10}", f"95 {n % 10 + 25}.{n % 10}")[
                    int(rng.integers(5))
                ],
            )
        case "notice":
            return (_one(rng, _NOTICES),)
        case "bare-plate":
            return ()
        case "legend-plate":
            return (_one(rng, ("電動車", "台北市", "臺中市", "教練車", "試車", "臨時")),)
        case "advertising-plate":
            return (
                _one(
                    rng,
                    (
                        "YAMAHA",
                        "KYMCO",
                        "RACING",
                        "TAIWAN",
                        "HONDA",
                        "BMW",
                        "TOYOTA",
                        "LOVE",
                        "VIP",
                        "HELLO",
                        "LUCKY",
                        "TUNING",
                    ),
                ),
            )
        case "parking-place":
            return ((f"B{n % 6 + 1}", f"{n}", f"A-{n % 99}", f"B{n % 5 + 1}-{n % 60}")[int(rng.integers(4))],)
    raise KeyError(kind)


_GROUNDS = (
    (235, 236, 236),
    (235, 236, 236),
    (40, 40, 180),
    (160, 80, 30),
    (60, 190, 240),
    (70, 130, 50),
    (30, 30, 30),
    (60, 150, 230),
    (200, 200, 200),
    (120, 60, 120),
)


def _fit(line: Picture, width: int) -> Picture:
    if line.shape[1] <= width:
        return line
    return cv2.resize(line, (max(1, width), line.shape[0]), interpolation=cv2.INTER_AREA)


def lookalike(rng: np.random.Generator, *, kind: str | None = None) -> tuple[Picture, str]:
    """Draw one thing that is no plate.

    Args:
        rng: the only source of chance.
        kind: one of `KINDS`; drawn where None.

    Returns:
        (h, w, 4) uint8, BGRA, about 100 to 150 px high, and its kind.
    """
    kind = kind if kind is not None else KINDS[int(rng.integers(len(KINDS)))]
    lines = words_for(rng, kind)
    plate_like = kind in ("bare-plate", "legend-plate", "advertising-plate") or rng.random() < 0.2
    h = int(rng.integers(90, 140))
    shape = rng.uniform(1.8, 2.5) if plate_like else rng.uniform(1.2, 4.5)
    w = int(h * shape)
    ground = np.array(
        _GROUNDS[int(rng.integers(len(_GROUNDS)))] if rng.random() < 0.75 or not plate_like else _GROUNDS[0], np.float32
    )
    if kind == "bus-route":
        ground = np.array((25, 22, 22), np.float32)
    canvas: Layer = np.empty((h, w, 3), np.float32)
    canvas[:] = ground
    canvas += noise(rng, h, w, h / 3)[..., None] * 4
    dark = float(ground.sum()) < 330
    inks = (
        ((240, 240, 240), (60, 210, 245), (90, 235, 235))
        if dark
        else ((30, 28, 28), (40, 30, 180), (150, 60, 20), (50, 110, 30))
    )
    if kind == "bus-route":
        inks = ((40, 140, 255), (60, 220, 250), (80, 240, 120))
    ink = inks[int(rng.integers(len(inks)))]
    room = h * rng.uniform(0.6, 0.9)
    shares = np.array([rng.uniform(0.6, 1.4) for _ in lines])
    y = (h - room) / 2
    for line, share in zip(lines, shares / max(1e-6, float(shares.sum())), strict=True):
        size = max(6, int(room * share * 0.88))
        if kind == "legend-plate":
            size, y = max(6, int(h * 0.15)), h * 0.07
        if kind == "advertising-plate" and rng.random() < 0.6:
            number = int(rng.integers(PRESSES))
            mask = np.concatenate([np.pad(glyph(c, 2012, number), ((0, 0), (4, 4))) for c in line], axis=1)
            mask = cv2.resize(
                mask, (max(4, int(mask.shape[1] * size / mask.shape[0])), size), interpolation=cv2.INTER_AREA
            )
        else:
            mask = line_of(line, size, font=int(rng.integers(OTHER_FONTS)), spacing=rng.uniform(0.03, 0.35))
        mask = _fit(mask, int(w * 0.94))
        if kind == "bus-route":  # lamps in rows
            dots = np.indices(mask.shape).sum(axis=0) % 3 > 0
            mask = mask * dots
        patch = np.empty((*mask.shape, 3), np.float32)
        patch[:] = ink
        lay_at(canvas, patch, mask.astype(np.float32), w / 2, y + size / 2)
        y += room * share
    alpha = rounded_box(h, w, h * rng.uniform(0.0, 0.14))
    if kind == "badge" and rng.random() < 0.6:  # chrome letters on the car's own paint
        level = np.abs(canvas - ground).max(axis=2)
        alpha = np.clip(level / 60 - 0.3, 0, 1).astype(np.float32)
    elif plate_like:
        if rng.random() < 0.7:
            fittings.bolt_on(rng, canvas, lower=bool(rng.random() < 0.3))
        if rng.random() < 0.3:
            fittings.frame_on(rng, canvas)
    if rng.random() < 0.35:
        wear.soil(rng, canvas, float(rng.uniform(0.05, 0.6)))
    picture = np.empty((h, w, 4), np.uint8)
    picture[..., :3] = np.clip(canvas, 0, 255)
    picture[..., 3] = np.clip(alpha, 0, 1) * 255
    return picture, kind
