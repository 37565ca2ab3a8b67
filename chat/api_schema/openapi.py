"""`/api/openapi.json`: OpenAPI 3.1, made of the routes that this node serves and of what their handlers say."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chat.api_schema import dashboard, models, moderation
from chat.api_schema.introspection import Reading, read_handler
from chat.api_schema.models import Problem, Ready
from chat.shared.errors import ApiError, Compressed, ForeignOrigin, RateLimited, Unauthenticated, Unavailable
from chat.shared.route import Operation

VERSION = "1"  # of the protocol: additions are free, a change of what stands makes another
REF = "#/components/schemas/{model}"
SAFE_METHODS = {"GET", "HEAD"}
ALWAYS_OPEN = ("/health/", "/metrics")
OPEN = {
    ("POST", "/api/accounts"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/second"),
    ("POST", "/api/passkeys/login"),
    ("POST", "/api/passkeys/login/options"),
    ("POST", "/api/resets"),
}
CARRIERS = {"POST", "PUT", "PATCH"}  # of bodies
NUMBERS = {"conversation", "user", "seq", "link", "report", "passkey"}
Json = dict[str, Any]

# Classes of requests that are published under an older name.
OLDER_NAMES = {"RoleChange": "Seat", "AnnouncementRequest": "Said", "DrainRequest": "Draining"}


def publish(name: str) -> str:
    """Return the name under which a class is published: `UserModel` as `User`."""
    return OLDER_NAMES.get(name) or name.removesuffix("Model")


def public_name(model: type[BaseModel]) -> str:
    """Return the name under which a model is published."""
    return publish(model.__name__)


# The models of answers by their names in the URL table.
MODELS = {
    public_name(model): model
    for module in (models, moderation, dashboard)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, models.Shape)
}


def describe_api(routes: Iterable[Operation]) -> Json:
    """The document. Pages and assets are no part of the API."""
    read = [(route, read_handler(route.handler)) for route in routes if is_described(route.path)]
    models: set[type[BaseModel]] = {
        Problem,
        Ready,
        *(MODELS[route.answer] for route, _ in read if route.answer in MODELS),
    }
    models |= {reading.body for _, reading in read if reading.body}
    paths: dict[str, Json] = {}
    for route, reading in read:
        paths.setdefault(plain(route.path), {})[route.method.lower()] = describe_call(route, reading)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": VERSION,
            "description": "Durable message streams and live presence. The stream and the socket: /api/asyncapi.json",
        },
        "paths": paths,
        "components": {
            "schemas": schemas_of(models),
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "tandem"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def ref(model: type[BaseModel]) -> Json:
    """Return a reference to the model's schema."""
    return {"$ref": REF.format(model=public_name(model))}


def is_described(path: str) -> bool:
    """Is it a call, not a page?"""
    return path.startswith(("/api/", *ALWAYS_OPEN))


def plain(path: str) -> str:
    """A path without the patterns of its parts."""
    return re.sub(r"\{(\w+):[^}]+\}", r"{\1}", path)


def schemas_of(models: Iterable[type[BaseModel]]) -> Json:
    """Return the schema of each model, and of those that they refer to, under its published name."""
    asked = [(model, "validation") for model in sorted(models, key=public_name)]
    _, schema = models_json_schema(asked, ref_template=REF)  # type: ignore[arg-type]
    return {publish(name): rename_references(one) for name, one in schema["$defs"].items()}


def rename_references(schema: Any) -> Any:
    """Return a schema whose references name models as they are published."""
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
    """One method of one path."""
    call: Json = {
        "operationId": route.id,
        "tags": [route.group()],
        "summary": reading.summary.split("\n")[0],
        "description": reading.summary,
        "parameters": parameters_of(route.path, reading),
        "responses": describe_answers(route, reading) | describe_refusals(refusals_of(route, reading)),
    }
    if reading.body:
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(reading.body)}}}
    if needs_identity(route):
        call["security"] = [{"cookie": []}, {"bearer": []}]
    return call


def needs_identity(route: Operation) -> bool:
    """Return whether the call is for users alone."""
    return not route.path.startswith(ALWAYS_OPEN) and (route.method, route.path) not in OPEN


def refusals_of(route: Operation, reading: Reading) -> set[type[ApiError]]:
    """Return the errors of the handler, and those that every call of its sort may meet."""
    general: set[type[ApiError]] = set() if route.path.startswith(ALWAYS_OPEN) else {RateLimited, Unavailable}
    if needs_identity(route):
        general.add(Unauthenticated)
    if route.method not in SAFE_METHODS:
        general.add(ForeignOrigin)
    if route.method in CARRIERS:
        general.add(Compressed)
    return reading.refusals | general


def parameters_of(path: str, reading: Reading) -> list[Json]:
    """Those of the path, then those of the query."""
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if name in NUMBERS else "string"}}
        for name in re.findall(r"\{(\w+)", path)
    ]
    return parts + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in sorted(reading.query)]


def describe_answers(route: Operation, reading: Reading) -> Json:
    """Return the responses to a request that succeeds."""
    summary = reading.summary.split("\n")[0]
    if route.answer == "websocket":  # described in asyncapi.json
        return {"101": {"description": summary}}
    done: Json = {"204": {"description": "Done."}} if reading.empty else {}
    if reading.empty and not reading.full:
        return done
    answer: Json = {"description": summary, "content": describe_content(route.answer)}
    return done | {"202" if reading.accepted else "200": answer} | ({"201": answer} if reading.created else {})


def describe_content(answer: str) -> Json:
    """Return the body of a response, by media type."""
    if "/" in answer:
        return {answer: {}}
    content: Json = {"application/json": {"schema": ref(MODELS[answer]) if answer else {"type": "object"}}}
    return content | ({"text/event-stream": {"schema": {"type": "string"}}} if answer == "Events" else {})


def describe_refusals(refusals: Iterable[type[ApiError]]) -> Json:
    """By status: every code with its words."""
    found: dict[str, list[str]] = {}
    for refusal in sorted(refusals, key=lambda one: one.code):
        words = " ".join((refusal.__doc__ or "").split())
        found.setdefault(str(refusal.status), []).append(f"`{refusal.code}`: {words}")
    return {
        status: {
            "description": "\n".join(lines) or HTTPStatus(int(status)).phrase,
            "content": {"application/problem+json": {"schema": ref(Problem)}},
        }
        for status, lines in found.items()
    }
