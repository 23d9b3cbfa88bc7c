"""`mailer serve`: what readers open in a browser, and what mail programs POST to."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Annotated

import typer

from mailer.commands.context import say, settings_of
from mailer.errors import FailureError
from mailer.store import open_store

__all__ = ["address_of", "serve"]


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="H", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Serves the unsubscribe and preferences pages and the archive, until Ctrl-C or SIGTERM."""
    # Only here: no other command needs a web server.
    from mailer.web.app import create_app
    from mailer.web.server import listen, make_server

    settings = settings_of(context)
    settings.signing_keys()
    open_store(settings.database).conn.close()
    server = make_server(create_app(settings))

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    try:
        listener = listen(host, port)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FailureError(
            f"cannot listen on {host} port {port}: {why}; stop what is there, or choose another with --port"
        ) from None
    # uvicorn takes the signals over while it runs, and gives them back to these when it has ended.
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with listener:
            say(f"Serving {settings.publication.name} on {address_of(listener)} (Ctrl-C ends it)")
            server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def address_of(listener: socket.socket) -> str:
    """Where a browser finds what listens there."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"
