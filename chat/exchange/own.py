"""Our own lines, read again."""

from collections.abc import Callable, Iterator
from typing import IO, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from chat.exchange.item import Fault, Item, explain
from chat.exchange.lines import read_lines
from chat.exchange.record import Conversation, Key, Record

ANY: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])


def read_own(file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
    """All records but the head; what belongs to a conversation that has no line of its own belongs nowhere."""
    told_of: set[Key] = set()
    for number, line in read_lines(file, told):
        item = parse_record(line, f"{name}:{number}") if number > 1 else None
        if isinstance(item, Conversation):
            told_of.add(item.id)
        key = getattr(item, "conversation", None)
        if key is not None and key not in told_of:
            item = Fault(f"{name}:{number}", f"conversation: there is no line before it that describes {key}")
        if item is not None:
            yield item


def parse_record(line: bytes, place: str) -> Item:
    """The record, or what is wrong with it."""
    try:
        return ANY.validate_json(line)
    except ValidationError as wrong:
        return Fault(place, explain(wrong))
