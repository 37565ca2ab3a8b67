"""The commands for whoever looks after nodes that run: how many, which, in what state."""

from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

operate = typer.Typer()

Data = Annotated[Path, typer.Option(help="The folder that keeps everything.")]

NodeNames = Annotated[list[str] | None, typer.Argument(help="Which; all, if none is named.")]


@operate.command()
def scale(
    nodes: Annotated[int, typer.Argument(min=1, max=16, help="How many there are to be.")], data: Data = Path(".tandem")
) -> None:
    """Change the number of nodes of a running `tandem up --nodes N`, while people talk.

    Example: tandem scale 5
    """
    with report_errors():
        from chat.local.control_client import ask_fleet

        ask_fleet(data, "scale", count=nodes)


@operate.command()
def restart(names: NodeNames = None, data: Data = Path(".tandem")) -> None:
    """Restart the nodes of a running `tandem up --nodes N`, one after the other, while people talk.

    Each drains first, and is ready again before the next one goes: so a new version or another setting of .env comes
    in without a pause.

    Example: tandem restart n1 n2
    """
    with report_errors():
        from chat.local.control_client import ask_fleet

        ask_fleet(data, "restart", names=names or [])


@operate.command()
def nodes(
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False, data: Data = Path(".tandem")
) -> None:
    """Show the nodes that the registry knows: what they are, hold and do.

    The registry is the one that REDIS_URL names, else the one in the folder.

    Example: tandem nodes --json
    """
    with report_errors():
        import asyncio

        from chat.local.databases import registry_at_hand
        from chat.operations.node_admin import list_nodes, show_nodes

        show_nodes(asyncio.run(list_nodes(registry_at_hand(data))), json)


@operate.command()
def drain(
    node: Annotated[str, typer.Argument(help="Its name.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it take people again.")] = False,
    data: Data = Path(".tandem"),
) -> None:
    """Let a node take nobody new and send away whom it has, spread over DRAIN_SECONDS; it goes on running.

    The registry is the one that REDIS_URL names, else the one in the folder.

    Example: tandem drain n2
    """
    with report_errors():
        import asyncio

        from chat.local.databases import registry_at_hand
        from chat.operations.node_admin import order_drain

        asyncio.run(order_drain(registry_at_hand(data), node, on=not undo))
    print(f"{node} {'serves again' if undo else 'is draining'}")


@operate.command("new-epoch")
def new_epoch(data: Data = Path(".tandem")) -> None:
    """Let no cursor of before resume, so that every client reads anew; safe while nodes serve.

    After a restore from a backup or a fail-over this happens by itself. It is for a copy of PostgreSQL's folder that
    was put back as it had been: such a restore leaves no trace.

    Example: DATABASE_URL=postgresql://tandem@db/tandem tandem new-epoch
    """
    with report_errors():
        from chat.local.databases import database_at_hand
        from chat.log.append import begin_new_epoch

        with database_at_hand(data) as url:
            epoch = begin_new_epoch(url)
    print(f"epoch {epoch}")
