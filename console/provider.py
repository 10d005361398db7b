"""Sign-in by an OpenID Connect provider: the code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636).

What begins in a browser ends in that browser: the state that goes to the provider and back must be the one
in its cookie, counts once, and for ten minutes. An ID token counts if the provider's key signed it with an
algorithm of ours, for this console, for this very sign-in (nonce), and has not run out.
"""

from __future__ import annotations

import hmac
import secrets
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete
from sqlalchemy.orm import Session

from config.console import Provider as Rules
from console import people
from console.roles import Role
from console.schema import Handshake, Person
from console.sessions import digest_of

RETURN_PATH = "/sign-in/provider/back"
HANDSHAKE_SECONDS = 600.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_KEPT_SECONDS = 600.0
_LEEWAY_SECONDS = 60
_MOST_GROUPS = 2000


class Refused(Exception):
    """Nobody was signed in. The text is a code."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what its cookie must hold when it comes back."""

    url: str
    state: str
    handshake: Handshake


@dataclass
class Provider:
    """The provider, as it describes itself (OpenID Connect Discovery 1.0), kept a while."""

    rules: Rules
    console_url: str
    _described: tuple[float, dict[str, Any], KeySet] | None = field(default=None, repr=False)

    def begin(self, back: str, now: float) -> Begun:
        """A sign-in that comes back to `back`; raises `Refused` if the provider does not answer."""
        about, _ = self._description()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client(about) as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=verifier,
            )
        kept = Handshake(digest=digest_of(state), nonce=nonce, verifier=verifier, back=back, made_at=now)
        return Begun(url, state, kept)

    def claims(self, code: str, handshake: Handshake, now: float) -> dict[str, Any]:
        """What the provider says of who has signed in there. Raises `Refused`."""
        about, keys = self._description()
        try:
            with self._client(about) as client:
                token = client.fetch_token(
                    about["token_endpoint"],
                    code=code,
                    grant_type="authorization_code",
                    code_verifier=handshake.verifier,
                )
        except (OAuthError, httpx2.HTTPError, ValueError) as error:
            raise Refused("no_token") from error
        untrusted_token = token.get("id_token")
        if not isinstance(untrusted_token, str):
            raise Refused("no_id_token")
        try:
            read = jwt.decode(untrusted_token, keys, algorithms=ALGORITHMS)
            self._claims_for(handshake.nonce, now).validate(read.claims)
        except (JoseError, ValueError) as error:
            self._described = None  # it may have changed its keys
            raise Refused("bad_id_token") from error
        if read.claims.get("azp", self.rules.client_id) != self.rules.client_id:
            raise Refused("bad_id_token")
        return dict(read.claims)

    def sign_in(self, db: Session, claims: dict[str, Any], now: float) -> Person:
        """Raises `Refused`."""
        name, subject = claims.get(self.rules.name_claim), claims.get("sub")
        if not isinstance(name, str) or not isinstance(subject, str):
            raise Refused("no_name")
        try:
            return people.arrive(db, f"{self.rules.issuer} {subject}", name, self._roles(claims), now)
        except people.Unfit as error:
            raise Refused(str(error)) from error

    def _roles(self, claims: dict[str, Any]) -> frozenset[Role]:
        given = claims.get(self.rules.roles_claim, [])
        named = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        return frozenset(
            Role(role)
            for group in named[:_MOST_GROUPS]
            if isinstance(group, str)
            for role in self.rules.roles.get(group, ())
        )

    def _claims_for(self, nonce: str, now: float) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.rules.issuer},
            aud={"essential": True, "value": self.rules.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )

    def _description(self) -> tuple[dict[str, Any], KeySet]:
        """(its endpoints, its keys)"""
        if self._described is None or time.monotonic() - self._described[0] > _KEPT_SECONDS:
            try:
                with httpx2.Client(timeout=self.rules.timeout_seconds, verify=self._trust()) as client:
                    where = self.rules.issuer.rstrip("/") + "/.well-known/openid-configuration"
                    about = client.get(where).raise_for_status().json()
                    if about["issuer"] != self.rules.issuer:
                        raise Refused("other_issuer")
                    keys = KeySet.import_key_set(client.get(about["jwks_uri"]).raise_for_status().json())
            except (
                httpx2.HTTPError,
                httpx2.InvalidURL,
                JoseError,
                KeyError,
                TypeError,
                ValueError,
                OSError,
            ) as e:
                raise Refused("no_answer") from e
            self._described = (time.monotonic(), about, keys)
        return self._described[1:]

    def _client(self, about: dict[str, Any]) -> OAuth2Client:
        secret = self.rules.client_secret_file
        methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        by_secret = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            self.rules.client_id,
            secret.read_text().strip() if secret else None,
            token_endpoint_auth_method=by_secret if secret else "none",
            scope=" ".join(self.rules.scopes),
            redirect_uri=self.console_url + RETURN_PATH,
            code_challenge_method="S256",
            timeout=self.rules.timeout_seconds,
            verify=self._trust(),
        )

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.rules.ca_file)


def remember(db: Session, begun: Begun, now: float) -> None:
    """Until it comes back; those that never did are forgotten."""
    db.execute(delete(Handshake).where(Handshake.made_at < now - HANDSHAKE_SECONDS))
    db.add(begun.handshake)


def handshake_of(db: Session, cookie: str, state: str, now: float) -> Handshake:
    """The sign-in that this browser began, which does not count again. Raises `Refused`."""
    if not cookie or not hmac.compare_digest(cookie.encode(), state.encode()):
        raise Refused("other_browser")
    found = db.get(Handshake, digest_of(state))
    if found is None:
        raise Refused("unknown_state")
    db.delete(found)
    db.flush()
    if now - found.made_at > HANDSHAKE_SECONDS:
        raise Refused("too_late")
    return found
