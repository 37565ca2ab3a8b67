"""`/api/openapi.json`: OpenAPI 3.1, made of the routes that this node serves and of what their handlers say."""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chat.operations.description.answers import ANSWERS
from chat.operations.description.handler import Reading, read_handler
from chat.operations.description.shapes import Problem, Ready
from chat.shared.problems import Refusal, Unauthenticated

VERSION = "1"  # of the protocol: additions are free, a change of what stands makes another
REF = "#/components/schemas/{model}"
ALWAYS_OPEN = ("/health/", "/metrics")
OPEN = {
    ("POST", "/api/accounts"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/second"),
    ("POST", "/api/passkeys/login"),
    ("POST", "/api/passkeys/login/options"),
}
NUMBERS = {"conversation", "user", "seq", "link", "report", "passkey"}
Json = dict[str, Any]


class Route(Protocol):
    """A line of the URL table."""

    @property
    def method(self) -> str:
        """`GET`."""

    @property
    def path(self) -> str:
        """With its parts in braces."""

    @property
    def handler(self) -> Callable[..., Any]:
        """What answers."""


def describe_api(routes: Iterable[Route]) -> Json:
    """The document. Pages and assets are no part of the API."""
    read = [(route, read_handler(route.handler)) for route in routes if is_described(route.path)]
    models: set[type[BaseModel]] = {Problem, Ready, *ANSWERS.values()}
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


def is_described(path: str) -> bool:
    """Is it a call, not a page?"""
    return path.startswith(("/api/", *ALWAYS_OPEN))


def plain(path: str) -> str:
    """A path without the patterns of its parts."""
    return re.sub(r"\{(\w+):[^}]+\}", r"{\1}", path)


def schemas_of(models: Iterable[type[BaseModel]]) -> Json:
    """All of them, each under its name."""
    asked = [(model, "validation") for model in sorted(models, key=lambda one: one.__name__)]
    _, schema = models_json_schema(asked, ref_template=REF)  # type: ignore[arg-type]
    return dict(schema["$defs"])


def describe_call(route: Route, reading: Reading) -> Json:
    """One method of one path."""
    name = route.handler.__name__
    call: Json = {
        "operationId": operation_id(route),
        "tags": [route.handler.__module__.split(".")[1 if route.handler.__module__.startswith("chat.") else 0]],
        "summary": reading.summary.split("\n")[0],
        "description": reading.summary,
        "parameters": parameters_of(route.path, reading),
        "responses": describe_answers(name, reading) | describe_refusals(reading.refusals),
    }
    if reading.body:
        schema = {"$ref": REF.format(model=reading.body.__name__)}
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if not route.path.startswith(ALWAYS_OPEN) and (route.method, route.path) not in OPEN:
        call["security"] = [{"cookie": []}, {"bearer": []}]
        call["responses"] |= describe_refusals({Unauthenticated})
    return call


def operation_id(route: Route) -> str:
    """Two modules may have a handler of one name."""
    return f"{route.handler.__module__.split('.')[-2]}.{route.handler.__name__}"


def parameters_of(path: str, reading: Reading) -> list[Json]:
    """Those of the path, then those of the query."""
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if name in NUMBERS else "string"}}
        for name in re.findall(r"\{(\w+)", path)
    ]
    return parts + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in sorted(reading.query)]


def describe_answers(name: str, reading: Reading) -> Json:
    """What comes when nothing is refused."""
    if reading.empty:
        return {"204": {"description": "Done."}}
    model = ANSWERS.get(name)
    schema: Json = {"$ref": REF.format(model=model.__name__)} if model else {"type": "object"}
    answer: Json = {"description": reading.summary.split("\n")[0], "content": {"application/json": {"schema": schema}}}
    if name == "get_stream":
        answer["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    return {"202" if reading.accepted else "200": answer} | ({"201": answer} if reading.created else {})


def describe_refusals(refusals: Iterable[type[Refusal]]) -> Json:
    """By status: every code with its words."""
    found: dict[str, list[str]] = {}
    for refusal in sorted(refusals, key=lambda one: one.code):
        words = " ".join((refusal.__doc__ or "").split())
        found.setdefault(str(refusal.status), []).append(f"`{refusal.code}`: {words}")
    schema = {"$ref": REF.format(model="Problem")}
    return {
        status: {
            "description": "\n".join(lines) or HTTPStatus(int(status)).phrase,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status, lines in found.items()
    }
