# SPDX-License-Identifier: Apache-2.0
"""Functions in Python under an isoworker host: one file, which needs python3-msgpack and no more.

    import isoworker

    app = isoworker.App()

    @app.http(route="hello/{name}")
    def hello(request, context):
        context.log.info("greeting %s", request.params["name"])
        return f"Hello, {request.params['name']}!\\n"

    app.run()

It speaks src/wire/PROTOCOL.md on the socket, or by TLS to a host on another machine; numbers in
comments are sections of that page. Plain functions run on threads of a pool, `async` ones on one
event loop. A function takes what triggered it and, if it has a second parameter, its Context.
"""
import asyncio
import collections
import concurrent.futures
import contextvars
import hmac
import inspect
import json
import logging
import os
import queue as queues
import re
import select
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
import types

try:
    import msgpack
except ImportError:
    print(f"isoworker.py needs msgpack for {sys.executable}: on Debian apt-get install "
          "python3-msgpack for /usr/bin/python3, elsewhere pip install msgpack", file=sys.stderr)
    sys.exit(78)  # EX_CONFIG: to start again is no use

__all__ = ["App", "Cancelled", "Context", "Event", "Failure", "File", "Json", "Message", "Request",
           "Response", "RetryLater", "Status"]

# -- Words of the page -----------------------------------------------------------------------------

(WORKER_HELLO, HOST_HELLO, METADATA_REQUEST, METADATA, LOAD, LOADED, INVOKE, RESPONSE, CANCEL, LOG,
 STATUS_REQUEST, STATUS, CREDIT, RELOAD, RELOADED, WARMUP, WARMED, TERMINATE, ERROR, GOODBYE, OUTPUT,
 HEAD, CHUNK, WINDOW) = range(1, 25)
KINDS_MAX, KEY_MAX, ID_MAX = 63, 63, (1 << 64) - 1
(NONE, STRING, JSON, BYTES, INT, DOUBLE, BOOL, HTTP, MODEL, ARRAY, MAP) = range(11)
FAILED, SUCCESS, CANCELLED, LATER = range(4)
GREETING = bytes.fromhex("0053500000100000")
MESSAGE_MAX = 67_108_864
ANSWER_MAX = MESSAGE_MAX - 65_536  # with room for the rest of its frame
HEADERS_MAX, WINDOW_BYTES, CHUNK_BYTES = 32_768, 262_144, 65_536
CLOSE_S, SILENT_INTERVALS = 5, 10
EX_UNAVAILABLE, EX_PROTOCOL = 69, 76


class Status:
    """Codes of failures (7)."""
    (OK, FAILED, INVALID, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_LARGE, BUSY,
     CANCELLED, INTERNAL, UNSUPPORTED, WORKER_LOST, UNAVAILABLE, TIMEOUT, NO_MEMORY, CONFIG,
     PROTOCOL, CLOSED, IO) = range(20)


class Failure(Exception):
    """The invocation fails with this code. `result`, a Response of 400 to 599, is what its caller
    gets instead of a problem document."""

    def __init__(self, message, code=Status.FAILED, retriable=False, result=None):
        super().__init__(message)
        self.code, self.retriable, self.result = code, retriable, result


class RetryLater(Exception):
    """Not now: the host is to come again, after so many seconds."""

    def __init__(self, message, after=0.0, code=Status.UNAVAILABLE):
        super().__init__(message)
        self.after, self.code = after, code


class Cancelled(Exception):
    """The host wants no answer any more; raised by Context.check and what waits."""


class Violation(Exception):
    """The host broke the protocol (9)."""


# -- Values (6) ------------------------------------------------------------------------------------

class Json:
    """A value that travels as a text of JSON."""

    def __init__(self, value):
        self.text = json.dumps(value, ensure_ascii=False)


def flat(pairs):
    items = pairs.items() if hasattr(pairs, "items") else pairs
    return [str(text) for pair in items for text in pair]


def to_data(value):
    """Typed data of a Python value; TypeError for one that is none."""
    if value is None:
        return [NONE, None]
    if isinstance(value, Json):
        return [JSON, value.text]
    if isinstance(value, bool):
        return [BOOL, value]
    if isinstance(value, int):
        if not -1 << 63 <= value < 1 << 63:
            raise TypeError(f"{value} does not fit into 64 bits")
        return [INT, value]
    if isinstance(value, float):
        return [DOUBLE, value]
    if isinstance(value, str):
        return [STRING, value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return [BYTES, bytes(value)]
    if isinstance(value, Response):
        return [HTTP, value.wire()]
    if isinstance(value, dict):
        return [MAP, [part for name, one in value.items() for part in (str(name), to_data(one))]]
    if isinstance(value, (list, tuple)):
        return [ARRAY, [to_data(one) for one in value]]
    raise TypeError(f"{type(value).__name__} is no value that can travel")


def from_data(data):
    if type(data) is not list or len(data) != 2 or type(data[0]) is not int:
        raise Violation("typed data is an array of two")
    kind, value = data
    if kind == JSON:
        return json.loads(value)
    if kind == HTTP:
        return Request(members(value), None)
    if kind == MODEL:
        model = members(value)
        return {name: model.get(key) for key, name in
                enumerate(("version", "source", "content_type", "content"), 1)}
    if kind == ARRAY:
        return [from_data(one) for one in value]
    if kind == MAP:
        return dict(zip(value[::2], map(from_data, value[1::2])))
    return value


# -- Frames (2) ------------------------------------------------------------------------------------

class Pairs(list):
    """A map as it came: what is skipped may have any key, even twice."""


def members(value):
    if type(value) is not Pairs:
        raise Violation("a map was due")
    keys = [key for key, _ in value]
    if any(type(key) is not int or not 0 <= key <= KEY_MAX for key in keys):
        raise Violation("a key is out of range")
    if len(set(keys)) != len(keys):
        raise Violation("a key comes twice")
    return dict(value)


def member(body, key, kind, default=None):
    """One of a body; without a default it must be there."""
    value = body.get(key, default)
    if type(value) is not kind or (kind is int and not 0 <= value <= ID_MAX):
        raise Violation(f"key {key} is missing, or of another type")
    if kind is str:
        text(value)
    return value


def text(value):
    """Decoded leniently, as what is skipped may hold anything."""
    try:
        value.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise Violation("text is not UTF-8") from error
    return value


def pairs_of(body, key):
    items = member(body, key, list, [])
    if len(items) % 2:
        raise Violation(f"key {key} is no list of pairs")
    return [(text(items[at]), text(items[at + 1])) for at in range(0, len(items), 2)]


def frames_of(message):
    unpacker = msgpack.Unpacker(object_pairs_hook=Pairs, strict_map_key=False,
                                unicode_errors="surrogateescape", max_buffer_size=MESSAGE_MAX)
    unpacker.feed(message)
    while unpacker.tell() < len(message):
        try:
            frame = unpacker.unpack()
        except (msgpack.UnpackException, ValueError) as error:
            raise Violation(f"no MessagePack: {error!r}") from error
        if type(frame) is not list or len(frame) != 3:
            raise Violation("a frame is an array of three")
        kind, joined, body = frame
        if any(type(number) is not int or not 0 <= number <= ID_MAX for number in (kind, joined)):
            raise Violation("kind and id are unsigned integers")
        if kind <= KINDS_MAX:
            yield kind, joined, members(body)


class Secure:
    """TLS on a socket that one thread reads and others write: OpenSSL's state has a lock, and what
    blocks while it reads has not."""

    def __init__(self, sock, context, name):
        self.sock, self.lock = sock, threading.Lock()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        while self._wants(self.tls.do_handshake):
            if not self._feed():
                raise OSError("the host has gone before it proved itself")

    def _wants(self, call):
        """Whether more has to come first. What the call has to say is sent."""
        try:
            call()
            return False
        except ssl.SSLWantReadError:
            return True
        finally:
            if self.outgoing.pending:
                self.sock.sendall(self.outgoing.read())

    def _feed(self):
        data = self.sock.recv(65_536)
        with self.lock:
            self.incoming.write(data)
        return bool(data)

    def recv(self, size):
        got = []
        while True:
            with self.lock:
                try:
                    if not self._wants(lambda: got.append(self.tls.read(size))):
                        return got[0]
                except ssl.SSLZeroReturnError:
                    return b""
            if not self._feed():
                return b""

    def sendall(self, data):
        with self.lock:
            self._wants(lambda: self.tls.write(data))

    def has_input(self):
        """Whether something lies here already, so that the socket need not be waited for."""
        with self.lock:
            return bool(self.tls.pending() or self.incoming.pending)

    def fileno(self):
        return self.sock.fileno()

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)


def dial(url):
    """A socket to the host, here or on another machine (1)."""
    if url.startswith("ipc://"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(url[len("ipc://"):])
        return sock
    found = re.fullmatch(r"(tls\+tcp|tcp)://\[?([^]/]+?)\]?:(\d+)", url)
    if not found:
        raise OSError(f"{url} is no URL of a host")
    scheme, name, port = found.groups()
    if scheme == "tcp" and os.environ.get("ISOWORKER_INSECURE") != "true":
        raise OSError(f"{url}: over tcp:// whoever sees the network reads and changes all; use "
                      "tls+tcp://, or, where that is meant, set ISOWORKER_INSECURE=true")
    sock = socket.create_connection((name, int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if scheme == "tcp":
        return sock
    context = ssl.create_default_context(cafile=os.environ["ISOWORKER_TLS_CA"])
    context.load_cert_chain(os.environ["ISOWORKER_TLS_CERTIFICATE"], os.environ["ISOWORKER_TLS_KEY"])
    return Secure(sock, context, name)


class Connection:
    """The socket: whole messages both ways (1). Any thread may send."""

    def __init__(self, url):
        self.sock = dial(url)
        self.sock.sendall(GREETING)
        if self.take(len(GREETING)) != GREETING:
            raise Violation("the host does not speak SP pair version 0")
        self.lock = threading.Lock()
        self.mute = False

    def send(self, *frames, last=False):
        message = b"".join(msgpack.packb(frame, use_bin_type=True, unicode_errors="replace")
                           for frame in frames)
        with self.lock:
            if self.mute:
                return
            self.mute = last
            try:
                self.sock.sendall(struct.pack(">BQ", 1, len(message)) + message)
            except OSError:
                self.mute = True  # whoever reads finds the end

    def has_input(self):
        return isinstance(self.sock, Secure) and self.sock.has_input()

    def take(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.sock.recv(min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def receive(self):
        mark, size = struct.unpack(">BQ", self.take(9))
        if mark != 1 or size > MESSAGE_MAX:
            raise Violation("no message, or too long a one")
        return frames_of(self.take(size))


# -- What functions see ----------------------------------------------------------------------------

class Headers(collections.abc.Mapping):
    """Names are in lower case, whatever they are asked by; of repeated ones this is the first."""

    def __init__(self, pairs):
        self.pairs = pairs
        self.first = {}
        for name, value in pairs:
            self.first.setdefault(name.lower(), value)

    def __getitem__(self, name):
        return self.first[name.lower()]

    def __iter__(self):
        return iter(self.first)

    def __len__(self):
        return len(self.first)

    def all(self, name):
        return [value for key, value in self.pairs if key.lower() == name.lower()]


class Request:
    """An HTTP request (13). Of a function with streams=True, `for piece in request` (or `async for`)
    has the body as it comes; `read()` has all of it."""

    def __init__(self, http, incoming):
        self.method, self.url = member(http, 1, str, ""), member(http, 2, str, "")
        self.headers = Headers(pairs_of(http, 3))
        self.query_pairs = pairs_of(http, 4)
        self.query = dict(reversed(self.query_pairs))  # the first of a name
        self.params = dict(pairs_of(http, 5))
        self.client = member(http, 7, str, "")
        self.body = member(http, 6, bytes, b"")
        self._incoming = incoming

    def text(self):
        return self.read().decode()

    def json(self):
        """Raises a Failure of INVALID, 400, for what is none."""
        try:
            return json.loads(self.read())
        except ValueError as error:
            raise Failure(f"the body is no JSON: {error}", Status.INVALID) from error

    def read(self):
        if self._incoming:
            self.body += b"".join(self)
        return self.body

    def __iter__(self):
        if not self._incoming:
            return iter([self.body] if self.body else [])
        return iter(self._incoming.next, None)

    async def __aiter__(self):
        loop = asyncio.get_running_loop()
        piece = self.body if not self._incoming else None
        while self._incoming and (piece := await loop.run_in_executor(None, self._incoming.next)):
            yield piece
        if not self._incoming and piece:
            yield piece


class Event(Request):
    """A CloudEvent (19) with the request that it came with, whose body is its data: `data` has that
    as its content type says, `attributes` has all, and of those that it has: id, source, type ..."""

    def __init__(self, http, attributes):
        super().__init__(http, None)
        self.attributes = attributes

    def __getattr__(self, name):
        if name == "attributes" or name not in self.attributes:
            raise AttributeError(f"the event has no {name}")
        return self.attributes[name]

    @property
    def data(self):
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            return self.json()
        return self.text() if kind.startswith("text/") else self.body or None


class Response:
    """The answer to a request, or a request to be sent (18). `body`: text, bytes, what becomes JSON,
    or an iterator of text and bytes, which is sent as it comes, as an answer."""

    def __init__(self, body=None, status=None, headers=()):
        self.body, self.status = body, status
        self.headers = list(headers.items() if hasattr(headers, "items") else headers)
        named = any(name.lower() == "content-type" for name, _ in self.headers)
        kind, self.whole = self._encode(body)
        if kind and not named:
            self.headers.append(("content-type", kind))

    @staticmethod
    def _encode(body):
        if body is None or is_stream(body):
            return ("application/octet-stream" if body is not None else None), b""
        if isinstance(body, str):
            return "text/plain; charset=utf-8", body.encode()
        if isinstance(body, (bytes, bytearray, memoryview)):
            return "application/octet-stream", bytes(body)
        return "application/json", json.dumps(body, ensure_ascii=False).encode()

    def wire(self):
        size = sum(len(name) + len(str(value).encode()) + 4 for name, value in self.headers)
        if size > HEADERS_MAX:
            raise Failure(f"its headers have {size} bytes, more than {HEADERS_MAX}",
                          Status.TOO_LARGE)
        http = {3: flat(self.headers), 6: self.whole}
        if self.status is not None:
            http[8] = self.status
        return http


def is_stream(body):
    return inspect.isgenerator(body) or inspect.isasyncgen(body) or (
        hasattr(body, "__next__") and not hasattr(body, "read"))


class Message:
    """A message of a queue (17): its body and what is known of it, such as id and dequeue_count."""

    def __init__(self, body, facts):
        self.body, self.facts = body, facts
        self.id, self.queue = facts.get("id"), facts.get("queue")
        self.dequeue_count = facts.get("dequeue_count", 0)


class File(Message):
    """A file that came into a folder (17)."""

    def __init__(self, body, facts):
        super().__init__(body, facts)
        self.path, self.name, self.size = body["path"], body["name"], body["size"]
        self.modified_ms, self.found_ms = body["modified_ms"], body["found_ms"]


class Context:
    """One invocation. Any of its threads."""

    def __init__(self, app, function, joined, body):
        self._app, self._function, self._joined = app, function, joined
        self.function = function.name
        self.invocation_id = member(body, 2, str)
        trace = members(body.get(7, Pairs()))
        self.traceparent, self.tracestate = trace.get(1), trace.get(2)
        retry = members(body.get(8, Pairs()))
        self.retry_count, self.last_error = retry.get(1, 0), retry.get(3)
        timeout_ms = member(body, 6, int, 0)
        self.deadline = time.monotonic() + timeout_ms / 1000 if timeout_ms else None
        named = member(body, 5, list, [])
        self.metadata = dict(zip(named[::2], map(from_data, named[1::2])))
        self.log = logging.getLogger(f"Function.{function.name}")
        self.cancel_reason = None  # 1 deadline, 2 the caller left, 3 the host stops
        self.begun_ns = time.monotonic_ns()
        self._outputs = []
        self._cancel = threading.Event()
        self._task = None
        self.incoming = None
        self.outgoing = WINDOW_BYTES
        self.granted = threading.Condition()
        self.answered = False

    @property
    def cancelled(self):
        return self._cancel.is_set()

    def remaining(self):
        """Seconds until its time is over; None without a limit."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def check(self):
        """Raises Cancelled once the host wants no answer."""
        if self._cancel.is_set():
            raise Cancelled("the invocation was cancelled")

    def sleep(self, seconds):
        """Not longer than until it is cancelled, which raises Cancelled. Not in async functions,
        which asyncio.sleep is for."""
        self._cancel.wait(seconds)
        self.check()

    def output(self, name, value):
        """Put out with its success: to an output binding of the function. One of type queue, http or
        cloudevents takes {"$queue": {"key": ...}, "body": value}, too; one of type http a Response,
        for its headers; one of type cloudevents a dict with specversion and data, for attributes."""
        self._outputs += [name, self._put_out(name, value)]

    def emit(self, name, value):
        """Put out at once; to a queue it is still with its success."""
        self._app._send((OUTPUT, self._joined, {1: name, 2: self._put_out(name, value)}))

    def _put_out(self, name, value):
        declared = self._function.options.get("outputs") or {}
        if name not in declared and name != "$settle":
            raise ValueError(f"function {self.function} has no output {name}; declared: "
                             f"{', '.join(declared) or 'none'}")
        return to_data(value)

    def settle(self, verdict, index=0, delay=None, reason=None):
        """Settle a message at once: complete, abandon, defer, dead_letter or extend (17)."""
        value = {"index": index, "verdict": verdict}
        if delay is not None:
            value["delay_ms"] = int(delay * 1000)
        if reason is not None:
            value["reason"] = reason
        self.emit("$settle", value)

    def _cancelled_by(self, reason):
        self.cancel_reason = reason
        self._cancel.set()
        if self.incoming:
            self.incoming.stop()
        with self.granted:
            self.granted.notify_all()
        if self._task:
            self._app._loop.call_soon_threadsafe(self._task.cancel)

    def _write(self, piece):
        """A piece of a streamed answer, within the window (3, Streams)."""
        data = memoryview(piece.encode() if isinstance(piece, str) else bytes(piece))
        while data:
            with self.granted:
                self.granted.wait_for(lambda: self.outgoing or self.cancelled)
                self.check()
                part = data[:min(self.outgoing, CHUNK_BYTES)]
                self.outgoing -= len(part)
            self._app._send((CHUNK, self._joined, {1: bytes(part)}))
            data = data[len(part):]


class Incoming:
    """A request's body that comes in pieces."""

    def __init__(self, context):
        self.context = context
        self.pieces = queues.SimpleQueue()
        self.window, self.taken, self.begun, self.over = WINDOW_BYTES, 0, False, False

    def come(self, body):
        """A chunk; the reader's thread."""
        data = member(body, 1, bytes, b"")
        self.window -= len(data)
        if self.window < 0:
            raise Violation("a chunk beyond the window")
        if data:
            self.pieces.put(data)
        if 3 in body:
            self.pieces.put(Failure("the body broke off", Status.IO))
        elif member(body, 2, bool, False):
            self.pieces.put(None)

    def stop(self):
        self.pieces.put(Cancelled("the invocation was cancelled"))

    def next(self):
        """The next piece, None at the end; a window is granted anew once half of it is used."""
        if self.over:
            return None
        if not self.begun:  # whoever waits to be asked for the body is asked now
            self.begun = True
            self._grant(0)
        piece = self.pieces.get()
        if isinstance(piece, Exception):
            raise piece
        self.over = piece is None
        self.taken += len(piece or b"")
        if self.taken >= WINDOW_BYTES // 2:
            self.window += self.taken
            self._grant(self.taken)
            self.taken = 0
        return piece

    def _grant(self, size):
        self.context._app._send((WINDOW, self.context._joined, {1: size}))


# -- Logs ------------------------------------------------------------------------------------------

LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "none")
current = contextvars.ContextVar("isoworker_invocation", default=None)


def level_of(record):
    return max(0, min(5, record.levelno // 10))


class LogHandler(logging.Handler):
    """Python's logging as lines of the host, with the invocation that they belong to. Fields are in
    `extra={"fields": {...}}`."""

    def __init__(self, app, levels):
        super().__init__(logging.NOTSET)
        self.app, self.levels, self.known = app, levels, {}

    def wanted(self, category):
        """The lowest level that the host wants of it: the last pattern that matches counts."""
        if category not in self.known:
            lowest = LEVELS.index("info")
            for pattern, level in self.levels:
                shape = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
                if re.fullmatch(shape, category) and level in LEVELS:
                    lowest = LEVELS.index(level)
            self.known[category] = lowest
        return self.known[category]

    def emit(self, record):
        if level_of(record) < self.wanted(record.name):
            return
        context = current.get()
        body = {1: level_of(record), 2: record.name[:255], 3: self.format(record)[:16_384],
                4: int(record.created * 1_000_000)}
        fields = getattr(record, "fields", None)
        if fields:
            body[5] = to_data(fields)[1]
        if context and context.answered:
            body |= {6: context.invocation_id, 7: context.function}
        joined = context._joined if context and not context.answered else 0
        self.app._send((LOG, joined, body))


# -- Functions -------------------------------------------------------------------------------------

Function = collections.namedtuple("Function", "name call trigger properties options takes_context")


def wire_function(one):
    """[Function] (5)."""
    options = one.options
    bindings = [{1: name, 2: binding["type"], 3: 1, 4: flat(
        {key: value for key, value in binding.items() if key not in ("type", "properties")} |
        binding.get("properties", {}))} for name, binding in (options.get("outputs") or {}).items()]
    return {1: one.name, 2: options.get("summary") or "", 3: one.trigger, 5: flat(one.properties),
            6: bindings, 7: flat(options.get("metadata") or {}),
            8: int((options.get("timeout") or 0) * 1000), 9: bool(options.get("idempotent")),
            11: bool(options.get("streams"))}


def place_of(error):
    """Where it was raised, or what of ours was called there."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename != __file__] or frames
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""


def cause(error):
    code = getattr(error, "code", None) if isinstance(error, (Failure, RetryLater)) else None
    words = f"it called sys.exit({error})" if isinstance(error, SystemExit) else str(error)
    return {1: code if code in range(1, Status.IO + 1) else Status.FAILED,
            2: words or type(error).__name__,
            3: type(error).__qualname__[:127], 4: place_of(error)[-1024:]}


def status_of(error):
    """[Status] of an exception, with what brought it about (5)."""
    causes, at = [], error
    while len(causes) < 16:
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if at is None:
            break
        causes.append(cause(at))
    return cause(error) | {5: True, 6: bool(getattr(error, "retriable", False)), 7: causes}


def end_with_place(kind, error, trace):
    """The traceback, and then in one line, which the host shows as the reason, what it says."""
    sys.__excepthook__(kind, error, trace)
    place = f"{error.filename}:{error.lineno}" if isinstance(error, SyntaxError) else place_of(error)
    print(f"{os.path.basename(sys.argv[0])}: {kind.__name__}: {error} ({place})", file=sys.stderr)


if "ISOWORKER_URL" in os.environ and sys.excepthook is sys.__excepthook__:
    sys.excepthook = end_with_place

OPTIONS = {"summary", "outputs", "metadata", "timeout", "idempotent"}


class App:
    """The functions of a worker, and the worker. `concurrency`: how many invocations it holds at
    a time."""

    def __init__(self, concurrency=8):
        self.concurrency = concurrency
        self.functions = {}
        self._health = self._warm = None
        self._numbers, self._running = {}, {}
        self._lock = threading.Lock()
        self._draining = self._left = self._gone = False
        self._well, self._why = 3, ""
        self._silence_s = None
        self._loop = None

    # -- Naming them --

    def http(self, name=None, *, methods="GET", route=None, **options):
        """A function for requests. `options` of all kinds: summary, outputs ({name: {"type": ...,
        property: ...}}, and one that is called type itself in "properties": {...}), metadata, timeout
        (seconds), idempotent; here streams, too."""
        names = methods if isinstance(methods, str) else " ".join(methods)
        properties = {"methods": names} | ({} if route is None else {"route": route})
        return self._register(name, "http", properties, options)

    def queue(self, name=None, *, queue=None, batch_size=None, properties=None, **options):
        """A function for messages. It gets a Message, or with a batch_size of 2 and more a list of
        them, of which it may return those that failed, as messages or ids."""
        given = {"queue": queue, "batch_size": batch_size, **(properties or {})}
        return self._register(name, "queue", {key: value for key, value in given.items()
                                              if value is not None}, options)

    def file(self, name=None, *, path, pattern=None, batch_size=None, properties=None, **options):
        """A function for files that come into a folder, that of host.yaml where `path` is relative.
        It gets a File, or more of them, as one for messages. Further properties (17): recursive,
        done, quiet, and those of a queue."""
        given = {"path": path, "pattern": pattern, "batch_size": batch_size, **(properties or {})}
        return self._register(name, "file", {key: value for key, value in given.items()
                                             if value is not None}, options)

    def cloudevents(self, name=None, *, route=None, types=None, sources=None, properties=None,
                    **options):
        """A function for CloudEvents that come by HTTP, in any of its modes: it gets an Event each
        time, and replies as one for requests. `types`, `sources`: patterns of those that it wants, one
        or a list."""
        given = {"route": route, "types": types, "sources": sources, **(properties or {})}
        return self._register(name, "cloudevents", {
            key: value if isinstance(value, str) else " ".join(value)
            for key, value in given.items() if value is not None}, options)

    def timer(self, name=None, *, schedule, properties=None, **options):
        """A function that runs when it is time. It gets scheduled_for, is_past_due, attempt ..."""
        return self._register(name, "timer", {"schedule": schedule, **(properties or {})}, options)

    def warmup(self, function):
        """Runs once in each process before it gets any call; if it fails, so does the start."""
        return self._register(None, "warmup", {}, {})(function)

    def health(self, function):
        """Says whether the application does its work: what it raises, or a text or False that it
        returns, says why not."""
        self._health = function
        return function

    def _register(self, name, trigger, properties, options):
        def decorate(function):
            own = name or function.__name__
            if own in self.functions:
                raise ValueError(f"there are two functions {own}")
            unknown = set(options) - OPTIONS - ({"streams"} if trigger == "http" else set())
            if unknown:
                raise TypeError(f"function {own}: there is no option {sorted(unknown)[0]}; there are: "
                                f"{', '.join(sorted(OPTIONS))}, and what its trigger has")
            for output, binding in (options.get("outputs") or {}).items():
                if not isinstance(binding, dict) or "type" not in binding:
                    raise ValueError(f"function {own}: output {output} has no type: write {output!r}: "
                                     '{"type": "queue", ...}')
            takes = len(inspect.signature(function).parameters)
            self.functions[own] = Function(own, function, trigger, properties, options, takes)
            return function
        return decorate

    # -- The session (3) --

    def run(self):
        """Serve the host that has started this process, to the end of the session; then exit."""
        try:
            code = self._serve()
        except Violation as violation:
            self._complain(f"the host broke the protocol: {violation}")
            self._give_up(violation)
            code = EX_PROTOCOL
        except EOFError:
            self._complain("the host has gone")
            code = EX_UNAVAILABLE
        sys.stdout.flush()
        sys.stderr.flush()
        if code:
            os._exit(code)  # whatever functions still do
        sys.exit(0)

    @staticmethod
    def _complain(sentence):
        print(f"{os.path.basename(sys.argv[0])}: {sentence}", file=sys.stderr)

    def _serve(self):
        try:
            token = read_token()
            self._connection = Connection(os.environ["ISOWORKER_URL"])
        except (KeyError, OSError, ValueError) as error:
            self._complain("there is no host (ISOWORKER_URL, and ISOWORKER_TOKEN_FD or "
                           f"ISOWORKER_TOKEN_FILE): {error}")
            return EX_UNAVAILABLE
        if not self._greet(token):
            return EX_PROTOCOL
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: None)
        return self._read()

    def _greet(self, token):
        """The worker speaks first, and believes nothing before the host's proof."""
        capabilities = ["stream", "1"] + (["health", "1"] if self._health else [])
        self._send((WORKER_HELLO, 0, {1: 1, 2: 1, 3: token[:32], 4: "isoworker-python",
                                      5: sys.version.split()[0], 6: capabilities, 7: os.getpid()}))
        self._frames = iter(self._connection.receive())
        kind, _, hello = next(self._frames, (0, 0, {}))
        if kind == ERROR:
            self._complain(f"the host refuses this worker: {members(hello[1]).get(2)}")
            return False
        if kind != HOST_HELLO or not hmac.compare_digest(hello.get(2, b""), token[32:]):
            self._complain("the host did not prove itself")
            return False
        if hello.get(1) != 1:
            self._complain("the host chose a version that was not offered")
            return False
        agreed = dict(pairs_of(hello, 5))
        self._streams = "stream" in agreed
        self._silent_s = SILENT_INTERVALS * member(hello, 6, int, 0) / 1000 or None
        self._begin_logs(pairs_of(hello, 7))
        self._pool = concurrent.futures.ThreadPoolExecutor(self.concurrency, "function")
        if any(inspect.iscoroutinefunction(one.call) for one in self.functions.values()):
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._send((CREDIT, 0, {1: self.concurrency}))
        if "health" in agreed and self._health:
            every, most, failures = (member(hello, key, int, 0) for key in (10, 11, 12))
            threading.Thread(target=self._look, daemon=True, args=(
                every / 1000 or 10, most / 1000 or 5, failures or 3)).start()
        return True

    def _begin_logs(self, levels):
        handler = LogHandler(self, levels)
        lowest = min([LEVELS.index(level) for _, level in levels if level in LEVELS] or [2])
        root = logging.getLogger()
        root.addHandler(handler)
        root.setLevel(max(1, min(root.level or 50, lowest * 10 or 1)) if lowest < 6 else 60)

    def _send(self, *frames, **how):
        self._connection.send(*frames, **how)

    def _read(self):
        """Until the session is over; returns the exit status."""
        answers = {METADATA_REQUEST: self._on_metadata, LOAD: self._on_load, INVOKE: self._on_invoke,
                   CANCEL: self._on_cancel, CHUNK: self._on_chunk, WINDOW: self._on_window,
                   STATUS_REQUEST: self._on_status_request, STATUS: self._on_status,
                   RELOAD: self._on_reload, WARMUP: self._on_warmup, TERMINATE: self._on_terminate}
        while True:
            for kind, joined, body in self._frames:
                if kind == ERROR:
                    self._complain(f"the host gave up: {members(body[1]).get(2)}")
                    return EX_PROTOCOL
                if kind not in answers:
                    raise Violation(f"kind {kind} is not for a worker now")
                answers[kind](joined, body)
            code = self._wait()
            if code is not None:
                return code
            try:
                self._frames = self._connection.receive()
            except (EOFError, OSError):
                if self._gone:
                    return 0
                raise EOFError from None

    def _wait(self):
        """For the next message, a signal, or silence. The exit status, if it is over."""
        while not self._connection.has_input():
            patience = CLOSE_S if self._gone else self._silence_s
            ready, _, _ = select.select([self._connection.sock, self._wake[0]], [], [], patience)
            if not ready:
                if not self._gone:
                    self._complain("the host has fallen silent")
                return 0 if self._gone else EX_UNAVAILABLE
            if self._wake[0] in ready:
                os.read(self._wake[0], 64)
                self._leave()
            if self._connection.sock in ready:
                break
        return None

    def _leave(self):
        """By a signal: no more, then a question, to know when the host has read that (3)."""
        if not self._left and not self._draining:
            self._left = True
            self._send((CREDIT, 0, {1: 0}), (STATUS_REQUEST, 1, {}))

    def _end_if_idle(self):
        with self._lock:
            if not self._draining or self._running or self._gone:
                return
            self._gone = True
        self._send((GOODBYE, 0, {}), last=True)

    def _give_up(self, reason):
        self._send((ERROR, 0, {1: {1: Status.PROTOCOL, 2: str(reason)}}), last=True)
        try:
            self._connection.sock.settimeout(1)
            while self._connection.sock.recv(65_536):
                pass
        except OSError:
            pass

    # -- Frames of the host --

    def _on_metadata(self, joined, _body):
        self._send((METADATA, joined, {2: [wire_function(one) for one in self.functions.values()]}))

    def _on_load(self, joined, body):
        number, name = member(body, 1, int), member(body, 2, str)
        status = {}
        if name in self.functions:
            self._numbers[number] = self.functions[name]
        else:
            status = {2: {1: Status.NOT_FOUND, 2: f"there is no function {name}"}}
        self._send((LOADED, joined, {1: number, **status}))

    def _on_invoke(self, joined, body):
        function = self._numbers.get(member(body, 1, int))
        if not joined or joined in self._running or self._draining and not self._left:
            raise Violation("an invoke with the id 0, that of another, or after terminate")
        if not function:
            self._send((RESPONSE, joined, {1: FAILED, 2: {1: Status.NOT_FOUND,
                                                          2: "no such function is loaded"}}))
            return
        context = Context(self, function, joined, body)
        if member(body, 9, bool, False):
            context.incoming = Incoming(context)
        with self._lock:
            self._running[joined] = context
        if inspect.iscoroutinefunction(function.call):
            asyncio.run_coroutine_threadsafe(self._run_async(context, body), self._loop)
        else:
            self._pool.submit(self._run, context, body)

    def _on_cancel(self, joined, body):
        context = self._running.get(joined)
        if context:
            context._cancelled_by(member(body, 1, int, 0))

    def _on_chunk(self, joined, body):
        context = self._running.get(joined)
        if context and context.incoming:
            context.incoming.come(body)

    def _on_window(self, joined, body):
        context = self._running.get(joined)
        if context:
            with context.granted:
                context.outgoing += member(body, 1, int)
                context.granted.notify_all()

    def _status(self):
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        body = {1: len(self._running), 3: resident}
        return body | ({4: self._well, 5: self._why[:256]} if self._health else {})

    def _on_status_request(self, joined, _body):
        self._silence_s = self._silent_s  # silence counts from the first heartbeat on
        self._send((STATUS, joined, self._status()))

    def _on_status(self, _joined, _body):
        if self._left:
            self._draining = True
            self._end_if_idle()

    def _on_reload(self, joined, body):
        status = {}
        try:
            if member(body, 3, bool, False):
                raise NotImplementedError("this worker reads no configuration")
            for name, value in pairs_of(body, 1):
                os.environ.pop(name, None)
                if value:
                    os.environ[name] = value
            os.chdir(member(body, 2, str, "") or ".")
        except (OSError, ValueError, NotImplementedError) as error:
            status = {1: {1: Status.UNSUPPORTED, 2: str(error)}}
        self._send((RELOADED, joined, status))

    def _on_warmup(self, joined, _body):
        self._send((WARMED, joined, {}))

    def _on_terminate(self, _joined, _body):
        if self._draining and not self._left:
            raise Violation("a second terminate")
        self._draining, self._left = True, False
        self._end_if_idle()

    # -- An invocation --

    def _arguments(self, context, body):
        function = context._function
        data = body.get(3, [NONE, None])
        if function.trigger == "http":
            trigger = Request(members(data[1]) if data[0] == HTTP else {}, context.incoming)
        elif function.trigger == "cloudevents":
            trigger = Event(members(data[1]), context.metadata.get("cloudevent", {}))
        elif function.trigger in MESSAGES:
            trigger = messages_of(MESSAGES[function.trigger], from_data(data), context.metadata)
        elif function.trigger == "timer":
            trigger = types.SimpleNamespace(**(from_data(data) or {}))
        else:
            trigger = from_data(data)
        return (trigger, context)[:function.takes_context]

    def _run(self, context, body):
        token = current.set(context)
        try:
            result = context._function.call(*self._arguments(context, body))
            response = self._conclude(context, result)
        except BaseException as error:
            response = self._failed(context, error)
        self._answer(context, response)
        current.reset(token)

    async def _run_async(self, context, body):
        current.set(context)
        context._task = asyncio.current_task()
        try:
            context.check()
            result = await context._function.call(*self._arguments(context, body))
            if inspect.isasyncgen(getattr(result, "body", result)):
                response = await self._stream_async(context, result)
            else:
                response = await self._loop.run_in_executor(None, self._conclude, context, result)
        except BaseException as error:
            response = self._failed(context, error)
        self._answer(context, response)

    def _head(self, context, result):
        reply = result if isinstance(result, Response) else Response(result)
        http = reply.wire()
        http.pop(6)
        self._send((HEAD, context._joined, {1: {8: 200, **http}}))
        return reply.body

    async def _stream_async(self, context, result):
        body = self._head(context, result)
        async for piece in body:
            await self._loop.run_in_executor(None, context._write, piece)
        return self._succeeded(context, None)

    def _conclude(self, context, result):
        """The response of what a function has returned."""
        if context._function.trigger in MESSAGES and isinstance(result, (list, tuple)):
            failed = [getattr(one, "id", one) for one in result]
            return self._succeeded(context, {"batchItemFailures": [{"itemIdentifier": one}
                                                                   for one in failed]})
        if context._function.trigger not in ("http", "cloudevents"):
            return self._succeeded(context, result)
        body = result.body if isinstance(result, Response) else result
        if is_stream(body) and self._streams:
            for piece in self._head(context, result):
                context._write(piece)
            return self._succeeded(context, None)
        if is_stream(body):
            whole = b"".join(one.encode() if isinstance(one, str) else one for one in body)
            result = Response(whole, getattr(result, "status", None), getattr(result, "headers", ()))
        elif isinstance(result, (dict, list, tuple, bool, int, float)):
            result = Json(result)
        return self._succeeded(context, result)

    @staticmethod
    def _succeeded(context, result):
        response = {1: SUCCESS, 3: to_data(result), 4: context._outputs}
        size = len(msgpack.packb(response, use_bin_type=True))
        if size > ANSWER_MAX:
            raise Failure(f"its answer has {size} bytes, more than a message may have; stream it",
                          Status.TOO_LARGE)
        return response

    @staticmethod
    def _failed(context, error):
        if isinstance(error, (Cancelled, asyncio.CancelledError)):
            return {1: CANCELLED, 2: {1: Status.CANCELLED, 2: str(error) or "cancelled"}}
        if isinstance(error, RetryLater):
            return {1: LATER, 2: status_of(error), 5: int(error.after * 1000)}
        result = getattr(error, "result", None)
        return {1: FAILED, 2: status_of(error)} | ({3: to_data(result)} if result else {})

    def _answer(self, context, response):
        response[9] = time.monotonic_ns() - context.begun_ns
        with self._lock:
            del self._running[context._joined]
            context.answered = True
        self._send((RESPONSE, context._joined, response))
        self._end_if_idle()

    # -- Health --

    def _look(self, every, most, failures):
        """Every so often, and no longer than that: a look that hangs is bad at once."""
        bad = 0
        while True:
            found = queues.SimpleQueue()
            threading.Thread(target=lambda: found.put(look_once(self._health)), daemon=True).start()
            try:
                why = found.get(timeout=most)
            except queues.Empty:
                why = f"its health check takes longer than {most} s"
            bad = bad + 1 if why else 0
            self._tell(1 if not why else 2 if bad >= failures or self._well != 1 else 1, why)
            time.sleep(every)

    def _tell(self, well, why):
        if (well, why) != (self._well, self._why):
            self._well, self._why = well, why
            self._send((STATUS, 0, self._status()))


def look_once(check):
    """Why it is not well; "" if it is."""
    try:
        result = check()
    except Exception as error:
        return str(error) or type(error).__name__
    return result if isinstance(result, str) else "it says so" if result is False else ""


MESSAGES = {"queue": Message, "file": File}


def messages_of(kind, bodies, facts):
    if "messages" not in facts:
        return kind(bodies, facts)
    return [kind(body, one) for body, one in zip(bodies, facts["messages"])]


def read_token():
    """64 bytes, by the descriptor that a host hands down, or from the file of one that waits."""
    number, path = (os.environ.pop("ISOWORKER_TOKEN_FD", None),
                    os.environ.get("ISOWORKER_TOKEN_FILE"))
    if not number and not path:
        raise ValueError("there is no token")
    with open(int(number) if number else path, "rb") as file:
        token = file.read()
    if len(token) != 64:
        raise ValueError("the token is not one of 64 bytes")
    return token
