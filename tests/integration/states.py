# SPDX-License-Identifier: Apache-2.0
"""Every state that a connection can be in, in HTTP/1.1, over TLS and in HTTP/2, and what may happen
to it there: its client resets it or sends no more, its worker dies, the host is told to end, or is
killed. Whatever it was, the client hears the right thing, others are served meanwhile, and neither
a descriptor nor memory is left behind."""
import contextlib
import os
import re
import signal
import socket
import struct
import unittest

from fronts import SANITIZED, rss_kib
from frames import END_HEADERS, Frames, data, headers, line, window
from harness import PATIENCE_S, is_alive, main, wait_until, worker
from tls import SecureHost, client as tls_client, settings

PLACES = 6  # of the worker: what runs and what streams takes all of them
ROUNDS = int(os.environ.get("ISOWORKER_STATE_ROUNDS", "6"))
GROWTH_KIB = 6 * 1024
LISTEN = '"http://127.0.0.1:0", "https://127.0.0.1:0"'
CHAIN = (f"worker: {{concurrency: {PLACES}, max_in_flight: {PLACES}}}\n"
         "middleware: [error_handling]\n")
BODY = b"x" * 20000
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


class Host(SecureHost):
    """With a plain and a secure address, and all that there is of threads or processes."""

    def __init__(self, top="", http="", more="", expect=0):
        top += settings(http, listen=LISTEN)
        super().__init__(top, CHAIN, expect=expect)
        self.write("host.yaml", top + "workers:\n" + worker(more=more))

    def __enter__(self):
        super().__enter__()
        line_of_addresses = self.wait_for("Ctrl-C ends")
        self.secure_port = self.port
        self.port = int(re.search(r"http://[^:]+:(\d+)", line_of_addresses).group(1))
        return self

    def raw(self, protocol):
        port = self.secure_port if protocol == "tls" else self.port
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        if protocol == "tls":
            sock = tls_client().wrap_socket(sock, server_hostname="localhost")
        return sock

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def serves(self):
        """Without the worker, whose places may all be taken."""
        assert self.get("nowhere")[0] == 404


class Lines:
    """A connection of HTTP/1.1 in a state."""

    STATES = {
        "fresh": b"",
        "half a head": b"GET /api/hello/Ada HTTP/1.1\r\nHo",
        "head": b"POST /api/echo HTTP/1.1\r\nHost: a\r\n" + LENGTH + b"\r\n",
        "half a body": b"POST /api/echo HTTP/1.1\r\nHost: a\r\n" + LENGTH + b"\r\n" + BODY[:10000],
        "runs": b"GET /api/once?ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n",
        "streams": b"GET /api/pour?ms=12000 HTTP/1.1\r\nHost: a\r\n\r\n",
        "waits": b"GET /api/hello/Ada HTTP/1.1\r\nHost: a\r\n\r\n",
        "done": b"GET /api/nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    }

    def __init__(self, host, protocol, state):
        self.sock = host.raw(protocol)
        self.state = state
        self.got = b""
        self.sock.sendall(self.STATES[state])
        if state == "done":
            self.until(lambda: self.got.endswith(b"}\n"))
            self.got = b""
        if state == "streams":
            self.until(lambda: len(self.got) > 10000)

    def until(self, condition):
        """False: it ended before."""
        while not condition():
            try:
                part = self.sock.recv(65536)
            except OSError:
                part = b""
            if not part:
                return False
            self.got += part
        return True

    def complete(self):
        """Send what the state lacks of a request."""
        self.sock.sendall({
            "half a head": self.STATES["waits"][len(self.STATES["half a head"]):],
            "head": BODY,
            "half a body": BODY[10000:],
            "runs": b"", "streams": b"", "waits": b"",
        }.get(self.state, self.STATES["waits"]))

    def told(self):
        """What the client hears: the status of an answer, "cut", or "closed"."""
        def whole():
            head, mark, body = self.got.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if not mark or not length:
                return body.endswith(b"\r\n0\r\n\r\n")
            return len(body) >= int(length.group(1))
        if self.until(whole):
            return int(self.got[9:12])
        return "cut" if self.got else "closed"

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def end(self):
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def close(self):
        self.sock.close()


class Streams:
    """A connection of HTTP/2 in a state."""

    def __init__(self, host, _, state):
        self.frames = Frames(host.port)
        self.state = state
        self.number = 1
        request = {"runs": line(path="/api/once?ms=60000"), "waits": line(),
                   "streams": line(path="/api/pour?ms=12000")}
        if state == "half a head":
            self.frames.send(headers(1, line())[:20])
        elif state in ("head", "half a body"):
            self.frames.send(headers(1, line("POST", "/api/echo"), END_HEADERS))
            if state == "half a body":
                self.frames.send(data(1, BODY[:10000], 0))
        elif state == "done":
            self.frames.ask(1, path="/api/nowhere")
            self.number = 3
        elif state in request:
            self.frames.send(headers(1, request[state]))
        if state == "streams":
            self.frames.wait(lambda: self.frames.stream(1).body)

    def complete(self):
        if self.state == "half a head":
            self.frames.send(headers(1, line())[20:])
        elif self.state == "head":
            self.frames.send(data(1, BODY[:16384], 0), data(1, BODY[16384:]))
        elif self.state == "half a body":
            self.frames.send(data(1, BODY[10000:]))
        elif self.state == "streams":
            self.frames.send(window(0, 1 << 30), window(1, 1 << 30))
        elif self.state in ("fresh", "done"):
            self.frames.send(headers(self.number, line()))

    def told(self):
        stream = self.frames.stream(self.number)
        self.frames.wait(lambda: stream.ended or stream.error is not None)
        if stream.ended:
            return stream.status
        return "cut" if stream.heads else "closed"

    def reset(self):
        self.frames.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.frames.sock.close()

    def end(self):
        self.frames.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.frames.sock.close()


PROTOCOLS = {"http1": Lines, "tls": Lines, "http2": Streams}


def in_all_states(host, stack, states=tuple(Lines.STATES)):
    """Connections by protocol and state."""
    found = {}
    naps = len(re.findall("napping", host.log()))
    for state in states:
        for protocol, kind in PROTOCOLS.items():
            found[protocol, state] = kind(host, protocol, state)
            stack.callback(found[protocol, state].close)
        if state == "runs":
            host.wait_for_naps(naps + len(PROTOCOLS))
    return found


SERVED = {state: {200} for state in Lines.STATES}
CLOSED = {state: {"closed"} for state in Lines.STATES}
SEVERAL = {"http": "  threads: 4\n", "more": "processes: 4"}
GRACE = "host: {shutdown_grace: 200ms, cancel_grace: 200ms}\n"


class States(unittest.TestCase):
    def hear(self, connections, wanted):
        told = {key: connection.told() for key, connection in connections.items()}
        for (protocol, state), heard in told.items():
            self.assertIn(heard, wanted[state], (protocol, state, told))

    def rounds(self, event, http="", more=""):
        """Again and again: nothing is left of it."""
        with Host(http=http, more=more) as host:
            for number in range(ROUNDS):
                with contextlib.ExitStack() as stack:
                    connections = in_all_states(host, stack)
                    held = host.descriptors()
                    host.serves()
                    event(connections)
                    host.serves()
                self.assertEqual(host.get("hello/Ada")[0], 200)  # what ran is cancelled
                if number == 1:  # what is made at the first need is there
                    before = held - len(connections), rss_kib(host.process.pid)
            wait_until(lambda: host.descriptors() <= before[0])
            if not SANITIZED:
                self.assertLess(rss_kib(host.process.pid) - before[1], GROWTH_KIB)

    def reset(self, connections):
        for connection in connections.values():
            connection.reset()

    def end(self, connections):
        """One that asked is answered: what ran is cancelled, so that what waited may run."""
        wanted = {**CLOSED, "runs": {499, "closed"}, "streams": {"cut"},
                  "waits": {200, 499, "closed"}}
        for connection in connections.values():
            connection.end()
        self.hear(connections, wanted)

    def test_clients_that_reset_leave_nothing_behind(self):
        self.rounds(self.reset)

    def test_clients_that_send_no_more_leave_nothing_behind(self):
        self.rounds(self.end)

    def test_several_threads_and_processes_leave_nothing_behind(self):
        self.rounds(self.reset, **SEVERAL)

    def death(self, host, connections, streams):
        for pid in set(host.wait_for_naps(len(PROTOCOLS))):
            os.kill(pid, signal.SIGKILL)
        host.serves()
        for connection in connections.values():
            connection.complete()
        self.hear(connections, {**SERVED, "runs": {502}, "streams": streams})

    def test_the_death_of_a_worker_ends_only_what_it_had_begun(self):
        with Host() as host, contextlib.ExitStack() as stack:
            self.death(host, in_all_states(host, stack), {"cut"})

    def test_the_death_of_some_processes_ends_only_what_they_had_begun(self):
        with Host(**SEVERAL) as host, contextlib.ExitStack() as stack:
            self.death(host, in_all_states(host, stack), {"cut", 200})

    def drain(self, **more):
        with Host(GRACE, **more) as host, contextlib.ExitStack() as stack:
            connections = in_all_states(host, stack)
            host.process.send_signal(signal.SIGTERM)
            self.hear(connections, {**CLOSED, "runs": {503}, "streams": {"cut"},
                                    "waits": {200} if more else {503}})

    def test_a_host_that_ends_answers_what_it_has(self):
        self.drain()

    def test_a_host_with_several_threads_and_processes_that_ends_answers_what_it_has(self):
        self.drain(**SEVERAL)

    def test_what_a_killed_host_had_is_closed(self):
        with Host(expect=-signal.SIGKILL) as host, contextlib.ExitStack() as stack:
            pid = int(host.get("pid")[1].split()[0])
            connections = in_all_states(host, stack)
            host.process.kill()
            self.hear(connections, {**CLOSED, "streams": {"cut"}})
            wait_until(lambda: not is_alive(pid))


if __name__ == "__main__":
    main()
