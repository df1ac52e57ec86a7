"""Questions and answers as lines of JSON, which is what the solver's process speaks."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from sdl.errors import UserMistake
from sdl.scheduling.model import Answer, Order, Problem, Question

_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_PROBLEM: TypeAdapter[Problem] = TypeAdapter(Problem)


def question_line(question: Question) -> bytes:
    """A question as one line, without the line's end."""
    return _QUESTION.dump_json(question)


def read_question(line: bytes) -> Question:
    """The question on a line. UserMistake if it is none."""
    try:
        return _QUESTION.validate_json(line)
    except ValidationError as error:
        raise UserMistake(f"this is no scheduling question: {error}") from error


def answer_line(answer: Answer) -> bytes:
    """An answer as one line, without the line's end."""
    return _ANSWER.dump_json(answer)


def read_answer(line: bytes) -> Answer:
    """The answer on a line. UserMistake if it is none."""
    try:
        return _ANSWER.validate_json(line)
    except ValidationError as error:
        raise UserMistake(f"this is no answer of the scheduler: {error}") from error


def order_line(order: Order) -> bytes:
    """An order as one line, without the line's end."""
    return _ORDER.dump_json(order)


def read_order(line: bytes) -> Order:
    """The order on a line. UserMistake if it is none."""
    try:
        return _ORDER.validate_json(line)
    except ValidationError as error:
        raise UserMistake(f"this is no order to search: {error}") from error


def problem_text(problem: Problem) -> bytes:
    """A problem as JSON, for a file or a digest."""
    return _PROBLEM.dump_json(problem)
