"""A hit as screens and exports show it. Pure: what is asked of the database is asked before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from guardian.domain.chance import Checked, chance_of, rarity_from, tenths_of
from guardian.domain.csv_text import Cell
from guardian.domain.moment import TAIPEI, format_instant
from guardian.domain.opinion import SecondOpinion
from guardian.domain.plate import display_of
from guardian.domain.read import PhotoRef
from guardian.domain.watch import MatchStrength, Priority
from guardian.watch.hits import Deed, HitBody, decode_body, standing_of
from guardian.watch.model import CLAIM_MS, lapse
from guardian.watch.views import HitCard, OpinionView
from guardian.watch.words import (
    OPINION_WORDS,
    OUTCOME_WORDS,
    PRIORITY_WORDS,
    STATE_WORDS,
    STRENGTH_WORDS,
    category_word,
)

ODDS_CHECKS_MIN = 20
"""Fewer checks say nothing about the chance of the next hit."""

CSV_HEADER = (
    "比對時間", "拍攝時間", "車牌判讀", "名單車牌", "強度", "類別", "優先", "案號", "事由", "狀態", "查核人", "查核時間", "結果",
    "警網", "設備", "地點", "緯度", "經度", "信心值", "第二判讀", "第二判讀車牌",
    "名單版本", "比對編號",
)  # fmt: skip

Rarity = dict[MatchStrength, float]
"""How rarely listed vehicles come by, by the checks of hits of each strength (`domain.chance`). Absent: too few checks."""


def rarity_of(checks: Mapping[MatchStrength, Sequence[Checked]]) -> Rarity:
    """What was decided so far, as the base rate of the next hit."""
    return {
        strength: rarity_from(those, strength)
        for strength, those in checks.items()
        if sum(check.decided for check in those) >= ODDS_CHECKS_MIN
    }


def odds_of(body: HitBody, rarity: Rarity, opinion: SecondOpinion | None) -> int | None:
    """ "True in about N of 10": what was read, how rare listed vehicles are, what the second reader says; never 0 and never 10.
    None: too few checks."""
    read, match = body.read, body.match
    if match.strength not in rarity:
        return None
    chance = chance_of(
        match.strength,
        match.likelihood_prob,
        rarity=rarity[match.strength],
        opinion=opinion,
        entry_text=body.entry.text,
        text_prob=math.prod(read.char_probs) if read.char_probs else None,
    )
    return tenths_of(chance)


def _photo_url(photo: PhotoRef | None, hit_id: str) -> str:
    return "" if photo is None else f"/api/photos/{photo.sha256}?ref=hit:{hit_id}"


def opinion_view(opinion: SecondOpinion, entry_text: str) -> OpinionView:
    """An opinion as the check of one entry shows it."""
    return OpinionView(
        verdict=opinion.known,
        text=opinion.text,
        display=display_of(opinion.text) if opinion.text else "",
        raw_text=opinion.raw_text,
        char_probs=opinion.char_probs,
        confidence_prob=opinion.confidence_prob,
        differing=opinion.differing,
        bears_out_entry=opinion.bears_out(entry_text),
        reader=opinion.reader,
        reader_version=opinion.reader_version,
        crops=opinion.crops,
        reason=opinion.reason,
    )


def card_of(
    row: Deed, rarity: Rarity, now_ms: int, body: HitBody | None = None, *, opinion: SecondOpinion | None = None
) -> HitCard:
    """The card of one hit at a moment."""
    body = body or decode_body(row.body)
    read, entry, match, position = body.read, body.entry, body.match, body.read.position
    standing = lapse(standing_of(row), now_ms=now_ms, kept_ms=row.kept_ms)
    return HitCard(
        id=row.hit_id,
        read_id=read.id,
        read_text=read.text,
        read_display=display_of(read.text),
        doubtful=read.doubtful,
        entry_id=entry.id,
        entry_text=entry.text,
        entry_display=display_of(entry.text),
        category=entry.category,
        priority=int(entry.priority),
        strength=match.strength,
        differing=match.differing,
        likelihood_prob=match.likelihood_prob,
        odds_tenths=odds_of(body, rarity, opinion),
        captured_ms=read.captured_ms,
        raised_ms=row.raised_ms,
        state=standing.state,
        checker=standing.checker,
        checker_id=standing.checker_id,
        claimed_ms=standing.claimed_ms,
        claim_ends_ms=None if standing.claimed_ms is None else max(standing.claimed_ms, row.kept_ms) + CLAIM_MS,
        outcome=standing.outcome,
        unit=read.unit,
        device_id=read.device_id,
        place=body.place,
        lat_deg=None if position is None else position.lat_deg,
        lon_deg=None if position is None else position.lon_deg,
        heading_deg=None if position is None else position.heading_deg,
        confidence_prob=read.confidence_prob,
        crop_url=_photo_url(read.crop, row.hit_id),
        overview_url=_photo_url(read.overview, row.hit_id),
        reason=entry.reason,
        case_number=entry.case_number,
        silent=entry.silent,
        warning=entry.warning,
        list_version=row.list_version,
        device_list_version=None if body.device is None else body.device.list_version,
        entry_removed_ms=standing.entry_removed_ms,
        facts=standing.newest,
        looks=body.looks,
        decided_ms=standing.decided_ms,
        sightings=row.sightings,
        opinion=None if opinion is None else opinion_view(opinion, entry.text),
    )


def as_csv(card: HitCard) -> tuple[Cell, ...]:
    """A card under CSV_HEADER."""
    state = STATE_WORDS[card.state]
    if card.entry_removed_ms is not None:
        state += f"（名單於 {_instant(card.entry_removed_ms)} 移除）"
    return (
        _instant(card.raised_ms), _instant(card.captured_ms), card.read_display, card.entry_display,
        STRENGTH_WORDS[card.strength], category_word(card.category), PRIORITY_WORDS[Priority(card.priority)],
        card.case_number, card.reason, state, card.checker, _instant(card.decided_ms),
        "" if card.outcome is None else OUTCOME_WORDS[card.outcome], card.unit, card.device_id, card.place, card.lat_deg,
        card.lon_deg, round(card.confidence_prob, 2), "" if card.opinion is None else OPINION_WORDS[card.opinion.verdict],
        "" if card.opinion is None else card.opinion.display, card.list_version, card.id,
    )  # fmt: skip


def _instant(ms: int | None) -> str:
    return "" if ms is None else format_instant(ms, zone=TAIPEI)[:19].replace("T", " ")
