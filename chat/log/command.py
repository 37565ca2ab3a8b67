"""`tandem new-epoch`: for the one kind of restore that leaves no trace of itself (deploy/decisions/epoch.md)."""

import psycopg

from chat.log.append import queries


def begin_new_epoch(database_url: str) -> str:
    """No cursor of before resumes: every reader reads its snapshot again. Returns the new epoch."""
    with psycopg.connect(database_url) as connection:
        connection.execute(queries.lock_head)
        row = connection.execute(queries.renew_epoch).fetchone()
        assert row is not None
        return str(row[0])
