"""The other end: says something to a running orchestrator, or asks it, over HTTP on loopback."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import JsonValue, TypeAdapter, ValidationError

from sdl.core.amounts import Content, Level, Task
from sdl.core.view import LabView, Question, View
from sdl.errors import LabFault, RecordFault, SdlError, UserMistake
from sdl.service.card import Card, is_elsewhere, is_gone, stale

PREFIX = "/api/v1"
PATIENCE_S = 30.0
"""Wall seconds until an answer: an act is answered when it is on record."""
ANSWER_CAP = 16 * 1024 * 1024
_ANY: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_VIEW = TypeAdapter(View)
_LAB = TypeAdapter(LabView)
_QUESTIONS = TypeAdapter(tuple[Question, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The open questions of a campaign."""

    campaign: str
    at: float
    """Lab time of the last event."""
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The ledger of materials at one moment."""

    campaign: str
    at: float
    """Lab time of the last event."""
    stocks: tuple[Level, ...]
    refills: tuple[Task, ...]
    contents: tuple[Content, ...]


_HELD = TypeAdapter(Held)


class Caller:
    """Speaks to the orchestrator of one card.

    Each method raises UserMistake where it makes no sense now, RecordFault where it could not be
    put on record, LabFault where nobody answers.
    """

    def __init__(self, card: Card, patience_s: float = PATIENCE_S) -> None:
        self.card = card
        self._patience_s = patience_s

    def view(self, campaign: str = "") -> View:
        """A campaign as it is now; the only one if none is named."""
        asked = f"?campaign={quote(campaign)}" if campaign else ""
        return _VIEW.validate_python(self._get(f"/status{asked}")["view"])

    def lab(self) -> LabView:
        """The lab and its campaigns as they are now."""
        return _LAB.validate_python(self._get("/lab")["lab"])

    def questions(self) -> Asked:
        """What waits for a person's word."""
        document = self._get("/questions")
        at = document["at"]
        assert isinstance(at, int | float)
        return Asked(
            campaign=str(document["campaign"]),
            at=float(at),
            questions=_QUESTIONS.validate_python(document["questions"]),
        )

    def inventory(self) -> Held:
        """What is in each source and well."""
        return _HELD.validate_python(self._get("/inventory"))

    def resolve(self, step: str, said: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Say what became of a step."""
        return self.act(f"steps/{quote(step)}/resolve", said)

    def act(self, verb: str, said: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """``pause``, ``refill`` and such; returns once it is on record."""
        return self._answer("POST", f"/{verb}", json.dumps(said).encode())

    def _get(self, path: str) -> Mapping[str, JsonValue]:
        return self._answer("GET", path, None)

    def _answer(self, method: str, path: str, body: bytes | None) -> Mapping[str, JsonValue]:
        if is_elsewhere(self.card):
            raise LabFault(f"{self._who()} works on the machine {self.card.host!r}; say it there")
        if is_gone(self.card):
            raise LabFault(stale(self.card))
        try:
            status, content = self._send(method, path, body)
        except ConnectionRefusedError:
            raise LabFault(stale(self.card)) from None
        except TimeoutError:
            raise LabFault(
                f"{self._who()} did not answer within {self._patience_s:g} s; it may or may not "
                "have heard: look with sdl status. To stop everything: sdl stop --all"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._broken_off(type(error).__name__) from None
        return self._read(status, content)

    def _broken_off(self, how: str) -> LabFault:
        return LabFault(
            f"{self._who()} broke off in mid-answer ({how}); it may or may not have heard: look "
            "with sdl status"
        )

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        # Not urllib: it would send the token to a proxy that the environment names.
        line = http.client.HTTPConnection("127.0.0.1", self.card.port, timeout=self._patience_s)
        headers = {"Authorization": f"Bearer {self.card.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            line.request(method, f"{PREFIX}{path}", body, headers)
            answer = line.getresponse()
            return answer.status, answer.read(ANSWER_CAP)
        finally:
            line.close()

    def _read(self, status: int, content: bytes) -> Mapping[str, JsonValue]:
        try:
            document = _ANY.validate_json(content)
        except ValidationError:
            document = None
        if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._broken_off(f"HTTP status {status}")
        if not isinstance(document, dict):
            raise LabFault(f"{self._who()} does not answer as an orchestrator does")
        if status == http.HTTPStatus.OK:
            return document
        raise self._fault(status, str(document.get("error", f"HTTP status {status}")))

    def _fault(self, status: int, reason: str) -> SdlError:
        match status:
            case http.HTTPStatus.CONFLICT | http.HTTPStatus.UNPROCESSABLE_ENTITY:
                return UserMistake(reason)
            case http.HTTPStatus.SERVICE_UNAVAILABLE:
                return RecordFault(reason)
            case _:
                return LabFault(f"{self._who()} refused: {reason}")

    def _who(self) -> str:
        return f"the orchestrator of lab {self.card.lab!r} (process {self.card.pid})"
