"""The logs of IRC clients, in the forms that they write by themselves."""

from pathlib import Path

import pytest

from chat.transfer.records import ConversationRecord
from chat.transfer.sources import open_source
from tests.transfer.files import bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import write_zip
from tests.transfer.test_chat_logs import write_log

IRSSI = """\
--- Log opened Wed May 01 10:00:00 2024
10:00 -!- ana [~a@host] has joined #garden
10:01 <@ana> hi \x0304red\x03 all
10:02  * ben waves
10:03 < ben> # no heading
--- Day changed Thu May 02 2024
00:01 <+chloe> late
"""
WEECHAT = """\
2024-05-01 10:00:00\t-->\tana (~a@host) has joined #garden
2024-05-01 10:00:01\t@ana\thi all
2024-05-01 10:00:02\t *\tben waves
"""
ZNC = "[10:00:00] *** Joins: ben (~b@host)\n[10:00:01] <ben> hi all\n[10:00:02] * ben waves\n"
HEXCHAT = """\
**** BEGIN LOGGING AT Tue Dec 31 23:59:00 2024

Dec 31 23:59:05 *\tNow talking on #garden
Dec 31 23:59:06 <ana>\thi all
Dec 31 23:59:07 *\tben waves
Jan 01 00:00:01 *\tben (~b@host) has joined
Jan 01 00:00:02 <ana>\thappy new year
**** ENDING LOGGING AT Wed Jan  1 00:01:00 2025
"""
MECH = "[23:59] <ana> hi all\n[23:59] *** ben (b@host) has joined #garden\n[00:01] <ben> after midnight\n"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "#garden.log",
            IRSSI,
            ["05-01 10:01 hi red all", "05-01 10:02 _waves_", "05-01 10:03 \\# no heading", "05-02 00:01 late"],
        ),
        ("irc.libera.#garden.weechatlog", WEECHAT, ["05-01 10:00 hi all", "05-01 10:00 _waves_"]),
        ("#garden_20240501.log", ZNC, ["05-01 10:00 hi all", "05-01 10:00 _waves_"]),
        ("#garden.txt", HEXCHAT, ["12-31 23:59 hi all", "12-31 23:59 _waves_", "01-01 00:00 happy new year"]),
        ("#garden.2024-05-01.log", MECH, ["05-01 23:59 hi all", "05-02 00:01 after midnight"]),
        ("#garden.log", "2024-05-01T10:00:00+0200 <ana> hi\n", ["05-01 10:00 hi"]),
    ],
)
def test_logs_of_irc(tmp_path: Path, path: str, text: str, said: list[str]) -> None:
    """Each client's lines are read; the day comes from a line, the file's name, or the midnight between two lines."""
    items, counts = reads(write_log(tmp_path / path, text))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert place.name == "garden"
    assert [f"{one.created_at:%m-%d %H:%M} {one.body}" for one in messages_in(items)] == said
    assert set(counts.skipped) <= {"joins, quits and other events of IRC"}
    assert counts.bad == 0


async def test_a_bouncers_folder_of_days_is_one_channel(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ZNC writes a file a day in the channel's folder; a nick is one user in all of them."""
    files: dict[str, bytes | str] = {f"libera/#garden/2024-05-0{day}.log": ZNC for day in (1, 2)}
    files["libera/#kitchen/2024-05-01.log"] = ZNC + "broken line\n[10:00:03] <Ben> dinner\n"
    assert await imports(database_url, write_zip(tmp_path / "libera.zip", files)) == 0
    told = capsys.readouterr()
    assert told.out == "7 new, 0 known, 0 invalid\n"
    assert "1 lines that are no messages of IRC" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert sorted(line["name"] for line in lines if line["type"] == "conversation") == ["garden", "kitchen"]
    assert {line["author"] for line in lines if line["type"] == "message"} == {"ben"}


def test_a_log_without_a_day_is_an_error(tmp_path: Path) -> None:
    """Lines whose day nothing tells are named."""
    items, counts = reads(write_log(tmp_path / "#garden.log", "10:00 <ana> hi\n"))
    assert bodies_in(items) == []
    assert [error.place for error in counts.errors] == ["#garden.log:1"]
    assert "tells its day" in counts.errors[0].reason


MIRC = """\
Session Start: Mon Jan 01 09:58:01 2024
Session Ident: #garden
[09:58am] * Now talking in #garden
[09:58am] * Topic is 'hi'
[09:58am] * Set by ana!~a@host on Mon Jan 01 09:00:00
[09:59am] <ana> hi all
[10:01pm] * Quits: ben (~b@host) (Quit: bye)
[10:02pm] * ben waves
"""
TEXTUAL = """\
[2024-01-01T09:58:01+0100] \u2022 ana (~a@host) joined the channel
[2024-01-01T09:59:12+0100] <ana> hi all
[2024-01-01T09:59:13+0100] \u2022 ben waves
"""
KONVERSATION = """\
[Monday, January 1, 2024] [09:58:01 CET] --> You have joined the channel #garden.
[Monday, January 1, 2024] [09:59:12 CET] <ana>\thi all
[Monday, January 1, 2024] [10:59:13 CET] *\tben waves
"""
EGGDROP = "[09:58] ana (~a@host) joined #garden.\n[09:59] <ana> hi all\n[10:00] Action: ben waves\n"
GERMAN = """\
--- Log opened Mo M\u00e4r 04 09:58:01 2024
09:59 <@ana> hi all
--- Day changed Di M\u00e4r 05 2024
00:01 <ana> late
"""


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("#garden.Libera.20240101.log", MIRC, ["01-01 09:59 ana hi all", "01-01 22:02 ben _waves_"]),
        ("#garden (2024-01-01).txt", TEXTUAL, ["01-01 09:59 ana hi all", "01-01 09:59 ben _waves_"]),
        ("#garden.log", KONVERSATION, ["01-01 09:59 ana hi all", "01-01 10:59 ben _waves_"]),
        ("garden.log.20240101", EGGDROP, ["01-01 09:59 ana hi all", "01-01 10:00 ben _waves_"]),
        ("#garden.log", GERMAN, ["03-04 09:59 ana hi all", "03-05 00:01 ana late"]),
        ("#garden.log", "2024/01/01 09:58:03 <ben> hi\n", ["01-01 09:58 ben hi"]),
        ("#garden/2024-01-01.log", "[09:58:03] <ben> hi\n", ["01-01 09:58 ben hi"]),
        ("garden_20240101.log", "[09:58:03] <ben> hi\n", ["01-01 09:58 ben hi"]),
    ],
)
def test_logs_of_further_clients(tmp_path: Path, path: str, text: str, said: list[str]) -> None:
    """mIRC names the channel in the log, Textual marks actions with a dot, other systems name months in words.

    What mIRC writes about the channel is no message of a user named Topic, Set or Quits.
    """
    items, counts = reads(write_log(tmp_path / path, text))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert place.name == "garden"
    assert [f"{one.created_at:%m-%d %H:%M} {one.author} {one.body}" for one in messages_in(items)] == said
    assert counts.bad == 0
    assert all(counts.places[what] for what in counts.skipped)


def test_a_zip_of_one_channels_days_is_one_channel(tmp_path: Path) -> None:
    """The folder around all files is the only thing that names the channel."""
    days = {f"libera/#garden/2024-05-0{day}.log": ZNC for day in (1, 2)}
    items, _ = reads(write_zip(tmp_path / "logs.zip", {**days}))
    assert [one.name for one in items if isinstance(one, ConversationRecord)] == ["garden"]
    assert len(messages_in(items)) == 4


def test_lines_of_before_utf_8_are_read_as_western_europe_wrote_them(tmp_path: Path) -> None:
    """A log of many years has both encodings."""
    path = tmp_path / "#garden.log"
    path.write_bytes(
        "2006-05-01 10:00 <ana> sch\u00f6n\n".encode("cp1252") + "2016-05-01 10:00 <ana> sch\u00f6n\n".encode()
    )
    items, _ = reads(path)
    assert bodies_in(items) == ["sch\u00f6n", "sch\u00f6n"]


def test_notices_to_the_channel_are_messages(tmp_path: Path) -> None:
    """Those of services to one user are counted on their own."""
    text = "2024-05-01 10:00 -ana:#garden- read this\n2024-05-01 10:01 -ChanServ(s@x)- welcome\n"
    items, counts = reads(write_log(tmp_path / "#garden.log", text))
    assert [(one.author, one.body) for one in messages_in(items)] == [("ana", "read this")]
    assert dict(counts.skipped) == {"notices of IRC": 1}


def test_the_server_of_several_logs_can_be_named(tmp_path: Path) -> None:
    """Nicks of two networks are two users, and those of one network the same in all its archives."""
    path = write_zip(tmp_path / "logs.zip", {"#a_20240501.log": ZNC, "#b_20240501.log": ZNC})
    assert open_source(path, None, False, "libera").origin == "irc:libera"


UBUNTU = "[04:22] <ana> hi all\n=== ben_ is now known as ben\n[04:23] <ben> hello\n"
BOTBOT = (
    "2014-01-01T20:00:49 * ben joined the channel\n2014-01-01T20:01:00 <ana> hi\n2014-01-01T20:08:09 * ben has quit\n"
)
ZNC_BOT = "[10:00:00] <ana> hi\n[10:00:01] -ci-bot- build 7 is green\n[10:00:02] -irc.example.org- this is a server\n"
TEXTUAL_6 = """\
[2024-01-01T09:58:01+0100] ana (~a@host) joined the channel
[2024-01-01T09:59:12+0100] <ana> hi all
[2024-01-01T09:59:13+0100] \u2022 ben: waves
[2024-01-01T09:59:14+0100] ben_ is now known as ben
[2024-01-01T09:59:15+0100] ana changed the topic to rice
[2024-01-01T09:59:16+0100] ben (~b@host) left IRC (Quit: bye)
"""


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("logs/2024/05/01/#garden.txt", UBUNTU, ["2024-05-01 04:22 hi all", "2024-05-01 04:23 hello"]),
        ("garden/2024/05-01.txt", UBUNTU, ["2024-05-01 04:22 hi all", "2024-05-01 04:23 hello"]),
        ("#garden_20240501.log.txt", ZNC, ["2024-05-01 10:00 hi all", "2024-05-01 10:00 _waves_"]),
        ("garden-2014-01-01.log", BOTBOT, ["2014-01-01 20:01 hi"]),
        ("#garden_20240501.log", ZNC_BOT, ["2024-05-01 10:00 hi", "2024-05-01 10:00 build 7 is green"]),
        ("#garden.gist", TEXTUAL_6, ["2024-01-01 09:59 hi all", "2024-01-01 09:59 _waves_"]),
        ("2024-05-01.garden-99999999.log", UBUNTU, ["2024-05-01 04:22 hi all", "2024-05-01 04:23 hello"]),
    ],
)
def test_archives_of_channels(tmp_path: Path, path: str, text: str, said: list[str]) -> None:
    """The day may be in the folders around a log. Lines about joining are events in any client's words."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    items, counts = reads(write_log(file, text))
    assert [f"{one.created_at:%Y-%m-%d %H:%M} {one.body}" for one in messages_in(items)] == said
    assert {one.author for one in messages_in(items)} <= {"ana", "ben", "ci-bot"}
    assert set(counts.skipped) <= {"joins, quits and other events of IRC", "notices of IRC"}
    assert counts.bad == 0


def test_days_in_folders_are_one_channel_for_each_name(tmp_path: Path) -> None:
    """An archive has a folder for each day, with a file for each channel, or a file a day in the channel's folder."""
    days = {f"2024/05/0{day}/#{name}.txt": UBUNTU for day in (1, 2) for name in ("garden", "kitchen")}
    days |= {f"barn/2024/05-0{day}.txt": UBUNTU for day in (1, 2)}
    items, _ = reads(write_zip(tmp_path / "logs.zip", {**days}))
    found = {one.id: one.name for one in items if isinstance(one, ConversationRecord)}
    assert sorted(found.values()) == ["barn", "garden", "kitchen"]
    said = sorted(f"{found[one.conversation]} {one.created_at:%d}" for one in messages_in(items) if one.body == "hello")
    assert said == [f"{name} 0{day}" for name in ("barn", "garden", "kitchen") for day in (1, 2)]


def test_a_day_far_up_in_the_path_says_nothing(tmp_path: Path) -> None:
    """The folder of a backup is no day of a log in a folder below it."""
    file = tmp_path / "backup-2024-05-01" / "logs" / "libera" / "#garden.log"
    file.parent.mkdir(parents=True)
    _, counts = reads(write_log(file, "10:00 <ana> hi\n"))
    assert "tells its day" in counts.errors[0].reason
