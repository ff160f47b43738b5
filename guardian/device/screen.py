"""The device in a terminal: the card over the whole screen, or, while there is none, how the device is and what each stage
costs. The same words, marks and rules as on the page (console.md, section 9)."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from guardian.device import words
from guardian.device.alarm import DeskView
from guardian.device.card import AlarmCard
from guardian.device.status import DeviceStatus
from guardian.domain.camera import CAMERA_WORDS
from guardian.domain.moment import TAIPEI
from guardian.domain.watch import Priority

FONT = Path(__file__).parent / "alarm_page" / "plate.woff2"
GROUND = {Priority.URGENT: "#940c19", Priority.HIGH: "#ea943a", Priority.NOTICE: "#f2dc70"}
INK = {Priority.URGENT: "#ffffff", Priority.HIGH: "#0f1216", Priority.NOTICE: "#0f1216"}
SAY = {Priority.URGENT: "#f98078", Priority.HIGH: "#ea943a", Priority.NOTICE: "#ecd877"}
WARN = "bold #ecd877"
UPLINK = {"online": "連線", "offline": "離線，紀錄留存", "revoked": "已被廢止，紀錄留存", "off": "未註冊，單機使用"}
STAGE_WORDS = {
    "source": "取像", "detect": "偵測", "rectify": "校正", "read": "判讀", "judge": "篩選", "track": "追蹤表決",
    "match": "比對", "alarm": "告警", "encode": "壓縮", "spool": "暫存", "uplink": "上傳", "second": "第二判讀", "vehicle": "外觀",
    "latency": "影格至告警",
}  # fmt: skip


@lru_cache(maxsize=32)
def big_text(text: str, columns: int, rows: int) -> tuple[str, ...]:
    """Text as half-block characters that fill `columns` by `rows` as far as its shape allows."""
    height = rows * 2
    font = ImageFont.truetype(str(FONT), height)
    font.set_variation_by_axes([700])
    left, top, right, bottom = font.getbbox(text)
    factor = min(1.0, columns / max(1, right - left), height / max(1, bottom - top))
    if factor < 1.0:
        font = ImageFont.truetype(str(FONT), max(8, int(height * factor)))
        font.set_variation_by_axes([700])
        left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, font=font, fill=255)
    dots = np.asarray(image) > 110
    if dots.shape[0] % 2:
        dots = np.vstack([dots, np.zeros((1, dots.shape[1]), dtype=bool)])
    lines = []
    for upper, lower in zip(dots[::2], dots[1::2], strict=True):
        lines.append(
            "".join("█" if u and b else "▀" if u else "▄" if b else " " for u, b in zip(upper, lower, strict=True))
        )
    return tuple(lines)


def _plate(card: AlarmCard, width: int, rows: int) -> RenderableType:
    text = "".join(sign.sign for sign in card.signs)
    face = Text(
        "\n".join(line.rstrip() for line in big_text(text, width - 6, rows)), style="#0f1216 on #c9cbcd", no_wrap=True
    )
    return Panel(Align.center(face, style="on #c9cbcd"), box=box.SIMPLE, style="on #c9cbcd", padding=(0, 1))


def _signs(card: AlarmCard) -> Text:
    """The number once more, small, with what differs and what is doubtful marked; below it the entry's."""
    line = Text("判讀 ", style="dim")
    for sign in card.signs:
        style = "reverse bold" if sign.differs else "underline bold" if sign.doubtful else "bold"
        line.append(sign.sign, style=style)
        if sign.doubtful and sign.alternatives:
            line.append(f"（或 {'、'.join(sign.alternatives[:2])}）", style="dim")
    line.append("　名單 ", style="dim")
    line.append(card.entry_display, style="bold")
    return line


def render_card(card: AlarmCard, waiting: int, now_ms: int, width: int, height: int) -> RenderableType:
    """One card over the whole terminal. Sure floods the ground; look-again leaves it dark inside a dashed frame."""
    ground = GROUND[card.priority] if card.sure else "#0a0c10"
    ink = INK[card.priority] if card.sure else "#e9ebee"
    kind = "＝ 完全相符" if card.sure else f"≈ 近似 · {card.category_word}"
    headline = f"{card.priority_word} {card.category_word}" if card.sure else "再看一眼"
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(
        Text(
            f"{words.PRIORITY_SIGN[card.priority]} {headline}", style=f"bold {ink if card.sure else SAY[card.priority]}"
        ),
        Text(kind, style=f"bold {ink}"),
    )
    parts: list[RenderableType] = [head, _plate(card, width, max(4, min(12, height - 14)))]
    if not card.sure:
        parts.append(Align.center(_signs(card)))
    body = [card.warning and f"⚠ {card.warning}", card.contradiction, card.look, opinion_line(card)]
    parts += [Text(line, style=f"bold {ink}") for line in body if line]
    where = " · ".join(part for part in (card.side, card.heading) if part)
    parts.append(Text(where, style=ink))
    parts.append(Text(" · ".join(p for p in (card.reason, card.case_number) if p), style=ink))
    parts.append(Text(f"[Enter] {card.yes}　　[N] {card.no}", style=f"bold {ink}"))
    foot = Table.grid(expand=True)
    foot.add_column()
    foot.add_column(justify="right")
    foot.add_row(
        Text(f"{card.unit} · {_time(card.captured_ms) if card.clock_set else '時鐘未校正'}", style=ink),
        Text(_list_line(card.list_version, card.list_issued_ms, now_ms), style=ink),
    )
    parts.append(foot)
    if waiting:
        parts.append(Text(f"還有 {waiting} 筆", style=f"bold {ink}"))
    frame = box.HEAVY if card.sure else DASHED
    border = ink if card.sure else SAY[card.priority]
    return Panel(Group(*parts), box=frame, border_style=border, style=f"on {ground}", height=height, padding=(1, 3))


DASHED = box.Box("┏╍╍┓\n╏  ╏\n┣╍╍┫\n╏  ╏\n┣╍╍┫\n┣╍╍┫\n╏  ╏\n┗╍╍┛\n")


def render_status(view: DeskView, status: DeviceStatus, *, stats: bool) -> RenderableType:
    """How the device is, while no card has the screen."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column()
    picture = _age(status.picture_ms, status.at_ms) if status.picture_ms is not None else "尚無"
    rate = f"{status.frames_per_s:g} 張/秒" if status.frames_per_s is not None else ""
    dropped = f"略過 {status.frames_dropped:,}" if status.frames_dropped else ""
    back = f"重新連線 {status.reconnects:,} 次" if status.reconnects else ""
    lines.add_row("畫面", " · ".join(p for p in (status.source, picture, rate, dropped, back) if p))
    if status.waiting:
        cause, cure = CAMERA_WORDS.get(status.waiting, (status.waiting, ""))
        lines.add_row("", Text("，".join(p for p in (cause, cure, f"已試 {status.tries:,} 次") if p), style=WARN))
    lines.add_row("名單", _list_line(status.list_version, status.list_issued_ms, status.at_ms, status.list_entries))
    lines.add_row("紀錄", f"{status.reads:,} 筆 · 告警 {status.alarms:,} · 同車不再響 {status.alarms_repeated:,}")
    backlog = (
        f"待傳 {status.spool_reads:,} 筆、{status.spool_photos:,} 張照片"
        if status.spool_reads or status.spool_photos
        else "全部已傳"
    )
    lines.add_row("損失", _losses(status))
    lines.add_row("雲端", f"{UPLINK.get(status.uplink, status.uplink)} · {backlog}")
    position = status.position
    if position is None:
        lines.add_row("位置", "未定位")
    else:
        accuracy = f"±{position.accuracy_m:,.0f} 公尺" if position.accuracy_m is not None else ""
        where = f"{position.lat_deg:.5f}, {position.lon_deg:.5f}"
        lines.add_row("位置", " · ".join(p for p in (where, accuracy, _age(position.fixed_ms, status.at_ms)) if p))
    lines.add_row("時鐘", _time(status.at_ms) + ("" if status.clock_set else " · 未校正"))
    if status.page:
        lines.add_row("告警頁", status.page)
    if status.sound:
        lines.add_row("聲音", status.sound)
    parts: list[RenderableType] = [lines]
    parts += [Text(f"! {banner.sentence}", style="bold #ecd877") for banner in view.banners]
    if view.rows:
        rows = Table(box=None, padding=(0, 2), show_header=False)
        for row in view.rows[:5]:
            mark = "＝" if row.card.sure else "≈"
            answer = {"received": row.card.yes, "not_this": row.card.no}.get(row.answer, "未回應")
            rows.add_row(
                _time(row.card.captured_ms), f"{mark} {row.card.entry_display}", row.card.category_word, answer
            )
        parts.append(rows)
    if stats:
        parts.append(render_stages(status))
    title = f"警政安全守護雲 · {status.unit or status.name or status.device_id}"
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, border_style="dim", padding=(1, 2))


def _losses(status: DeviceStatus) -> Text:
    """What nobody will get any more, or will not if the device is switched off; in so many words also where there is none."""
    said = [
        (status.reads_lost, "遺失 {:,} 筆紀錄"),
        (status.reads_missing, "上次斷電缺 {:,} 筆紀錄"),
        (status.reads_in_memory, "{:,} 筆只在記憶體，勿關機"),
        (status.reads_refused, "雲端退回 {:,} 筆，另存在設備上"),
        (status.photos_given_up, "空間不足，捨棄 {:,} 張一般照片"),
        (status.cut_short, "{:,} 張畫面殘缺未用"),
    ]
    words_ = [sentence.format(count) for count, sentence in said if count]
    return Text(" · ".join(words_), style=WARN) if words_ else Text("無")


def render_stages(status: DeviceStatus) -> Table:
    """Each stage: pieces of work, what was dropped, time of the middle and of the slow ones."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("階段", "件數", "略過", "p50 毫秒", "p95 毫秒"):
        table.add_column(name, justify="left" if name == "階段" else "right")
    for stage in status.stages:
        table.add_row(
            STAGE_WORDS.get(stage.name, stage.name),
            f"{stage.items:,}",
            f"{stage.dropped:,}" if stage.dropped else "",
            f"{stage.ms_p50:,.1f}",
            f"{stage.ms_p95:,.1f}",
        )
    return table


def render(view: DeskView, status: DeviceStatus, *, stats: bool, width: int, height: int) -> RenderableType:
    """What the terminal shows now."""
    if view.card is not None:
        return render_card(view.card, view.waiting, status.at_ms, width, height)
    return render_status(view, status, stats=stats)


OPINION_SIGN = {"same": "✓", "other": "≠", "none": "–", "pending": "…"}


def opinion_line(card: AlarmCard) -> str:
    """What a second reader says, with a sign before it; empty where there is none."""
    opinion = card.opinion
    return f"{OPINION_SIGN.get(opinion.mark, '–')} {opinion.words}" if opinion is not None else ""


def alarm_line(card: AlarmCard) -> str:
    """A card as one line, where there is no terminal to draw on."""
    mark = "＝ 完全相符" if card.sure else "≈ 近似，再看一眼"
    parts = (card.category_word, card.entry_display, card.look, card.side, card.warning, card.contradiction)
    return f"{words.PRIORITY_SIGN[card.priority]} {card.priority_word} {mark} " + " · ".join(p for p in parts if p)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, TAIPEI).strftime("%H:%M:%S")


def _age(ms: int, now_ms: int) -> str:
    return words.age(now_ms - ms)


def _list_line(version: int, issued_ms: int, now_ms: int, entries: int | None = None) -> str:
    if version == 0:
        return "沒有名單"
    count = f" · {entries:,} 筆" if entries is not None else ""
    return f"名單第 {version} 版 · {_age(issued_ms, now_ms)}{count}"
