"""A standby beside a PostgreSQL server of the test's own: made, promoted, and turned back into one."""

import shutil
from pathlib import Path

import psycopg

from chat.local.postgres import PostgresEngine
from tests.waiting import wait_until


def make_standby(primary: PostgresEngine, folder: Path, *, synchronous: bool = False) -> PostgresEngine:
    """Return a started standby in `folder`. The primary restarts: its standby is a copy of its stopped folder."""
    primary.stop()
    shutil.copytree(primary.data_dir.folder, folder, ignore=shutil.ignore_patterns("lock", "log", "postmaster.pid"))
    primary.start()
    standby = PostgresEngine(folder)
    follow(standby, primary)
    standby.start()
    wait_until(lambda: is_streaming(primary), 30)
    if synchronous:
        with psycopg.connect(primary.url, autocommit=True) as connection:
            connection.execute("alter system set synchronous_standby_names = '*'")
            connection.execute("select pg_reload_conf()")
        wait_until(lambda: is_streaming(primary, "sync"), 30)
    return standby


def follow(standby: PostgresEngine, primary: PostgresEngine) -> None:
    """Configure the stopped server as the other one's standby."""
    data = standby.data_dir.data
    (data / "standby.signal").touch()
    secret = primary.data_dir.secret()
    with (data / "postgresql.auto.conf").open("a") as conf:
        conf.write(f"primary_conninfo = 'host=127.0.0.1 port={primary.port} user=tandem password={secret}'\n")
        conf.write("synchronous_standby_names = ''\n")


def promote(standby: PostgresEngine) -> None:
    """Make the standby the primary."""
    with psycopg.connect(standby.url, autocommit=True) as connection:
        connection.execute("select pg_promote(true, 30)")


def is_streaming(primary: PostgresEngine, state: str = "") -> bool:
    """Return whether a standby streams, and, if given, in this state of synchronization."""
    with psycopg.connect(primary.url) as connection:
        rows = connection.execute("select state, sync_state from pg_stat_replication").fetchall()
    return any(row[0] == "streaming" and state in ("", row[1]) for row in rows)
