"""The ``response`` object: what stands around the output."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.openai_request import TIERS
from aigw.model import event as events
from aigw.model.call import Call
from aigw.model.finish import Finish
from aigw.model.usage import Usage

from . import usage as usages
from .words import incomplete_word


class Response:
    """
    One response.

    :ivar id: begins with ``resp_``, as clients expect.
    """

    def __init__(self, call: Call, now: int, request_id: str) -> None:
        self._call = call
        self._created = now
        self._model = call.model
        self._tier = ""
        self.id = f"resp_{request_id}"

    def started(self, event: events.Started) -> None:
        if event.id:
            self.id = event.id if event.id.startswith("resp_") else f"resp_{event.id}"
        self._model = event.model or self._model
        self._created = event.created or self._created
        self._tier = event.tier if event.tier in TIERS else ""

    def body(
        self, state: Finish | str, output: list[Any], usage: Usage | None
    ) -> dict[str, Any]:
        """
        :param state: why it finished, or ``in_progress``.
        """
        why = incomplete_word(state) if isinstance(state, Finish) else ""
        status = "in_progress" if not isinstance(state, Finish) else "completed"
        if why:
            status = "incomplete"
        call = self._call
        metadata = msgspec.Raw(call.metadata) if call.metadata is not None else {}
        body: dict[str, Any] = {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": why} if why else None,
            "instructions": None,
            "max_output_tokens": call.max_tokens,
            "metadata": metadata,
            "model": self._model,
            "output": output,
            "parallel_tool_calls": call.parallel is not False,
            "temperature": call.temperature,
            "tool_choice": "auto",
            "tools": [],
            "top_p": call.top_p,
            "usage": None if usage is None else usages.written(usage),
        }
        if self._tier:
            body["service_tier"] = self._tier
        return body
