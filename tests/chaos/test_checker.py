"""The checker can fail: a good history passes, and each fault in one is found under its name."""

from copy import deepcopy
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chat.tools.chaos.checker import (
    ALTERED,
    FOLLOWED,
    GAP,
    INVENTED,
    LOST,
    MADE_TWICE,
    OVERHEARD,
    REORDERED,
    REPEATED,
    check,
)
from chat.tools.chaos.history import MemberStay, PostedMessage, PostReceipt, RunHistory, WrittenText

few = settings(max_examples=40)


def kinds(history: RunHistory) -> set[str]:
    """The kinds of all findings."""
    return {finding.kind for finding in check(history)}


@st.composite
def good_histories(draw: st.DrawFn) -> RunHistory:
    """Return conversations with lost answers and retried posts, and readers that join and leave."""
    history, log, seqs = RunHistory(), [], {1: 0, 2: 0, 3: 0}
    for position in range(1, draw(st.integers(1, 25)) + 1):
        conversation = draw(st.sampled_from(sorted(seqs)))
        seqs[conversation] += 1
        message = PostedMessage(
            conversation, seqs[conversation], draw(st.integers(1, 3)), f"m{position}", f"no {position}"
        )
        log.append(PostReceipt(position * 3, message))
        history.send(message.key, message.body)
        for attempt in range(draw(st.integers(0, 3))):
            history.acknowledge(message.key, message, made=attempt == 0 and draw(st.booleans()))
    for reader in ("ben", "chloe", "database"):
        for conversation, last in seqs.items():
            if stay := draw(stays(last)) if reader != "database" else MemberStay():
                history.stay(reader, conversation, stay.first, stay.last)
        for receipt in log:
            stays_there = history.stays[reader].get(receipt.message.conversation, [])
            if any(stay.covers(receipt.message.seq) for stay in stays_there):
                history.receive(reader, receipt)
    return history


def stays(last: int) -> st.SearchStrategy[MemberStay | None]:
    """Never a member; from some message on; perhaps until another."""
    first = st.integers(1, last + 1)
    until = st.one_of(st.none(), st.integers(0, last))
    return st.one_of(
        st.none(), st.builds(MemberStay, first, until).filter(lambda s: s.last is None or s.last >= s.first)
    )


histories = good_histories()
chances = st.integers(0, 10**6)


def pick(history: RunHistory, chance: int) -> tuple[str, int]:
    """Return a reader that received something, and the index of one of the receipts."""
    places = [(name, index) for name, got in sorted(history.received.items()) for index in range(len(got))]
    assume(places)
    return places[chance % len(places)]


@few
@given(histories)
def test_a_good_history_has_no_findings(history: RunHistory) -> None:
    """Lost answers, retries, late joiners and leavers break nothing."""
    assert check(history) == []


@few
@given(histories, chances)
def test_a_missing_message_is_found(history: RunHistory, chance: int) -> None:
    """A missing message is lost if it was acknowledged, and a gap, unless nothing later shows that it existed."""
    reader, index = pick(history, chance)
    receipt = history.received[reader].pop(index)
    message = receipt.message
    later = [r for r in history.received[reader] if r.message.conversation == message.conversation]
    told = history.acknowledged.get(message.key)
    assume(told or any(r.message.seq > message.seq for r in later))
    (stay,) = history.stays[reader][message.conversation]
    assume(stay.last is None or any(message.seq < r.message.seq <= stay.last for r in later))
    assert kinds(history) <= {LOST, GAP}
    assert (LOST in kinds(history)) == bool(told)
    assert kinds(history)


@few
@given(histories, chances)
def test_readers_removed_while_away_may_miss_the_end_of_their_membership(history: RunHistory, chance: int) -> None:
    """The end of an ended membership may be missing; anything missing before that is a finding."""
    for reader, places in history.stays.items():
        ended = {conversation: stay for conversation, (stay,) in places.items() if stay.last is not None}
        kept: list[PostReceipt] = []
        for receipt in history.received[reader]:
            stay = ended.get(receipt.message.conversation)
            if stay is None or receipt.message.seq < stay.first + chance % 25:
                kept.append(receipt)
        history.received[reader] = kept
    assert check(history) == []


@few
@given(histories, chances, chances)
def test_a_repeated_message_is_found(history: RunHistory, chance: int, where: int) -> None:
    """A repeat is found at once and much later."""
    reader, index = pick(history, chance)
    got = history.received[reader]
    got.insert(index + 1 + where % (len(got) - index), got[index])
    assert REPEATED in kinds(history)


@few
@given(histories, chances)
def test_swapped_messages_are_found(history: RunHistory, chance: int) -> None:
    """Two neighbors in the wrong order are found."""
    reader, index = pick(history, chance)
    got = history.received[reader]
    assume(index + 1 < len(got))
    got[index], got[index + 1] = got[index + 1], got[index]
    assert REORDERED in kinds(history)


@few
@given(histories, chances)
def test_numbers_out_of_order_are_found_at_ascending_positions(history: RunHistory, chance: int) -> None:
    """Two messages of one conversation have their numbers swapped."""
    reader, index = pick(history, chance)
    got = history.received[reader]
    nexts = [i for i in range(index + 1, len(got)) if got[i].message.conversation == got[index].message.conversation]
    assume(nexts)
    first, second = got[index], got[nexts[0]]
    got[index], got[nexts[0]] = PostReceipt(first.position, second.message), PostReceipt(second.position, first.message)
    assert REORDERED in kinds(history)


@few
@given(histories, chances)
def test_an_invented_message_is_found(history: RunHistory, chance: int) -> None:
    """A post that no client sent is found."""
    reader, index = pick(history, chance)
    receipt = history.received[reader][index]
    history.received[reader][index] = replace(receipt, message=replace(receipt.message, client_id="nobody's"))
    assert INVENTED in kinds(history)


@few
@given(histories, chances)
def test_a_changed_text_is_found(history: RunHistory, chance: int) -> None:
    """A message with one more letter is found."""
    reader, index = pick(history, chance)
    receipt = history.received[reader][index]
    body = receipt.message.body + "!"
    history.received[reader][index] = replace(receipt, message=replace(receipt.message, body=body))
    assert ALTERED in kinds(history)


@few
@given(histories, chances)
def test_a_message_read_after_removal_is_found(history: RunHistory, chance: int) -> None:
    """A message read after the removal, or before the joining, is found."""
    reader, index = pick(history, chance)
    message = history.received[reader][index].message
    history.stays[reader][message.conversation] = [MemberStay(message.seq + 1)]
    assert OVERHEARD in kinds(history)


@few
@given(histories, chances)
def test_the_server_contradicting_itself_is_found(history: RunHistory, chance: int) -> None:
    """A retry that is answered with another number, and a second 201."""
    keys = sorted(history.acknowledged)
    assume(keys)
    key = keys[chance % len(keys)]
    first = history.acknowledged[key][0]
    other = deepcopy(history)
    other.acknowledge(key, replace(first, seq=first.seq + 1), made=False)
    assert ALTERED in kinds(other)
    history.acknowledge(key, first, made=True)
    history.acknowledge(key, first, made=True)
    assert MADE_TWICE in kinds(history)


def test_a_reader_without_messages_is_found() -> None:
    """A member without a single message is found."""
    history, message = RunHistory(), PostedMessage(1, 1, 7, "a", "hello")
    history.stay("ben", 1)
    history.send(message.key, message.body)
    history.acknowledge(message.key, message, made=True)
    assert [(finding.kind, finding.reader) for finding in check(history)] == [(LOST, "ben")]


# Hooks: `hears(3, 1)` has delivered the messages 3 and 1 of three acknowledged ones.


def hears(*seqs: int) -> RunHistory:
    """Return a history of three messages, of which the last is streamed, and of what a hook has delivered."""
    history = RunHistory()
    history.add_hook("hook", 1)
    receipts = [PostReceipt(10 * seq, PostedMessage(1, seq, 7, f"m{seq}", "")) for seq in (1, 2, 3)]
    for receipt in receipts:
        history.send(receipt.message.key, "")
        history.acknowledge(receipt.message.key, receipt.message, made=True)
    history.written[1, 3] = WrittenText("hello", 5, "complete")
    for seq in seqs:
        history.deliver("hook", receipts[seq - 1])
    return history


def test_a_hook_may_repeat_deliveries() -> None:
    """A hook must deliver every message in order, and is not asked for text that is streamed later."""
    for good in ((1, 2, 3), (1, 1, 2, 3, 3), (1, 2, 1, 2, 3)):
        assert check(hears(*good)) == []


def test_a_hook_that_skips_swaps_or_ends_early_is_found() -> None:
    """Each under its name; and a request that followed a redirect."""
    assert kinds(hears(1, 3)) == {LOST, GAP}
    assert kinds(hears(1, 3, 2)) == {REORDERED}
    assert kinds(hears(1, 2)) == kinds(hears()) == {LOST}
    history = hears(1, 2, 3)
    history.deliver("hook", replace(history.received["hook"][2], position=40))
    assert kinds(history) == {REPEATED}
    history = hears(1, 2, 3)
    history.followed.append("GET / HTTP/1.1")
    assert kinds(history) == {FOLLOWED}
