"""The durable half of the bus: events lie in a table from the transaction that made them until everyone has them.

Because writes never overlap (see `ports.Records.write`), outbox numbers become visible in order and a reader who
remembers the last number that it took misses none.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import Connection, delete, func, select

from guardian.domain.event import Event
from guardian.stores.ports import Records
from guardian.stores.statements import insert, insert_if_new
from guardian.stores.tables import outbox, positions, set_aside

KEPT_MS = 24 * 3600 * 1000
ROWS_MAX = 1_000_000
"""A consumer that never comes back holds this many events at most; then the oldest go, counted and logged."""
SET_ASIDE_ROWS_MAX = 100_000


class Page(NamedTuple):
    """Events in order, and the number up to which nothing more of the topic is there."""

    events: list[tuple[int, Event]]
    upto: int


class Outbox:
    """The tables of `tables.py`, in the bus's words."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @staticmethod
    def stage(connection: Connection, event: Event) -> None:
        row = {"id": event.id, "topic": event.topic, "at_ms": event.at_ms, "body": event.body}
        connection.execute(insert_if_new(connection, outbox), row)

    async def page_after(self, number: int, topic: str, count: int) -> Page:
        """At most `count` events of `topic` (exact, `a.*`, `a.>` or `>`) with numbers above `number`."""
        condition = outbox.c.number > number
        stem = topic.rstrip("*>")
        if stem == topic:
            condition &= outbox.c.topic == topic
        elif stem:
            condition &= outbox.c.topic.startswith(stem, autoescape=True)

        def ask(connection: Connection) -> Page:
            newest = connection.execute(select(func.max(outbox.c.number))).scalar() or 0
            rows = connection.execute(select(outbox).where(condition).order_by(outbox.c.number).limit(count)).all()
            events = [(r.number, Event(r.id, r.topic, r.at_ms, r.body)) for r in rows if topic_fits(topic, r.topic)]
            return Page(events, rows[-1].number if len(rows) == count else max(newest, number))

        return await self._records.read(ask)

    async def newest(self) -> int:
        return await self._records.read(
            lambda connection: connection.execute(select(func.max(outbox.c.number))).scalar() or 0
        )

    async def position(self, consumer_name: str, start: Literal["kept", "new"]) -> int:
        """Where the consumer stands; a new one is entered, so that what it has not seen is kept for it."""

        def find_or_enter(connection: Connection) -> int:
            query = select(positions.c.number).where(positions.c.consumer_name == consumer_name)
            found = connection.execute(query).scalar()
            if found is not None:
                return int(found)
            number = 0
            if start == "new":
                number = connection.execute(select(func.max(outbox.c.number))).scalar() or 0
            self._remember(connection, consumer_name, number)
            return number

        return await self._records.write(find_or_enter)

    @staticmethod
    def _remember(connection: Connection, consumer_name: str, number: int) -> None:
        statement = insert(connection, positions).values(consumer_name=consumer_name, number=number)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["consumer_name"],
                set_={"number": statement.excluded.number},
                where=positions.c.number < statement.excluded.number,
            )
        )

    async def remember(self, numbers: dict[str, int]) -> None:
        """Put the positions of these consumers forward (never back)."""

        def put(connection: Connection) -> None:
            for consumer_name, number in numbers.items():
                self._remember(connection, consumer_name, number)

        await self._records.write(put)

    async def forget(self, consumer_name: str) -> None:
        """A consumer that will not come back no longer holds anything."""
        await self._records.write(
            lambda connection: connection.execute(delete(positions).where(positions.c.consumer_name == consumer_name))
        )

    async def put_aside(self, consumer_name: str, event: Event, tries: int, error: str, now_ms: int) -> None:
        """Keep an event that its consumer gave up; past SET_ASIDE_ROWS_MAX the oldest go."""

        def put(connection: Connection) -> None:
            statement = insert(connection, set_aside).values(
                consumer_name=consumer_name,
                id=event.id,
                topic=event.topic,
                at_ms=event.at_ms,
                body=event.body,
                tries=tries,
                error=error,
                set_aside_ms=now_ms,
            )
            changed = {"tries": set_aside.c.tries + statement.excluded.tries, "error": statement.excluded.error}
            connection.execute(statement.on_conflict_do_update(index_elements=["consumer_name", "id"], set_=changed))
            count = connection.execute(select(func.count()).select_from(set_aside)).scalar_one()
            if count > SET_ASIDE_ROWS_MAX:
                oldest = select(func.min(set_aside.c.set_aside_ms)).scalar_subquery()
                connection.execute(delete(set_aside).where(set_aside.c.set_aside_ms == oldest))

        await self._records.write(put)

    async def set_aside_count(self, consumer_name: str | None) -> int:
        query = select(func.count()).select_from(set_aside)
        if consumer_name is not None:
            query = query.where(set_aside.c.consumer_name == consumer_name)
        return await self._records.read(lambda connection: connection.execute(query).scalar_one())

    async def list_set_aside(self, consumer_name: str, count: int = 1000) -> list[Event]:
        query = (
            select(set_aside)
            .where(set_aside.c.consumer_name == consumer_name)
            .order_by(set_aside.c.set_aside_ms, set_aside.c.id)
            .limit(count)
        )

        def ask(connection: Connection) -> list[Event]:
            return [Event(r.id, r.topic, r.at_ms, r.body) for r in connection.execute(query)]

        return await self._records.read(ask)

    async def take_back(self, consumer_name: str, event_id: str) -> None:
        """A set-aside event has been taken after all."""
        condition = (set_aside.c.consumer_name == consumer_name) & (set_aside.c.id == event_id)
        await self._records.write(lambda connection: connection.execute(delete(set_aside).where(condition)))

    async def prune(
        self, now_ms: int, consumer_names: list[str], *, kept_ms: int = KEPT_MS, rows_max: int = ROWS_MAX
    ) -> int:
        """Remove what these consumers have and is older than `kept_ms`, and whatever is beyond `rows_max`.

        Consumers of former versions are not named, and so hold nothing.

        Returns:
            How many went beyond `rows_max` before everyone had them.
        """
        held = select(func.min(positions.c.number)).where(positions.c.consumer_name.in_(consumer_names))

        def remove(connection: Connection) -> int:
            taken = connection.execute(held).scalar() or 0
            connection.execute(delete(outbox).where(outbox.c.number <= taken, outbox.c.at_ms < now_ms - kept_ms))
            newest = connection.execute(select(func.max(outbox.c.number))).scalar() or 0
            beyond = outbox.c.number <= newest - rows_max
            lost = select(func.count()).select_from(outbox).where(beyond, outbox.c.number > taken)
            count = int(connection.execute(lost).scalar_one())
            connection.execute(delete(outbox).where(beyond))
            return count

        return await self._records.write(remove)


def topic_fits(pattern: str, topic: str) -> bool:
    """Whether `topic` is meant by `pattern`; the rules are those of NATS subjects, wildcards in the last part only."""
    wanted, given = pattern.split("."), topic.split(".")
    if wanted[-1] == ">":
        return len(given) >= len(wanted) and given[: len(wanted) - 1] == wanted[:-1]
    if wanted[-1] == "*":
        return len(given) == len(wanted) and given[:-1] == wanted[:-1]
    return wanted == given
