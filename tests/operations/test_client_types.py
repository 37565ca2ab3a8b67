"""The web client's types are those of the server's description."""

from pathlib import Path

import pytest

from chat.api_schema.openapi import comment, declare, type_of
from tests.test_commands import tandem

SCHEMA = Path(__file__).parent.parent.parent / "web" / "client" / "schema.ts"


def test_the_client_has_the_current_types() -> None:
    """`tandem openapi --types > web/client/schema.ts` was run after the last change of a model."""
    assert tandem("openapi", "--types").stdout == SCHEMA.read_text()


@pytest.mark.parametrize(
    ("schema", "typescript"),
    [
        ({"type": "integer", "minimum": 1}, "number"),
        ({"$ref": "#/components/schemas/Message"}, "Message"),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "string | null"),
        ({"type": "array", "items": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}}, "(boolean | null)[]"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}]}, "[string, boolean]"),
        ({"enum": ["on", "off"], "type": "string"}, "'on' | 'off'"),
        ({"const": "hello", "type": "string"}, "'hello'"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({}, "unknown"),
    ],
)
def test_a_schema_as_a_type(schema: dict[str, object], typescript: str) -> None:
    """Each kind of our models has a type."""
    assert type_of(schema) == typescript


def test_optional_fields_are_marked() -> None:
    """Optional fields are marked, and descriptions of types and fields are comments above them."""
    about = {"description": "So many.", "type": "integer"}
    shape = {"description": "A pot.", "properties": {"id": {"type": "integer"}, "soups": about}, "required": ["id"]}
    lines = ["/** A pot. */", "export interface Pot {", "  id: number;", "  /** So many. */", "  soups?: number;", "}"]
    assert declare("Pot", shape).split("\n") == lines
    assert comment("one\ntwo") == "/**\n * one\n * two\n */"
