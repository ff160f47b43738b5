"""Two texts laid under one another, sign by sign, so that it can be said which sign was read as which."""

from __future__ import annotations

Pair = tuple[str, str]
"""A sign of the truth and what was read for it; an empty one on either side: lost, or read where nothing is."""


def align(truth: str, read: str) -> list[Pair]:
    """The alignment with the fewest changes; of several equal ones that with the most signs replaced, not lost and added.

    Source: Wagner and Fischer, The String-to-String Correction Problem, JACM 21 (1974).
    """
    rows, columns = len(truth) + 1, len(read) + 1
    cost = [[i + j if 0 in (i, j) else 0 for j in range(columns)] for i in range(rows)]
    for i in range(1, rows):
        for j in range(1, columns):
            cost[i][j] = min(cost[i - 1][j - 1] + (truth[i - 1] != read[j - 1]), cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    pairs: list[Pair] = []
    i, j = len(truth), len(read)
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (truth[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", read[j]))
    return pairs[::-1]


def signs_right(pairs: list[Pair]) -> int:
    """How many signs of the truth were read as they are."""
    return sum(truth == read for truth, read in pairs)
