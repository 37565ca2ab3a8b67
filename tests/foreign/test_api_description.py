"""The OpenAPI document, checked by Redocly's linter and openapi-typescript."""

from pathlib import Path

import pytest

from chat.app import describe
from tests.foreign.programs import FOLDER, install_packages, run_node

STRICT = ("--strict", "--noEmit", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Write the document to a file of its own folder."""
    install_packages()
    path = tmp_path / "openapi.json"
    path.write_bytes(describe("all", "openapi"))
    return path


async def test_redocly_finds_nothing(document: Path) -> None:
    """No error and no warning of its recommended rules."""
    skipped = (
        "--skip-rule=no-ambiguous-paths",  # `{user}` is a number or `me`, so `/api/users/ext/…` is no user's address
        "--skip-rule=operation-2xx-response",  # browsers are only sent to the sign-on provider and back
    )
    said = await run_node("redocly", "lint", "--max-problems=20", "--format=stylish", *skipped, str(document))
    assert "Your API description is valid" in said
    assert "warning" not in said.lower().replace("deprecation warning", "")


async def test_the_smallest_request_has_a_type(document: Path) -> None:
    """openapi-typescript, with its own defaults, asks for no field that a request may leave out."""
    await run_node("openapi-typescript", str(document), "--output", str(document.parent / "schema.d.ts"))
    sources = document.parent / "smallest.ts"
    sources.write_text((FOLDER / "smallest.ts").read_text())
    await run_node("tsc", *STRICT, str(sources), folder=document.parent)
