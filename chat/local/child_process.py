"""Which user an engine runs as: whoever starts it, unless that is root, as whom PostgreSQL refuses to run."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from chat.local.errors import ForeignData

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user by its numbers."""

    uid: int
    gid: int

    def owns(self, folder: Path) -> None:
        """Give the folder and all in it to this user."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def runner_for(data: Path) -> SystemUser | None:
    """None when the engine runs as we do; raise `ForeignData` when the data is not ours to run.

    Root runs existing data as its owner, so that `sudo` today and no `sudo` tomorrow both work.
    """
    owner = data.stat().st_uid if data.exists() else os.geteuid()
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise ForeignData(data, name_of(owner))
        return None
    if owner != 0:
        return SystemUser(owner, data.stat().st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return SystemUser(nobody.pw_uid, nobody.pw_gid)


def name_of(uid: int) -> str:
    """The user's name, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
