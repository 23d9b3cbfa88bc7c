"""A small nameserver on loopback, over UDP and TCP, with zones as a dict, and faulty on demand.

    with DnsServer({"news.example.org": {"TXT": ['"v=spf1 -all"'], "MX": ["10 mail.example.org."]}}) as dns:
        dns.fail("mail.example.org", "SERVFAIL")
        ...
        assert ("news.example.org", "TXT", "udp") in dns.asked

Values are written as in a zone file. A CNAME is followed within the zones, as a resolver would.
"""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import Literal, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

__all__ = ["DnsServer", "Zones"]

Zones = dict[str, dict[str, list[str]]]
Fault = Literal["SERVFAIL", "REFUSED", "silence", "truncated"]

_TTL = 60


class DnsServer:
    """The server, in threads of its own. `asked` holds every question: name, type, and udp or tcp."""

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self.asked: list[tuple[str, str, str]] = []
        self.first_question = threading.Event()
        self._faults: dict[str, Fault] = {}
        self._udp, self._tcp = _sockets()
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._serve_udp, self._serve_tcp)
        ]

    @property
    def address(self) -> tuple[str, int]:
        """For `DnsResolver`."""
        host, port = self._udp.getsockname()
        return host, port

    @property
    def setting(self) -> str:
        """For MAILER_DNS_SERVER."""
        return "{}:{}".format(*self.address)

    def fail(self, name: str, fault: Fault) -> None:
        """Answers questions about `name` (or about everything: "*") so from now on."""
        self._faults[name] = fault

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        # What blocks in a call is woken by an end of the socket, not by closing its number.
        port = self.address[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        socket.create_connection(("127.0.0.1", port)).close()
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            data, peer = self._udp.recvfrom(65535)
            if not data:
                return
            answer = self._answer(data, "udp")
            if answer is not None:
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            connection, _ = self._tcp.accept()
            with connection:
                head = connection.recv(2, socket.MSG_WAITALL)
                if not head:
                    return
                data = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                answer = self._answer(data, "tcp")
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, data: bytes, way: Literal["udp", "tcp"]) -> bytes | None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, way))
        self.first_question.set()
        fault = self._faults.get(name, self._faults.get("*"))
        if fault == "silence":
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if fault in ("SERVFAIL", "REFUSED"):
            response.set_rcode(dns.rcode.from_text(fault))
            return response.to_wire()
        if fault == "truncated" and way == "udp":
            response.flags |= dns.flags.TC
            return response.to_wire()
        self._fill(response, name, kind)
        try:
            return response.to_wire(max_size=65535 if way == "tcp" else max(512, query.payload))
        except dns.exception.TooBig:
            cut = dns.message.make_response(query)
            cut.flags |= dns.flags.TC
            return cut.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        """Puts the records in, a chain of CNAMEs first; NXDOMAIN where the name is not there."""
        for _ in range(8):
            records = self.zones.get(name)
            if records is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            found = records.get(kind)
            if found:
                response.answer.append(dns.rrset.from_text_list(f"{name}.", _TTL, "IN", kind, found))
                return
            if "CNAME" not in records:
                return
            response.answer.append(
                dns.rrset.from_text_list(f"{name}.", _TTL, "IN", "CNAME", records["CNAME"])
            )
            name = records["CNAME"][0].rstrip(".")


def _sockets() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same port, which must be free for both."""
    for _ in range(100):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
    raise AssertionError("no port is free for UDP and TCP")
