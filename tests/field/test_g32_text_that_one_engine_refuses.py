"""G32: U+0000 is fine for SQLite and JSON; PostgreSQL refuses it, and the transaction took all other rows with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from guardian.stores import clean_text, create_missing, open_records, text_problem

tables = sa.MetaData()
items = sa.Table(
    "g32_items",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("raw_text", sa.Text),
)
BATCH = {number: f"ABC-{number:04}" for number in range(1000)} | {
    137: "ABC\u00001235",
    138: "x" * 1_000_000,
    139: "３-07\u0085",
}


@pytest.mark.anyio
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.real("postgres"))])
async def test_the_same_items_of_a_batch_are_kept_on_both_engines(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/r.sqlite" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    records = open_records(url)
    await create_missing(records, tables)
    refused = {number: problem for number, text in BATCH.items() if (problem := text_problem(text)) is not None}
    good = [{"id": number, "raw_text": text} for number, text in BATCH.items() if number not in refused]
    await records.write(lambda connection: connection.execute(items.insert(), good))
    assert refused == {137: "text-has-nul", 138: "text-too-long"}
    found = await records.read(lambda connection: dict(connection.execute(sa.select(items)).all()))
    assert found == {number: text for number, text in BATCH.items() if number not in refused}
    await records.close()


@given(st.text(alphabet=st.characters(), max_size=60))
def test_cleaned_text_has_no_problem_and_good_text_stays(text: str) -> None:
    cleaned = clean_text(text, chars_max=50)
    assert text_problem(cleaned, chars_max=50) is None
    assert clean_text(cleaned, chars_max=50) == cleaned
    if text_problem(text, chars_max=50) is None:
        assert cleaned == text
