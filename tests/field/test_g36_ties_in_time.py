"""G36 (archive): a walk over a thousand reads of one second, by cursor; late ones are announced, not mixed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import DETECTIVE, archive_house

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("engine", ["memory", "chdb"])
async def test_each_of_the_thousand_exactly_once_while_others_arrive(tmp_path: Path, engine: str) -> None:
    async with archive_house(tmp_path, engine=engine) as house:
        await house.send([make_read(n, captured_ms=NOW_MS - 60_000) for n in range(1000)])
        answer = await house.ask("ABC-1235", page_size=50)
        assert (answer.count, answer.count_exact, answer.newer) == (1000, True, 0)
        search_id, pages, cursors = answer.search_id, [answer.rows], [answer.next_cursor]
        while cursors[-1]:
            if len(pages) == 3:
                late = [make_read(2000 + n, captured_ms=NOW_MS - 59_990) for n in range(20)]
                late += [make_read(3000 + n, captured_ms=NOW_MS - 60_010) for n in range(20)]
                assert (await house.send(late)).stored == 40
                await house.filler.settle(60)
            answer = await house.desk.page(DETECTIVE, search_id, cursors[-1])
            pages.append(answer.rows)
            cursors.append(answer.next_cursor)
        seen = [row.id for page in pages for row in page]
        assert len(pages) == 20
        assert len(seen) == len(set(seen)) == 1000
        assert (answer.newer, answer.count) == (40, 1000)
        back = await house.desk.page(DETECTIVE, search_id, cursors[7])
        assert [row.id for row in back.rows] == [row.id for row in pages[8]]
        anew = await house.ask("ABC-1235", page_size=50)
        assert (anew.count, [row.captured_ms for row in anew.rows[:21]]) == (
            1040,
            [NOW_MS - 59_990] * 20 + [NOW_MS - 60_000],
        )
