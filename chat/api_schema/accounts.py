"""Models of responses about accounts, sessions, second factors and account activity. Pure."""

from typing import Literal

from chat.accounts.models import SignUpMode
from chat.accounts.validation import ChosenLanguage
from chat.api_schema.models import Id, Level, Moment, Shape, UserModel
from chat.shared.identity import Scope


class MeModel(UserModel):
    """The caller's own account."""

    receipts: Literal["on", "off"]
    """True if other members see how far the user has read."""
    language: ChosenLanguage
    """The language of the app that the user chose; empty for the language of their browser."""
    notify: Level | None = None
    """The level of conversations without one of their own. Left out: as `team_notify`."""
    team_notify: Level | None = None
    """The team's default. Left out: `all`."""
    keywords: list[str] | None = None
    """Words that notify like a mention. Left out: none."""
    second_factor_required: bool | None = None
    """An admin without admin rights until they set up a second factor."""


class Users(Shape):
    """A list of users."""

    users: list[UserModel]


class SessionModel(Shape):
    """A session of a user."""

    id: Id
    device: str
    address: str | None
    created_at: Moment
    last_seen_at: Moment
    current: bool
    streams: int
    """Open streams on all nodes."""
    sockets: int
    """Open presence sockets on all nodes."""


class SessionList(Shape):
    """The sessions of a user."""

    sessions: list[SessionModel]
    limit: int
    """The most sessions a user can have. Another login ends the one unused for longest."""


class ProofState(Shape):
    """The state of the identity proof of this session."""

    seconds_left: int
    """Seconds until sensitive changes need a new proof; 0 if they need one now."""
    methods: list[Literal["password", "totp", "passkey", "oidc"]]
    """`oidc`: by the sign-on provider, with POST /api/oidc/login."""


class PasskeyModel(Shape):
    """A passkey of the caller."""

    id: Id
    name: str
    created_at: Moment
    last_used_at: Moment | None


class FactorsModel(Shape):
    """The second factors of the caller."""

    authenticator_since: Moment | None
    """When the authenticator app was confirmed; null if there is none."""
    passkeys: list[PasskeyModel]
    recovery_codes: int
    """Number of unused codes."""


class NewAuthenticator(Shape):
    """The secret to set up an authenticator app with."""

    secret: str
    uri: str
    qr: str
    """The `uri` as a QR code, an SVG in a data URL."""


class RecoveryCodes(Shape):
    """New recovery codes, shown only once; empty when the user keeps the old ones."""

    recovery_codes: list[str]


class NewPasskeyMade(Shape):
    """A new passkey, with recovery codes if it is the first second factor."""

    passkey: PasskeyModel
    recovery_codes: list[str]


class PasskeyOptions(Shape):
    """Options for `navigator.credentials` in WebAuthn's JSON format, and the challenge to answer with."""

    challenge: str
    options: dict[str, object]


class SignedInModel(Shape):
    """A new session. The token also comes as a cookie, and for browsers only as a cookie."""

    user: UserModel
    session: SessionModel
    token: str | None = None


class Renewed(Shape):
    """The session's new token. A browser gets it as a cookie only."""

    token: str | None = None


class ActivityRow(Shape):
    """A security event of the caller's own account. Address and device of an admin are never included."""

    id: Id
    at: Moment
    action: str
    own: bool | None
    """True if the caller did it; null if no user was logged in, as in a failed login."""
    address: str | None
    session: Id | None
    device: str
    times: int


class Activity(Shape):
    """Security events, the latest first. Pass `next` to get older ones."""

    rows: list[ActivityRow]
    next: Id | None


class ResetLink(Shape):
    """A link for setting a new password, shown once: `path` on this server."""

    path: str
    expires_at: Moment


class AccountEntry(Shape):
    """An account as admins see it. `inviter`: the user whose invitation was used."""

    id: Id
    name: str
    display_name: str
    role: Literal["admin", "member"]
    avatar: str
    state: Literal["active", "disabled"]
    created_at: Moment
    last_seen_at: Moment | None
    inviter: Id | None


class AccountPage(Shape):
    """Accounts by username. `next`: give it as `after` for the next page."""

    accounts: list[AccountEntry]
    next: str | None


class NewInvite(Shape):
    """A new invitation. The code and the URL with it are shown only now."""

    invite: str
    url: str
    id: Id
    uses: int
    expires_at: Moment
    email: str


class MailedInvite(NewInvite):
    """A new invitation for one account. `sent`: the mail server took the e-mail; `error`: why not."""

    sent: bool
    error: str


class MailedInvites(Shape):
    """New invitations, one for each address."""

    invites: list[MailedInvite]


class InviteEntry(Shape):
    """An invitation. `by`: null for the command line; `joined`: how many users came; `users`: the last ten of them."""

    id: Id
    uses: int
    uses_left: int
    email: str
    by: Id | None
    created_at: Moment
    expires_at: Moment
    joined: int
    users: list[Id]


class InvitePage(Shape):
    """Invitations, the newest first. `next`: give it as `before` for the next page."""

    invites: list[InviteEntry]
    next: Id | None


class Inviter(Shape):
    """The user who made an invite link."""

    id: Id
    name: str
    display_name: str


class InvitedTo(Shape):
    """The conversation of an invite link."""

    kind: Literal["channel", "group"]
    name: str


class InvitePreview(Shape):
    """The target of an invite link: the server, or a conversation. `email`: the address it was made for, if any."""

    kind: Literal["server", "conversation"]
    team: str
    signup: SignUpMode
    by: Inviter | None
    conversation: InvitedTo | None
    email: str
    expires_at: Moment


class KeyUser(Shape):
    """The bot of an API key."""

    id: Id
    name: str
    display_name: str


class Key(Shape):
    """An API key. `prefix`: the beginning of its secret. Without `conversations` it acts wherever its bot is a member.

    `last_used_at` may lag by a minute.
    """

    id: Id
    name: str
    prefix: str
    scopes: list[Scope]
    conversations: list[Id] | None = None
    user: KeyUser
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewKey(Shape):
    """A new API key. `secret` is shown only now."""

    key: Key
    secret: str


class Keys(Shape):
    """API keys, the newest first. `next`: give it as `before` for the next page."""

    keys: list[Key]
    next: Id | None


# Users and conversations of another system.


class ExternalUserModel(UserModel):
    """A user of another system, as API keys and admins see them."""

    external_id: str
    email: str | None = None


class MintedSession(Shape):
    """A session that an API key opened for a user. The token is shown only now."""

    user: UserModel
    session: SessionModel
    token: str
    expires_at: Moment


class SignOnProvider(Shape):
    """The sign-on provider as users see it. `login`: the path that begins a log-in; `next` may follow as a query."""

    name: str
    login: str


class SignOn(Shape):
    """The team's name, and how users log in."""

    team: str
    """The name of the team; empty before the set-up."""
    signup: SignUpMode
    setup: bool
    """True if the server has no admin yet: its operator has a set-up link."""

    password: bool
    """False if PASSWORD_LOGIN is off: passwords, passkeys and sign-up do not work then."""
    oidc: SignOnProvider | None


class SignOnStep(Shape):
    """Where the browser goes, at the sign-on provider."""

    url: str


class OidcState(Shape):
    """The sign-on provider as one node sees it. The provider has to know both addresses of this server."""

    name: str
    issuer: str
    client_id: str
    redirect_uri: str
    backchannel_logout_uri: str
    admin_groups: list[str]
    keys_read_at: Moment | None
    error: str
    """Why the provider was not usable last; empty if it was."""


class JwtState(Shape):
    """The check of JSON Web Tokens on one node."""

    issuer: str
    audience: str
    algorithm: str
    keys: Literal["secret", "public_key", "url"]
    admin_groups: list[str]
    keys_read_at: Moment | None
    """When the key set of the URL was read last; null for other keys."""
    error: str


class SignOnState(Shape):
    """The state of signing on, as one node sees it. No secrets are in it."""

    node: str
    password: bool
    oidc: OidcState | None
    jwt: JwtState | None
