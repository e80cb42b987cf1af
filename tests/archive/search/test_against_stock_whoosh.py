"""Stock Whoosh on the same text as a slow second opinion: one field, a character a token, phrases."""

from __future__ import annotations

import random
from pathlib import Path

import search_oracle as oracle
from whoosh import fields, query
from whoosh.analysis import RegexTokenizer
from whoosh.index import create_in

from archive.search.base import Query
from archive.search.chinese import fold
from archive.search.whoosh_index import WhooshIndex


def test_stock_whoosh_finds_the_same_leaves(tmp_path: Path) -> None:
    rng = random.Random(11)
    leaves = ["".join(rng.choice("安康漢隂陰西陝陜興府志水利州縣") for _ in range(60)) for _ in range(150)]
    (tmp_path / "stock").mkdir()
    stock = create_in(
        tmp_path / "stock", fields.Schema(key=fields.ID(stored=True), text=fields.TEXT(analyzer=RegexTokenizer("."), phrase=True))
    )
    writer = stock.writer()
    for number, leaf in enumerate(leaves):
        writer.add_document(key=f"w-{number}", text=fold(leaf))
    writer.commit()
    ours = WhooshIndex(tmp_path / "ours")
    ours.rebuild((f"w-{number}", oracle.documents(f"w-{number}", [oracle.Leaf(leaf, ())])) for number, leaf in enumerate(leaves))
    with stock.searcher() as searcher:
        for _ in range(80):
            leaf = rng.choice(leaves)
            start, length = rng.randint(0, 50), rng.randint(1, 6)
            wanted = leaf[start : start + length]
            phrase = query.Phrase("text", list(fold(wanted))) if length > 1 else query.Term("text", fold(wanted))
            theirs = {hit["key"] for hit in searcher.search(phrase, limit=None)}
            results = ours.search(Query(wanted, limit=1000))
            assert {hit.item for hit in results.hits} == theirs
            assert results.total == len(theirs)
    stock.close()
