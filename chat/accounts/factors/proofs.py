"""Re-authentication: a session proves again who its user is, before a sensitive change."""

from chat.accounts.form import Form, GivenPassword
from chat.shared.postgres import Connection
from chat.shared.queries import load

queries = load(__file__, "proofs.sql")


class Proof(Form):
    """Proof of who the user of a session is."""

    password: GivenPassword


async def note_proof(connection: Connection, session_id: int) -> None:
    """Store that the user of this session proved who they are just now."""
    await connection.execute(queries.note_proof, [session_id])
