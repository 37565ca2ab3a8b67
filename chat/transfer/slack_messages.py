"""The messages of a Slack export and their authors, as records. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from chat.transfer.foreign import MISSING_FILE, dicts_in
from chat.transfer.records import (
    AttachmentRecord,
    Item,
    MessageRecord,
    ReactionRecord,
    Ref,
    SkippedItem,
    UserRecord,
)
from chat.transfer.slack_blocks import MISSING, BlockWriter, address_of, file_text, text_in, without_previews
from chat.transfer.slack_markup import MarkdownWriter, SlackText, stacked
from chat.transfer.text import (
    UniqueNames,
    clean,
    continued,
    email,
    leftovers,
    link,
    moment,
    one_line,
    shown_name,
    split_body,
    time_zone,
    words_in,
)

Fields = Mapping[str, Any]
UPLOAD = re.compile(r"(?:^|/)(?:__uploads/([^/]+)/[^/]+|attachments/(F[A-Z0-9]+)-[^/]+)$")
AVATAR = re.compile(r"(?:^|/)__avatars/([^/]+)/[^/]+$")
PICTURES = ("image_original", "image_1024", "image_512", "image_192")


class SlackFiles:
    """The files whose bytes are in the archive: exports of slackdump and others have them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.uploads: dict[str, str] = {}
        self.avatars: dict[str, str] = {}
        for name in names:
            if found := UPLOAD.search(name):
                self.uploads[found[1] or found[2]] = name
            elif found := AVATAR.search(name):
                self.avatars[found[1]] = name


class SlackUsers:
    """Users from `users.json`, and others that messages name: bots, and guests of other workspaces.

    Each has an id. A guest who has the id of a listed user of another workspace gets the workspace's id before it.
    """

    def __init__(self, listed: Iterable[Any], files: SlackFiles) -> None:
        self.files = files
        self._names = UniqueNames()
        self._listed: dict[str, Fields] = {}
        self._met: dict[str, Fields] = {}
        self._bots: dict[str, str] = {}
        self._new: list[UserRecord] = []
        for one in listed:
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                self._listed.setdefault(one["id"], one)
        for id_, one in self._listed.items():
            if bot := text_in(one.get("profile"), "bot_id"):
                self._bots[bot] = id_
            self._add(id_, text_in(one, "name") or id_, one)

    def take_new(self) -> Iterator[UserRecord]:
        """Yield the users found since the last call."""
        new, self._new = self._new, []
        yield from new

    def meet(self, message: Fields) -> None:
        """Note the profile of an author who is not listed, before anyone mentions them."""
        user, profile = message.get("user"), message.get("user_profile")
        if isinstance(user, str) and isinstance(profile, dict) and user not in self._listed:
            self._met.setdefault(user, {"profile": profile, "name": profile.get("name")})

    def name_of(self, user_id: str) -> str:
        """Return the account name. A user without any profile is named by the id."""
        if user_id not in self._names.by_id:
            one = self._met.get(user_id, {})
            shown = {"USLACKBOT": "slackbot"}.get(user_id, user_id)
            self._add(user_id, text_in(one, "name") or shown, one)
        return self._names.by_id[user_id]

    def author_of(self, message: Fields) -> str:
        """Return the account name of a message's author: a user, perhaps of another workspace, or a bot."""
        comment, user = message.get("comment"), message.get("user")
        if message.get("subtype") == "file_comment":
            user = text_in(comment, "user") or user
        if isinstance(user, str) and user:
            return self._guest(user, message) or self.name_of(user)
        bot, profile = text_in(message, "bot_id"), message.get("bot_profile")
        shown = text_in(message, "username")
        listed = self._bots.get(bot)
        if listed and shown in ("", *self._names_of(self._listed[listed])):
            return self.name_of(listed)
        shown = shown or text_in(profile, "name") or "bot"
        key = f"{bot or 'bot'} {shown}"
        if key not in self._names.by_id:
            self._add(key, shown, {"real_name": shown})
        return self._names.by_id[key]

    def _names_of(self, one: Fields) -> list[str]:
        profile = one.get("profile")
        return [
            text_in(one, "name"),
            text_in(one, "real_name"),
            *(text_in(profile, n) for n in ("real_name", "display_name")),
        ]

    def _guest(self, user_id: str, message: Fields) -> str | None:
        """Return the name of a guest whose id is also that of a listed user of another workspace."""
        team, profile, listed = text_in(message, "user_team"), message.get("user_profile"), self._listed.get(user_id)
        if not (team and listed and isinstance(profile, dict) and listed.get("team_id") not in (None, team)):
            return None
        if text_in(profile, "name") in ("", *self._names_of(listed)):
            return None
        key = f"{team}:{user_id}"
        if key not in self._names.by_id:
            self._add(key, text_in(profile, "name"), {"profile": profile})
        return self._names.by_id[key]

    def _add(self, id_: str, name: str, one: Fields) -> None:
        profile = one.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        account = self._names.add(id_, name)
        real = shown_name(profile.get("real_name"), one.get("real_name"), name)
        shown = shown_name(profile.get("display_name"), real)
        about = " · ".join(filter(None, (real if real not in (shown, name) else "", text_in(profile, "title"))))
        runs = one.get("is_admin") or one.get("is_owner")
        self._new.append(
            UserRecord(
                id=id_[:200] or "?",
                name=account,
                display_name=shown,
                email=email(profile.get("email") or one.get("email")),
                avatar=self._avatar(id_, profile),
                role="admin" if runs else "member",
                about=one_line(about, 500),
                time_zone=time_zone(one.get("tz")),
                disabled_at=(moment_of(one.get("updated")) or moment(0)) if one.get("deleted") else None,
            )
        )

    def _avatar(self, id_: str, profile: Fields) -> AttachmentRecord | None:
        path, url = self.files.avatars.get(id_), text_in(profile, *PICTURES)
        if path is None and not (url.startswith("https://") and len(url) <= 4_000):
            return None
        return AttachmentRecord(name="avatar", path=path, url=url if url.startswith("https://") else None)


def seconds_of(value: object) -> float:
    """Return a time in seconds, or 0."""
    try:
        return float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0


def moment_of(value: object, scale: float = 1.0) -> datetime | None:
    """Return the time of a value in seconds, multiplied by `scale`, or None if it is not a time."""
    try:
        return moment(seconds * scale) if (seconds := seconds_of(value)) else None
    except ValueError:
        return None


# Messages.

EVENTS = {"message_deleted", "message_changed", "message_replied", "hidden"}
SAID_BY_SLACK = (
    "channel_",
    "group_",
    "bot_add",
    "bot_remove",
    "bot_enable",
    "bot_disable",
    "pinned_item",
    "me_message",
)
FALLBACK = "texts that Slack shows only where blocks cannot be shown"

# Fields of a message without words for readers: ids, types, times, counts, icons, and copies of other fields.
MACHINERY = frozenset(
    """ts type subtype user team user_team source_team user_profile client_msg_id thread_ts parent_user_id reply_users
    replies latest_reply last_read inviter root bot_id bot_profile app_id x_files metadata reactions edited upload
    username icons block_id action_id style color range user_id channel_id usergroup_id team_id item_type event_payload
    author_id author_icon footer_icon service_icon channel_team mrkdwn_in callback_id ts msg_subtype bot_team_id
    mimetype filetype pretty_type mode external_type external_id file_access access permalink_public edit_link
    url_private_download preview_highlight thumb_video hls hls_embed mp_vtt updated created teams_shared_with skin_tone
    unicode format verbatim service_url original_url from_url app_unfurl_url video_html audio_html thumb_url media_id
    url_static_preview quip_thread_id shares channels groups ims document_comment document_unfurl members
    column_settings image_url_fallback event_ts purpose_set call_id old_name participants participant_history
    media_server thumb_tiny deanimate_gif pjpeg image_exif_rotation org_or_workspace_access hash icon_url bot_link
    attachments.id attachments.channel_name comment.user comment.id file.id file.user files.id files.user files.name
    file.name files.thumb_* file.thumb_* files.thumb_*_gif room.name room.id room.created_by room.media_backend_type
    room.call_family room.background_id room.locale files.permalink file.permalink files.url_private file.url_private
    attachments.files.permalink attachments.files.url_private attachments.files.name attachments.files.thumb_*
    attachments.author_subname attachments.actions.id attachments.actions.name attachments.actions.value
    attachments.message_blocks.channel attachments.author_link attachments.files.id attachments.files.media_display_type
    files.media_display_type files.thumb_pdf files.deanimate files.transcription.status files.mp* files.mp*_low
    upload_reply_to file.initial_comment.id file.state file.editor file.last_editor files.editor files.last_editor
    files.state files.preview file.preview item welcome_party_user_id canvas_update_section_ids tab_id tab_added_user_id
    channel permalink files.linked_channel_id files.canvas_creator_id files.vtt files.converted_pdf
    room.canvas_background room.external_unique_id blocks.elements.options.value
    blocks.accessory.options.value""".split()  # noqa: SIM905
)
NAMES_OF_EMOJI = frozenset(
    f"{top}{'.elements' * depth}.name"
    for top in ("blocks", "blocks.rows", "attachments.blocks", "attachments.message_blocks.message.blocks")
    for depth in range(1, 4)
)

KNOWN = MACHINERY | NAMES_OF_EMOJI
SCHEME = re.compile(r"\A(?:mailto:|https?://)")


class Messages:
    """The messages of one conversation: a reply refers to the first message of its thread.

    `wanted`: the times of the messages to which others refer.
    """

    def __init__(self, key: str, users: SlackUsers, writer: MarkdownWriter, wanted: Collection[str]) -> None:
        self._key, self._users, self._writer, self._wanted = key, users, writer, wanted
        self.refs: dict[str, Ref] = {}  # of roots and of what is pinned, by `ts`

    def read(self, raw: Fields) -> list[Item]:
        """Return records: a long message becomes several. Raise `ValueError` if it is not a message."""
        if raw.get("subtype") in EVENTS:
            return [SkippedItem(f"events of the kind {raw['subtype']}")]
        ts = str(raw["ts"])
        ref = Ref(author=self._users.author_of(raw), client_id=f"slack-{ts}")
        if ts in self._wanted or raw.get("thread_ts") == ts:
            self.refs[ts] = ref
        if raw.get("subtype") == "tombstone":
            return [self._deleted(raw, ref)]
        skipped: list[SkippedItem] = []
        left = {name: value for name, value in raw.items() if name not in MACHINERY}
        files: list[AttachmentRecord] = []
        text = self._text(raw, left, files, skipped)
        pieces = split_body(clean(text.body)) or ([""] if files else [])
        if not pieces:
            return [*skipped, *self._left(left, []), SkippedItem("messages without any content")]
        message = MessageRecord(
            conversation=self._key,
            body=pieces[0],
            created_at=moment(float(ts)),
            thread=self._thread(raw, ts, skipped),
            edited_at=moment_of(text_in(raw.get("edited"), "ts")),
            mentions=list(dict.fromkeys(text.mentions)),
            mentions_all="channel" if text.everyone == "channel" else "here" if text.everyone else None,
            reactions=self._reactions(raw, skipped),
            files=files,
            **ref.model_dump(),
        )
        made = [message, *continued(message, pieces[1:])]
        return [*skipped, *self._left(left, made), *made, *self._in_channel(raw, message)]

    def _deleted(self, raw: Fields, ref: Ref) -> MessageRecord:
        sent_at, thread = moment(float(raw["ts"])), self._thread(raw, str(raw["ts"]), [])
        return MessageRecord(
            conversation=self._key, created_at=sent_at, deleted_at=sent_at, thread=thread, **ref.model_dump()
        )

    def _in_channel(self, raw: Fields, message: MessageRecord) -> Iterator[MessageRecord]:
        """Yield a copy of a reply that was also sent to the channel."""
        if raw.get("subtype") == "thread_broadcast" and message.thread:
            body = stacked([message.body, *(link(file.name, file.url) for file in message.files)])
            fields = {"client_id": f"{message.client_id}-channel", "thread": None, "reply_to": message.thread}
            fields |= {"body": split_body(body)[0]}
            yield message.model_copy(
                update=fields | {"reactions": [], "mentions": [], "mentions_all": None, "files": []}
            )

    def _left(self, left: Fields, made: list[MessageRecord]) -> Iterator[SkippedItem]:
        """Yield a skipped item for each field with words that are in no record."""
        if left:
            yield from leftovers(left, made, KNOWN, "", self._visible)

    def _visible(self, text: str) -> str:
        """Return what a reader sees of a text. The scheme of an address is not shown if the address itself is."""
        return SCHEME.sub("", self._writer.convert(text, SlackText()))

    def _thread(self, raw: Fields, ts: str, skipped: list[SkippedItem]) -> Ref | None:
        root = str(raw.get("thread_ts") or ts)
        if root == ts:
            return None
        if root not in self.refs:
            skipped.append(SkippedItem("replies to messages outside of the export, imported as messages"))
        return self.refs.get(root)

    def _reactions(self, raw: Fields, skipped: list[SkippedItem]) -> list[ReactionRecord]:
        found: dict[str, dict[str, None]] = {}
        for one in dicts_in(raw.get("reactions")):
            emoji = self._writer.custom.find(text_in(one, "name"))
            listed = one.get("users")
            users = [self._users.name_of(str(user)) for user in (listed if isinstance(listed, list) else ())]
            if emoji is None:
                skipped.append(SkippedItem(f"reactions with :{one.get('name')}:, which is not a Unicode emoji"))
            elif users:
                found.setdefault(emoji, {}).update(dict.fromkeys(users))
        return [ReactionRecord(emoji=emoji, users=list(users)) for emoji, users in found.items()]

    def _text(
        self, raw: Fields, left: dict[str, Any], files: list[AttachmentRecord], skipped: list[SkippedItem]
    ) -> SlackText:
        """Return the text, followed by attachments and what is said of files. Add the files to `files`.

        What is surely in the text is taken out of `left`.
        """
        made = SlackText()
        writer = BlockWriter(self._writer, made)
        body = self._body(raw, writer, made, skipped)
        if isinstance(raw.get("text"), str):
            del left["text"]
        if raw.get("blocks") and writer.complete:
            del left["blocks"]
        if str(raw.get("subtype") or "").startswith(SAID_BY_SLACK) and body and "\n" not in body:
            body = f"_{body}_"
        parts = [body, self._comment(raw, body)]
        if raw.get("attachments"):
            attachments = [*dicts_in(raw["attachments"])]
            linked = text_in(raw, "text") + str(raw.get("blocks") or "")
            left["attachments"] = without_previews(attachments, linked)
            parts += map(writer.attachment, left["attachments"])
            skipped += [SkippedItem("previews of links")] * (len(attachments) - len(left["attachments"]))
        for one in files_of(raw):
            record = self._file(one)
            files += [record] if record else []
            skipped += [SkippedItem(MISSING_FILE)] if one.get("mode") in MISSING else []
            parts.append(file_text(one, linked=not record, shown=not (record and record.path)))
        skipped += [SkippedItem(f"mentions of the user group @{name}, which notify no one") for name in made.groups]
        made.body = stacked([*parts, self._huddle(raw)])
        return made

    def _body(self, raw: Fields, writer: BlockWriter, made: SlackText, skipped: list[SkippedItem]) -> str:
        """Return the blocks, which Slack shows instead of the text, or the text if there are none."""
        blocks, text = writer.blocks(raw.get("blocks")), text_in(raw, "text")
        if blocks and (words_in(text) <= words_in(blocks)):
            return blocks
        written = SlackText()
        shown = self._writer.convert(text, written)
        if blocks:
            if words_in(shown) <= words_in(blocks):
                return blocks
            if raw.get("bot_id") or raw.get("subtype") == "bot_message":
                skipped.append(SkippedItem(FALLBACK))
                return blocks
        made.mentions += written.mentions
        made.everyone = made.everyone or written.everyone
        made.groups += written.groups
        made.channels |= written.channels
        return stacked([shown, blocks])

    def _comment(self, raw: Fields, body: str) -> str:
        """Return the comment of a file, unless the text has it."""
        if not raw.get("comment"):
            return ""
        comment = self._writer.convert(text_in(raw.get("comment"), "comment"), SlackText())
        return "" if words_in(comment) <= words_in(body) else comment

    def _huddle(self, raw: Fields) -> str:
        """Return who was in a huddle, and how long."""
        room = raw.get("room")
        if not isinstance(room, dict):
            return ""
        users = room.get("participant_history") or room.get("participants")
        names = [f"@{self._users.name_of(str(user))}" for user in (users if isinstance(users, list) else ())]
        seconds = seconds_of(room.get("date_end")) - seconds_of(room.get("date_start"))
        lasted = f"{round(seconds / 60)} min" if 0 < seconds < 86_400 else ""
        return "_Huddle" + "".join(f" · {one}" for one in [" ".join(names), lasted] if one) + "_"

    def _file(self, one: Fields) -> AttachmentRecord | None:
        """Return a file whose bytes are in the archive, or can be fetched."""
        path, url, size = self._users.files.uploads.get(text_in(one, "id")), address_of(one), one.get("size")
        if not (path or url):
            return None
        return AttachmentRecord(
            name=one_line(text_in(one, "name", "title"), 200) or "file",
            size=size if isinstance(size, int) and size >= 0 else 0,
            type=one_line(text_in(one, "mimetype"), 200),
            path=path,
            url=url or None,
        )


def files_of(raw: Fields) -> list[Fields]:
    """Return the files of a message. Messages of 2017 and before have one in a field of its own."""
    return [*dicts_in(raw.get("files"))] or [*dicts_in(raw.get("file"))]
