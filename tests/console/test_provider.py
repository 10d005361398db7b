"""Sign-in by a real OpenID Connect provider on loopback: what counts, and all that does not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from oidc_provider_mock import run_server_in_thread

from config.console import Provider as Rules
from config.console import RoleName
from console import people, sessions
from console.provider import Provider, Refused
from console.roles import Role
from console.schema import Handshake, Person

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the provider's own
GROUPS = {"rw-analysts": ("analyst",), "rw-owners": ("information_asset_owner",)}
ISSUER = "https://sign-in.example.org"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def ways_in(rig, issuer):
    rig.now = time.time()
    secret = rig.rules.folder / "client-secret"
    secret.write_text("made up\n")
    rules = Rules(issuer=issuer, client_id="recordwarden", client_secret_file=secret, roles=GROUPS)
    provider = Provider(rules, "http://127.0.0.1:8710")
    console = rig.rules.model_copy(update={"oidc": rules})
    rig.app.state.house = replace(rig.app.state.house, rules=console, provider=provider)
    return rig


def known(issuer: str, subject: str, name: str, *groups: str) -> None:
    answer = httpx.put(f"{issuer}/users/{subject}", json={"preferred_username": name, "groups": list(groups)})
    assert answer.is_success, answer.text


def at_provider(begun: httpx.Response, subject: str) -> str:
    """Sign in over there; the path that it sends the browser back to."""
    answer = httpx.post(begun.headers["location"], data={"sub": subject})
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def come_in(rig, subject: str, browser=None):
    browser = browser or rig.browser()
    begun = browser.get("/sign-in/provider?next=/alerts?state=all")
    return browser, browser.get(at_provider(begun, subject))


def roles_of(rig, name: str) -> str | None:
    with rig.database.transaction() as db:
        person = db.get(Person, name)
        return person and person.roles


def test_the_provider_signs_somebody_in_with_the_roles_of_their_groups(ways_in, issuer):
    known(issuer, "s-1", "robin", "rw-analysts", "others")
    browser, answer = come_in(ways_in, "s-1")
    assert answer.status_code == 200
    assert 'content="0;url=/alerts?state=all"' in answer.text
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith("recordwarden=")]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert browser.get("/alerts").status_code == 200
    assert browser.get("/people").status_code == 403
    assert ("robin", "signed_in", "person:robin") in ways_in.audited()


def test_what_goes_to_the_provider_is_bound_to_this_sign_in(ways_in):
    sent = parse_qs(urlsplit(ways_in.browser().get("/sign-in/provider").headers["location"]).query)
    assert sent["redirect_uri"] == ["http://127.0.0.1:8710/sign-in/provider/back"]
    assert sent["code_challenge_method"] == ["S256"]
    assert len(sent["state"][0]) >= 43 and len(sent["nonce"][0]) >= 43 and sent["code_challenge"][0]


def test_roles_are_what_the_provider_says_today(ways_in, issuer):
    known(issuer, "s-2", "kim", "rw-analysts")
    browser, _ = come_in(ways_in, "s-2")
    known(issuer, "s-2", "kim", "rw-owners")
    come_in(ways_in, "s-2")
    assert roles_of(ways_in, "kim") == "information_asset_owner"
    assert browser.get("/alerts").status_code == 303, "the older session has ended"


def test_who_has_no_role_any_more_is_out_everywhere(ways_in, issuer):
    known(issuer, "s-3", "sam", "rw-analysts")
    browser, _ = come_in(ways_in, "s-3")
    known(issuer, "s-3", "sam")
    _, answer = come_in(ways_in, "s-3")
    assert answer.status_code == 401 and "no role here" in answer.text
    assert browser.get("/alerts").status_code == 303
    assert roles_of(ways_in, "sam") == ""


def test_a_local_account_of_that_name_is_not_theirs(ways_in, issuer):
    ways_in.signed_in("boss", Role.ADMINISTRATOR)
    known(issuer, "s-4", "boss", "rw-analysts")
    _, answer = come_in(ways_in, "s-4")
    assert answer.status_code == 401 and "name taken" in answer.text
    assert roles_of(ways_in, "boss") == "administrator"


def test_a_new_name_over_there_is_the_same_account_here(ways_in, issuer):
    known(issuer, "s-5", "ada", "rw-analysts")
    come_in(ways_in, "s-5")
    known(issuer, "s-5", "ada.new", "rw-analysts")
    come_in(ways_in, "s-5")
    assert roles_of(ways_in, "ada") == "analyst" and roles_of(ways_in, "ada.new") is None


def test_one_that_an_administrator_has_disabled_stays_out(ways_in, issuer):
    known(issuer, "s-6", "lee", "rw-analysts")
    come_in(ways_in, "s-6")
    ways_in.signed_in("boss", Role.ADMINISTRATOR)
    with ways_in.database.transaction() as db:
        people.change(db, ways_in.everything, "lee", ways_in.now, disabled=True)
    assert come_in(ways_in, "s-6")[1].status_code == 401


def test_no_password_opens_such_an_account_and_nobody_sets_one(ways_in, issuer):
    known(issuer, "s-7", "max", "rw-analysts")
    browser, _ = come_in(ways_in, "s-7")
    for password in ("", "a password of twelve"):
        given = {"name": "max", "password": password}
        assert ways_in.browser().post("/sign-in", data=given).status_code == 401
    page = browser.get("/account").text
    assert 'name="old"' not in page and "QR code" not in page
    with ways_in.database.transaction() as db, pytest.raises(people.Unfit):
        people.change(db, ways_in.everything, "max", ways_in.now, password="a password of twelve")


@pytest.mark.parametrize("name", ["../etc", "a b", "", "x" * 64, "<b>"])
def test_a_name_that_is_none_is_refused(ways_in, issuer, name):
    known(issuer, "s-8", name, "rw-analysts")
    assert come_in(ways_in, "s-8")[1].status_code == 401


def test_what_came_back_counts_once_in_the_browser_that_began_and_not_for_ever(ways_in, issuer):
    known(issuer, "s-9", "ina", "rw-analysts")
    mine, other = ways_in.browser(), ways_in.browser()
    back = at_provider(mine.get("/sign-in/provider"), "s-9")
    other.get("/sign-in/provider")
    assert "other browser" in other.get(back).text
    assert mine.get(back).status_code == 200
    assert mine.get(back).status_code == 401
    back = at_provider(mine.get("/sign-in/provider"), "s-9")
    ways_in.now += 601
    assert "too late" in mine.get(back).text


def test_what_the_provider_refuses_is_a_page(ways_in):
    browser = ways_in.browser()
    state = parse_qs(urlsplit(browser.get("/sign-in/provider").headers["location"]).query)["state"][0]
    answer = browser.get("/sign-in/provider/back", params={"error": "access_denied", "state": state})
    assert answer.status_code == 401 and re.search(r'role="alert"', answer.text)


def test_a_provider_that_does_not_answer_is_a_page(ways_in):
    rules = Rules(issuer="http://127.0.0.1:1", client_id="x", roles=GROUPS)
    house = ways_in.app.state.house
    ways_in.app.state.house = replace(house, provider=Provider(rules, "http://127.0.0.1:8710"))
    answer = ways_in.browser().get("/sign-in/provider")
    assert answer.status_code == 401 and "no answer" in answer.text


def test_without_a_provider_and_without_passwords_there_is_no_such_way(ways_in):
    house = ways_in.app.state.house
    ways_in.app.state.house = replace(house, provider=None)
    assert ways_in.browser().get("/sign-in/provider").status_code == 404
    rules = house.rules.model_copy(update={"local_sign_in": False})
    ways_in.app.state.house = replace(house, rules=rules)
    assert 'type="password"' not in ways_in.browser().get("/sign-in").text
    assert ways_in.browser().post("/sign-in", data={"name": "a", "password": "b"}).status_code == 404


def test_its_people_are_asked_for_no_second_factor_of_ours(ways_in, issuer):
    house = ways_in.app.state.house
    ways_in.app.state.house = replace(house, rules=house.rules.model_copy(update={"require_totp": True}))
    known(issuer, "s-10", "uma", "rw-analysts")
    assert come_in(ways_in, "s-10")[0].get("/alerts").status_code == 200


# -- tokens that are not what they should be


KEY, OTHER = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})
NOW = 1_790_000_000.0
GOOD = {"iss": ISSUER, "aud": "rw", "sub": "s", "nonce": "n", "exp": NOW + 60, "iat": NOW}


def token(claims: dict[str, Any], key: Any = KEY, algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm, "kid": "k"}, claims, key, algorithms=[algorithm])


class Given(Provider):
    """A provider whose token endpoint gives this."""

    @contextmanager
    def _client(self, about: dict[str, Any]) -> Iterator[Any]:
        class Client:
            def fetch_token(inner, *_: Any, **__: Any) -> dict[str, Any]:
                return self.given

        yield Client()


def claims_of(given: dict[str, Any]) -> dict[str, Any]:
    provider = Given(Rules(issuer=ISSUER, client_id="rw", roles=GROUPS), "http://127.0.0.1:8710")
    provider.given = given
    public = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
    provider._described = (time.monotonic(), {"token_endpoint": ""}, public)
    return provider.claims("code", Handshake(digest="", nonce="n", verifier="v", back="/", made_at=NOW), NOW)


def test_a_token_that_is_right_counts():
    assert claims_of({"id_token": token(GOOD)})["sub"] == "s"
    assert claims_of({"id_token": token({**GOOD, "aud": ["rw", "other"], "azp": "rw"})})["sub"] == "s"


SECRET = OctKey.generate_key(256, {"kid": "k"})
WRONG = {
    "another key": {"id_token": token(GOOD, OTHER)},
    "another kind of key": {"id_token": token(GOOD, ECKey.generate_key("P-256", {"kid": "k"}), "ES256")},
    "a secret for a key": {"id_token": token(GOOD, SECRET, "HS256")},
    "no signature": {"id_token": "eyJhbGciOiJub25lIn0." + token(GOOD).split(".")[1] + "."},
    "cut": {"id_token": token(GOOD)[:-5]},
    "another audience": {"id_token": token({**GOOD, "aud": "other"})},
    "for another party": {"id_token": token({**GOOD, "aud": ["rw", "other"], "azp": "other"})},
    "another issuer": {"id_token": token({**GOOD, "iss": ISSUER + "/"})},
    "another sign-in": {"id_token": token({**GOOD, "nonce": "m"})},
    "run out": {"id_token": token({**GOOD, "exp": NOW - 61})},
    "without an end": {"id_token": token({k: v for k, v in GOOD.items() if k != "exp"})},
    "without a nonce": {"id_token": token({k: v for k, v in GOOD.items() if k != "nonce"})},
    "of nobody": {"id_token": token({k: v for k, v in GOOD.items() if k != "sub"})},
    "none": {"access_token": "x"},
    "no text": {"id_token": 7},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_token_that_is_not_right_lets_nobody_in(given):
    with pytest.raises(Refused):
        claims_of(given)


def test_the_roles_of_the_configuration_are_the_roles():
    assert set(get_args(RoleName)) == set(Role)


def test_sessions_of_its_people_are_ordinary_sessions(ways_in, issuer):
    known(issuer, "s-11", "eve", "rw-analysts")
    come_in(ways_in, "s-11")
    with ways_in.database.transaction() as db:
        secret = sessions.begin(db, db.get_one(Person, "eve"), ways_in.now)
    later = ways_in.now + 13 * 3600
    with ways_in.database.transaction() as db:
        assert sessions.caller_of_cookie(db, ways_in.rules, secret, later) is None
