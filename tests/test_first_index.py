"""A crash while the first index was made must not leave the archive without one."""

from pathlib import Path
from typing import Any

SMALL = Path(__file__).parent / "data" / "small"


def test_a_first_index_cut_off_is_made_by_the_next_run(fangzhi: Any) -> None:
    (fangzhi.home / "index" / "b0001").mkdir(parents=True)
    fangzhi("ingest", "run", SMALL)
    assert fangzhi("search", "聖諭", "--json").json["metadata_total"] >= 1
