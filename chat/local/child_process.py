"""The system user that an engine runs as."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from chat.local.errors import ForeignData

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user and group by their numbers."""

    uid: int
    gid: int

    def take_ownership(self, folder: Path) -> None:
        """Give the folder and its contents to this user."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def user_for(data: Path) -> SystemUser | None:
    """Return the user to run an engine on `data` as, or None for the current user.

    Raise `ForeignData` if the data belongs to another user and this process is not root. Root runs an engine as the
    owner of its data, so that starting with `sudo` once and without it later both work. PostgreSQL refuses to run as
    root, so new data is given to `nobody`.
    """
    owner = data.stat().st_uid if data.exists() else os.geteuid()
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise ForeignData(data, user_name(owner))
        return None
    if owner != 0:
        return SystemUser(owner, data.stat().st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return SystemUser(nobody.pw_uid, nobody.pw_gid)


def user_name(uid: int) -> str:
    """Return the user's name, or `user UID` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
