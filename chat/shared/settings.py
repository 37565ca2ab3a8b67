"""Settings: environment variables or a `.env` file, checked together at start."""

import ctypes
import os
import re
import sys
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chat.shared.operator_errors import OperatorError
from chat.shared.setting_checks import (
    check_ancestors,
    check_bus_url,
    check_claims,
    check_files_url,
    check_hosts,
    check_http_url,
    check_issuer,
    check_oidc_claims,
    check_origins,
    check_public_url,
    check_queue_url,
    check_rates,
    check_redis_url,
    check_smtp_url,
    split_list,
)
from chat.shared.texts import Language

CommaList = Annotated[list[str], NoDecode, BeforeValidator(split_list)]
Hosts = Annotated[CommaList, AfterValidator(check_hosts)]
Origins = Annotated[CommaList, AfterValidator(check_origins)]
Ancestors = Annotated[CommaList, AfterValidator(check_ancestors)]
Networks = Annotated[list[IPvAnyNetwork], NoDecode, BeforeValidator(split_list)]
PublicAddress = Annotated[str, AfterValidator(check_http_url)]
JwtClaims = Annotated[CommaList, AfterValidator(check_claims)]
OidcClaims = Annotated[CommaList, AfterValidator(check_oidc_claims)]
Issuer = Annotated[str, AfterValidator(check_issuer)]
KeyAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
JwtAlgorithm = Literal["", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
Rates = Annotated[str, AfterValidator(check_rates)]
RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
BusUrl = Annotated[str, AfterValidator(check_bus_url)]
QueueUrl = Annotated[str, AfterValidator(check_queue_url)]
PublicUrl = Annotated[str, AfterValidator(check_public_url)]
FilesUrl = Annotated[str, AfterValidator(check_files_url)]
SmtpUrl = Annotated[str, AfterValidator(check_smtp_url)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


SECRET_LEAST = 32  # bytes of JWT_SECRET


class Settings(BaseSettings):
    """The settings of a node. Sizes are bytes, times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str
    redis_url: RedisUrl
    bus_url: BusUrl = ""  # how nodes tell each other about new entries; empty: REDIS_URL
    posts_from: QueueUrl = ""  # a queue of another system whose messages are posted
    posts_to: QueueUrl = ""  # an exchange of another system to which all entries are published
    node: str = "node"
    role: Literal["all", "messages", "presence"] = "all"

    public_url: PublicUrl = ""  # as browsers show it; empty: the host of each request
    push_contact: str = Field("", pattern=r"^$|^(mailto:|https://)\S{1,200}$")  # of the operator, for push services
    default_language: Language = "en"  # of e-mails and reminders for users who have not chosen one
    signup: Literal["open", "invite", "closed"] = "open"
    directory: Literal["all", "members"] = "all"
    smtp_url: SmtpUrl = ""  # the mail server that takes invitations; empty: links are copied
    mail_from: str = ""  # the sender, such as Acme chat <chat@example.com>
    email_after: Seconds = 10  # minutes for which a message stays unread before it is mailed
    allowed_origins: Origins = []
    frame_ancestors: Ancestors = []  # sites whose pages may show this server's pages in a frame
    trusted_proxies: Networks = []
    hooks_allow: Hosts = []  # hosts and networks that hooks may reach although they are not public
    link_previews: bool = False  # whether this server fetches the pages that messages link to
    link_previews_allow: Hosts = []  # addresses and networks that it may fetch although they are not public
    cookie_secure: bool | None = None  # None: as in the trusted proxy's X-Forwarded-Proto
    cookie_samesite: Literal["lax", "strict", "none"] = "lax"  # none: for pages of other sites; needs COOKIE_SECURE
    rate_limits: bool = True
    # Each node counts a user's requests; log-ins and sign-ups are also counted by all nodes together.
    rate_signup: Rates = "60/hour;200/day"  # from one address
    rate_login: Rates = "5/minute;20/hour;60/day"  # for one name from one address
    rate_login_name: Rates = "100/hour;300/day"  # for one name, from all addresses
    rate_login_address: Rates = "30/minute;300/hour"  # from one address, for all names
    rate_second_factor: Rates = "5/minute;20/hour;60/day"  # codes tried by one user
    rate_post: Rates = "120/minute"
    rate_batch: Rates = "30000/minute"  # messages, not batches
    rate_append: Rates = "30000/minute"  # pieces of streamed messages
    rate_change: Rates = "120/minute"
    rate_add: Rates = "500/hour"  # users added to conversations or invited
    rate_direct: Rates = "20/day"  # direct messages started with users who share no conversation
    rate_view: Rates = "1200/minute"  # all other requests, in units of the cheapest read
    rate_stranger: Rates = "600/minute"  # requests without a session, from one address
    rate_read: Rates = "600/minute"  # read marks
    rate_stream: Rates = "120/minute"
    rate_poll: Rates = "600/minute"
    rate_search: Rates = "60/minute"
    rate_export: Rates = "3/hour;10/day"  # of the user's own data
    rate_typing: Rates = "120/minute"
    rate_status: Rates = "60/minute"
    rate_socket: Rates = "120/minute"
    rate_upload: Rates = "60/minute"  # started files
    rate_piece: Rates = "600/minute"  # pieces of files; a piece shorter than PIECE_LEAST counts ten times
    rate_pixels: Rates = "2000000000/hour"  # pixels of images that previews are made of
    rate_preview: Rates = "30/minute;300/hour"  # links of one author that are fetched
    rate_download: Rates = "1200/minute"  # files and previews read
    rate_watch: Rates = "10000/minute"  # users whose presence is requested; each needs a database check
    session_days: Count = 30
    session_idle_days: Count = 14
    jwt_secret: str = ""  # of HS256: JSON Web Tokens of another application are sessions here; 32 bytes or more
    jwt_public_key: str = ""  # PEM, instead of a secret
    jwt_jwks_url: PublicAddress = ""  # where the keys are, instead of a secret
    jwt_algorithm: JwtAlgorithm = ""  # empty: HS256 with a secret, otherwise RS256
    jwt_issuer: str = ""  # `iss` that a token must have; empty: any
    jwt_audience: str = ""  # `aud` that a token must have; empty: any
    jwt_claims: JwtClaims = ["id=sub", "name=preferred_username", "display_name=name", "picture=picture"]
    jwt_admin_groups: CommaList = []  # members of one of these groups are admins, all others are not; empty: no rule
    password_login: bool = True  # off: OIDC and tokens are the only ways in
    oidc_issuer: Issuer = ""  # an OpenID Connect provider whose users log in with it
    oidc_client_id: str = ""
    oidc_client_secret: str = ""  # empty: a public client, protected by PKCE alone
    oidc_name: str = Field("single sign-on", max_length=40)  # of the provider, on buttons
    oidc_scopes: str = "openid profile email"
    oidc_algorithm: KeyAlgorithm = "RS256"  # with which the provider signs
    oidc_claims: OidcClaims = ["name=preferred_username", "display_name=name", "picture=picture"]
    oidc_admin_groups: CommaList = []  # as JWT_ADMIN_GROUPS
    admin_mfa: Literal["off", "required"] = "off"  # required: admins without a second factor have no admin rights
    sessions_per_person: Count = 50  # a further log-in ends the session unused for longest

    max_body_bytes: Count = 64 * 1024
    max_batch_bytes: Count = 4 * 1024 * 1024
    max_batch_messages: Count = 500
    body_seconds: Seconds = 20
    answer_seconds: Seconds = 60  # after which a slow reader must take at least 1 KiB a second
    keep_alive_seconds: Seconds = 75  # for the headers of a request to arrive, the first one included
    append_queue: Count = 10_000
    append_patience: Seconds = 10  # deadline for the commit of a post
    append_interval: float = Field(0.05, ge=0)  # in which the appends of a streamed message share an entry
    max_streamed_chars: int = Field(64_000, ge=1, le=128_000)  # as STREAMED_MOST
    streaming_idle: Seconds = 60  # after which a streamed message fails if its author appends nothing
    strangers: Literal["invite", "add"] = "invite"  # users who share no conversation with the one who adds them
    invitations_received: Count = 100  # open invitations that a user may have
    invitations_sent: Count = 500  # open invitations that a user may have sent
    max_members_added: Count = 500
    max_group_members: Count = 100
    conversations_per_person: Count = 2_000
    slow_most: Count = 6 * 3600  # longest slow mode, in seconds
    links_per_conversation: Count = 100
    blocks_per_person: Count = 1_000
    here_most: Count = 500  # members; in larger conversations `@here` mentions everyone
    receipts_most: Count = 50  # members; larger conversations have no read receipts
    edit_seconds: float = Field(24 * 3600, ge=0)  # after posting; 0: never
    reactions_per_message: Count = 20  # different ones
    pins_per_conversation: Count = 100
    custom_emoji_most: int = Field(500, ge=1, le=2_000)

    files_url: FilesUrl = "file:.tandem/files"
    max_file_bytes: Count = 100 * 1024 * 1024
    max_import_bytes: Count = 8 * 1024 * 1024 * 1024  # of a file that an admin imports in the app
    import_folder: str = ""  # where a node copies such a file while it reads it; empty: the system's temporary folder
    files_quota: Count = 5 * 1024 * 1024 * 1024  # bytes of all files of one user
    piece_least: Count = 256 * 1024  # bytes of a stored piece except the last; shorter uploads cost more of RATE_PIECE
    picture_pixels: Count = 64_000_000
    strip_pictures: bool = True

    stream_buffer: Count = 1024 * 1024
    stream_max_age: Seconds = 3600
    stream_transport: Literal["detached", "attached"] = "detached"
    stream_beat: Seconds = 15
    coalesce_seconds: float = Field(0.1, ge=0)  # longest wait of entries for the next ones, with many readers; 0: none
    socket_beat: Seconds = 20
    streams_per_person: Count = 50
    sockets_per_person: Count = 50
    recent_bytes: Count = 16 * 1024 * 1024
    drain_seconds: float = Field(10, ge=0)
    lag_most: Seconds = 3  # lag of the event loop at which new connections are refused
    opening_most: Count = 5_000  # streams and sockets that are being opened
    rebalance_seconds: float = Field(60, ge=0)  # in which streams beyond the share move to other nodes; 0: never
    rebalance_few: Count = 100  # streams beyond the share that are tolerated

    log_retention_days: Count = 14
    log_partition_entries: Count = 500_000
    audit_retention_days: Count = 365
    events_retention_days: Count = 90  # log-ins, failures, limits hit
    expired_retention_days: Count = 7  # sessions, invites and join links that have expired
    presence_linger: Seconds = 10
    node_lease: Seconds = 10
    canary_seconds: float = Field(10, ge=0)  # between two probes through peer nodes; 0: none
    node_url: str = ""  # URL at which peer nodes reach this node
    metrics_public: bool = False
    operations_port: int = Field(0, ge=0, le=65_535)  # for health and metrics; 0: the main port
    log_format: Literal["console", "json"] = "console"
    log_requests: Literal["slow", "all", "off"] = "slow"

    @model_validator(mode="before")
    @classmethod
    def choose_algorithm(cls, given: Any) -> Any:
        """Choose the algorithm of JSON Web Tokens where none is given."""
        if isinstance(given, dict) and not given.get("jwt_algorithm"):
            given = given | {"jwt_algorithm": "HS256" if given.get("jwt_secret") else "RS256"}
        return given

    @model_validator(mode="after")
    def check_tokens(self) -> "Settings":
        """Refuse weak secrets, several kinds of keys at once, and an algorithm of another kind."""
        keys = [name for name in ("jwt_secret", "jwt_public_key", "jwt_jwks_url") if getattr(self, name)]
        if len(keys) > 1:
            raise ValueError(f"{' and '.join(keys).upper()} exclude each other: set one of them")
        if self.jwt_secret and len(self.jwt_secret.encode()) < SECRET_LEAST:
            raise ValueError(f"JWT_SECRET must have {SECRET_LEAST} bytes or more")
        if keys and self.jwt_algorithm.startswith("HS") != bool(self.jwt_secret):
            raise ValueError(f"JWT_ALGORITHM={self.jwt_algorithm} does not fit {keys[0].upper()}")
        return self

    @model_validator(mode="after")
    def check_sign_on(self) -> "Settings":
        """Refuse half a provider, groups without their claim, and a server without any way in."""
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID, the name under which the provider knows this server")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("OIDC_SCOPES must contain openid, and be like: openid profile email")
        for kind in ("jwt", "oidc"):
            named = any(pair.startswith("groups=") for pair in getattr(self, f"{kind}_claims"))
            if getattr(self, f"{kind}_admin_groups") and not named:
                raise ValueError(f"{kind.upper()}_ADMIN_GROUPS needs groups=… in {kind.upper()}_CLAIMS")
        if not self.password_login and not (self.oidc_issuer or self.has_tokens):
            raise ValueError("PASSWORD_LOGIN=off needs OIDC_ISSUER, or no one can log in")
        return self

    @property
    def mails_notifications(self) -> bool:
        """Return whether unread messages are mailed. The e-mails have links to this server."""
        return bool(self.smtp_url and self.public_url)

    @property
    def has_tokens(self) -> bool:
        """Return whether JSON Web Tokens of another application are accepted."""
        return bool(self.jwt_secret or self.jwt_public_key or self.jwt_jwks_url)

    @property
    def hosts_allowed(self) -> frozenset[str]:
        """Return the hosts, addresses and networks of HOOKS_ALLOW."""
        return frozenset(self.hooks_allow)

    @model_validator(mode="after")
    def check_mail(self) -> "Settings":
        """Refuse a mail server without a sender."""
        name, at, host = self.mail_from.rpartition("@")
        if self.smtp_url and not (name and at and host.strip(">") and self.mail_from.isprintable()):
            raise ValueError("SMTP_URL needs MAIL_FROM, the sender, such as chat@example.com")
        return self

    @model_validator(mode="after")
    def check_cookie(self) -> "Settings":
        """Refuse cookies for other sites without TLS, which browsers drop."""
        if self.cookie_samesite == "none" and not self.cookie_secure:
            raise ValueError(
                "COOKIE_SAMESITE=none needs COOKIE_SECURE=true: browsers accept such cookies over TLS alone"
            )
        return self


class BadSettings(OperatorError):
    """Some settings are missing or wrong."""

    heading, exit_code = "These settings are wrong:\n", 2


def read_settings(**overrides: object) -> Settings:
    """Return the settings of this process; raise `BadSettings`, which names every wrong one."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as wrong:
        lines = [": ".join([*(str(one).upper() for one in error["loc"][:1]), error["msg"]]) for error in wrong.errors()]
        raise BadSettings("\n".join(lines)) from None


# Secrets in the environment are read once at start, then hidden from other processes. Linux shows the environment that
# a process was started with in `/proc/PID/environ`, even if its variables change later. So the bytes are overwritten.

# Settings that contain a password. A process that has read its settings does not need them again.
SETTINGS = re.compile(r"(\w+_)?(DATABASE|REDIS|FILES|BUS)_URL|POSTS_(FROM|TO)")

# Variables that libraries read later, such as AWS_SECRET_ACCESS_KEY and PGPASSWORD: hidden, and kept.
OTHERS = re.compile(r".*(SECRET|PASSWORD|TOKEN|_KEY)(_.*)?|SMTP_URL")


def is_secret(name: str) -> bool:
    """Return whether a variable of this name holds a secret."""
    return bool(SETTINGS.fullmatch(name.upper()) or OTHERS.fullmatch(name.upper()))


def hide_secrets() -> None:
    """Overwrite every secret in the environment this process was started with; drop those of the settings."""
    for name in filter(is_secret, list(os.environ)):
        value = os.environ[name]
        overwrite(name)
        if SETTINGS.fullmatch(name.upper()):
            del os.environ[name]
        else:
            os.environ[name] = value  # in new memory, which /proc does not show


def without_secrets() -> dict[str, str]:
    """Return the environment for a child that needs no secret."""
    return {name: value for name, value in os.environ.items() if not is_secret(name)}


def overwrite(name: str) -> None:
    """Fill a variable's value with zeros in place."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    if place := libc.getenv(os.fsencode(name)):
        ctypes.memset(place, 0, len(ctypes.string_at(place)))
