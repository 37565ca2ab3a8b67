"""Embedded PostgreSQL: the truth's server, with fsync on, on one loopback port with a password."""

import hmac
import signal
import subprocess

import psycopg

from chat.engines.cluster import create_cluster, run_program
from chat.engines.engine import Engine
from chat.engines.runner import runner_for

USER = DATABASE = "tandem"
NODE_USER = "tandem_node"

# For a small machine with other work to do; everything else is PostgreSQL's own default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",  # queries here are short: compiling them costs more than it saves
    "autovacuum_naptime": "10s",  # until tables that fill up are analyzed, plans are those for empty ones
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresEngine(Engine):
    """PostgreSQL 18 in `folder`."""

    name = "PostgreSQL"
    program = "postgres"
    polite = signal.SIGINT
    abrupt = signal.SIGQUIT

    @property
    def url(self) -> str:
        """postgresql://…/tandem"""
        return self.url_of(DATABASE)

    @property
    def node_url(self) -> str:
        """Return the URL for nodes. `migrate` makes its role, which owns nothing."""
        secret = hmac.digest(self.home.secret().encode(), NODE_USER.encode(), "sha256").hex()
        return f"postgresql://{NODE_USER}:{secret}@127.0.0.1:{self.port}/{DATABASE}"

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        return f"postgresql://{USER}:{self.home.secret()}@127.0.0.1:{self.port}/{database}"

    def adopt_port(self) -> None:
        """Take the port of the server that another process runs in our folder, as PostgreSQL noted it."""
        self.port = int((self.home.data / "postmaster.pid").read_text().splitlines()[3])

    def start(self) -> None:
        """Start and wait until it serves; the first start makes the database."""
        super().start()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchall():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _launch(self) -> subprocess.Popen[bytes]:
        if not self.home.data.exists():
            create_cluster(self.home, USER)
        runner_for(self.home.data)  # refuses data that is not ours before we touch it
        # Left by a crash: nobody lives here, as `start` has seen, but its number may be somebody else's now.
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return run_program("postgres", self.home, self.home.data, [f"--port={self.port}", *settings])

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
