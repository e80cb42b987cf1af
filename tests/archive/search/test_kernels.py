"""What the compiled kernels answer, beside the plainest reckoning of the same. That whole answers are right, the oracles show."""

import random
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from archive.model.rights import Audience, Visibility
from archive.search import evaluation, kernels
from archive.search.base import IndexDocument, Query
from archive.search.picking import first_of, smallest
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)
SETS = [[], [0], [3], [0, 1, 2], [5, 9], [1, 4, 6, 7, 30], list(range(0, 200, 3)), list(range(1, 200, 2)), [199]]


def _array(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize("one", SETS)
@pytest.mark.parametrize("other", SETS)
def test_lists_of_documents_are_sets(one: list[int], other: list[int]) -> None:
    some, others = _array(one), _array(other)
    assert kernels.intersected(some, others).tolist() == sorted({*one} & {*other})
    assert kernels.united(some, others).tolist() == sorted({*one} | {*other})
    assert kernels.without(some, others).tolist() == sorted({*one} - {*other})
    counts = _array([value % 7 + 1 for value in other]).astype(np.int32)
    by_value = dict(zip(other, counts.tolist(), strict=True))
    assert kernels.counts_at(some, others, counts).tolist() == [by_value.get(value, 0) for value in one]
    assert kernels.summed_where(others, counts, some) == sum(by_value.get(value, 0) for value in one)
    documents, sums = kernels.added(some, np.ones(len(some), np.int32), others, counts)
    assert dict(zip(documents.tolist(), sums.tolist(), strict=True)) == Counter(by_value) + Counter(one)


@pytest.mark.parametrize("seed", range(8))
def test_neighbours_count_where_text_runs_between(seed: int) -> None:
    rng = random.Random(seed)
    regions = np.cumsum(np.array([rng.random() < 0.3 for _ in range(60)]), dtype=np.int32)
    one, other = (sorted(rng.sample(range(60), rng.randint(0, 25))) for _ in range(2))
    near = [a for a in one if any(abs(a - b) < 2 and regions[a] == regions[b] for b in other)]
    assert kernels.having(_array(one), _array(other), regions).tolist() == near
    wide = {b for a in one for b in (a - 1, a, a + 1) if 0 <= b < 60 and regions[a] == regions[b]}
    assert kernels.widened(_array(one), regions).tolist() == sorted(wide)


@pytest.mark.parametrize("count", [1, 3, 20, 150, 199, 500])
def test_the_first_of_many_are_those_of_a_sort(count: int) -> None:
    values = np.random.default_rng(count).integers(0, 40, 400).astype(np.float32)
    expected = np.lexsort([np.arange(400), values])[:count].tolist()
    assert first_of([values], count).tolist() == smallest([values], count).tolist() == expected


PUBLIC = Visibility(Audience.PUBLIC)
ALPHABET = "山川水火土（）"


def _works(rng: random.Random) -> dict[str, list[IndexDocument]]:
    works = {}
    for work in "甲乙丙":
        leaves = ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, 40))) for _ in range(12)]
        works[work] = [
            IndexDocument(
                item=work,
                target="page",
                key=f"p{number}",
                text=text,
                visibility=PUBLIC,
                title=work,
                label=str(number),
                position=number,
                collection="c",
                kind="k",
                joins_previous=number > 0 and rng.random() < 0.7,
                notes=True,
            )
            for number, text in enumerate(leaves)
        ]
    return works


@pytest.mark.parametrize("seed", range(12))
def test_near_strings_found_in_the_text_are_those_found_by_places(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    index = WhooshIndex(tmp_path)
    index.rebuild(iter(_works(rng).items()))
    queries = [
        Query(
            f"近:{rng.randint(1, 6)}({' '.join(''.join(rng.choice(ALPHABET[:5]) for _ in range(rng.choice((1, 1, 2, 3)))) for _ in range(rng.choice((2, 2, 3))))})",
            today=DAY,
            limit=100,
        )
        for _ in range(60)
    ]
    in_text = [_found(index, query) for query in queries]
    assert sum(total for total, _hits in in_text) > 100
    monkeypatch.setattr(evaluation, "_is_plain", lambda _phrase: False)
    assert in_text == [_found(index, query) for query in queries]


def _found(index: WhooshIndex, query: Query) -> tuple[int, list[tuple[str, str, int]]]:
    results = index.search(query)
    assert query.reader is Audience.PUBLIC
    return results.occurrences, sorted((hit.item, hit.key, hit.matches) for hit in results.hits)


ASKED = """
import sys
from datetime import date
from pathlib import Path
from archive.search import kernels
from archive.search.base import Query
from archive.search.whoosh_index import WhooshIndex

index = WhooshIndex(Path(sys.argv[1]))
index.doctor()
made = {name: len(kernel.signatures) for name, kernel in vars(kernels).items() if hasattr(kernel, "signatures")}
for text in ("山", '"山"', "山水", "山?火", "山*火", "山水 火", "山 OR 水火", "山 -水", "近:3(山 水)", "近:2(山水 火)", "注:山", "正文:山水", "題名:甲 山"):
    for sort in ("relevance", "date", "title"):
        index.search(Query(text, today=date(2026, 11, 23), facets=("collection", "section", "decade"), sort=sort))
    index.concordance(Query(text, today=date(2026, 11, 23)))
print({name for name, count in made.items() if len(getattr(kernels, name).signatures) != count})
print(sum(made.values()))
"""


def test_no_kernel_is_loaded_while_a_reader_waits(tmp_path: Path) -> None:
    WhooshIndex(tmp_path).rebuild(iter(_works(random.Random(1)).items()))
    asked = subprocess.run([sys.executable, "-c", ASKED, str(tmp_path)], check=True, capture_output=True, text=True)
    late, loaded = asked.stdout.split("\n")[:2]
    assert (late, int(loaded) > 25) == ("set()", True)
