"""How far a reader of the code must go to follow a request."""

import pytest

from tests.cast import Cast
from tests.trace_post import CASES, trace_case


@pytest.mark.parametrize("name", CASES)
async def test_a_request_enters_few_files(cast: Cast, name: str) -> None:
    """A request enters no more files, and jumps no more often between them, than CASES allows."""
    found = await trace_case(cast, name)
    *_, files_most, jumps_most = CASES[name]
    assert 5 < len(found.files) <= files_most, found.files
    assert found.jumps <= jumps_most, found.steps
