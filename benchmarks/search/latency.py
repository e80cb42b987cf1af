"""What an answer takes: warm by class of question, at the first touch after opening, unseen; beside tantivy and FTS5 in the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.search.clocks import Times, apart, at, timed
from benchmarks.search.corpus import KINDS, Cutter, Question, folded, items
from benchmarks.search.engines import Engine, Ours, Tantivy, Trigram
from benchmarks.search.figure import Figure, Given, at_least, at_most

WARM = KINDS[:11]
HARD = KINDS[11:]
COMPARED = {"1 character": 2.0, "2 characters": 10.0, "3-4": 10.0, "8-30": 10.0, "5 facets": 2.0}
"""How many times tantivy's p50 ours may be; the other classes are told."""
_TOLD = ("AND", "OR", "NOT", "filter + range")
_SLOW = 15
"""Questions to FTS5: each reads every row."""
_DEEP = 1000
_SEEDS = {"warm": 1, "first": 2, "unseen": 3}


def ensure_index(given: Given) -> None:
    """Our index of the corpus, made when it is not there."""
    ours = Ours(given.index)
    if not ours.index.exists():
        ours.index.rebuild(items(given.leaves, given.limit))


def questions(given: Given, seed: str, count: int) -> dict[str, list[Question]]:
    """Questions of every class; page 50 is asked of strings that have one."""
    cutter, index = Cutter(given.leaves, given.limit, _SEEDS[seed]), Ours(given.index)
    asked = cutter.questions(count)
    while any(index.ask(Question("1 character", one.words)) < _DEEP for one in asked["page 50"]):
        deep = [one for one in asked["page 50"] if index.ask(Question("1 character", one.words)) >= _DEEP]
        asked["page 50"] = deep + cutter.questions(count - len(deep), ["page 50"])["page 50"]
    return asked


def best(engine: Engine, asked: Sequence[Question], rounds: int = 3) -> tuple[Times, int]:
    """Every question asked once to warm, then in `rounds` rounds, and the best of each; and how many leaves matched in all."""
    total = sum(map(engine.ask, asked))
    taken = [[timed(lambda question=question: engine.ask(question)) for question in asked] for _ in range(rounds)]
    times = Times.of([(min(wall for wall, _ in each), min(cpu for _, cpu in each)) for each in zip(*taken, strict=True)])
    return times, total


def warm(given: Given) -> list[Figure]:
    """p95 of every class, without snippets and with those of 20 hits."""
    ensure_index(given)
    asked = questions(given, "warm", given.queries)
    plain = apart(classes, given.index, asked, False)
    shown = apart(classes, given.index, asked, True)
    found = []
    for kind in WARM:
        times, hits = plain[kind]
        found.append(at_most("warm", kind, times.p95, 3, beside=_beside(times, hits)))
        times, hits = shown[kind]
        found.append(at_most("warm, with snippets", kind, times.p95, 6, beside=_beside(times, hits)))
    for kind in HARD:
        times, hits = shown[kind]
        found.append(at_most("wildcard and near", kind, times.p95, 20, beside=_beside(times, hits)))
    return found


def _beside(times: Times, hits: int) -> str:
    found = f"{hits / len(times.wall):,.0f} hits on average"
    return f"p50 {times.p50:.2f}; CPU p50 {times.cpu_p50:.2f}, p95 {times.cpu_p95:.2f}; {found}"


def classes(folder: Path, asked: dict[str, list[Question]], snippets: bool) -> dict[str, tuple[Times, int]]:
    """Times and hits of every class."""
    ours = Ours(folder, snippets)
    return {kind: best(ours, some) for kind, some in asked.items()}


def cold(given: Given) -> list[Figure]:
    """The first question a fresh process asks after opening the index; and unseen questions, once each, when others were asked before."""
    ensure_index(given)
    for path in given.index.rglob("*"):
        if path.is_file():
            path.read_bytes()  # the page cache is warm
    kinds = [kind for kind in WARM if kind != "page 50"]
    asked = questions(given, "first", 3)
    opened = [apart(first_touch, given.index, one) for kind in kinds for one in asked[kind]]
    first = Times.of([touch for _, touch in opened])
    opening = sorted(wall for (wall, _), _ in opened)
    beside = f"p50 {first.p50:.1f}, CPU p95 {first.cpu_p95:.1f}; opening itself p95 {at(opening, 0.95):.1f}; {len(opened)} processes"
    some, others = questions(given, "first", 20), questions(given, "unseen", 20)
    unseen = apart(once, given.index, [one for kind in kinds for one in some[kind]], [one for kind in kinds for one in others[kind]])
    worst = ", ".join(f"{kind} {Times.of(unseen[kind]).p50:.1f}/{Times.of(unseen[kind]).wall[-1]:.1f}" for kind in kinds)
    all_of_them = Times.of([pair for pairs in unseen.values() for pair in pairs])
    told = f"p50 {all_of_them.p50:.2f}; CPU p95 {all_of_them.cpu_p95:.2f}; p50/slowest by class: {worst}"
    return [
        at_most("first touch", "p95 after opening", first.p95, 60, beside=beside),
        at_most("unseen", "p95, with snippets", all_of_them.p95, 10, beside=told),
    ]


def first_touch(folder: Path, question: Question) -> tuple[tuple[float, float], tuple[float, float]]:
    """Milliseconds of opening, and of the first answer."""
    ours = Ours(folder, snippets=True)
    opening = timed(ours.index.doctor)
    return opening, timed(lambda: ours.ask(question))


def once(folder: Path, before: Sequence[Question], asked: Sequence[Question]) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each question by class, after others were asked."""
    ours = Ours(folder, snippets=True)
    for question in before:
        ours.ask(question)
    found: dict[str, list[tuple[float, float]]] = {}
    for question in asked:
        found.setdefault(question.kind, []).append(timed(lambda question=question: ours.ask(question)))
    return found


def others(given: Given) -> list[Figure]:
    """Ours and tantivy, class by class in turns, p50; FTS5 on strings of two characters."""
    ensure_index(given)
    _ensure(given.kept / "tantivy", given, Tantivy.build)
    _ensure(given.kept / "trigram.sqlite", given, Trigram.build)
    asked = questions(given, "warm", given.queries)
    compared = apart(in_turns, given.index, given.kept / "tantivy", {kind: asked[kind] for kind in (*COMPARED, *_TOLD)})
    found = []
    for kind, (ours, theirs, totals) in compared.items():
        beside = f"{ours.p50:.2f} ms and {theirs.p50:.2f} ms; leaves {totals[0]:,} and {totals[1]:,}"
        ratio = ours.p50 / theirs.p50
        if kind in COMPARED:
            found.append(at_most("beside tantivy", kind, ratio, COMPARED[kind], "×", beside))
        else:
            found.append(Figure("beside tantivy", kind, "", f"{ratio:.2f} ×", None, beside))
    pairs = asked["2 characters"]
    ours, theirs, totals = apart(two_characters, given.index, given.kept / "trigram.sqlite", pairs[:_SLOW])
    beside = f"{ours.p50:.2f} ms and {theirs.p50:.0f} ms; leaves {totals[0]:,} and {totals[1]:,}; {_SLOW} strings"
    return [*found, at_least("beside FTS5 trigram", "2 characters, faster", theirs.p50 / ours.p50, 50, "×", beside)]


def _ensure(path: Path, given: Given, build: Callable[..., None]) -> None:
    if not path.exists():
        aside = path.with_name(path.name + ".new")
        build(aside, folded(items(given.leaves, given.limit)))
        aside.rename(path)


Beside = tuple[Times, Times, tuple[int, int]]


def in_turns(folder: Path, theirs: Path, asked: dict[str, list[Question]]) -> dict[str, Beside]:
    """For each class our times, theirs, and how many leaves each found."""
    return {kind: _both(Ours(folder), Tantivy(theirs), some) for kind, some in asked.items()}


def two_characters(folder: Path, theirs: Path, asked: Sequence[Question]) -> Beside:
    """The same beside FTS5, which is asked once."""
    return _both(Ours(folder), Trigram(theirs), asked, 1)


def _both(ours: Engine, theirs: Engine, asked: Sequence[Question], rounds: int = 3) -> Beside:
    (mine, found), (other, found_there) = best(ours, asked), best(theirs, asked, rounds)
    return mine, other, (found, found_there)
