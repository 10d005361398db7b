"""What every request and answer goes through: a bound on bodies, and headers that shut others out."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 4 * 1024 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


_OURS = "That went wrong here. It is in the console's log."


class TooLarge(Exception):
    """A body beyond `MOST_BODY`."""


class Envelope:
    """Around the whole application."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stays = scope["path"].startswith("/static/")
        received, begun = 0, False

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BODY:
                raise TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers["Cache-Control"] = "max-age=300" if stays else "no-store"
            await send(message)

        if _announced(scope) > MOST_BODY:
            answer = JSONResponse({"error": "too_large", "detail": "the body is too large"}, 413)
            await answer(scope, receive, dressed)
            return
        try:
            await self._app(scope, bounded, dressed)
        except Exception:
            if not begun:  # else the framework would answer, without the headers; it logs what was raised
                await JSONResponse({"error": "internal", "detail": _OURS}, 500)(scope, receive, dressed)
            raise


def _announced(scope: Scope) -> int:
    given = dict(scope["headers"]).get(b"content-length", b"0")
    return int(given) if given.isdigit() and len(given) < 19 else 0
