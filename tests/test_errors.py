"""Every error is one tree, and every problem one line."""

from __future__ import annotations

from mailer import errors
from mailer.display_text import nearest_word
from mailer.errors import FailureError, InputError, MailerError, Problem


def test_a_problem_tells_as_much_of_its_place_as_is_known() -> None:
    assert str(Problem("is wrong")) == "is wrong"
    assert str(Problem("is wrong", "a.yaml")) == "a.yaml: is wrong"
    assert str(Problem("is wrong", "a.yaml", 3)) == "a.yaml:3: is wrong"
    assert str(Problem("is wrong", "a.yaml", 3, 7)) == "a.yaml:3:7: is wrong"
    assert str(Problem("is odd", "a.yaml", 3, severity="warning")) == "a.yaml:3: warning: is odd"


def test_an_error_holds_many_problems() -> None:
    error = InputError.from_problems([Problem("one", "a", 1), Problem("two", "a", 2)])
    assert str(error) == "a:1: one\na:2: two"
    assert len(error.problems) == 2


def test_the_exit_status_says_whether_anything_was_tried() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, InputError):
            assert kind.exit_status == 2, name
        elif isinstance(kind, type) and issubclass(kind, FailureError):
            assert kind.exit_status == 1, name
    assert issubclass(InputError, MailerError)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for name in errors.__all__:
        if name != "Problem":
            assert name in (errors.__doc__ or ""), name


def test_the_nearest_word_is_close_or_none() -> None:
    assert nearest_word("titel", ["title", "body"]) == "title"
    assert nearest_word("TITLE", ["title"]) == "title"
    assert nearest_word("zzz", ["title", "body"]) is None
