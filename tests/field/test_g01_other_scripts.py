"""G01: letters and digits of other scripts never pass as plates, and half-width forms of ours always do."""

from __future__ import annotations

import pytest

from guardian.domain.plate import PlateTextError, inspect_plate, parse_pattern, parse_plate

GOOD = [
    "ＡＢＣ－１２３５", "abc 1235", "ABC–1235", "ABC—1235", "ABC−1235", "ABC‐1235", "ABCー1235", "ABC‧1235", "ABC　1235",
    "ABC\u200b-1235", "\ufeffABC-1235", "ABC-１２３５\u00a0", "ABC-１2３5",
]  # fmt: skip


@pytest.mark.parametrize("typed", GOOD)
def test_every_way_of_typing_gives_the_plate(typed: str) -> None:
    assert parse_plate(typed).text == "ABC1235"
    assert parse_pattern(typed).text == "ABC1235"


@pytest.mark.parametrize("typed", ["ABC-١٢٣٥", "ABC-①②③⑤", "АВС-1235", "ABC-一二三五"])
def test_other_scripts_are_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(PlateTextError) as caught:
        parse_plate(typed)
    assert caught.value.reference == "plate-other-script"
    assert typed in caught.value.sentence and caught.value.hint
    inspection = inspect_plate(typed)
    assert inspection.plate is None and inspection.refusal
