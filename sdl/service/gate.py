"""Who may pass to the API: holders of the token, by this machine's own address, with JSON.

A page in the browser of a person at this machine can send requests to loopback too. It does not
know the token; and it is turned away before that, by the name that it calls us (a name that it
made point here), by the origin that browsers tell, or by a body that needs no permission to send.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

BODY_CAP = 256 * 1024
"""Bytes of one request's body; the same as a result on the bus may have."""

DRAIN_CAP = 8 * BODY_CAP
"""Bytes of a refused body that are read, and thrown away."""


class Gate:
    """Lets through what may pass, and answers the rest with a status and a sentence."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._secret = f"Bearer {token}".encode()
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI."""
        if scope["type"] != "http":  # websockets: there are none
            return
        status, reason = self._refusal(str(scope["method"]), dict(scope["headers"]))
        if status:
            await _drain(receive)
            await _refuse(send, status, reason)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Mapping[bytes, bytes]) -> tuple[int, str]:
        if headers.get(b"host", b"") not in self._hosts:
            return 421, "this is not the address of the orchestrator; use the one on its card"
        if b"origin" in headers:
            return 403, "pages of other servers have no business here"
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._secret):
            return 401, "the token is not that of this orchestrator; read its card again"
        if method in ("GET", "HEAD"):
            return 0, ""
        return _refused_body(headers)


def _refused_body(headers: Mapping[bytes, bytes]) -> tuple[int, str]:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        return 415, "the body has to be JSON: Content-Type: application/json"
    length = headers.get(b"content-length", b"")
    if not length.isdigit():
        return 411, "the length of the body has to be said: Content-Length"
    if int(length) > BODY_CAP:
        return 413, f"the body is over the cap of {BODY_CAP} bytes"
    return 0, ""


async def _drain(receive: Receive) -> None:
    """Read what is left of a body: a line that is closed before that loses the answer."""
    size = 0
    while size <= DRAIN_CAP:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # a body that was not read must not be taken for a request
    ]
    if status == 401:  # noqa: PLR2004 -- HTTP's own number
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
