"""The web application: the one place that wires routes, templates, headers and what errors look like."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from agent.paper_bundle import BadBundle
from config.console import Console
from config.settings import Approver
from console import audit, bundle, desk, enrolment, papers, people, retention, sessions
from console.api import agents as api_agents
from console.api import alerts as api_alerts
from console.api import oversight as api_oversight
from console.api import papers as api_papers
from console.database import Database
from console.doors import Foreign, House, NoToken, SetUpNeeded, SignInNeeded
from console.envelope import Envelope, TooLarge
from console.pages import account, agents, alert, entry, inbox, manual, oversight
from console.pages import papers as papers_pages
from console.pages import people as people_pages
from console.provider import Provider
from console.roles import Caller, Forbidden
from console.signatures import Unsigned
from console.templates import environment, page

STATIC = Path(__file__).with_name("static")
_ROUTERS = (
    entry, inbox, alert, agents, oversight, papers_pages, people_pages, account, manual,
    api_agents, api_alerts, api_oversight, api_papers,
)  # fmt: skip


def create(
    rules: Console,
    database: Database,
    clock: Callable[[], float] = time.time,
    approvers: tuple[Approver, ...] = (),
) -> FastAPI:
    """The application over an open database. `clock` gives seconds since the epoch."""
    app = FastAPI(
        title="recordwarden console",
        version=version("recordwarden"),
        description="Agents sign their requests; people use personal tokens.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    bundle.public_key(rules)
    provider = Provider(rules.oidc, rules.url) if rules.oidc else None
    app.state.house = House(rules, database, environment(), clock, provider, approvers)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for module in _ROUTERS:
        app.include_router(module.router)
    _answer_errors(app)

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=rules.hosts, www_redirect=False)
    app.add_middleware(Envelope, secure=rules.is_secure)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeeded)
    def sign_in(request: Request, error: SignInNeeded) -> Response:
        back = request.url.path if request.method == "GET" else "/"
        house: House = request.app.state.house
        if secret := request.cookies.get(house.cookie, ""):
            with house.database.transaction() as db:
                sessions.forget(db, secret)
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
        return RedirectResponse(f"/sign-in?next={back}", status_code=303)

    @app.exception_handler(SetUpNeeded)
    def set_up(request: Request, error: SetUpNeeded) -> Response:
        return RedirectResponse("/account", status_code=303)

    @app.exception_handler(Forbidden)
    def forbidden(request: Request, error: Forbidden) -> Response:
        house: House = request.app.state.house
        caller: Caller = request.state.caller
        with house.database.transaction() as db:
            audit.append(db, house.clock(), caller.name, "refused", "", deed=error.deed.value)
        return _problem(request, 403, "forbidden", "None of your roles may do this.")

    def simple(status: int, code: str, words: str) -> Callable[[Request, Exception], Response]:
        return lambda request, error: _problem(request, status, code, words)

    def with_code(status: int) -> Callable[[Request, Exception], Response]:
        return lambda request, error: _problem(request, status, str(error), str(error).replace("_", " "))

    def unfit(request: Request, error: Exception) -> Response:
        return _problem(request, 422, "unfit", str(error))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "malformed")
        answer = _problem(request, error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    app.add_exception_handler(
        Foreign, simple(403, "foreign_form", "This form is out of date: go back, reload, try again.")
    )
    app.add_exception_handler(NoToken, simple(401, "no_token", "A valid personal token is needed."))
    app.add_exception_handler(TooLarge, simple(413, "too_large", "The body is too large."))
    app.add_exception_handler(
        BadBundle, simple(503, "no_bundle", "There are more papers than a bundle holds, or it was edited.")
    )
    app.add_exception_handler(LookupError, simple(404, "not_found", "There is no such thing here."))
    app.add_exception_handler(
        api_agents.Malformed, simple(400, "malformed", "The body is not as it should be.")
    )
    app.add_exception_handler(
        RequestValidationError, simple(422, "malformed", "The request is not as the OpenAPI document says.")
    )
    app.add_exception_handler(Unsigned, with_code(401))
    app.add_exception_handler(enrolment.Refused, _refused)
    for kind in (desk.Unfit, enrolment.Unfit, papers.Unfit, people.Unfit, retention.Unfit):
        app.add_exception_handler(kind, unfit)
    app.add_exception_handler(HTTPException, http)


def _refused(request: Request, error: Exception) -> Response:
    code = str(error)
    status = {"malformed": 422, "already_enrolled": 409}.get(code, 403)
    return _problem(request, status, code, code.replace("_", " "))


def _problem(request: Request, status: int, code: str, words: str) -> Response:
    """JSON for programs, a page for people."""
    if request.url.path.startswith("/api/"):
        headers = {"WWW-Authenticate": "Bearer"} if code == "no_token" else None
        return JSONResponse({"error": code, "detail": words}, status, headers)
    return page(
        request, "problem.html", status=status, words=words, caller=getattr(request.state, "caller", None)
    )
