"""What `init` asks on a terminal: each question has the guess as the answer that Enter gives, a wrong answer is asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from fitscale.cli.shown import wrapped
from fitscale.data.starter.choices import Choices, choose
from fitscale.data.starter.writing import clean
from fitscale.errors import UsageError
from fitscale.workload.spot import Spot
from fitscale.workload.values import DEADLINE, IMPORT

if TYPE_CHECKING:
    from fitscale.cli.saying import Out
    from fitscale.data.starter.looking import Look
    from fitscale.data.starter.seeing import Seen

NONE = "none"


def asked(screen: Out, columns: Sequence[Seen], look: Look, said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said by flags, and the answers to what was not.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C, or the end of the input.
    """
    answers = dict(said)
    screen.lines(
        wrapped("Columns", ", ".join(clean(column.name) for column in columns[:60]) + _more(columns), screen.width)
    )
    screen.say()

    def now() -> Choices:
        return choose(columns, look, answers)

    def ask(place: str, question: str, guess: str, read: Callable[[str], Any]) -> None:
        while True:
            text = _prompt(question, guess)
            try:
                answers[place] = read(text)
                now()
                return
            except UsageError as error:
                answers.pop(place, None)
                screen.lines(wrapped("", str(error), screen.width, 2))

    if "data.target" not in said:
        ask("data.target", "What is to be predicted?", str(now().target.value), str)
    if "data.groups" not in said:
        for line in _apart(now(), screen.width):
            screen.say(line)
        ask("data.groups", "One model for each value of which column?", NONE, _columns)
    if "data.time" not in said and any(column.kind == "date" for column in columns):
        ask("data.time", "Which column says when each row happened?", str(now().time.value or NONE), _column)
    if "model.estimator" not in said:
        ask("model.estimator", "Which estimator?", str(now().estimator.value), _import)
    if "needs.deadline" not in said:
        ask("needs.deadline", "How long may it take (30m, 4h, 06:00)?", NONE, _deadline)
    screen.say()
    return {place: value for place, value in answers.items() if value is not None or place == "data.time"}


def _prompt(question: str, guess: str) -> str:
    try:
        return str(typer.prompt(question, default=guess)).strip()
    except typer.Abort:
        raise KeyboardInterrupt from None


def _more(columns: Sequence[Seen]) -> str:
    return f", and {len(columns) - 60:,} more" if len(columns) > 60 else ""


def _apart(choices: Choices, width: int) -> list[str]:
    told = [f"{clean(name)} ({choices.models_of(k)})" for k, (name, *_) in enumerate(choices.apart[:3])]
    return wrapped("", f"It could be {', or '.join(told)}.", width, 0) if told else []


def _columns(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip() not in ("", NONE))


def _column(text: str) -> str | None:
    return None if text == NONE else text


def _import(text: str) -> str:
    return str(IMPORT.read(text, Spot("model.estimator")))


def _deadline(text: str) -> str | None:
    if text == NONE:
        return None
    DEADLINE.read(text, Spot("needs.deadline"))
    return text
