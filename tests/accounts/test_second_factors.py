"""Second factors: a password alone is not enough, and each code or signature works once."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pyotp
import pytest

from chat.accounts.second_factors import find_step, hash_code, make_code
from chat.api_schema import accounts as s
from chat.api_schema.models import Problem
from tests.accounts.authenticator import Authenticator, Json
from tests.accounts.factors import ME, adds_passkey, finishes, sets_up_app, waits_for_next_code
from tests.accounts.test_proofs import forgets_proofs
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast
from tests.nodes import Node, running_node
from tests.waiting import eventually


async def test_an_authenticator_app(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """The password alone opens nothing; with the code of the app Ana is logged in."""
    await ana.signs_up("ana")
    app, codes = await sets_up_app(ana)
    assert len(set(codes)) == 10
    status, problem = await mallory.logs_in("ana")
    assert (status, problem["code"], problem["methods"]) == (401, "second_factor_required", ["totp", "recovery_code"])
    Problem.model_validate(problem)
    assert not await mallory.is_known()
    assert mallory.cookies_set == []
    waits_for_next_code(database_url)
    status, came = await finishes(mallory, problem, totp=app.now())
    assert (status, s.SignedInModel.model_validate(came).user.name) == (201, "ana")
    assert await mallory.is_known()


async def test_an_unconfirmed_app_is_not_required(ana: Visitor, mallory: Visitor) -> None:
    """A user who scans the code and closes the page is not locked out."""
    await ana.signs_up("ana")
    _, made = await ana.call("POST", f"{ME}/totp", {})
    s.NewAuthenticator.model_validate(made)
    assert made["qr"].startswith("data:image/svg+xml")
    assert pyotp.parse_uri(made["uri"]).secret == made["secret"]
    assert (await mallory.logs_in("ana"))[0] == 201
    assert (await ana.call("PUT", f"{ME}/totp", {"totp": "000000"}))[1]["code"] == "bad_code"
    assert (await mallory.logs_in("ana"))[0] == 201


async def test_a_code_works_once(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """A code is refused if it was used a moment ago, is used twice at once, or is too old."""
    await ana.signs_up("ana")
    app, _ = await sets_up_app(ana)
    _, problem = await mallory.logs_in("ana")
    assert (await finishes(mallory, problem, totp=app.now()))[1]["code"] == "bad_code"
    waits_for_next_code(database_url)
    (_, one), (_, other) = await mallory.logs_in("ana"), await mallory.logs_in("ana")
    code = app.now()
    async with visiting(mallory.at) as third:
        answers = await asyncio.gather(finishes(mallory, one, totp=code), finishes(third, other, totp=code))
    assert sorted(status for status, _ in answers) == [201, 403]


def test_codes_around_now() -> None:
    """A clock may be off by half a minute, not more."""
    app = pyotp.TOTP(pyotp.random_base32())
    steps = [find_step(app.secret, app.generate_otp(100 + off), 100) for off in (-2, -1, 0, 1, 2)]
    assert steps == [None, 99, 100, 101, None]


async def test_recovery_codes_work_once_each(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """Capitals and missing dashes are accepted; used codes and those of an older set are not. They are stored
    hashed."""
    await ana.signs_up("ana")
    _, codes = await sets_up_app(ana)
    for code, status in ((codes[0].upper().replace("-", " "), 201), (codes[0], 403), (codes[1], 201)):
        _, problem = await mallory.logs_in("ana")
        assert (await finishes(mallory, problem, recovery_code=code))[0] == status
    assert (await ana.call("GET", f"{ME}/factors"))[1]["recovery_codes"] == 8
    status, renewed = await ana.call("POST", f"{ME}/recovery-codes", {})
    assert (status, len(s.RecoveryCodes.model_validate(renewed).recovery_codes)) == (201, 10)
    _, problem = await mallory.logs_in("ana")
    assert (await finishes(mallory, problem, recovery_code=codes[2]))[1]["code"] == "bad_recovery_code"
    with psycopg.connect(database_url) as connection:
        stored = str(connection.execute("select r::text, a::text from recovery_codes r, audit a").fetchall())
    assert not any(code in stored for code in [*codes, *renewed["recovery_codes"]])


def test_recovery_codes_are_long_enough() -> None:
    """With 80 random bits a fast hash is enough, because no one can try them all."""
    codes = {make_code() for _ in range(100)}
    assert len(codes) == 100
    assert {len(code.replace("-", "")) for code in codes} == {16}
    assert hash_code("ABCD-efgh") == hash_code("abcdefgh")


async def test_a_passkey_is_a_second_factor(ana: Visitor, mallory: Visitor) -> None:
    """A signature of Ana's device logs her in, once; that of another device does not."""
    await ana.signs_up("ana")
    device, answer = await adds_passkey(ana)
    assert len(s.NewPasskeyMade.model_validate(answer).recovery_codes) == 10
    _, problem = await mallory.logs_in("ana")
    assert problem["methods"] == ["passkey", "recovery_code"]
    thief, _ = await adds_other_account(mallory)
    status, refused = await finishes(mallory, problem, passkey=thief.signs(problem["passkey"]))
    assert (status, refused["code"]) == (403, "bad_passkey")
    signed = device.signs(problem["passkey"])
    assert (await finishes(mallory, problem, passkey=signed))[0] == 201
    assert (await finishes(mallory, problem, passkey=signed))[1]["code"] == "bad_challenge"


@pytest.mark.parametrize("host", ["chat.example", "chat.example:443"])
async def test_a_passkey_behind_a_proxy_that_writes_the_port(database_url: str, redis_url: str, host: str) -> None:
    """The browser's address has no default port, whatever the Host header says."""
    async with (
        running_node(database_url, redis_url, trusted_proxies=["127.0.0.1"]) as node,
        visiting(node.url) as ana,
    ):
        _, came = await ana.signs_up("ana")
        ana.headers = {"Authorization": f"Bearer {came['token']}", "Host": host, "X-Forwarded-Proto": "https"}
        await adds_passkey(ana, origin="https://chat.example")


async def adds_other_account(visitor: Visitor) -> tuple[Authenticator, Json]:
    """Add a passkey of another user, which works for that account."""
    async with visiting(visitor.at) as other:
        await other.signs_up("zed")
        return await adds_passkey(other)


async def test_a_passkey_alone_is_enough(ana: Visitor, mallory: Visitor) -> None:
    """No name, no password and no second step are needed, because the device has verified its user."""
    _, came = await ana.signs_up("ana")
    await sets_up_app(ana)
    device, _ = await adds_passkey(ana)
    status, asked = await mallory.call("POST", "/api/passkeys/login/options", {})
    s.PasskeyOptions.model_validate(asked)
    assert (status, asked["options"].get("allowCredentials", [])) == (200, [])
    form = {"challenge": asked["challenge"], "passkey": device.signs(asked["options"])}
    status, entered = await mallory.call("POST", "/api/passkeys/login", form)
    assert (status, entered["user"]["id"]) == (201, came["user"]["id"])
    assert (await mallory.call("POST", "/api/passkeys/login", form))[1]["code"] == "bad_challenge"


async def test_invalid_passkeys_are_refused(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """Unknown, of another site, without user verification, for another challenge, copied, of a disabled account, or no
    passkey: the answer is the same."""
    await ana.signs_up("ana")
    device, _ = await adds_passkey(ana)
    stranger = type(device)(ana.at)

    async def tries(change: object = None, who: object = device) -> str:
        _, asked = await mallory.call("POST", "/api/passkeys/login/options", {})
        options = asked["options"] | ({} if change is None else change)  # type: ignore[operator]
        form = {"challenge": asked["challenge"], "passkey": who.signs(options)}  # type: ignore[attr-defined]
        status, problem = await mallory.call("POST", "/api/passkeys/login", form)
        return str(problem["code"]) if status != 201 else "in"

    assert await tries() == "in"
    assert await tries(who=stranger) == "bad_passkey"
    assert await tries({"challenge": "A" * 43}) == "bad_passkey"
    assert await tries({"rpId": "elsewhere.example"}) == "bad_passkey"
    device.origin = "https://elsewhere.example"
    assert await tries() == "bad_passkey"
    device.origin, device.verified = ana.at, False
    assert await tries() == "bad_passkey"
    device.verified, device.count = True, 0  # a copy of the device, with an older counter
    assert await tries() == "bad_passkey"
    device.count = 100
    with psycopg.connect(database_url) as connection:
        connection.execute("update users set disabled_at = now()")
    assert await tries() == "bad_passkey"


@pytest.mark.parametrize("nonsense", [{}, {"id": 7}, {"id": "é"}, {"id": "AAAA", "response": None}, {"id": "A" * 5000}])
async def test_an_invalid_passkey_is_refused(ana: Visitor, nonsense: object) -> None:
    """Any invalid content is refused, and never an internal error."""
    await ana.signs_up("ana")
    await adds_passkey(ana)
    _, asked = await ana.call("POST", "/api/passkeys/login/options", {})
    form = {"challenge": asked["challenge"], "passkey": nonsense}
    assert (await ana.call("POST", "/api/passkeys/login", form))[1]["code"] == "bad_passkey"
    _, asked = await ana.call("POST", f"{ME}/passkeys/options", {})
    made = {"challenge": asked["challenge"], "passkey": nonsense, "name": "x"}
    assert (await ana.call("POST", f"{ME}/passkeys", made))[1]["code"] == "bad_passkey"


async def test_passkeys_are_named_listed_and_removed(ana: Visitor, mallory: Visitor) -> None:
    """Only the owner can name, list and remove passkeys. Removing the last factor removes the recovery codes, and the
    password is enough again."""
    await ana.signs_up("ana")
    _, first = await adds_passkey(ana, "Laptop")
    await adds_passkey(ana, "Phone")
    path = f"{ME}/passkeys/{first['passkey']['id']}"
    await mallory.signs_up("mallory")
    assert [(await mallory.call(method, path, {"name": "x"}))[0] for method in ("PATCH", "DELETE")] == [404, 404]
    assert (await ana.call("PATCH", path, {"name": "Old laptop"}))[0] == 204
    _, listed = await ana.call("GET", f"{ME}/factors")
    assert [one.name for one in s.FactorsModel.model_validate(listed).passkeys] == ["Old laptop", "Phone"]
    for passkey in listed["passkeys"]:
        assert (await ana.call("DELETE", f"{ME}/passkeys/{passkey['id']}"))[0] == 204
    _, listed = await ana.call("GET", f"{ME}/factors")
    assert listed == {"authenticator_since": None, "passkeys": [], "recovery_codes": 0}
    assert (await ana.call("POST", f"{ME}/recovery-codes", {}))[0] == 422
    assert (await mallory.logs_in("ana"))[0] == 201


async def test_a_device_has_one_passkey_for_an_account(ana: Visitor) -> None:
    """The browser is told which passkeys exist, and no passkey belongs to two accounts."""
    await ana.signs_up("ana")
    device, _ = await adds_passkey(ana)
    _, asked = await ana.call("POST", f"{ME}/passkeys/options", {})
    assert len(asked["options"]["excludeCredentials"]) == 1
    again = {"challenge": asked["challenge"], "passkey": device.creates(asked["options"]), "name": "again"}
    assert (await ana.call("POST", f"{ME}/passkeys", again))[1]["code"] == "bad_passkey"


async def test_challenges_are_short_lived_and_single_purpose(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """A challenge is refused for another step, after five wrong codes, after five minutes, and after a new password."""
    await ana.signs_up("ana")
    app, codes = await sets_up_app(ana)
    _, asked = await mallory.call("POST", "/api/passkeys/login/options", {})
    assert (await finishes(mallory, asked, recovery_code=codes[0]))[1]["code"] == "bad_challenge"
    _, problem = await mallory.logs_in("ana")
    wrong = [(await finishes(mallory, problem, recovery_code="wrong"))[1]["code"] for _ in range(6)]
    assert wrong == ["bad_recovery_code"] * 5 + ["bad_challenge"]
    assert (await finishes(mallory, problem, recovery_code=codes[0]))[1]["code"] == "bad_challenge"
    _, problem = await mallory.logs_in("ana")
    with psycopg.connect(database_url) as connection:
        connection.execute("update challenges set expires_at = now()")
    assert (await finishes(mallory, problem, recovery_code=codes[0]))[1]["code"] == "bad_challenge"
    _, problem = await mallory.logs_in("ana")
    await ana.call("PUT", f"{ME}/password", {"old": PASSWORD, "new": "copper-kettle-93-indigo"})
    assert (await finishes(mallory, problem, recovery_code=codes[0]))[1]["code"] == "bad_credentials"
    assert app.secret
    with psycopg.connect(database_url) as connection:
        stored = str(connection.execute("select c::text from challenges c").fetchall())
    assert problem["challenge"] not in stored


async def test_every_change_of_factors_needs_a_proof(ana: Visitor, database_url: str) -> None:
    """A stolen session can neither add nor remove a factor. A code or a passkey is a proof like the password."""
    await ana.signs_up("ana")
    app, _ = await sets_up_app(ana)
    device, added = await adds_passkey(ana)
    changes = [
        ("POST", "/totp"),
        ("PUT", "/totp"),
        ("DELETE", "/totp"),
        ("POST", "/passkeys/options"),
        ("POST", "/passkeys"),
        ("DELETE", f"/passkeys/{added['passkey']['id']}"),
        ("POST", "/recovery-codes"),
    ]
    forgets_proofs(database_url)
    for method, path in changes:
        assert (await ana.call(method, ME + path, {}))[1]["code"] == "reauthentication_required"
    proof = "/api/sessions/current/proof"
    assert (await ana.call("GET", proof))[1] == {"seconds_left": 0, "methods": ["password", "totp", "passkey"]}
    waits_for_next_code(database_url)
    assert (await ana.call("POST", proof, {"totp": app.now()}))[0] == 204
    assert (await ana.call("POST", f"{ME}/recovery-codes", {}))[0] == 201
    forgets_proofs(database_url)
    _, asked = await ana.call("POST", f"{proof}/options", {})
    s.PasskeyOptions.model_validate(asked)
    signed = {"passkey": device.signs(asked["options"]), "challenge": asked["challenge"]}
    assert (await ana.call("POST", proof, signed))[0] == 204
    assert (await ana.call("POST", f"{ME}/recovery-codes", {}))[0] == 201
    assert (await ana.call("POST", proof, signed))[1]["code"] == "bad_challenge"
    for form in ({}, {"password": PASSWORD, "totp": "123456"}, {"passkey": signed["passkey"]}):
        assert (await ana.call("POST", proof, form))[0] in (403, 422)


async def test_changes_of_factors_are_recorded(ana: Visitor, database_url: str) -> None:
    """Added and removed factors and used recovery codes are recorded."""
    await ana.signs_up("ana")
    _, codes = await sets_up_app(ana)
    _, problem = await ana.logs_in("ana")
    await finishes(ana, problem, recovery_code=codes[0])
    await ana.call("POST", f"{ME}/recovery-codes", {})
    await ana.call("DELETE", f"{ME}/totp")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select action from audit where action like 'mfa.%' and action <> 'mfa.failed' order by id"
        ).fetchall()
    assert [row[0] for row in rows] == ["mfa.added", "mfa.recovered", "mfa.codes", "mfa.removed"]


async def test_guessing_codes_is_slowed_down(database_url: str, redis_url: str) -> None:
    """Neither a new challenge nor another address gives the user more attempts."""
    settings = {"rate_limits": True, "trusted_proxies": "127.0.0.0/8", "rate_login": "1000/minute"}
    async with running_node(database_url, redis_url, **settings) as node, visiting(node.url) as mallory:
        await mallory.signs_up("ana")
        await sets_up_app(mallory)
        statuses = []
        for n in range(6):
            mallory.headers["X-Forwarded-For"] = f"203.0.113.{n}"
            _, problem = await mallory.logs_in("ana")
            statuses.append((await finishes(mallory, problem, totp="000000"))[0])
        assert statuses == [403] * 4 + [429] * 2  # one was spent to confirm the app


@pytest.fixture
async def strict(database_url: str, redis_url: str) -> AsyncIterator[Node]:
    """A node with ADMIN_MFA=required."""
    async with running_node(database_url, redis_url, admin_mfa="required", node="strict") as node:
        yield node


async def test_admins_without_a_second_factor_have_no_power(strict: Node, database_url: str, redis_url: str) -> None:
    """Such an admin is told so, can set a factor up, and is then an admin on every node at once. Members need none."""
    async with (
        running_node(database_url, redis_url, admin_mfa="required", node="b2") as other,
        visiting(strict.url) as root,
        visiting(strict.url) as ben,
    ):
        await ben.signs_up("ben")
        await root.signs_up("root")
        with psycopg.connect(database_url) as connection:
            connection.execute("update users set role = 'admin' where name = 'root'")
        _, came = await root.logs_in("root")
        for method, path in (("GET", "/api/audit"), ("POST", "/api/invites"), ("GET", "/api/presence/people")):
            status, problem = await root.call(method, path, {} if method == "POST" else None)
            assert (status, problem["code"]) == (403, "second_factor_required")
        _, me = await root.call("GET", ME)
        assert s.MeModel.model_validate(me).second_factor_required
        bearer = {"Authorization": f"Bearer {came['token']}"}
        root.at = other.url
        assert (await root.call("GET", "/api/audit", headers=bearer))[0] == 403
        root.at = strict.url
        await sets_up_app(root)
        assert (await root.call("GET", "/api/audit"))[0] == 200
        assert "second_factor_required" not in (await root.call("GET", ME))[1]
        root.at = other.url
        await eventually_admin(root, bearer)
        root.at = strict.url
        assert (await root.call("DELETE", f"{ME}/totp"))[0] == 204
        assert (await root.call("GET", "/api/audit"))[0] == 403
        assert (await ben.call("GET", "/api/audit"))[1]["code"] == "admins_only"


async def eventually_admin(visitor: Visitor, headers: dict[str, str]) -> None:
    """Wait until the other node has received it from the log."""

    async def is_admin() -> bool:
        return bool((await visitor.call("GET", "/api/audit", headers=headers))[0] == 200)

    await eventually(is_admin, 3)


async def test_a_reset_link_may_remove_second_factors(ana: Visitor, cast: Cast) -> None:
    """A reset link removes second factors if the admin chose so for a lost device; otherwise they stay."""
    (ada,) = await cast.enters("ada", role="admin")
    _, came = await ana.signs_up("ana")
    await sets_up_app(ana)
    for also, status in ((False, 401), (True, 201)):
        form = {"also_second_factors": also}
        _, made = await ada.call("POST", f"/api/users/{came['user']['id']}/reset", form)
        token = made["path"].removeprefix("/reset#")
        assert (await ana.call("POST", "/api/resets", {"token": token, "new": "copper-kettle-93-indigo"}))[0] == 204
        assert (await ana.logs_in("ana", "copper-kettle-93-indigo"))[0] == status
    assert (await ana.call("GET", f"{ME}/factors"))[1]["recovery_codes"] == 0


async def test_a_deleted_account_keeps_no_factor(ana: Visitor, database_url: str) -> None:
    """Passkeys, app and codes are deleted with the account."""
    await ana.signs_up("ana")
    await sets_up_app(ana)
    await adds_passkey(ana)
    assert (await ana.call("DELETE", ME))[0] == 204
    with psycopg.connect(database_url) as connection:
        for table in (b"authenticators", b"passkeys", b"recovery_codes"):
            assert connection.execute(b"select from " + table).rowcount == 0
