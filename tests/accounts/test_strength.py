"""Password strength: common passwords are refused, and others are not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.accounts.validation import RUNS, check_password, is_common, without_runs

COMMON = """
password12 Password123! p@ssw0rd2024 passw0rd123 1234567890 0987654321 qwertyuiop qwerty12345 1q2w3e4r5t 1qaz2wsx3edc
zaq12wsxcde3 asdfghjkl; aaaaaaaaaa abababababab abcabcabcabc abcdefghij zyxwvutsrq iloveyou12 ILoveYou2024 letmein123
welcome2023! adminadmin tandemtandem sunshine99 football2020 $unshine2020 basketball princess123 Sommer2024! passwort123
contraseña1 motdepasse1 пароль1234 йцукенгшщз qazwsxedcr 11112222333 qwe123qwe123 1111111111a samsung1234 trustno1!!
monkey123456 michael1990 december2024 q1w2e3r4t5 !@#$%^&*() asdf1234asdf
"""
FINE = (
    "brass-lantern-71-violet",
    "correct horse battery staple",
    "Tr0ub4dor&3x",
    "vK8#pQ2!zL",
    "ich esse gern Brot mit Senf",
    "пять кошек на крыше",
    "月が綺麗ですね、本当に。",
    "the password is swordfish",
    "🥨🎈🦊🌋🪁🧵🛶🪐🎻🦉",
)


@pytest.mark.parametrize("password", COMMON.split())
def test_common_passwords_are_refused(password: str) -> None:
    """Words, runs of keys and repetitions are refused, also with a few characters more, in capitals, or with digits for
    letters."""
    assert is_common(password)


@pytest.mark.parametrize("password", FINE)
def test_good_passwords_are_taken(password: str) -> None:
    """Phrases, random characters and any script are accepted."""
    assert check_password(password, "ana", "Ana") == password


@pytest.mark.parametrize("password", ["gloriana1990", "GLORIANA!!!!", "gloriana12345", "glorianagloriana"])
def test_the_users_name_is_no_password(password: str) -> None:
    """The user's name is refused, also with a few characters more."""
    with pytest.raises(ValueError, match="too easy to guess"):
        check_password(password, "gloriana")


@pytest.mark.parametrize("password", ["e\u0301" * 5, "\ufdfa", "x" * 257, "ninechars"])
def test_length_is_counted_in_visible_characters(password: str) -> None:
    """An accent is not a character of its own, and a ligature is one."""
    with pytest.raises(ValueError, match="10 to 256 characters"):
        check_password(password)


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_password_is_accepted_or_refused(password: str, name: str) -> None:
    """Any text is either accepted or refused, without another error."""
    with suppress(ValueError):
        assert check_password(password, name) == password


@given(st.binary(min_size=12, max_size=12).map(lambda bytes_: bytes_.hex()))
def test_random_passwords_are_taken(password: str) -> None:
    """Passwords of a password manager are accepted, with the rarest exceptions."""
    if len(set(password)) > 8:
        assert not is_common(password)


def simple_rest(text: str) -> str:
    """Return what is left of a text without its runs, found by trying every end of each."""

    def is_run(part: str) -> bool:
        return len(set(part)) == 1 or any(part in row for row in RUNS)

    rest, at = "", 0
    while at < len(text):
        end = at + 1
        while end < len(text) and is_run(text[at : end + 1]):
            end += 1
        rest += text[at:end] if end - at < 3 else ""
        at = end
    return rest


@given(st.lists(st.sampled_from(["a", "aa", "abc", "qwe", "321", "z", "!@#", "xyz", "zz", "йцу"])).map("".join))
def test_runs_are_the_same_as_if_every_end_was_tried(text: str) -> None:
    """Runs are found however they touch each other."""
    assert without_runs(text) == simple_rest(text)
