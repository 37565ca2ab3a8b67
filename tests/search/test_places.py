"""Places: for any query and page, exactly the newest matching messages are found."""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chat.search.lexemes import conversation_range, encode_vector, log_range
from chat.search.query import parse_query
from chat.search.search import Row, SearchRequest, SearchScope, encode_fields
from chat.search.search import queries as search_queries
from tests.databases import fresh_database

Connection = psycopg.Connection[tuple[Any, ...]]
SAID, ROOMS = 30_000, 3
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
RARITIES = {"always": 1, "often": 7, "some": 90, "rare": 1_300, "hardly": 9_000}
QUESTIONS = ("always", "often", "some", "rare", "hardly", "never", "often some", "rare often", "some*", '"some often"')


def room_of(position: int) -> int:
    """Return the conversation of a message: two take turns; the last one falls silent early, with one message later."""
    return 3 if position <= 3_000 or position == SAID else 1 + position % 2


def words_of(position: int) -> list[str]:
    """Return the words of a message; each word is as frequent as its name says."""
    luck = random.Random(position)
    return [word for word, one_in in RARITIES.items() if luck.randrange(one_in) == 0]


@pytest.fixture(scope="module")
def talk(postgres_url: str, template: str) -> Iterator[tuple[Connection, list[tuple[int, int, int, list[str]]]]]:
    """Index all messages; yield `(position, conversation, seq, words)`, the oldest first."""
    counts, said = [0] * (ROOMS + 1), []
    for position in range(1, SAID + 1):
        room = room_of(position)
        counts[room] += 1
        said.append((position, room, counts[room], words_of(position)))
    with (
        fresh_database(postgres_url, f"tandem_places_{os.getpid()}", template) as url,
        psycopg.connect(url, autocommit=True) as server,
    ):
        with (
            server.cursor() as cursor,
            cursor.copy("copy search_documents (conversation_id, seq, position, said_at, vector) from stdin") as rows,
        ):
            for position, room, seq, words in said:
                at = BEGIN + timedelta(minutes=position)
                rows.write_row((room, seq, position, at, encode_vector(room, seq, position, 7, at, " ".join(words))))
        yield server, said


def answers(words: list[str], q: str) -> bool:
    """Return whether a message with these words matches."""
    if q.startswith('"'):
        return q.strip('"') in " ".join(words)
    return all(any(word == one.rstrip("*") for word in words) for one in q.split())


@pytest.mark.parametrize("q", QUESTIONS)
def test_exactly_the_newest_matches_are_found(talk: Any, q: str) -> None:
    """Pages of many sizes, from many places, along the log and along each conversation, are exact."""
    server, said = talk
    luck = random.Random(q)
    for _ in range(25):
        room = luck.choice((None, 1, 2, 3))
        own = [one for one in said if room in (None, one[1])]
        below, limit = luck.choice((len(own) + 1, luck.randrange(1, len(own)))), luck.choice((1, 20, 100))
        line = log_range(1, SAID, True) if room is None else conversation_range(room, len(own))
        rooms = [1, 2, 3] if room is None else [room]
        scope = SearchScope(SAID, True, (1, SAID), None, rooms, len(own))
        asked = SearchRequest(parse_query(q.replace("some*", "som*")), limit=limit)
        fields = encode_fields(asked, scope, line) | {"begin": below}
        found: list[Row] = server.execute(search_queries.find_places, fields).fetchall()
        place = 0 if room is None else 2
        expected = [one[place] for one in reversed(own) if one[place] < below and answers(one[3], q)][: limit + 1]
        assert [row[0] for row in found] == expected, (q, room, below, limit)
