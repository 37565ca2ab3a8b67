"""Commands for running nodes: scale, restart, list, drain, start a new log epoch."""

from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

node_commands = typer.Typer()
Data = Annotated[Path, typer.Option(help="Data folder.")]
NodeNames = Annotated[list[str] | None, typer.Argument(help="Node names (default: all).")]


@node_commands.command()
def scale(
    nodes: Annotated[int, typer.Argument(min=1, max=16, help="Target number of nodes.")], data: Data = Path(".tandem")
) -> None:
    """Change the number of nodes of a running `tandem up --nodes N`, without downtime.

    Example: tandem scale 5
    """
    with report_errors():
        from chat.local.fleet import ask_fleet

        ask_fleet(data, "scale", count=nodes)


@node_commands.command()
def restart(names: NodeNames = None, data: Data = Path(".tandem")) -> None:
    """Restart the nodes of a running `tandem up --nodes N` one by one, without downtime.

    Each node drains, restarts and becomes ready before the next one. This applies a new version or changes to .env.

    Example: tandem restart n1 n2
    """
    with report_errors():
        from chat.local.fleet import ask_fleet

        ask_fleet(data, "restart", names=names or [])


@node_commands.command()
def nodes(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, data: Data = Path(".tandem")
) -> None:
    """List the nodes in the registry with their state, connections and load.

    Uses the registry in REDIS_URL, otherwise the one in the data folder.

    Example: tandem nodes --json
    """
    with report_errors():
        import asyncio

        from chat.local.databases import find_registry
        from chat.operations.node_admin import list_nodes, show_nodes

        show_nodes(asyncio.run(list_nodes(find_registry(data))), json)


@node_commands.command()
def drain(
    node: Annotated[str, typer.Argument(help="Node name.")],
    undo: Annotated[bool, typer.Option("--undo", help="Accept new connections again.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Move all clients of a node to other nodes, spread over DRAIN_SECONDS. The node keeps running.

    Uses the registry in REDIS_URL, otherwise the one in the data folder.

    Example: tandem drain n2
    """
    with report_errors():
        import asyncio

        from chat.local.databases import find_registry
        from chat.operations.node_admin import order_drain

        asyncio.run(order_drain(find_registry(data), node, on=not undo))
    print(f"{node} {'serves again' if undo else 'is draining'}")


@node_commands.command("new-epoch")
def new_epoch(data: Data = Path(".tandem")) -> None:
    """Make all existing cursors invalid, so that every client reloads. Safe while nodes are running.

    Restoring a backup or a failover does this automatically. Run it after restoring a file-level copy of PostgreSQL's
    data folder, because Tandem cannot detect such a restore.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem new-epoch
    """
    with report_errors():
        from chat.local.databases import use_database
        from chat.log.append import begin_new_epoch

        with use_database(data) as url:
            epoch = begin_new_epoch(url)
    print(f"epoch {epoch}")
