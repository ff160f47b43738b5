"""The alarm desk: which card has the screen, what sounds, what was answered.

Rules (console.md, sections 8 and 9):
- one card at a time; the more urgent one takes the screen, the others wait and are counted;
- a card stays 20 s or until it is answered, then it becomes a row;
- the same vehicle neither sounds nor comes back for 10 minutes, unless its priority rises or a look-alike becomes sure;
- silent entries make no sound; at most one sound at a time; the sentence is repeated once after 4 s if nobody answers;
- a second reader's opinion is added to its card wherever that is; it brings no card back and takes none away.

Pure but for its lock: time comes in, snapshots go out. `page.py`, `screen.py` and `sound.py` show what it says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

import msgspec

from guardian.device.card import LATE, PENDING, AlarmCard, card_opinion
from guardian.device.speech import sentence
from guardian.domain.opinion import SecondOpinion

QUIET_MS = 10 * 60_000
SHOWN_MS = 20_000
REPEAT_MS = 4_000
OPINION_MS = 6_000
"""A card does not say for longer that an opinion is coming: by then something holds it up."""
WAITING_MAX = 20
ROWS_MAX = 12
VEHICLES_MAX = 10_000

Answer = Literal["received", "not_this"]
ANSWERS: tuple[Answer, ...] = ("received", "not_this")


class Row(msgspec.Struct, frozen=True):
    """A card that has left the screen. `answer` is empty where nobody answered."""

    card: AlarmCard
    answer: str


class Sound(msgspec.Struct, frozen=True):
    """One thing to sound: a tone, then a sentence. `number` grows, so that each is sounded once."""

    number: int
    tone: str
    sentence: str


class Banner(msgspec.Struct, frozen=True):
    """A state that lasts, said in words until it is gone."""

    reference: str
    sentence: str


class DeskView(msgspec.Struct, frozen=True):
    """What is to be shown now. `version` grows with every change."""

    version: int
    card: AlarmCard | None
    waiting: int
    rows: tuple[Row, ...]
    sound: Sound | None
    banners: tuple[Banner, ...] = ()


class AlarmDesk:
    """Thread-safe.

    Args:
        mono_ms: monotonic milliseconds.
        on_answer: told (card, answer) when an officer pressed; outside the lock.
        numerals: how digits of plates are said.
    """

    def __init__(
        self,
        mono_ms: Callable[[], int],
        *,
        on_answer: Callable[[AlarmCard, Answer], None] = lambda _card, _answer: None,
        numerals: str = "radio",
    ) -> None:
        self._mono_ms = mono_ms
        self._on_answer = on_answer
        self._numerals = numerals
        self._changed = threading.Condition()
        self._version = 0
        self._card: AlarmCard | None = None
        self._card_since_ms = 0
        self._repeated = False
        self._waiting: list[tuple[AlarmCard, bool]] = []  # with whether it has sounded already
        self._rows: list[Row] = []
        self._sound: Sound | None = None
        self._sounds = 0
        self._banners: dict[str, str] = {}
        self._seen: dict[str, tuple[tuple[int, int], int]] = {}  # entry id: loudest rank, moment
        self.raised = 0
        self.suppressed = 0

    # ---- in ----------------------------------------------------------------------------------------------------------

    def raise_card(self, card: AlarmCard) -> bool:
        """A hit came; gives whether it was shown (or waits), rather than being the same vehicle again."""
        now = self._mono_ms()
        with self._changed:
            before = self._seen.get(card.entry_id)
            if before is not None and now - before[1] < QUIET_MS and not self._louder(card.rank, before[0]):
                self.suppressed += 1
                return False
            self._seen.pop(card.entry_id, None)
            self._seen[card.entry_id] = (card.rank, now)
            while len(self._seen) > VEHICLES_MAX:
                del self._seen[next(iter(self._seen))]
            self.raised += 1
            # The same vehicle, now surer or more urgent, takes the place of its own card.
            self._waiting = [w for w in self._waiting if w[0].entry_id != card.entry_id]
            if self._card is not None and self._card.entry_id == card.entry_id:
                self._card = None
            if self._card is None or card.rank < self._card.rank:
                if self._card is not None:
                    self._wait(self._card, sounded=True)
                self._show(card, now)
            else:
                self._wait(card, sounded=False)
            self._bump()
            return True

    @staticmethod
    def _louder(rank: tuple[int, int], before: tuple[int, int]) -> bool:
        """A rise in priority, or a look-alike that became sure."""
        return rank[0] < before[0] or (rank[0] == before[0] and rank[1] < before[1])

    def opine(self, read_id: str, opinion: SecondOpinion) -> bool:
        """A second reader has said what it reads; gives whether a card of that read is here."""

        def with_it(card: AlarmCard) -> AlarmCard:
            return msgspec.structs.replace(card, opinion=card_opinion(opinion, card))

        with self._changed:
            here = False
            if self._card is not None and self._card.read_id == read_id:
                self._card, here = with_it(self._card), True
            for place, (card, sounded) in enumerate(self._waiting):
                if card.read_id == read_id:
                    self._waiting[place], here = (with_it(card), sounded), True
            for place, row in enumerate(self._rows):
                if row.card.read_id == read_id:
                    self._rows[place], here = Row(with_it(row.card), row.answer), True
            if here:
                self._bump()
            return here

    def answer(self, card_id: str, answer: Answer) -> bool:
        """An officer pressed; gives False where that card has no longer the screen (a press that came too late)."""
        with self._changed:
            card = self._card
            if card is None or card.id != card_id:
                return False
            self._leave(answer)
            self._bump()
        self._on_answer(card, answer)
        return True

    def say(self, reference: str, sentence: str) -> None:
        """Put a lasting state on the screen, or change its words; an empty sentence takes it away."""
        with self._changed:
            if self._banners.get(reference, "") == sentence:
                return
            if sentence:
                self._banners[reference] = sentence
            else:
                self._banners.pop(reference, None)
            self._bump()

    def tick(self) -> None:
        """Let time pass: cards leave after 20 s, the sentence is repeated once."""
        now = self._mono_ms()
        with self._changed:
            if self._card is None:
                return
            shown_ms = now - self._card_since_ms
            if self._card.opinion is PENDING and shown_ms >= OPINION_MS:
                self._card = msgspec.structs.replace(self._card, opinion=LATE)
                self._bump()
            if shown_ms >= SHOWN_MS:
                self._leave("")
                self._bump()
            elif shown_ms >= REPEAT_MS and not self._repeated:
                self._repeated = True
                if self._card.tone != "none":
                    self._make_sound(self._card, repeat=True)
                    self._bump()

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _show(self, card: AlarmCard, now: int, *, sounded: bool = False) -> None:
        self._card = card
        self._card_since_ms = now
        self._repeated = sounded
        if not sounded:
            self._make_sound(card)

    def _make_sound(self, card: AlarmCard, *, repeat: bool = False) -> None:
        if card.tone == "none":
            return
        self._sounds += 1
        self._sound = Sound(self._sounds, "none" if repeat else card.tone, sentence(card, numerals=self._numerals))

    def _wait(self, card: AlarmCard, *, sounded: bool) -> None:
        self._waiting.append((card, sounded))
        self._waiting.sort(key=lambda w: (w[0].rank, w[0].captured_ms))
        while len(self._waiting) > WAITING_MAX:
            self._row(self._waiting.pop()[0], "")

    def _leave(self, answer: str) -> None:
        if self._card is not None:
            self._row(self._card, answer)
        self._card = None
        self._sound = None
        if self._waiting:
            card, sounded = self._waiting.pop(0)
            self._show(card, self._mono_ms(), sounded=sounded)

    def _row(self, card: AlarmCard, answer: str) -> None:
        self._rows.insert(0, Row(card, answer))
        del self._rows[ROWS_MAX:]

    def _bump(self) -> None:
        self._version += 1
        self._changed.notify_all()

    # ---- out ---------------------------------------------------------------------------------------------------------

    def view(self) -> DeskView:
        """What is to be shown now."""
        with self._changed:
            return DeskView(
                self._version,
                self._card,
                len(self._waiting),
                tuple(self._rows),
                self._sound,
                tuple(Banner(r, s) for r, s in self._banners.items()),
            )

    def wait_for_change(self, seen_version: int, timeout_s: float) -> DeskView:
        """What is to be shown as soon as it differs from `seen_version`, or the same after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen_version, timeout_s)
        return self.view()
