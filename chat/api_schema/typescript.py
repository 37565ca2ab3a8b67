"""The shapes of both documents as TypeScript, for clients; `web/client/schema.ts` is this. Pure."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
HEADING = "What travels, as the server describes it. Made by `tandem openapi --types`: what is changed here is lost."
WIDTH = 110
PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def declare_types(openapi: Json, asyncapi: Json) -> str:
    """A module: every shape under its name, then the events of the stream and the frames of the socket by theirs."""
    schemas = openapi["components"]["schemas"] | asyncapi["components"]["schemas"]
    stream, socket = (asyncapi["channels"][name]["messages"] for name in ("stream", "socket"))
    parts = [comment(HEADING), *(declare(name, schemas[name]) for name in sorted(schemas))]
    parts.append(declare_messages("StreamEvents", "What a stream brings, by the name of the event.", stream, ""))
    parts.append(declare_messages("SocketFrames", "What the presence socket tells, by its type.", socket, "told_"))
    parts.append(declare_messages("Signals", "What a client says on it.", socket, "say_"))
    return "\n\n".join(parts)


def declare(name: str, schema: Json) -> str:
    """An interface of what has fields, a type of everything else; both with what is said about them."""
    said = [comment(schema["description"])] if "description" in schema else []
    if "properties" not in schema:
        return "\n".join([*said, f"export type {name} = {type_of(schema)};"])
    return "\n".join([*said, f"export interface {name} {{", *fields_of(schema), "}"])


def fields_of(schema: Json) -> Iterator[str]:
    """A line for each, and one before it where something is said about it."""
    for name, field in schema["properties"].items():
        if "description" in field:
            yield textwrap.indent(comment(field["description"]), "  ")
        yield f"  {name}{'' if name in schema.get('required', ()) else '?'}: {type_of(field)};"


def declare_messages(name: str, text: str, messages: Json, prefix: str) -> str:
    """The messages of a channel whose names begin so, as an interface of their payloads."""
    chosen = {one.removeprefix(prefix): message for one, message in messages.items() if one.startswith(prefix)}
    lines = [f"  {one}: {type_of(message['payload'])};" for one, message in chosen.items()]
    return "\n".join([comment(text), f"export interface {name} {{", *lines, "}"])


def type_of(schema: Json) -> str:
    """As TypeScript says it; limits and patterns are the server's affair."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return union(f"'{value}'" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return union(type_of(one) for one in schema["anyOf"])
    if "prefixItems" in schema:
        return f"[{', '.join(type_of(one) for one in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        item = type_of(schema.get("items", {}))
        return f"({item})[]" if " | " in item else f"{item}[]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {type_of(values) if isinstance(values, dict) else 'unknown'}>"
    return PLAIN.get(schema.get("type", ""), "unknown")


def union(types: Iterable[str]) -> str:
    """Each once."""
    return " | ".join(dict.fromkeys(types))


def comment(text: str) -> str:
    """In one line where it fits."""
    if len(text) <= WIDTH and "\n" not in text:
        return f"/** {text} */"
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, WIDTH) or [""]]
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])
