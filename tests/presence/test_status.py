"""The status that results from devices and a choice."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shared.registry.status_choice import Choice, Mode, decode_choice
from tests.presence.shared_cases import cases
from tests.presence.status_model import Device, merge_devices, show

NOW = 1_000
MOMENTS = st.integers(NOW - 5, NOW + 5)
DEVICES = st.lists(st.builds(Device, st.integers(1, 4), st.booleans(), st.just(0) | MOMENTS), max_size=6)
CHOICES = st.builds(
    Choice, st.sampled_from(get_args(Mode)), st.text(max_size=5), st.text(max_size=2), st.just(0) | MOMENTS, MOMENTS
)


@pytest.mark.parametrize("case", cases("status"))
def test_shared_case(case: dict[str, Any]) -> None:
    """The server's outcome is the shared one."""
    devices = [Device(*device) for device in case["devices"]]
    choice = Choice(case["mode"], until=case.get("until", 0))
    shown = show(devices, choice, case["now"])
    assert (merge_devices(devices, choice, case["now"]), shown.status, shown.devices) == (
        case["status"],
        case["shown"],
        case["count"],
    )


@given(DEVICES, CHOICES, st.randoms())
def test_order_and_repetition_do_not_matter(devices: list[Device], choice: Choice, random: Any) -> None:
    """Which node reports first, and how often, makes no difference."""
    again = [*devices, *devices]
    random.shuffle(again)
    assert show(again, choice, NOW) == show(devices, choice, NOW)


@given(DEVICES, CHOICES)
def test_invisible_looks_like_offline(devices: list[Device], choice: Choice) -> None:
    """An invisible user's record cannot be told from that of an empty registry."""
    hidden = Choice("invisible", choice.text, choice.emoji)
    assert show(devices, hidden, NOW) == show([], Choice(), NOW)


@given(DEVICES, CHOICES)
def test_offline_means_that_no_device_counts(devices: list[Device], choice: Choice) -> None:
    """A user is offline exactly when every device has left and its linger is over."""
    assert (merge_devices(devices, choice, NOW) == "offline") == (not any(d.counts(NOW) for d in devices))


@given(CHOICES)
def test_choice_survives_the_registry(choice: Choice) -> None:
    """Decoding reverses encoding."""
    assert decode_choice(choice.encode()) == choice
