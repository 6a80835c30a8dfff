#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A host for one invocation that shares no code with the C library.

    host.py [OPTION...] FUNCTION METHOD PATH -- WORKER [ARGUMENT...]

It starts the worker, loads all its functions, invokes FUNCTION once with an HTTP request, prints
the response as one JSON object, and ends the worker. It exits with 0 when the session went by
PROTOCOL.md and the worker exited with 0, whatever the outcome of the invocation. The body of a
function that streams is sent in pieces, `--repeat` times.
"""
import argparse
import hashlib
import hmac
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.parse

from peer import (CHUNK, CREDIT, DOUBLE, ERROR, GOODBYE, HEAD, HOST_HELLO, HTTP, INVOKE, LOAD,
                  LOADED, LOG, METADATA, METADATA_REQUEST, METRICS, METRICS_REQUEST, OUTPUT, RELOAD,
                  RELOADED, RESPONSE, STATUS, STATUS_REQUEST, TERMINATE, WARMED, WARMUP, WINDOW,
                  WORKER_HELLO, Map, Peer, Violation, Windows, field, members, pairs)

VERSION = 1
PATIENCE_S = 20
INVOCATION = 1000
UNASKED = (CREDIT, LOG, STATUS_REQUEST)


class Exchange:
    """The bodies of one invocation that travel in pieces, and its outputs."""

    def __init__(self, peer, data, repeat):
        self.peer, self.data, self.repeat = peer, data, repeat
        self.windows = Windows(peer, INVOCATION)
        self.head = None
        self.body = bytearray()
        self.outputs = []

    def go_on(self):
        """Sends what may leave, and the end after the last of it."""
        while self.repeat and not self.windows.waiting:
            self.repeat -= 1
            self.windows.write(self.data)
        if self.data is not None and not self.repeat and not self.windows.waiting:
            self.data = None
            self.peer.send((CHUNK, INVOCATION, {2: True}))

    def on(self, kind, body):
        if kind == WINDOW:
            self.windows.granted(body)
            self.go_on()
        elif kind == OUTPUT:
            self.outputs.append([field(body, 1, str), field(body, 2, list)])
        elif (kind == HEAD) != (self.head is None):
            raise Violation("a head after a head, or a chunk before it")
        elif kind == HEAD:
            self.head = members(body[1])
        else:
            self.body += self.windows.read(body)

    def whole(self, response):
        if self.head is not None:
            response[3] = [HTTP, Map({**self.head, 6: bytes(self.body)}.items())]
        return response


class Host:
    """A session with one worker, driven step by step."""

    def __init__(self, peer):
        self.peer = peer
        self.credit = 0
        self.logs = []
        self.streams = set()  # names of the functions that do
        self.tells = False  # the worker names the capability `metrics`
        self.metrics = {}  # sums by name and labels

    def hello(self, token):
        kind, _, body = self.peer.receive()
        if kind != WORKER_HELLO or not hmac.compare_digest(field(body, 3, bytes), token[:32]):
            raise Violation("the worker did not prove itself")
        if not field(body, 1, int) <= VERSION <= field(body, 2, int):
            raise Violation("no version in common")
        self.tells = "metrics" in dict(pairs(body, 6))
        self.peer.send((HOST_HELLO, 0, {1: VERSION, 2: token[32:], 3: "isoworker-python",
                                        5: ["stream", "1", "metrics", "1"], 8: "python/0",
                                        9: os.getcwd()}))

    def ask(self, request, answer, bodies, first_id=1):
        """Sends one request for each body, all in one message, and returns the answers in order."""
        ids = range(first_id, first_id + len(bodies))
        self.peer.send(*((request, joined, body) for joined, body in zip(ids, bodies)))
        answers = {}
        while len(answers) < len(ids):
            kind, joined, body = self.receive()
            if kind in UNASKED:
                continue
            if kind != answer or joined not in ids or joined in answers:
                raise Violation(f"frame {kind} of id {joined} answers nothing")
            answers[joined] = body
        return [answers[joined] for joined in ids]

    def receive(self):
        """The next frame; what a worker may send by itself is noted first."""
        kind, joined, body = self.peer.receive()
        if kind == ERROR:
            raise Violation(f"the worker gave up: {status_of(body, 1)['message']}")
        if kind == CREDIT:
            self.credit = field(body, 1, int)
        elif kind == LOG:
            self.logs.append({"id": joined, "level": field(body, 1, int, 0),
                              "category": field(body, 2, str, ""),
                              "message": field(body, 3, str, "")})
        elif kind == STATUS_REQUEST:
            self.peer.send((STATUS, joined, {}))
        elif kind == METRICS:
            self.add_metrics(body)
        return kind, joined, body

    def add_metrics(self, body):
        """Adds what has grown, and takes gauges as they stand (section 3)."""
        for family in map(members, field(body, 1, list, [])):
            name, kind = field(family, 1, str), field(family, 2, int, 0)
            for series in map(members, field(family, 6, list, [])):
                labels = field(series, 1, list, [])
                if len(labels) != len(field(family, 4, list, [])):
                    raise Violation(f"labels of {name}")
                key = " ".join([name, *labels])
                data, value = field(series, 2, list)
                if data != DOUBLE or kind == 0 and value < 0:
                    raise Violation(f"value of {name}")
                self.metrics[key] = value + (self.metrics.get(key, 0) if kind != 1 else 0)
                if kind == 2:
                    bounds, counts = field(family, 5, list)[1], field(series, 3, list)[1]
                    if len(counts) != len(bounds) + 1:
                        raise Violation(f"counts of {name}")
                    key += " count"
                    self.metrics[key] = self.metrics.get(key, 0) + sum(counts)

    def ask_metrics(self):
        """All frames of one answer."""
        self.peer.send((METRICS_REQUEST, 1, {}))
        more = True
        while more:
            kind, joined, body = self.receive()
            if kind == METRICS and joined == 1:
                more = field(body, 2, bool, False)
            elif kind not in UNASKED:
                raise Violation(f"frame {kind} is no answer to metrics_request")

    def prepare(self, environment):
        """Everything before the first invocation. Returns the numbers of the functions by name."""
        if environment:
            expect_ok(self.ask(RELOAD, RELOADED, [{1: environment}])[0], 1, "reload")
        expect_ok(self.ask(WARMUP, WARMED, [{}])[0], 1, "warmup")
        listed = self.ask(METADATA_REQUEST, METADATA, [{}])[0]
        expect_ok(listed, 1, "metadata")
        functions = [members(one) for one in field(listed, 2, list, [])]
        names = [field(one, 1, str) for one in functions]
        self.streams = {field(one, 1, str) for one in functions if field(one, 11, bool, False)}
        loads = [{1: number, 2: name} for number, name in enumerate(names, 1)]
        for load, loaded in zip(loads, self.ask(LOAD, LOADED, loads)):
            expect_ok(loaded, 2, f"load of {load[2]}")
            if field(loaded, 1, int) != load[1]:
                raise Violation("a loaded names another function than its load")
        while self.credit == 0:
            if self.receive()[0] not in UNASKED:
                raise Violation("an answer that nothing asked for")
        self.ask(STATUS_REQUEST, STATUS, [{}])
        return {name: number for number, name in enumerate(names, 1)}

    def invoke(self, function, request):
        body = {1: function, 2: "python-host-1", 3: [HTTP, request], 6: PATIENCE_S * 1000}
        return self.exchange(body, Exchange(self.peer, None, 0))

    def invoke_stream(self, function, request, repeat):
        data = request.pop(6, b"")
        body = {1: function, 2: "python-host-1", 3: [HTTP, request], 6: PATIENCE_S * 1000, 9: True}
        return self.exchange(body, Exchange(self.peer, data, repeat))

    def exchange(self, body, exchange):
        """Invokes, and returns the response; one whose body came in pieces as if it had not."""
        self.peer.send((INVOKE, INVOCATION, body))
        exchange.go_on()
        while True:
            kind, joined, body = self.receive()
            if kind in UNASKED:
                continue
            if joined != INVOCATION or kind not in (HEAD, CHUNK, WINDOW, OUTPUT, RESPONSE):
                raise Violation(f"frame {kind} of id {joined} answers nothing")
            if kind == RESPONSE:
                return exchange.whole(body)
            exchange.on(kind, body)

    def terminate(self):
        """Asks the worker to end and reads on to its goodbye, its last frame (section 3)."""
        self.peer.send((TERMINATE, 0, {1: PATIENCE_S * 1000}))
        while True:
            kind, _, _ = self.receive()
            if kind == GOODBYE:
                return
            if kind not in (*UNASKED, METRICS):
                raise Violation(f"frame {kind} while the session drains")


def status_of(body, key):
    status = members(body[key]) if key in body else {}
    return {"code": field(status, 1, int, 0), "message": field(status, 2, str, ""),
            "type": field(status, 3, str, "")}


def expect_ok(body, key, what):
    status = status_of(body, key)
    if status["code"]:
        raise Violation(f"{what} failed: {status['message']}")


def request_of(options):
    url = urllib.parse.urlsplit(options.path)
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    flat = lambda entries: [text for entry in entries for text in entry]
    request = {1: options.method, 2: options.path, 3: flat(options.header), 4: flat(query),
               5: flat(options.param), 6: options.body.encode(), 7: "127.0.0.1"}
    return {key: value for key, value in request.items() if value}


def result_of(body):
    """An http value as JSON; any other typed data as its type and value."""
    if 3 not in body:
        return None
    kind, value = field(body, 3, list)
    if kind != HTTP:
        return {"type": kind, "value": value}
    reply = members(value)
    data = field(reply, 6, bytes, b"")
    return {"status": field(reply, 8, int, 0), "headers": dict(pairs(reply, 3)),
            "body": data.decode(errors="backslashreplace") if len(data) < 65536 else
                    f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}"}


def start(command, path, token):
    """Starts the worker with its token, in a process group of its own (section 1)."""
    reader, writer = os.pipe()
    os.write(writer, token)
    os.close(writer)
    environment = dict(os.environ, ISOWORKER_URL=f"ipc://{path}", ISOWORKER_TOKEN_FD=str(reader))
    worker = subprocess.Popen(command, env=environment, pass_fds=[reader], process_group=0)
    os.close(reader)
    return worker


def accept(listener, worker):
    """Accepts the worker and nobody else."""
    listener.settimeout(PATIENCE_S)
    sock, _ = listener.accept()
    sock.settimeout(PATIENCE_S)
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if uid != os.getuid() or os.getpgid(pid) != worker.pid:
        raise Violation("a stranger connected")
    return sock


def run(options, sock, token):
    peer = Peer(sock)
    host = Host(peer)
    try:
        host.hello(token)
        functions = host.prepare([text for entry in options.reload for text in entry])
        if options.function not in functions:
            raise SystemExit(f"host.py: the worker has no function {options.function}")
        number, request = functions[options.function], request_of(options)
        body = (host.invoke_stream(number, request, options.repeat)
                if options.function in host.streams else host.invoke(number, request))
        if host.tells and not options.unasked:
            host.ask_metrics()
        host.terminate()
    except Violation as violation:
        peer.give_up(str(violation))
        raise
    return {"outcome": field(body, 1, int, 0), "status": status_of(body, 2),
            "result": result_of(body), "logs": host.logs, "metrics": host.metrics}


def arguments():
    entry = lambda text: tuple(text.split("=", 1)) if "=" in text else (text, "")
    parser = argparse.ArgumentParser(prog="host.py")
    for name in ("header", "param", "reload"):
        parser.add_argument(f"--{name}", metavar="NAME=VALUE", type=entry, action="append",
                            default=[])
    parser.add_argument("--body", default="")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--unasked", action="store_true", help="do not ask for metrics")
    for name in ("function", "method", "path"):
        parser.add_argument(name)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main():
    options, token = arguments(), os.urandom(64)
    with tempfile.TemporaryDirectory(prefix="isoworker-") as folder:
        path = os.path.join(folder, "worker")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen(1)
            worker = start(options.command, path, token)
            try:
                with accept(listener, worker) as sock:
                    print(json.dumps(run(options, sock, token), ensure_ascii=False))
                return worker.wait(PATIENCE_S)
            except (Violation, EOFError, OSError, subprocess.TimeoutExpired) as error:
                print(f"host.py: {error!r}", file=sys.stderr)
                return 1
            finally:
                worker.kill()
                worker.wait()


if __name__ == "__main__":
    sys.exit(main())
