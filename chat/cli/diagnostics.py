"""The commands that look for what is wrong: `tandem doctor` in an installation, `tandem chaos` in the program."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

proving = typer.Typer()


@proving.command()
def doctor(
    url: Annotated[str, typer.Argument(help="The address that people use; without it only servers are asked.")] = "",
    token: Annotated[str, typer.Option(envvar="TANDEM_TOKEN", help="Somebody's token, to open streams with.")] = "",
    json: Annotated[bool, typer.Option("--json", help="The findings on standard output, for machines.")] = False,
) -> None:
    """Look at settings, servers, clocks, and through the public address at what proxies do; say what to change.

    DATABASE_URL and REDIS_URL name the servers. Ends with 1 when something is wrong.

    Example: tandem doctor https://chat.example.org
    """
    with report_errors():
        from chat.tools.doctor.command import DoctorRequest as Asked
        from chat.tools.doctor.command import doctor

        code = doctor(Asked(url, token, json))
    sys.exit(code)


@proving.command()
def chaos(
    nodes: Annotated[int, typer.Option(min=1, max=9, help="How many nodes serve.")] = 3,
    people: Annotated[int, typer.Option(min=20, max=5000, help="How many people read, talk and keep presence.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long things are broken.")] = 10,
    seed: Annotated[int | None, typer.Option(help="Repeat the run of this seed; else one is drawn.")] = None,
    faults: Annotated[str, typer.Option(help="Only these, comma-separated; else all.")] = "",
    out: Annotated[Path, typer.Option(help="The folder for the timeline and the report.")] = Path(".tandem/chaos"),
    json: Annotated[bool, typer.Option("--json", help="The report on standard output, for machines.")] = False,
) -> None:
    """Break everything on purpose, and prove that nothing is lost; ends with 1 when a promise was broken.

    It brings its own PostgreSQL, Valkey and nodes behind HAProxy, and leaves yours alone. Faults: kill-node,
    kill-silenced-node, stop-nodes, freeze-node, kill-redis, flush-redis, freeze-redis, restart-postgres,
    freeze-postgres, lose-answers, cut-redis-link, hang-redis-link, cut-postgres-link, hang-postgres-link, slow-links,
    sleepy-readers, half-open, cut-clients, same-post.

    Example: tandem chaos --minutes 2 --seed 7 --faults kill-node,flush-redis
    """
    with report_errors():
        from chat.tools.chaos.command import ChaosRequest as Asked
        from chat.tools.chaos.command import chaos

        code = chaos(Asked(nodes, people, minutes, seed, faults, out, json))
    sys.exit(code)
