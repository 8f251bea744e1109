"""A bound for the time that a call of a foreign library takes, whatever it waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from aibom.domain.errors import Reason, UnreadableError

Result = TypeVar("Result")


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """What the call gives or raises. Raises io-error when it takes longer; it is left behind then.

    The time limits of HTTP libraries begin anew with every byte; this one does not.
    """
    outcome = _Outcome(call)
    # A daemon, so that what was left behind does not keep the program from ending.
    thread = threading.Thread(target=outcome.run, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome.result(seconds)


class _Outcome(Generic[Result]):
    """Carries what a call gives or raises to the thread that waits for it."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._given: list[Result] = []
        self._raised: BaseException | None = None

    def run(self) -> None:
        with self:
            self._given.append(self._call())

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._raised = error
        return True

    def result(self, seconds: float) -> Result:
        if self._raised is not None:
            raise self._raised
        if not self._given:
            raise UnreadableError(Reason.IO_ERROR, f"no full answer within {seconds:.0f} seconds")
        return self._given[0]
