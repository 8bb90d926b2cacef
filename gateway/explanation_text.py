"""An explanation as an operator reads it."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.explain import Explanation


def lines(asked: str, explanation: Explanation) -> Iterator[str]:
    """The explanation, line by line."""
    yield asked
    yield ""
    status = "the upstream's" if explanation.status is None else str(explanation.status)
    yield _line("answer", f"{status}, {explanation.answer}")
    for name, value in explanation.headers.items():
        yield _line("", f"{name}: {value}")
    yield _line("route", explanation.route or "none")
    yield _line("why", explanation.why)
    if explanation.alias is not None:
        yield _line("alias", explanation.alias)
    if explanation.target is not None:
        yield _line("target", explanation.target)
        for passed in explanation.other_targets:
            yield _line("", f"not {passed.what}: {passed.reason}")
    for event in explanation.events:
        yield from _event(event)
    if not explanation.recorded:
        yield _line("event", "none: the client asks not to be recorded (DNT or Sec-GPC)")
    elif not explanation.events:
        yield _line("event", "none")
    if explanation.passed_over:
        yield ""
        yield "passed over"
        for passed in explanation.passed_over:
            yield f"  {passed.what}: {passed.reason}"
    if explanation.more:
        yield f"  and {explanation.more} more for other paths"


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    label = "event"
    for key, value in event.items():
        yield _line(label, f"{key} = {value}")
        label = ""


def _line(label: str, text: str) -> str:
    return f"{label:8}{text}"
