"""Records merge by version: snapshot + changes = fresh snapshot, in any order."""

from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.protocol import Record, Status, View, forget, merge
from tests.presence.shared_cases import cases

HISTORY = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(get_args(Status))), max_size=12)


def written(history: list[tuple[int, Status]]) -> list[Record]:
    """Return one record for each change; versions rise for each user."""
    versions: dict[int, int] = {}
    records = []
    for user_id, status in history:
        versions[user_id] = versions.get(user_id, 0) + 1
        records.append(Record(user_id, status, version=versions[user_id]))
    return records


def snapshot(records: list[Record]) -> View:
    """Return the registry's snapshot after these changes."""
    return {record.id: record for record in records}


@pytest.mark.parametrize("case", cases("delta"))
def test_shared_case(case: dict[str, Any]) -> None:
    """The server's outcome is the shared one."""
    view: View = {}
    for step in case["steps"]:
        news = merge(view, [Record(id_, status, version=v) for id_, status, v in step.get("records", [])])
        assert [record.id for record in news] == step.get("news", [])
        forget(view, step.get("forget", []))
    assert {str(id_): [record.status, record.version] for id_, record in view.items()} == case["view"]


@given(HISTORY, st.data())
def test_snapshot_and_deltas_make_a_fresh_snapshot(history: list[tuple[int, Status]], data: Any) -> None:
    """A snapshot from any moment and at least the changes since, in any order and repeated, make a fresh snapshot."""
    records = written(history)
    at = data.draw(st.integers(0, len(records)))
    since = data.draw(st.integers(0, at))
    arrivals: list[list[Record]] = [[*snapshot(records[:at]).values()], *([r] for r in records[since:] * 2)]
    view: View = {}
    for arrival in data.draw(st.permutations(arrivals)):
        merge(view, arrival)
    assert view == snapshot(records)


@given(HISTORY)
def test_merging_twice_reports_no_change(history: list[tuple[int, Status]]) -> None:
    """Merging a known record reports no change."""
    view: View = {}
    merge(view, written(history))
    assert merge(view, written(history)) == []


def test_a_record_has_the_protocols_fields() -> None:
    """Every field is present, and times are RFC 3339."""
    record = Record(7, "online", "here", "🌱", 0, 1_700_000_000_123, 2, 5)
    assert orjson.loads(record.encode()) == {
        "id": 7,
        "status": "online",
        "text": "here",
        "emoji": "🌱",
        "until": None,
        "last_active_at": "2023-11-14T22:13:20.123Z",
        "devices": 2,
        "version": 5,
    }
