"""The web client's types are those that the server describes: a field on one side alone is found here."""

import re
from pathlib import Path

import pytest

from chat.operations.description import shapes as s

TYPES = Path(__file__).parent.parent.parent / "web" / "client" / "types.ts"
INTERFACE = r"export interface {name}(?: extends \w+)? \{{\n(.*?)\n\}}"
FIELD = re.compile(r"^  (\w+)(\??):", re.MULTILINE)
# By the client's name: the shape that it stands for, and the fields that one side alone has on purpose.
PAIRS: dict[str, tuple[type[s.Shape], set[str]]] = {
    "User": (s.Me, set()),
    "Reaction": (s.Reaction, set()),
    "SentFile": (s.File, set()),
    "Message": (s.Message, set()),
    "Pin": (s.Pin, set()),
    "FollowedThread": (s.FollowedThread, set()),
    "Receipt": (s.Receipt, set()),
    "Conversation": (s.Conversation, {"created_at"}),
    "Channel": (s.Channel, set()),
    "Member": (s.Member, {"presence"}),
    "Login": (s.Login, set()),
    "SignedIn": (s.SignedIn, set()),
    "Page": (s.Page, set()),
    "Snapshot": (s.Snapshot, set()),
}


def fields_of(name: str) -> dict[str, bool]:
    """The fields of a type of the client, and whether each may be missing."""
    found = re.search(INTERFACE.format(name=name), TYPES.read_text(), re.DOTALL)
    assert found, f"{name} is no type of the client any more"
    return {field: bool(optional) for field, optional in FIELD.findall(found[1])}


@pytest.mark.parametrize("name", PAIRS)
def test_the_client_knows_every_field_and_no_other(name: str) -> None:
    """And it never counts on one that the server may leave out."""
    shape, alone = PAIRS[name]
    fields = fields_of(name)
    assert set(fields) ^ set(shape.model_fields) == alone
    left_out = {field for field, about in shape.model_fields.items() if not about.is_required()}
    assert left_out - alone <= {field for field, optional in fields.items() if optional}
