"""Arrays as text: PostgreSQL reads what was written, whatever the text."""

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.shared.sql import numbers, texts

WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=8), WORDS)
def test_written_arrays_are_read_back(postgres_url: str, ids: list[int], words: list[str]) -> None:
    """Quotes, backslashes, commas, braces, NULL, line breaks and any script are read back."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        asked = [numbers(ids), texts([*words, "NULL", '"', "\\", "{,}"])]
        row = connection.execute("select %s::bigint[], %s::text[]", asked).fetchone()
    assert row == (ids, [*words, "NULL", '"', "\\", "{,}"])
