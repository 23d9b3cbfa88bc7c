"""Implements `mailer serve`, which serves the public pages and sends due campaigns."""

from __future__ import annotations

import signal
import socket
from functools import partial
from types import FrameType
from typing import Annotated

import typer

from mailer.commands.context import say, settings_of
from mailer.commands.crash_reports import describe_defect
from mailer.config import Settings
from mailer.errors import FailureError
from mailer.services.due.background import Scheduler
from mailer.services.readers.serving import prepare_to_serve

__all__ = ["listener_url", "serve"]

#: At the end, a running campaign has this many seconds to stop; messages in flight have fewer.
_END_SECONDS = 15.0

_Host = Annotated[str, typer.Option(metavar="H", help="The address to listen on, such as 0.0.0.0.")]
_Port = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, max=65535, help="The port to listen on, such as 8080; 0 takes a free one."
    ),
]
_NoSchedule = Annotated[
    bool, typer.Option("--no-schedule", help="Send no due campaigns; `mailer run-due` sends them.")
]


def serve(
    context: typer.Context,
    host: _Host = "127.0.0.1",
    port: _Port = 8000,
    no_schedule: _NoSchedule = False,
) -> None:
    """Serves the public pages, and sends due campaigns, until Ctrl-C."""
    # Only here: no other command needs a web server.
    from mailer.web.app import create_app
    from mailer.web.server import listen, make_server

    settings = settings_of(context)
    prepare_to_serve(settings)
    scheduler = Scheduler(settings, on_defect=partial(_print_unexpected_error, settings))
    server = make_server(create_app(settings), scheduler.request_stop)

    def end_on_signal(_number: int, _frame: FrameType | None) -> None:
        scheduler.request_stop()
        server.should_exit = True

    try:
        listener = listen(host, port)
    except UnicodeError:
        raise FailureError(
            f'cannot listen on "{host}": this is not a valid host name; choose another with --host'
        ) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FailureError(
            f"cannot listen on {host} port {port}: {why}; stop the program that uses it, "
            "or choose another port with --port"
        ) from None
    # uvicorn takes the signals over while it runs, and gives them back to these when it has ended.
    before = {number: signal.signal(number, end_on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with listener:
            say(f"Serving {settings.publication.name} on {listener_url(listener)} (Ctrl-C ends it)")
            if not no_schedule:
                scheduler.start()
            server.run(sockets=[listener])
    finally:
        scheduler.stop(_END_SECONDS)
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_unexpected_error(settings: Settings, error: Exception) -> None:
    say(f"the scheduler continues in a minute: {describe_defect(settings.root, error, 'serve')}", err=True)


def listener_url(listener: socket.socket) -> str:
    """Returns the URL by which a browser on this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"
