"""What the posts of one batch point at: the messages they quote, and the roots of the threads they go into."""

from collections.abc import Iterable
from dataclasses import dataclass

from chat.log.append import Change
from chat.messages.draft import Draft
from chat.messages.message import Message
from chat.messages.threads.entries import followed
from chat.shared.problems import Invalid
from chat.shared.queries import load

queries = load(__file__)

Place = tuple[int, int]  # conversation, seq


@dataclass(frozen=True, slots=True)
class Referred:
    """A message that is pointed at. `awaits`: its author is to hear of its first reply."""

    author_id: int
    thread: int | None
    awaits: bool


class References:
    """Costs nothing where no post points at anything."""

    def __init__(self, drafts: Iterable[tuple[int, Draft]]) -> None:
        self._asked = {(id_, seq) for id_, draft in drafts for seq in (draft.reply_to, draft.thread) if seq}
        self._found: dict[Place, Referred] = {}
        self._replies: list[Message] = []
        self._begun: set[Place] = set()

    async def look_up(self, change: Change) -> None:
        """See what is there. The conversations must be locked."""
        if self._asked:
            places = [[place[0] for place in self._asked], [place[1] for place in self._asked]]
            rows = await (await change.connection.execute(queries.find_referred, places)).fetchall()
            self._found = {(row[0], row[1]): Referred(*row[2:]) for row in rows}

    def judge(self, conversation_id: int, draft: Draft) -> Invalid | None:
        """Why the draft cannot be posted there, if so."""
        if not self._asked:
            return None
        asked = {"reply_to": draft.reply_to, "thread": draft.thread}
        wrong = {name: seq for name, seq in asked.items() if seq and (conversation_id, seq) not in self._found}
        errors = [{"field": name, "detail": f"this conversation has no message {seq}"} for name, seq in wrong.items()]
        root = self._found.get((conversation_id, draft.thread or 0))
        if root and root.thread:
            errors.append({"field": "thread", "detail": f"is itself a reply: its thread is {root.thread}"})
        return Invalid(errors=errors) if errors else None

    def answer(self, change: Change, message: Message) -> None:
        """This message is about to be stored. Who began its thread follows it from the first reply on."""
        if message.thread is None:
            return
        self._replies.append(message)
        place = message.conversation, message.thread
        root = self._found[place]
        if root.awaits and place not in self._begun:
            self._begun.add(place)
            if root.author_id != message.author:
                begun = followed(message.conversation, root.author_id, message.thread, message.thread, message.seq - 1)
                change.place(begun)

    async def store(self, change: Change) -> None:
        """The roots count their replies; whoever replies follows, and has read it so far."""
        if not self._replies:
            return
        replies = [(one.conversation, one.thread, one.author, one.seq, one.created_at) for one in self._replies]
        await change.connection.execute(queries.count_replies, [*map(list, zip(*replies, strict=True))])
        read = {(one[0], one[1], one[2]): one[3] for one in replies}
        begun = {(*place, self._found[place].author_id): place[1] for place in self._begun}
        follows = [(*who, seq) for who, seq in (begun | read).items()]
        await change.connection.execute(queries.follow_threads, [*map(list, zip(*follows, strict=True))])
