"""Account names of imported authors."""

from hypothesis import given
from hypothesis import strategies as st

from chat.accounts.validation import NAME
from chat.transfer.text import account_name


@given(st.text(min_size=1, max_size=64))
def test_every_author_has_a_name_that_an_account_can_have(author: str) -> None:
    """Every author gets a valid name, always the same one."""
    assert NAME.fullmatch(account_name(author))
    assert account_name(author) == account_name(author)


def test_names_are_kept_or_made_unique() -> None:
    """Accents and spaces are removed, and two authors who look alike without them stay two."""
    assert account_name("Ana") == "ana"
    assert account_name("José Ñ").startswith("jose-n-")
    assert account_name("田中").startswith("person-")
    assert len({account_name(author) for author in ("José Ñ", "Jose N", "jose n", "田中", "田仲")}) == 5
