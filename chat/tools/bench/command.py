"""`tandem bench …`: a sub-command for each measurement."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chat.shared.operator_errors import report_errors

# The options that several sub-commands of `tandem bench` take.

Url = Annotated[str | None, typer.Option(help="URL of a running Tandem (default: start a fresh one).")]
Scale = Annotated[float, typer.Option(min=0.001, max=10, help="Multiply the sizes of the measurement.")]
Rounds = Annotated[int, typer.Option(min=1, max=50, help="Rounds of each comparison; the medians count.")]
Against = Annotated[str, typer.Option(help="Systems to compare with, separated by commas.")]
Messages = Annotated[int, typer.Option(min=1000, max=10_000_000, help="Largest number of messages.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="Folder for report.md, report.json and plots.")]
Cache = Annotated[Path, typer.Option(help="Folder where the other systems are installed.")]
bench = typer.Typer(help="Measure costs and throughput, of Tandem and of other systems.", no_args_is_help=True)


def carry_out(names: list[str], as_json: bool, out: Path | None, **options: object) -> None:
    """Measure, then show the reports."""
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
    """Measure one message to 1,000 readers: CPU of a delivery, deliveries a second.

    Example: tandem bench fanout --against floor,nchan,pushpin
    """
    names = tuple(filter(None, against.split(",")))
    carry_out(["fanout"], json, out, url=url, scale=scale, rounds=rounds, against=names, cache=cache)


@bench.command()
def post(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Measure durable posts a second, single and in batches, beside a handler that stores nothing.

    Example: tandem bench post --rounds 5
    """
    carry_out(["post"], json, out, scale=scale, rounds=rounds)


@bench.command()
def latency(url: Url = None, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure the time from POST to reader, at 500 posts a second to 100 readers.

    Example: tandem bench latency --out results
    """
    carry_out(["latency"], json, out, url=url, scale=scale)


@bench.command()
def memory(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure the memory of an idle stream and an idle presence socket.

    Example: tandem bench memory --scale 0.1
    """
    carry_out(["memory"], json, out, scale=scale)


@bench.command()
def reconnect(url: Url = None, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure how soon 10,000 streams that are cut at once have resumed.

    Example: tandem bench reconnect --scale 0.2
    """
    carry_out(["reconnect"], json, out, url=url, scale=scale)


@bench.command()
def replay(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Measure the replay of 10,000 missed entries to one reader.

    Example: tandem bench replay
    """
    carry_out(["replay"], json, out, scale=scale, rounds=rounds)


@bench.command()
def presence(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure a status change, by the number of watchers and of users online.

    Example: tandem bench presence --scale 0.1
    """
    carry_out(["presence"], json, out, scale=scale)


@bench.command()
def history(messages: Messages = 100_000, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure a page of history among more and more messages.

    Example: tandem bench history --messages 10000000
    """
    carry_out(["history"], json, out, messages=messages, scale=scale)


@bench.command()
def search(messages: Messages = 100_000, scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure every kind of search among more and more messages.

    Example: tandem bench search --messages 1000000
    """
    carry_out(["search"], json, out, messages=messages, scale=scale)


@bench.command()
def transports(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Compare event stream, WebSocket and long poll with the same messages.

    Example: tandem bench transports --rounds 5
    """
    carry_out(["transports"], json, out, scale=scale, rounds=rounds)


@bench.command()
def dump(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Measure posts while pg_dump holds its locks and partitions of the log are due.

    Example: tandem bench dump
    """
    carry_out(["dump"], json, out, scale=scale, rounds=rounds)


@bench.command()
def streamed(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Measure a streamed message to 1,000 readers: bytes, CPU, and every character while nodes are killed.

    Example: tandem bench streamed --scale 0.1
    """
    carry_out(["streamed"], json, out, scale=scale, rounds=rounds)


@bench.command()
def storm(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure presence while 1,000 users connect and 1,000 disconnect every second, seen from another node.

    Example: tandem bench storm --scale 0.3
    """
    carry_out(["storm"], json, out, scale=scale)


@bench.command()
def growth(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure a delivery and a post with more and more streams, members, conversations and nodes.

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
    minutes: Annotated[float, typer.Option(min=0.05, max=10_000, help="Duration in minutes.")] = 60.0,
    scale: Scale = 1.0,
    json: Json = False,
    out: Out = None,
) -> None:
    """Measure a node's memory while users connect, post and disconnect.

    Example: tandem bench soak --minutes 60
    """
    carry_out(["soak"], json, out, url=url, minutes=minutes, scale=scale)


@bench.command()
def bus(scale: Scale = 1.0, rounds: Rounds = 3, json: Json = False, out: Out = None) -> None:
    """Measure POST to reader over Redis, RabbitMQ, NATS and without a bus, in turns. Needs RabbitMQ and NATS.

    Example: tandem bench bus --rounds 5
    """
    carry_out(["bus"], json, out, scale=scale, rounds=rounds)


@bench.command()
def queue(scale: Scale = 1.0, json: Json = False, out: Out = None) -> None:
    """Measure messages a second from a queue of RabbitMQ to the acknowledgement. Needs RabbitMQ.

    Example: tandem bench queue --scale 0.1
    """
    carry_out(["queue"], json, out, scale=scale)


@bench.command()
def peers() -> None:
    """List the systems that `--against` takes.

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
    """Measure everything except soak, hostile, bus and queue, with plots: ten minutes on two cores.

    Example: tandem bench all --out deploy/performance
    """
    from chat.tools.bench.plan import EVERYTHING

    names = tuple(filter(None, against.split(",")))
    carry_out(list(EVERYTHING), json, out, scale=scale, rounds=rounds, against=names, cache=cache)
