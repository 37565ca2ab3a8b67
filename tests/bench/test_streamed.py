"""A streamed message through two kills, on a small scale: each reader has each character, and the wire no more."""

import pytest
from rich.progress import Progress

from chat.tools.bench.streamed import measure_streamed


@pytest.mark.timeout(180)
async def test_a_streamed_message_is_exact() -> None:
    """Counts and bytes must hold on any machine; the CPU of so few deliveries says nothing."""
    with Progress(disable=True) as progress:
        report = await measure_streamed(0.03, 1, progress)
    rows = {row.what: row for row in report.rows}
    del rows["server CPU a delivered append, in times a plain message's"]
    assert [row.what for row in rows.values() if row.holds is not True] == []
    assert len(rows) == 8
