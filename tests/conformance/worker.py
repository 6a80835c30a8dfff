#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A worker that shares no code with the C library: the proof that PROTOCOL.md is enough.

It is started by a host, with ISOWORKER_URL and ISOWORKER_TOKEN_FD in its environment, and has four
functions: py_hello, py_echo, py_fail, and py_stream, which gives a body back as it arrives. The
others run to their end at once, so that a cancel always comes too late, which the protocol allows.
"""
import hmac
import os
import socket
import sys
import time

from peer import (CREDIT, DOUBLE, E_CANCELLED, E_CONFLICT, E_IO, E_NOT_FOUND, GOODBYE, HOST_HELLO,
                  HTTP, INVOKE, LOAD, LOADED, LOG, METADATA, METADATA_REQUEST, RELOAD, RELOADED,
                  RESPONSE, STATUS, STATUS_REQUEST, TERMINATE, WARMED, WARMUP, WORKER_HELLO, CANCEL,
                  CHUNK, ERROR, HEAD, METRICS, METRICS_REQUEST, WINDOW, Peer, Violation, Windows,
                  field, members, pairs)

VERSION = 1
OFFER = (VERSION, VERSION)
CREDITS = 8
FAILED, SUCCESS, CANCELLED = 0, 1, 2
INFO = 2


def reply(status, content_type, body):
    return {1: SUCCESS, 3: [HTTP, {3: ["content-type", content_type], 6: body, 8: status}]}


def failure(code, message):
    return {1: FAILED, 2: {1: code, 2: message}}


def py_hello(request):
    name = dict(pairs(request, 5)).get("name", "nobody")
    return reply(200, "text/plain", f"Hello from Python, {name}!\n".encode())


def py_echo(request):
    kind = dict(pairs(request, 3)).get("content-type", "application/octet-stream")
    return reply(200, kind, field(request, 6, bytes, b""))


def py_fail(_request):
    return failure(E_CONFLICT, "py_fail always fails")


FUNCTIONS = {
    "py_hello": (py_hello, "GET", "py/hello/{name}"),
    "py_echo": (py_echo, "POST", "py/echo"),
    "py_fail": (py_fail, "GET", "py/fail"),
    "py_stream": (py_echo, "POST", "py/stream"),
}
STREAMS = {"py_stream"}


class Echo:
    """An invocation of py_stream whose body follows."""

    def __init__(self, peer, joined):
        self.windows = Windows(peer, joined)
        self.ended = False
        peer.send((HEAD, joined, {1: {3: ["content-type", "application/octet-stream"], 8: 200}}))

    def on(self, kind, body):
        """Returns the body of the response once there is one."""
        if kind == CANCEL:
            return failure(E_CANCELLED, "cancelled") | {1: CANCELLED}
        if kind == WINDOW:
            self.windows.granted(body)
        elif 3 in body:
            return failure(E_IO, "the body broke off")
        else:
            self.ended = field(body, 2, bool, False)
            self.windows.write(self.windows.read(body))
        return {1: SUCCESS} if self.ended and not self.windows.waiting else None


class Worker:
    """Turns each frame of the host into the frames that answer it."""

    def __init__(self, peer):
        self.peer = peer
        self.functions = {}
        self.echoes = {}
        self.terminating = False
        self.told = False  # the host takes metrics
        self.silence_s = None
        self.counted = {}  # invocations by function, since they were told last
        self.answers = {
            METADATA_REQUEST: self.metadata, LOAD: self.load, INVOKE: self.invoke,
            **{kind: lambda joined, body, kind=kind: self.stream(kind, joined, body)
               for kind in (CANCEL, CHUNK, WINDOW)},
            STATUS_REQUEST: self.status,
            STATUS: lambda joined, body: [],
            RELOAD: self.reload,
            METRICS_REQUEST: self.metrics,
            WARMUP: lambda joined, body: [(WARMED, joined, {})],
        }

    def hello(self, token):
        """Section 3: the worker speaks first, and believes nothing before the host's proof."""
        self.peer.send((WORKER_HELLO, 0, {1: OFFER[0], 2: OFFER[1], 3: token[:32],
                                          4: "isoworker-python", 5: sys.version.split()[0],
                                          6: ["stream", "1", "metrics", "1"], 7: os.getpid()}))
        kind, _, body = self.peer.receive()
        if kind == ERROR:
            return False
        if kind != HOST_HELLO or not hmac.compare_digest(field(body, 2, bytes), token[32:]):
            raise Violation("the host did not prove itself")
        if field(body, 1, int) != VERSION:
            raise Violation("the host chose a version that was not offered")
        self.told = "metrics" in dict(pairs(body, 5))
        self.silence_s = 10 * field(body, 6, int, 0) / 1000 or None
        return True

    def status(self, joined, _body):
        """Section 3: silence counts from the first heartbeat on."""
        self.peer.sock.settimeout(self.silence_s)
        return [(STATUS, joined, {})]

    def serve(self):
        """Answers until terminate or error. True when the host ended the session in order."""
        while True:
            kind, joined, body = self.peer.receive()
            if kind == ERROR:
                return False
            if kind == TERMINATE:
                self.terminating = True
            elif kind not in self.answers:
                raise Violation(f"kind {kind} is not for a worker in this state")
            else:
                frames = self.answers[kind](joined, body)
                if frames:
                    self.peer.send(*frames)
            if self.terminating and not self.echoes:
                self.peer.send(*(self.metrics(0, {}) if self.told else []), (GOODBYE, 0, {}))
                return self.wait_for_close()

    def wait_for_close(self):
        self.peer.sock.settimeout(5)
        try:
            while True:
                self.peer.receive()
        except (EOFError, OSError):
            return True

    def metadata(self, joined, _body):
        functions = [{1: name, 3: "http", 4: "request", 5: ["methods", method, "route", route],
                      11: name in STREAMS}
                     for name, (_, method, route) in FUNCTIONS.items()]
        return [(METADATA, joined, {2: functions})]

    def load(self, joined, body):
        number, name = field(body, 1, int), field(body, 2, str)
        if name not in FUNCTIONS:
            status = {1: E_NOT_FOUND, 2: f"there is no function {name}"}
            return [(LOADED, joined, {1: number, 2: status})]
        first = not self.functions
        self.functions[number] = name
        return [(LOADED, joined, {1: number})] + ([(CREDIT, 0, {1: CREDITS})] if first else [])

    def invoke(self, joined, body):
        name = self.functions.get(field(body, 1, int))
        if name is None:
            return [(RESPONSE, joined, failure(E_NOT_FOUND, "no such function is loaded"))]
        self.counted[name] = self.counted.get(name, 0) + 1
        if field(body, 9, bool, False):
            self.echoes[joined] = Echo(self.peer, joined)
            return []
        kind, value = field(body, 3, list, [0, None])
        request = members(value) if kind == HTTP else {}
        line = {1: INFO, 2: f"Function.{name}", 3: f"invocation {field(body, 2, str)}",
                4: time.time_ns() // 1000}
        return [(LOG, joined, line), (RESPONSE, joined, FUNCTIONS[name][0](request))]

    def stream(self, kind, joined, body):
        """What comes for an invocation that runs; what is late is ignored."""
        response = self.echoes[joined].on(kind, body) if joined in self.echoes else None
        if response is None:
            return []
        del self.echoes[joined]
        return [(RESPONSE, joined, response)]

    def metrics(self, joined, _body):
        """One frame for each function, as if they were many."""
        counted, self.counted = self.counted, {}
        frames = [{1: [{1: "py_invocations_total", 3: "Invocations.", 4: ["function"],
                        6: [{1: [name], 2: [DOUBLE, float(count)]}]}], 2: True}
                  for name, count in counted.items()]
        return [(METRICS, joined, body) for body in [*frames, {}]]

    def reload(self, joined, body):
        try:
            for name, value in pairs(body, 1):
                os.environ.pop(name, None)
                if value:
                    os.environ[name] = value
            os.chdir(field(body, 2, str, "") or ".")
        except (OSError, ValueError) as error:
            return [(RELOADED, joined, {1: {1: E_NOT_FOUND, 2: str(error)}})]
        return [(RELOADED, joined, {})]


def main():
    with open(int(os.environ["ISOWORKER_TOKEN_FD"]), "rb") as pipe:
        token = pipe.read()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(os.environ["ISOWORKER_URL"].removeprefix("ipc://"))
    peer = Peer(sock)
    worker = Worker(peer)
    try:
        return 0 if worker.hello(token) and worker.serve() else 1
    except Violation as violation:
        peer.give_up(str(violation))
    except (EOFError, OSError):
        pass
    return 1


if __name__ == "__main__":
    sys.exit(main())
