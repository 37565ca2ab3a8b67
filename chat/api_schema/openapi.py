"""`/api/openapi.json`: OpenAPI 3.1, generated from this node's routes and the source of their handlers.

`tandem openapi --types` prints TypeScript types of it and of AsyncAPI, for clients: `web/client/schema.ts`.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chat.api_schema import accounts, dashboard, models, moderation, stream_events, team, triage
from chat.api_schema.introspection import Reading, read_handler
from chat.api_schema.models import Problem
from chat.shared.errors import (
    ApiError,
    Compressed,
    ExpectationFailed,
    ForeignOrigin,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from chat.shared.route import Operation, UnknownParameter

VERSION = "1"  # of the protocol: additions keep it, an incompatible change needs another
REF = "#/components/schemas/{model}"
BEARER = (
    "The token of a session, an API key, or a JSON Web Token of another application. A key with the scope act-as acts "
    "for a user whom the header `Tandem-User` names, by id or as `ext:` and an external id."
)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
OPEN_PATHS = ("/health/", "/metrics")
OPEN_CALLS = {
    ("POST", "/api/accounts"),
    ("POST", "/api/setup"),
    ("POST", "/api/invites/preview"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/second"),
    ("POST", "/api/passkeys/login"),
    ("POST", "/api/passkeys/login/options"),
    ("POST", "/api/resets"),
    ("GET", "/api/sign-on"),
    ("GET", "/api/oidc/login"),
    ("GET", "/api/oidc/callback"),
    ("GET", "/api/oidc/logout"),
    ("POST", "/api/oidc/backchannel-logout"),
}
METHODS_WITH_BODY = {"POST", "PUT", "PATCH"}
NUMERIC = {"conversation", "user", "seq", "link", "report", "passkey", "import", "invite"}
Json = dict[str, Any]

# Models that are published under an older name.
OLDER_NAMES = {
    "AnnouncementRequest": "Said",
    "DrainRequest": "Draining",
    "RoleChange": "Seat",
    "SessionList": "Logins",
    "SessionModel": "Login",
}


def publish(name: str) -> str:
    """Return the name under which a class is published: `UserModel` as `User`."""
    return OLDER_NAMES.get(name) or name.removesuffix("Model")


def public_name(model: type[BaseModel]) -> str:
    """Return the name under which a model is published."""
    return publish(model.__name__)


# Response models by their names in the URL table.
MODELS = {
    public_name(model): model
    for module in (models, accounts, team, moderation, dashboard, stream_events, triage)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, models.Shape)
}


def describe_api(routes: Iterable[Operation]) -> Json:
    """Return the document. Pages and assets are not described."""
    read = [(route, read_handler(route.handler)) for route in routes if is_described(route.path)]
    models: set[type[BaseModel]] = {Problem, *(MODELS[route.answer] for route, _ in read if route.answer in MODELS)}
    models |= {reading.body for _, reading in read if reading.body}
    paths: dict[str, Json] = {}
    for route, reading in read:
        paths.setdefault(plain(route.path), {})[route.method.lower()] = describe_call(route, reading)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": VERSION,
            "description": "Durable message streams and live presence. Streams and sockets: /api/asyncapi.json",
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "paths": paths,
        "components": {
            "schemas": schemas_of(models),
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "tandem"},
                "bearer": {"type": "http", "scheme": "bearer", "description": BEARER},
            },
        },
    }


def ref(model: type[BaseModel]) -> Json:
    """Return a reference to the model's schema."""
    return {"$ref": REF.format(model=public_name(model))}


def is_described(path: str) -> bool:
    """Return whether the path is part of the API, not a page."""
    return path.startswith(("/api/", *OPEN_PATHS))


def plain(path: str) -> str:
    """Return a path without the patterns of its parameters."""
    return re.sub(r"\{(\w+):[^}]+\}", r"{\1}", path)


def schemas_of(models: Iterable[type[BaseModel]]) -> Json:
    """Return the schemas of the models, and of the models they refer to, by published name."""
    asked = [(model, "validation") for model in sorted(models, key=public_name)]
    _, schema = models_json_schema(asked, ref_template=REF)  # type: ignore[arg-type]
    return {publish(name): describe_defaults(rename_references(one)) for name, one in schema["$defs"].items()}


def describe_defaults(schema: Json) -> Json:
    """Return a schema whose fields name their defaults in their descriptions.

    Generators such as openapi-typescript read `default` as "always present", which is untrue of a request.
    """
    for field in schema.get("properties", {}).values():
        default = field.pop("default", None)
        if default is not None:
            words = (field.get("description", ""), f"Default: `{orjson.dumps(default).decode()}`.")
            field["description"] = " ".join(filter(None, words))
    return schema


def rename_references(schema: Any) -> Any:
    """Return a schema whose references use published names."""
    if isinstance(schema, list):
        return [rename_references(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: rename_references(value) for key, value in schema.items()}
    if isinstance(reference := renamed.get("$ref"), str):
        renamed["$ref"] = REF.format(model=publish(reference.rpartition("/")[2]))
    if schema.get("type") == "object" and isinstance(schema.get("title"), str):
        renamed["title"] = publish(schema["title"])
    return renamed


def describe_call(route: Operation, reading: Reading) -> Json:
    """Return the description of one method of a path."""
    call: Json = {
        "operationId": route.id,
        "tags": [route.group()],
        "summary": reading.summary.split("\n")[0],
        "description": reading.summary,
        "parameters": parameters_of(route),
        "responses": describe_answers(route, reading) | describe_errors(errors_of(route, reading)),
    }
    if reading.body:
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(reading.body)}}}
    call["security"] = [{"cookie": []}, {"bearer": []}] if needs_identity(route) else []
    return call


def needs_identity(route: Operation) -> bool:
    """Return whether the call needs a session."""
    return not route.path.startswith(OPEN_PATHS) and (route.method, route.path) not in OPEN_CALLS


def errors_of(route: Operation, reading: Reading) -> set[type[ApiError]]:
    """Return the errors of the handler, and those that every call of its kind can return."""
    general: set[type[ApiError]] = {UnknownParameter}
    general |= {ExpectationFailed} if route.path.startswith(OPEN_PATHS) else {RateLimited, Unavailable}
    if needs_identity(route):
        general.add(Unauthenticated)
    if route.method not in SAFE_METHODS:
        general.add(ForeignOrigin)
    if route.method in METHODS_WITH_BODY:
        general.add(Compressed)
    return reading.errors | general


def parameters_of(route: Operation) -> list[Json]:
    """Return the parameters of the path, then those of the query."""
    parts = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if name in NUMERIC else "string"},
        }
        for name in re.findall(r"\{(\w+)", route.path)
    ]
    return parts + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in sorted(route.query - {"*"})]


def describe_answers(route: Operation, reading: Reading) -> Json:
    """Return the responses to a successful request."""
    summary = reading.summary.split("\n")[0]
    if route.answer == "websocket":  # described in asyncapi.json
        return {"101": {"description": summary}, "default": describe_problem("A request that opens no socket.")}
    if route.answer == "redirect":
        return {"303": {"description": summary}}
    done: Json = {"204": {"description": "Done."}} if reading.empty else {}
    if reading.empty and not reading.full:
        return done
    answer: Json = {"description": summary, "content": describe_content(route.answer)}
    return done | {"202" if reading.accepted else "200": answer} | ({"201": answer} if reading.created else {})


def describe_content(answer: str) -> Json:
    """Return the body of a response by media type."""
    if "/" in answer:
        return {answer: {}}
    content: Json = {"application/json": {"schema": ref(MODELS[answer]) if answer else {"type": "object"}}}
    return content | ({"text/event-stream": {"schema": {"type": "string"}}} if answer == "Events" else {})


def describe_errors(errors: Iterable[type[ApiError]]) -> Json:
    """Return the error responses by status, with every code and its description."""
    found: dict[str, list[str]] = {}
    for error in sorted(errors, key=lambda one: one.code):
        words = " ".join((error.__doc__ or "").split())
        found.setdefault(str(error.status), []).append(f"`{error.code}`: {words}")
    return {
        status: describe_problem("\n".join(lines) or HTTPStatus(int(status)).phrase) for status, lines in found.items()
    }


def describe_problem(description: str) -> Json:
    """Return the description of an error response."""
    return {"description": description, "content": {"application/problem+json": {"schema": ref(Problem)}}}


# TypeScript.

HEADING = "Types of the API, generated by `tandem openapi --types`. Do not edit."
WIDTH = 110
PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def declare_types(openapi: Json, asyncapi: Json) -> str:
    """Return a module with every schema by name, then the events of the stream and the frames of the socket."""
    schemas = openapi["components"]["schemas"] | asyncapi["components"]["schemas"]
    stream, socket = (asyncapi["channels"][name]["messages"] for name in ("stream", "socket"))
    parts = [comment(HEADING), *(declare(name, schemas[name]) for name in sorted(schemas))]
    parts.append(declare_messages("StreamEvents", "Payloads of stream events by event name.", stream, ""))
    parts.append(declare_messages("SocketFrames", "Frames that the presence socket sends, by type.", socket, "told_"))
    parts.append(declare_messages("Signals", "Signals that clients send on the presence socket.", socket, "say_"))
    return "\n\n".join(parts)


def declare(name: str, schema: Json) -> str:
    """Return an interface for a schema with fields, otherwise a type alias, with its description."""
    lines = [comment(schema["description"])] if "description" in schema else []
    if "properties" not in schema:
        return "\n".join([*lines, f"export type {name} = {type_of(schema)};"])
    return "\n".join([*lines, f"export interface {name} {{", *fields_of(schema), "}"])


def fields_of(schema: Json) -> Iterator[str]:
    """Yield a line for each field, after its description."""
    for name, field in schema["properties"].items():
        if "description" in field:
            yield textwrap.indent(comment(field["description"]), "  ")
        yield f"  {name}{'' if name in schema.get('required', ()) else '?'}: {type_of(field)};"


def declare_messages(name: str, text: str, messages: Json, prefix: str) -> str:
    """Return an interface of payloads: the messages of a channel whose names start with the prefix."""
    chosen = {one.removeprefix(prefix): message for one, message in messages.items() if one.startswith(prefix)}
    lines = [f"  {one}: {type_of(message['payload'])};" for one, message in chosen.items()]
    return "\n".join([comment(text), f"export interface {name} {{", *lines, "}"])


def type_of(schema: Json) -> str:
    """Return the TypeScript type of a schema. Limits and patterns are checked by the server only."""
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
    """Return a union type without duplicates."""
    return " | ".join(dict.fromkeys(types))


def comment(text: str) -> str:
    """Return a comment, on one line if it fits."""
    if len(text) <= WIDTH and "\n" not in text:
        return f"/** {text} */"
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, WIDTH) or [""]]
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])
