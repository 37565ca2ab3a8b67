"""Small exports in the shape in which Telegram, DiscordChatExporter and Zulip write them."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]
NOON = 1_714_564_800  # 2024-05-01T12:00:00Z


def write_zip(path: Path, files: dict[str, bytes | str]) -> Path:
    """Write a ZIP."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


# Telegram.


def telegram_message(number: int, text: str | list[Any] = "", user: int = 1, **fields: Any) -> Json:
    """Return a message of Ana (1), Ben (2) or Chloe (3), `number` seconds after noon."""
    names = {1: "Ana Duarte", 2: "Бен", 3: "Chloe"}
    parts = text if isinstance(text, list) else [text] if text else []
    entities = [{"type": "plain", "text": one} if isinstance(one, str) else one for one in parts]
    said = {"from": names[user], "from_id": f"user{user}", "text": text, "text_entities": entities}
    at = {"date": "2024-05-01T14:00:00", "date_unixtime": str(NOON + number)}
    return {"id": number, "type": "message"} | at | said | fields


def telegram_event(number: int, action: str, user: int = 1, **fields: Any) -> Json:
    """Return an event."""
    said = telegram_message(number, "", user)
    actor = {"actor": said.pop("from"), "actor_id": said.pop("from_id"), "action": action}
    return said | {"type": "service"} | actor | fields


def telegram_chat(kind: str, number: int, name: str | None, *messages: Json) -> Json:
    """Return a chat."""
    return ({"name": name} if name else {}) | {"type": kind, "id": number, "messages": list(messages)}


def telegram_account(*chats: Json) -> Json:
    """Return the export of an account, Ana's."""
    person = {"user_id": 1, "first_name": "Ana", "last_name": "Duarte", "phone_number": "+351 1", "username": "@ana"}
    contacts = {"about": "Contacts", "list": [{"first_name": "Someone", "last_name": "", "phone_number": "+49"}]}
    listed = {"about": "This page lists all chats", "list": list(chats)}
    return {"about": "Here is the data", "personal_information": person, "contacts": contacts, "chats": listed}


def write_json(path: Path, value: Any) -> Path:
    """Write JSON with indentation, as these exporters do."""
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    return path


# Discord.


def discord_user(number: int, name: str, nickname: str | None = None, **fields: Any) -> Json:
    """Return a user."""
    known = {"id": str(number), "name": name, "discriminator": "0000", "nickname": nickname or name, "color": None}
    return known | {"isBot": False, "roles": [], "avatarUrl": f"https://cdn.example/{number}.png"} | fields


ANA, BEN = discord_user(1, "ana", "Ana Duarte"), discord_user(2, "ben", "Бен", roles=[{"id": "7", "name": "Gardeners"}])


def discord_message(number: int, content: str = "", author: Json = ANA, **fields: Any) -> Json:
    """Return a message, `number` seconds after noon."""
    at = f"2024-05-01T14:{number // 60:02}:{number % 60:02}.123+02:00"
    head = {"id": str(number), "type": "Default", "timestamp": at, "timestampEdited": None, "callEndedTimestamp": None}
    lists: Json = {name: [] for name in ("attachments", "embeds", "stickers", "reactions", "mentions", "inlineEmojis")}
    return head | {"isPinned": False, "content": content, "author": author} | lists | fields


def discord_channel(number: int, name: str, *messages: Json, **channel: Any) -> Json:
    """Return the export of a channel."""
    place = {"id": str(number), "type": "GuildTextChat", "categoryId": "90", "category": "Text", "name": name}
    guild = {"id": "80", "name": "Farm", "iconUrl": "https://cdn.example/farm.png"}
    dates = {"dateRange": {"after": None, "before": None}, "exportedAt": "2024-06-01T00:00:00+02:00"}
    head = {"guild": guild, "channel": place | {"topic": None} | channel} | dates
    return head | {"messages": list(messages), "messageCount": len(messages)}


# Zulip.


def zulip_user(number: int, name: str, address: str, **fields: Any) -> Json:
    """Return a row of a user."""
    known = {"id": number, "realm": 2, "full_name": name, "email": f"user{number}@farm.example", "role": 400}
    return known | {"delivery_email": address, "is_active": True, "timezone": "", "date_joined": NOON - 900.0} | fields


def zulip_message(number: int, sender: int, recipient: int, content: str, subject: str = "", **fields: Any) -> Json:
    """Return a row of a message, `number` seconds after noon."""
    row = {"id": number, "sender": sender, "recipient": recipient, "subject": subject, "content": content}
    times = {"date_sent": NOON + number + 0.25, "last_edit_time": None, "edit_history": None}
    return row | {"realm": 2, "rendered_content": f"<p>{content}</p>", "sending_client": 3} | times | fields


def zulip_tables(*messages: Json, **tables: Any) -> dict[str, Any]:
    """Return the files of an export: two streams, a group of three, and the two people of a direct message."""
    users = [
        zulip_user(10, "Ana Duarte", "ana@farm.example", role=100, timezone="Europe/Lisbon"),
        zulip_user(11, "Бен", "ben@farm.example"),
        zulip_user(12, "Chloe", "chloe@farm.example", is_active=False, last_login=NOON - 60.0),
    ]
    streams = [
        {"id": 1, "name": "garden", "description": "what grows", "invite_only": False, "date_created": NOON - 800.0},
        {"id": 2, "name": "секрет", "description": "", "invite_only": True, "date_created": NOON - 800.0},
    ]
    recipients = [{"id": 30 + n, "type": 1, "type_id": 10 + n} for n in range(3)]
    recipients += [{"id": 41, "type": 2, "type_id": 1}, {"id": 42, "type": 2, "type_id": 2}]
    recipients += [{"id": 50, "type": 3, "type_id": 5}]
    members = [(10, 41), (11, 41), (10, 42), (10, 50), (11, 50), (12, 50)]
    realm: Json = {
        "zerver_realm": [{"id": 2, "uuid": "6f0e", "string_id": "farm", "name": "Farm"}],
        "zerver_client": [{"id": 3, "name": "website"}],
        "zerver_userprofile": users,
        "zerver_userprofile_crossrealm": [{"id": 6, "email": "notification-bot@zulip.com"}],
        "zerver_stream": streams,
        "zerver_recipient": recipients,
        "zerver_subscription": [{"user_profile": user, "recipient": at, "active": True} for user, at in members],
        "zerver_reaction": [],
    }
    halves = {"zerver_message": list(messages), "zerver_usermessage": [{"id": 1, "user_profile": 10, "message": 1}]}
    return {"realm.json": realm | tables, "messages-000001.json": halves, "attachment.json": {"zerver_attachment": []}}


def write_tar(path: Path, files: dict[str, Any], folder: str = "zulip-export-x1") -> Path:
    """Write a `.tar.gz` with one folder around everything. Values that are not bytes become JSON."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else orjson.dumps(content, option=orjson.OPT_INDENT_2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
