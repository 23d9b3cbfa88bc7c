"""What SendGrid can do to a campaign, and what the operator then reads and does.

How an answer becomes an outcome is `tests/transports/test_sendgrid.py`'s; here the whole program is
run. A request holds everybody, so that one fault is everybody's, but for the one whom a 400 names.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mailer.transports.http import connection as http_connection
from tests.faults.conftest import GO_ON, SLUG, Desk
from tests.servers.sendgrid import KEY, SendGridApi


def error(message: str, field: str | None = None) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": field, "help": None}]}


# -- too fast, too large --------------------------------------------------------------------


def test_429_is_waited_out_and_nobody_notices(desk: Desk, api: SendGridApi) -> None:
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 7)}
    api.answer(429, error("too many requests"), reset, times=2)
    ran = desk.send()
    assert ran.status == 0, ran.err
    assert desk.counts == {"accepted": 4}
    waits = [pause for pause in desk.pauses if pause >= 1]
    assert len(waits) == 2
    assert all(4 < wait <= 8.5 for wait in waits)
    desk.finishes(lambda: api.recipients)


def test_429_whose_reset_a_wrong_clock_puts_far_away_is_waited_a_minute_at_most(
    desk: Desk, api: SendGridApi
) -> None:
    api.answer(429, error("too many requests"), {"X-RateLimit-Reset": str(int(time.time()) + 86_400)})
    assert desk.send().status == 0
    assert max(desk.pauses) == 60.0


def test_429_for_ever_leaves_everybody_for_later(desk: Desk, api: SendGridApi) -> None:
    api.answer(429, error("too many requests"), times=4)
    ran = desk.send()
    assert ran.status == 1
    assert desk.counts == {"deferred": 4}
    assert "4 deferred: 429 too many requests" in ran.out
    assert "4 deferred deliveries are tried again by a running `mailer serve`" in ran.out
    assert f"{GO_ON} tries at once." in ran.out
    assert api.recipients == []
    desk.finishes(lambda: api.recipients)


def test_413_is_halved_and_one_message_too_large_is_rejected(desk: Desk, api: SendGridApi) -> None:
    api.answer(413, error("Payload too large"), times=3)  # four, the first two, the first
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["rejected", "accepted", "accepted", "accepted"]
    assert "1 rejected: 413 Payload too large" in ran.out
    assert f"`mailer campaigns retry {SLUG}`" in ran.out
    assert desk.run("campaigns", "retry", SLUG).status == 0
    desk.finishes(lambda: api.recipients)


# -- what leaves a doubt --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, error("internal error"), {}), "500 internal error"),
        ((502, b"<html><h1>Bad\r\nGateway</h1></html>", {"Content-Type": "text/html"}), "502 <html><h1>Bad"),
        ((503, b"", {}), "503"),
        ((200, b'{"errors": [', {}), '200 {"errors": ['),
    ],
)
def test_an_answer_that_is_no_answer_is_uncertain_and_held(
    desk: Desk, api: SendGridApi, answer: tuple[int, Any, dict[str, str]], words: str
) -> None:
    status, body, headers = answer
    api.answer(status, body, headers)
    ran = desk.send()
    assert ran.status == 1
    assert desk.counts == {"uncertain": 4}
    assert f"4 uncertain: {words}" in ran.out
    assert f"`mailer campaigns resolve {SLUG} --assume-sent` (or --resend) settles them" in ran.out
    desk.finishes(lambda: api.recipients, uncertain=4)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("hang", "no answer came in time"),
        ("close", "the connection was closed"),
        ("reset", "the connection was closed"),
    ],
)
def test_no_answer_after_the_request_is_uncertain_and_held(
    desk: Desk, api: SendGridApi, kind: Any, why: str
) -> None:
    api.trouble(kind)
    ran = desk.send()
    assert ran.status == 1
    assert desk.counts == {"uncertain": 4}
    assert "4 uncertain: no answer from SendGrid: " in ran.out
    assert why in ran.out
    assert "4 messages may or may not have arrived, and are held." in ran.out
    assert len(api.requests) == 1
    desk.finishes(lambda: api.recipients, uncertain=4)


def test_what_is_uncertain_goes_again_when_the_operator_says_so(desk: Desk, api: SendGridApi) -> None:
    api.trouble("close")
    assert desk.send().status == 1
    ran = desk.run("campaigns", "resolve", SLUG, "--resend")
    assert ran.status == 0, ran.err
    assert desk.counts == {"accepted": 4}
    assert len(api.recipients) == 4


def test_an_outage_stops_the_campaign(desk: Desk, api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailer.transports.sendgrid.transport import SendGrid

    monkeypatch.setattr(SendGrid, "batch_size", 2)
    desk.people(60)
    api.answer(500, error("internal error"), times=1000)
    ran = desk.send()
    assert ran.status == 1
    assert "messages in a row were uncertain, so the campaign stopped itself" in ran.err
    assert "the last answer was: 500 internal error" in ran.err
    assert f"are uncertain; {GO_ON} sends the " in ran.err
    assert desk.counts["uncertain"] == 20
    assert desk.counts["pending"] == 40
    api._script.clear()
    desk.finishes(lambda: api.recipients, uncertain=20)


# -- what surely did not arrive -------------------------------------------------------------


@contextmanager
def cutting_off(monkeypatch: pytest.MonkeyPatch, how_often: int) -> Iterator[None]:
    """The connection ends before the last byte of a request: looking there finds it gone."""
    left = [how_often]
    real = http_connection._server_has_answered_or_hung_up

    def gone(connection: socket.socket) -> bool:
        if left[0] and connection in sending:
            left[0] -= 1
            connection.shutdown(socket.SHUT_RDWR)
            return True
        return real(connection)

    sending: list[socket.socket] = []
    send = http_connection.HttpConnection._send_request

    def noted(self: Any, connection: Any, headers: Any, data: bytes) -> None:
        sending.append(connection.sock)
        try:
            send(self, connection, headers, data)
        finally:
            sending.clear()

    with monkeypatch.context() as patch:
        patch.setattr(http_connection, "_server_has_answered_or_hung_up", gone)
        patch.setattr(http_connection.HttpConnection, "_send_request", noted)
        yield


def test_a_connection_cut_before_the_end_of_the_request_is_deferred_never_uncertain(
    desk: Desk, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cutting_off(monkeypatch, 1):  # once more, on another connection
        assert desk.send().status == 0
    desk.finishes(lambda: api.recipients)


def test_connections_cut_again_and_again_are_deferred_never_uncertain(
    desk: Desk, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cutting_off(monkeypatch, 2):
        ran = desk.send()
    assert ran.status == 1
    assert desk.counts == {"deferred": 4}
    assert "4 deferred: the request did not reach SendGrid: " in ran.out
    assert GO_ON in ran.out
    desk.finishes(lambda: api.recipients)


def test_nobody_there(desk: Desk, api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("MAILER_SENDGRID_URL", "http://127.0.0.1:1")
        ran = desk.send()
    assert ran.status == 1
    assert "SendGrid cannot be reached at http://127.0.0.1:1: Connection refused" in ran.err
    assert "check the network and MAILER_SENDGRID_URL, then run this again" in ran.err
    assert f"no reader has the issue yet; {GO_ON} sends the 4 that are left" in ran.err
    assert desk.counts == {"pending": 4}
    desk.finishes(lambda: api.recipients)


# -- refusals -------------------------------------------------------------------------------


def test_400_rejects_whom_it_names_and_the_rest_get_theirs(desk: Desk, api: SendGridApi) -> None:
    api.answer(400, error("Does not contain a valid address.", "personalizations.2.to.0.email"))
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["accepted", "accepted", "rejected", "accepted"]
    assert "1 rejected: 400 Does not contain a valid address." in ran.out
    assert "the address does not exist. The readers are marked as bounced and get no more mail" in ran.out
    got = [f"reader{i}@example.org" for i in (1, 2, 4)]
    assert api.recipients == got
    assert "There is nothing to send" in desk.send().out
    assert api.recipients == got


@pytest.mark.parametrize("body", [b"<html>no</html>", b'{"errors": "?"}', b"[]", b"\xff\xfe"])
def test_400_in_words_that_nobody_understands_rejects_the_request(
    desk: Desk, api: SendGridApi, body: bytes
) -> None:
    api.answer(400, body)
    ran = desk.send()
    assert ran.status == 1
    assert desk.counts == {"rejected": 4}
    assert "4 rejected: 400" in ran.out
    assert desk.run("campaigns", "retry", SLUG).status == 0
    desk.finishes(lambda: api.recipients)


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (401, error("The provided authorization grant is invalid"), "check SENDGRID_API_KEY"),
        (403, error("access forbidden"), "the key needs the Mail Send permission"),
        (404, error("not found"), "check MAILER_SENDGRID_URL"),
        (301, b"", "check MAILER_SENDGRID_URL"),
        (307, b"", "check MAILER_SENDGRID_URL"),
    ],
)
def test_what_no_request_can_overcome_stops_the_campaign(
    desk: Desk, api: SendGridApi, status: int, body: object, advice: str
) -> None:
    elsewhere = {"Location": f"{api.url}/elsewhere"} if status < 400 else {}
    api.answer(status, body, elsewhere)
    ran = desk.send()
    assert ran.status == 1
    assert f"SendGrid accepted no message: {status}" in ran.err
    assert advice in ran.err
    assert f"no reader has the issue yet; {GO_ON} sends the 4 that are left" in ran.err
    assert KEY not in ran.err + ran.out
    assert api.paths == ["/v3/mail/send"]  # the key is carried nowhere else
    assert desk.counts == {"pending": 4}
    desk.finishes(lambda: api.recipients)


# -- two things at once ---------------------------------------------------------------------


def test_a_pause_while_a_429_is_waited_out(desk: Desk, api: SendGridApi) -> None:
    """The wait ends, nothing more is asked for, and everybody is left for later."""
    paused = threading.Event()
    answered = api.answer
    answered(429, error("too many requests"), times=1000)

    def pause() -> None:
        while not api.requests:
            time.sleep(0.005)
        assert desk_pause()
        paused.set()

    def desk_pause() -> bool:
        import sqlite3

        database = sqlite3.connect(desk.root / "subscribers.db")
        with database:
            changed = database.execute("UPDATE campaigns SET status = 'paused'").rowcount
        database.close()
        return bool(changed)

    thread = threading.Thread(target=pause)
    thread.start()
    ran = desk.send()
    thread.join(20)
    assert paused.is_set()
    assert ran.status == 1
    assert f"The campaign is paused. `mailer campaigns resume {SLUG}` continues it." in ran.out
    assert desk.counts == {"deferred": 4}
    api._script.clear()
    assert desk.run("campaigns", "resume", SLUG).status == 0
    desk.finishes(lambda: api.recipients)
