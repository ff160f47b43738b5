"""Shop signs: Chinese names, trades and telephone numbers, which a plate reader must not take for plates.

Numbers begin 02-1…, which Taipei does not give to anyone; names are put together by chance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.footage.plate_art import SIGN_FONT, Picture

NAMES = [
    "永豐",
    "大安",
    "福興",
    "金龍",
    "順發",
    "和平",
    "新生",
    "阿明",
    "老張",
    "阿婆",
    "鼎盛",
    "千禧",
    "民生",
    "嘉義",
    "台南",
    "基隆",
    "麗水",
    "青田",
    "永康",
    "信義",
    "安東",
    "瑞安",
    "龍泉",
    "泰順",
    "古亭",
    "金山",
    "潮州",
    "杭州",
    "連雲",
    "東門",
    "四維",
    "通化",
    "溫州",
    "雲和",
    "復興",
]
TRADES = [
    "牛肉麵",
    "滷肉飯",
    "雞排",
    "珍珠奶茶",
    "便當",
    "早餐",
    "火鍋",
    "水餃",
    "小吃店",
    "熱炒",
    "藥局",
    "牙醫診所",
    "眼科",
    "小兒科",
    "美髮",
    "洗衣店",
    "五金行",
    "文具",
    "書局",
    "機車行",
    "輪胎",
    "汽車保養",
    "鎖匙刻印",
    "房屋",
    "當舖",
    "銀樓",
    "眼鏡",
    "通訊行",
    "影印",
    "補習班",
    "幼兒園",
    "超市",
    "水果行",
    "花店",
    "咖啡",
    "麵包",
    "素食",
    "海鮮",
    "旅社",
    "國術館",
    "中醫診所",
    "豆漿",
    "涼麵",
    "刀削麵",
    "自助餐",
    "茶行",
    "米店",
    "電器",
    "水電行",
    "寢具",
    "皮鞋",
    "西服",
    "照相館",
    "彩券",
    "寵物",
]
# Ground and ink of sign boards, BGR.
_PAINTS = (
    ((236, 238, 240), (30, 30, 190)), ((40, 40, 190), (240, 242, 244)), ((40, 200, 246), (30, 30, 170)),
    ((150, 84, 30), (240, 240, 240)), ((80, 128, 34), (240, 244, 240)), ((238, 240, 240), (140, 70, 20)),
    ((34, 110, 236), (248, 248, 248)), ((232, 238, 240), (40, 110, 30)), ((40, 40, 44), (90, 210, 248)),
    ((196, 210, 226), (30, 40, 60)),
)  # fmt: skip


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(SIGN_FONT), size)


def phone(rng: np.random.Generator) -> str:
    """A number that looks like Taipei's and is nobody's."""
    return f"02-1{rng.integers(100, 1000)}-{rng.integers(0, 10000):04d}"


def _paint(rng: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    return _PAINTS[int(rng.integers(len(_PAINTS)))]


def _stretch(draw_on: Image.Image, text: str, box: tuple[int, int, int, int], ink: tuple[int, int, int]) -> None:
    """Write a text so that it fills a box, squeezed or drawn out as sign writers do (within reason)."""
    x0, y0, x1, y1 = box
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    font = _font(96)
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(mask).text((1 - left, 1 - top), text, font=font, fill=255)
    scale = min((y1 - y0) / mask.height, (x1 - x0) / mask.width * 1.25)
    width, height = max(1, min(x1 - x0, int(mask.width * scale))), max(1, int(mask.height * scale))
    mask = mask.resize((width, height), Image.Resampling.BOX)
    draw_on.paste(ink, (x0 + (x1 - x0 - width) // 2, y0 + (y1 - y0 - height) // 2), mask)


def board(width_px: int, height_px: int, rng: np.random.Generator) -> Picture:
    """A sign along the wall: name and trade, often with a number."""
    ground, ink = _paint(rng)
    picture = Image.new("RGB", (width_px, height_px), ground)
    draw = ImageDraw.Draw(picture)
    pad = max(2, height_px // 9)
    text = str(rng.choice(NAMES)) + str(rng.choice(TRADES))
    if rng.random() < 0.65:
        split = int(width_px * 0.70)
        _stretch(picture, text, (pad, pad, split, height_px - pad), ink)
        _stretch(picture, phone(rng), (split + pad, int(height_px * 0.50), width_px - pad, height_px - pad), ink)
        second = ("電話", "專線", "營業中", "歡迎光臨")[int(rng.integers(4))]
        _stretch(picture, second, (split + pad, pad, width_px - pad, int(height_px * 0.45)), ink)
    else:
        _stretch(picture, text, (pad, pad, width_px - pad, height_px - pad), ink)
    draw.rectangle((0, 0, width_px - 1, height_px - 1), outline=tuple(int(c * 0.6) for c in ground), width=2)
    return np.asarray(picture).copy()


def upright(width_px: int, height_px: int, rng: np.random.Generator) -> Picture:
    """A sign that stands out over the pavement, written from top to bottom."""
    ground, ink = _paint(rng)
    picture = Image.new("RGB", (width_px, height_px), ground)
    draw = ImageDraw.Draw(picture)
    text = str(rng.choice(TRADES))
    if len(text) < 3:
        text = str(rng.choice(NAMES)) + text
    foot = int(height_px * 0.12) if rng.random() < 0.7 else 0
    head = int(height_px * 0.10) if rng.random() < 0.4 else 0
    if head:
        draw.rectangle((0, 0, width_px, head), fill=ink)
        _stretch(picture, str(rng.choice(NAMES)), (4, 3, width_px - 4, head - 2), ground)
    step = (height_px - foot - head - 8) / len(text)
    for index, sign in enumerate(text):
        y = head + 4 + index * step
        _stretch(
            picture, sign, (int(width_px * 0.10), int(y + step * 0.06), int(width_px * 0.90), int(y + step * 0.94)), ink
        )
    if foot:
        draw.rectangle((0, height_px - foot, width_px, height_px), fill=ink)
        _stretch(picture, phone(rng), (3, height_px - foot + 3, width_px - 3, height_px - 4), ground)
    draw.rectangle((0, 0, width_px - 1, height_px - 1), outline=(90, 90, 90), width=max(1, width_px // 32))
    return np.asarray(picture).copy()


def line_of_text(text: str, height_px: int, ink: tuple[int, int, int], ground: tuple[int, int, int]) -> Picture:
    """A text on plain ground, for road paint, buses and taxis."""
    font = _font(height_px)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("RGB", (int(right - left) + 8, int(bottom - top) + 8), ground)
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, font=font, fill=ink)
    return np.asarray(picture).copy()
