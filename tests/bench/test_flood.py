"""Large data: the same requests among few and many messages, and a report of what grew."""

from pathlib import Path

import orjson
import pytest

from chat.tools.bench import large_data, search_depth
from chat.tools.bench.large_data import CLOSED, ENOUGH, LEAST, ROOMS, Answer, flood, page_paths, share_out, tell
from chat.tools.bench.search_depth import FLAT, Cost, Plan, pages, questions, wider_questions

SIZES = (LEAST, 5_000, 10_000, 10_000_000)


def waited(milliseconds: float) -> Answer:
    """Return an answer that took this long, half of it in the database."""
    return Answer(milliseconds, Cost(milliseconds / 2, 20, Plan(50, frozenset(), frozenset(), 20)))


def test_the_quiet_channel_is_the_same_at_all_sizes() -> None:
    """Only the calm channel grows with the rest; the quiet one does not."""
    names = [
        "silent",
        "busy",
        "quiet",
        "calm",
        *(f"room{n}" for n in range(ROOMS)),
        *(f"closed{n}" for n in range(CLOSED)),
    ]
    rooms = {name: number for number, name in enumerate(names)}
    for size in SIZES:
        shares = share_out(rooms, size)
        assert min(shares.values()) > 0
        assert 0 <= size - sum(shares.values()) < ROOMS + CLOSED
        assert shares[rooms["quiet"]] == (ENOUGH if size > LEAST else LEAST // 10)


def test_the_report_compares_only_equal_requests(tmp_path: Path) -> None:
    """Kinds that read more in more data have no bar; others are compared with the smallest comparable size."""
    kinds = [*pages(1), *questions(1), *wider_questions()]
    fewest, small, large = (dict.fromkeys(kinds, waited(time)) for time in (0.5, 1.0, 1.2))
    large["phrase"] = large["phrase, calm room"] = waited(3.0)
    tell({1_000: fewest, 10_000: small, 10_000_000: large}, tmp_path)
    (report,) = orjson.loads((tmp_path / "report.json").read_bytes())["reports"]
    rows = {row["what"]: row for row in report["rows"]}
    assert list(rows) == kinds
    assert {name for name, row in rows.items() if row["bar"] != FLAT} == wider_questions().keys()
    assert {name for name, row in rows.items() if row["holds"] is False} == {"phrase", *pages(1)}
    assert report["curves"][0]["points"] == [[1_000, 0.5], [10_000, 1.0], [10_000_000, 1.2]]
    assert report["curves"][-2]["points"] == [[10_000, 1.0], [10_000_000, 3.0]]
    assert report["curves"][-1]["points"] == [[10_000, 0.5], [10_000_000, 1.5]]


def test_a_node_answers_the_requests_of_the_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node answers every request, and the client waits at least as long as the database works."""
    for part, often in (
        (search_depth, "TIMES"),
        (search_depth, "ROUNDS"),
        (large_data, "TIMES"),
        (large_data, "ROUNDS"),
    ):
        monkeypatch.setattr(part, often, 2)
    monkeypatch.setattr(large_data, "TURNS", 1)
    (answers,) = flood(tmp_path, [LEAST]).values()
    assert list(answers) == [*pages(1), *questions(1), *wider_questions()]
    assert page_paths(1, 1).keys() == pages(1).keys()
    assert all(answer.waited > answer.cost.processor for answer in answers.values())
