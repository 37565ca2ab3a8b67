"""The nodes' role in PostgreSQL: it can read and write rows, owns nothing, and is no superuser."""

from contextlib import suppress

from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import conninfo_to_dict

from chat.shared.operator_errors import OperatorError
from chat.shared.postgres import DIALECT, LIMITS

# Granted again by every `migrate`, for tables added since.
GRANTS = (
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage, select, update on all sequences in schema {schema} to {role}",
    "revoke insert, update, delete on migrations from {role}",
    "grant execute on function make_log_partition(bigint, bigint), drop_log_partition(text) to {role}",
)


class NodesNotAdmitted(OperatorError):
    """The nodes' role lacks something that only another role can give. The message names the statement."""

    heading = "The nodes' role is not ready:\n"


async def admit_nodes(connection: "AsyncConnection[tuple[object, ...]]", node_url: str) -> None:
    """Grant the role in `node_url` its rights, and create the role if it does not exist.

    Do nothing if it is the role of `connection`, as when one URL serves both purposes.
    """
    named = conninfo_to_dict(node_url)
    role, password = named.get("user"), named.get("password")
    row = await (await connection.execute("select current_user, current_schema()")).fetchone()
    assert row is not None
    owner, schema = row
    if not role or role == owner:
        return
    if not (await connection.execute("select from pg_roles where rolname = %s", [role])).rowcount:
        try:
            await make_role(connection, str(role), str(password or ""))
        except errors.InsufficientPrivilege:
            raise NodesNotAdmitted(
                f"The role {role} of DATABASE_URL does not exist, and {owner} may not create it. As a superuser, run "
                f"`create role {role} login password '…'`, then `tandem migrate` again."
            ) from None
    names = {"role": sql.Identifier(str(role)), "schema": sql.Identifier(str(schema))}
    async with connection.transaction():
        for grant in GRANTS:
            await connection.execute(sql.SQL(grant).format(**names))
    # PostgreSQL skips a grant of a schema that belongs to another role, with a warning only.
    row = await (await connection.execute("select has_schema_privilege(%s, %s, 'usage')", [role, schema])).fetchone()
    if not (row and row[0]):
        raise NodesNotAdmitted(
            f"{owner} does not own the schema {schema}. As its owner or as a superuser, run "
            f"`grant usage on schema {schema} to {role}`, then `tandem migrate` again."
        )
    with suppress(errors.InsufficientPrivilege):  # another role has created it
        await set_defaults(connection, str(role))


async def set_defaults(connection: "AsyncConnection[tuple[object, ...]]", role: str) -> None:
    """Give the role's sessions in this database what nodes set: behind a pooler that shares sessions, nodes cannot."""
    row = await (await connection.execute("select current_database()")).fetchone()
    assert row is not None
    alter = sql.SQL("alter role {} in database {} set {} = {}")
    where = sql.Identifier(role), sql.Identifier(str(row[0]))
    lines = [alter.format(*where, sql.Identifier(name), value) for name, value in (DIALECT | LIMITS).items()]
    async with connection.transaction():
        await connection.execute(sql.SQL("; ").join(lines))


async def owns_tables(connection: "AsyncConnection[tuple[object, ...]]") -> bool:
    """Return whether this role may change the tables. True in a database without tables, where any role may try."""
    asked = "select pg_has_role(relowner, 'member') from pg_class where oid = to_regclass('migrations')"
    row = await (await connection.execute(asked)).fetchone()
    return row is None or bool(row[0])


async def make_role(connection: "AsyncConnection[tuple[object, ...]]", role: str, password: str) -> None:
    """Create a role that can log in and nothing else. The password is sent only as a SCRAM verifier."""
    kept = None
    if password:
        kept = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    made = sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(kept))
    with suppress(errors.DuplicateObject, errors.UniqueViolation):  # created meanwhile, for another database
        await connection.execute(made)
