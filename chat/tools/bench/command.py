"""`tandem bench …`: a sub-command for each thing that is measured."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

# The options that several sub-commands of `tandem bench` take.

Url = Annotated[str | None, typer.Option(help="A Tandem that runs already; without it, a fresh one is started.")]

Scale = Annotated[float, typer.Option(min=0.001, max=10, help="Times the sizes at which the bars are set.")]

Rounds = Annotated[int, typer.Option(min=1, max=50, help="Turns for what is compared; the medians count.")]

Against = Annotated[str, typer.Option(help="Whom to compare with, separated by commas.")]

Messages = Annotated[int, typer.Option(min=1000, max=10_000_000, help="How long the talk becomes.")]

Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]

Out = Annotated[Path | None, typer.Option(help="A folder for report.md, report.json and plots.")]

Cache = Annotated[Path, typer.Option(help="Where others are installed, once.")]

bench = typer.Typer(
    help="Measure what things cost, here or at an address, beside what others take for the same.", no_args_is_help=True
)


def carry_out(names: list[str], as_json: bool, out: Path | None, **options: object) -> None:
    """Measure, then show it all."""
    with report_errors():
        from rich.console import Console

        from chat.tools.bench.plan import BenchOptions as Options
        from chat.tools.bench.plan import measure_all
        from chat.tools.bench.show import save, show, to_json

        reports = measure_all(names, Options(**options))  # type: ignore[arg-type]
        if out is not None:
            save(reports, out, " ".join(["tandem", *sys.argv[1:]]))
        if as_json:
            print(to_json(reports).decode())
        else:
            show(reports, Console())


@bench.command()
def fanout(
    url: Url = None,
    scale: Scale = 1.0,
    rounds: Rounds = 3,
    against: Against = "floor",
    json: Json = False,
    out: Out = None,
    cache: Cache = Path(".tandem-bench"),
) -> None:
    """One message to 1,000 readers: CPU of a delivery, deliveries a second.

    Example: tandem bench fanout --against floor,nchan,pushpin
    """
    names = tuple(filter(None, against.split(",")))
    carry_out(["fanout"], json, out, url=url, scale=scale, rounds=rounds, against=names, cache=cache)


@bench.command()
def post(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Durable posts a second, one a request and in batches, beside a handler that stores nothing.

    Example: tandem bench post --rounds 5
    """
    carry_out(["post"], json, out, scale=scale, rounds=rounds)


@bench.command()
def latency(url: Url = None, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """From POST to reader, at 500 posts a second to 100 readers.

    Example: tandem bench latency --out results
    """
    carry_out(["latency"], json, out, url=url, scale=scale)


@bench.command()
def memory(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """What an idle stream and an idle presence socket take.

    Example: tandem bench memory --scale 0.1
    """
    carry_out(["memory"], json, out, scale=scale)


@bench.command()
def reconnect(url: Url = None, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """10,000 streams cut at once, and back with their cursors.

    Example: tandem bench reconnect --scale 0.2
    """
    carry_out(["reconnect"], json, out, url=url, scale=scale)


@bench.command()
def replay(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """10,000 missed entries, to one reader who comes back.

    Example: tandem bench replay
    """
    carry_out(["replay"], json, out, scale=scale, rounds=rounds)


@bench.command()
def presence(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """A change of status, by who watches and by how many are online.

    Example: tandem bench presence --scale 0.1
    """
    carry_out(["presence"], json, out, scale=scale)


@bench.command()
def history(messages: Messages = 100_000, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """A page of history in ever longer talk, up to so many messages.

    Example: tandem bench history --messages 10000000
    """
    carry_out(["history"], json, out, messages=messages, scale=scale)


@bench.command()
def search(messages: Messages = 100_000, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Every kind of question in ever longer talk, up to so many messages.

    Example: tandem bench search --messages 1000000
    """
    carry_out(["search"], json, out, messages=messages, scale=scale)


@bench.command()
def transports(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Event stream, WebSocket or long poll: the same messages over each.

    Example: tandem bench transports --rounds 5
    """
    carry_out(["transports"], json, out, scale=scale, rounds=rounds)


@bench.command()
def storm(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """1,000 people come and 1,000 go every second for 30 s, seen from another node.

    Example: tandem bench storm --scale 0.3
    """
    carry_out(["storm"], json, out, scale=scale)


@bench.command()
def growth(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """What a delivery and a post cost with ever more streams, members, conversations and nodes.

    Example: tandem bench growth --out deploy/performance
    """
    carry_out(["growth"], json, out, scale=scale)


@bench.command()
def hostile(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure how long /health/live takes to answer while one account attacks the node.

    Example: tandem bench hostile --scale 0.5
    """
    carry_out(["hostile"], json, out, scale=scale)


@bench.command()
def soak(
    url: Url = None,
    minutes: Annotated[float, typer.Option(min=0.05, max=10_000, help="For how long.")] = 60.0,
    scale: Scale = 1.0,
    json: Json = False,
    out: Out = None,
) -> None:
    """People come, read, talk and go, and the node's memory stays where it is.

    Example: tandem bench soak --minutes 60
    """
    carry_out(["soak"], json, out, url=url, minutes=minutes, scale=scale)


@bench.command()
def peers() -> None:
    """Whom `--against` knows.

    Example: tandem bench peers
    """
    from chat.tools.bench.peers.peers import PEERS

    print("floor: a C program that writes the same bytes and does nothing else")
    print("\n".join(f"{peer.name}: {peer.what}" for peer in PEERS.values()))


@bench.command(name="all")
def all_(
    scale: Scale = 1.0,
    rounds: Rounds = 3,
    against: Against = "floor,nchan,sse-starlette",
    json: Json = False,
    out: Out = Path("tandem-bench"),
    cache: Cache = Path(".tandem-bench"),
) -> None:
    """Measure everything but soak and hostile, for the README: the table of bars, and plots; ten minutes on two cores.

    Example: tandem bench all --out deploy/performance
    """
    from chat.tools.bench.plan import EVERYTHING

    names = tuple(filter(None, against.split(",")))
    carry_out(list(EVERYTHING), json, out, scale=scale, rounds=rounds, against=names, cache=cache)
