"""What an operator may set: environment variables or a `.env` file, checked together at start."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def split_list(value: object) -> object:
    """`"a, b"` → `["a", "b"]`, so that lists read well in an environment variable."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaList = Annotated[list[str], NoDecode, BeforeValidator(split_list)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """One node's settings. Sizes are bytes, times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str
    redis_url: str
    node: str = "node"
    role: Literal["all", "messages", "presence"] = "all"

    signup: Literal["open", "invite", "closed"] = "open"
    allowed_origins: CommaList = []
    trusted_proxies: CommaList = []
    cookie_secure: bool = False
    rate_limits: bool = True
    session_days: Count = 30
    session_idle_days: Count = 14

    max_body_bytes: Count = 64 * 1024
    max_batch_bytes: Count = 4 * 1024 * 1024
    max_batch_messages: Count = 500
    body_seconds: Seconds = 20
    append_queue: Count = 10_000
    max_members_added: Count = 500
    max_group_members: Count = 100
    conversations_per_person: Count = 2_000

    stream_buffer: Count = 1024 * 1024
    stream_max_age: Seconds = 3600
    stream_transport: Literal["detached", "attached"] = "detached"
    stream_beat: Seconds = 15
    streams_per_person: Count = 50
    recent_bytes: Count = 16 * 1024 * 1024
    drain_seconds: float = Field(10, ge=0)

    log_retention_days: Count = 14
    log_partition_entries: Count = 500_000
    presence_linger: Seconds = 10
    node_lease: Seconds = 10
    log_format: Literal["console", "json"] = "console"


class BadSettings(Exception):
    """Some settings are missing or wrong."""


def read_settings(**overrides: object) -> Settings:
    """The settings of this process; raises `BadSettings` naming every wrong one at once."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as wrong:
        lines = [f"{str(error['loc'][0]).upper()}: {error['msg']}" for error in wrong.errors()]
        raise BadSettings("\n".join(lines)) from None
