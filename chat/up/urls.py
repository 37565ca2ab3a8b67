"""Where PostgreSQL and Redis are: what the operator gave, or our own engines."""

import os
from dataclasses import dataclass

from dotenv import dotenv_values


@dataclass(frozen=True, slots=True)
class Urls:
    """Both URLs, and that of the files; an empty one is still to be found.

    `owner`: the database by the role that owns it, for migrations; nodes do not get it. Empty: nodes use that role.
    """

    database: str
    redis: str
    files: str = ""
    owner: str = ""

    def settings(self) -> dict[str, str]:
        """The settings that hold them."""
        files = {"files_url": self.files} if self.files else {}
        return {"database_url": self.database, "redis_url": self.redis} | files

    def environment(self) -> dict[str, str]:
        """The settings under which a node finds them."""
        return {name.upper(): url for name, url in self.settings().items()}


def given_urls() -> Urls:
    """What the environment says, or else `.env`."""
    said = {**dotenv_values(".env"), **os.environ}
    names = ("DATABASE_URL", "REDIS_URL", "FILES_URL", "MIGRATE_DATABASE_URL")
    return Urls(*(said.get(name) or "" for name in names))
