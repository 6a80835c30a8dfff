# SPDX-License-Identifier: Apache-2.0
"""The Runtime API of AWS Lambda, as its documentation has it, for tests: strict with what a runtime
sends, and chunked where the real one is.

An event is given to whoever asks for the next one, and what came of it is kept under its id.
"""
import base64
import http.server
import itertools
import json
import queue
import re
import threading
import time

VERSION = "/2018-06-01/runtime/"
LIMIT_BYTES = 6 * 1024 * 1024 + 100
ERROR_TYPE = re.compile(r"^(Runtime|Function)\.[A-Z][a-zA-Z]+$")
PATIENCE_S = 30


class Result:
    """What came of one event."""

    def __init__(self):
        self.known = threading.Event()
        self.failed = False
        self.type = None
        self.headers = {}
        self.body = b""
        self.pieces = []
        self.trailers = {}
        self.at = None

    def json(self):
        return json.loads(self.body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    @property
    def api(self):
        return self.server.api

    def end_headers(self):
        if self.api.closes:
            self.send_header("Connection", "close")
        super().end_headers()

    def what_follows(self):
        """What has come behind a request, before that is answered."""
        self.connection.setblocking(False)
        behind = self.rfile.peek()
        self.connection.setblocking(True)
        return bytes(behind or b"")

    def refuse(self, status, kind):
        self.api.faults.append(f"{self.command} {self.path}: {status} {kind}")
        self.answer(status, {"errorMessage": kind, "errorType": kind})

    def answer(self, status, value, headers=None):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        api = self.api
        if self.path != VERSION + "invocation/next":
            self.refuse(404, "NotFound")
            return
        with api.lock:
            api.asking += 1
            api.asked += 1
            api.ask_times.append(time.monotonic())
            api.most_asking = max(api.most_asking, api.asking)
            api.changed.notify_all()
        event = api.events.get()
        with api.lock:
            api.asking -= 1
        if event is None:
            self.close_connection = True
            return
        if isinstance(event, int):
            self.answer(event, {"errorType": "Forced"})
            return
        invocation, body, headers = event
        self.send_response(200)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Lambda-Runtime-Aws-Request-Id", invocation)
        self.send_header("Content-Type", "application/json")
        if len(body) > 2048:  # as Go's server does it
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 4096):
                piece = body[at:at + 4096]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def read_chunks(self, result):
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if not size:
                break
            piece = self.rfile.read(size)
            assert self.rfile.readline() == b"\r\n"
            result.pieces.append(piece)
            result.body += piece
        for line in iter(self.rfile.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            result.trailers[name.strip().lower()] = value.strip()

    def read_body(self, result):
        if self.headers.get("Transfer-Encoding"):
            assert self.headers["Transfer-Encoding"] == "chunked"
            self.read_chunks(result)
        else:
            result.body = self.rfile.read(int(self.headers["Content-Length"]))

    def do_POST(self):
        api = self.api
        match = re.match(VERSION + r"invocation/([^/]+)/(response|error)$", self.path)
        result = api.results.get(match[1]) if match else api.init_error
        if self.path != VERSION + "init/error" and not match:
            self.refuse(404, "NotFound")
            return
        if result is None or result.known.is_set():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.refuse(400, "InvalidRequestID")
            return
        if not match and api.asked:
            self.refuse(403, "InvalidStateTransition")
            return
        self.read_body(result)
        api.along.append(self.what_follows())
        result.headers = {name.lower(): value for name, value in self.headers.items()}
        result.failed = not match or match[2] == "error"
        result.type = self.headers.get("Lambda-Runtime-Function-Error-Type")
        status = self.check(result)
        result.at = time.monotonic()
        result.known.set()
        if status == 202 and self.api.terse:
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif status == 202:
            self.answer(202, {"status": "OK"})
        else:
            self.refuse(status, "Forced" if api.refuse_with else "Invalid")

    def check(self, result):
        """Keeps to the contract, or the test hears of it."""
        if self.api.refuse_with:
            return self.api.refuse_with
        mode = result.headers.get("lambda-runtime-function-response-mode")
        if mode not in (None, "streaming"):
            return 400
        if not result.failed and mode is None and len(result.body) > LIMIT_BYTES:
            return 413
        if result.failed:
            told = json.loads(result.body)
            if not ERROR_TYPE.match(result.type or "") or told["errorType"] != result.type or \
                    not isinstance(told["stackTrace"], list) or not told["errorMessage"]:
                return 400
        if mode and "lambda-runtime-function-error-type" in result.trailers:
            json.loads(base64.b64decode(result.trailers["lambda-runtime-function-error-body"]))
        return 202


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a runtime that ends leaves connections


class RuntimeApi:
    """Use it as a context; `address` is what the runtime is told."""

    def __enter__(self):
        self.events = queue.Queue()
        self.results = {}
        self.init_error = Result()
        self.faults = []
        self.refuse_with = None
        self.closes = False  # each answer ends its connection
        self.along = []  # what came behind each result
        self.terse = False  # what is told is taken with no body
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.asking = self.asked = self.most_asking = 0
        self.ask_times = []
        self.ids = itertools.count(1)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.api = self
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *arguments):
        for _ in range(64):
            self.events.put(None)
        self.server.shutdown()
        self.server.server_close()

    def begin(self, event, seconds=20, raw=False, **headers):
        """Give an event; returns its result, which is not known yet."""
        invocation = "8476a536-e9f4-11e8-9739-%012d" % next(self.ids)
        result = Result()
        self.results[invocation] = result
        result.id = invocation
        told = {"Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f"}
        told.update({name.replace("_", "-"): value for name, value in headers.items()})
        body = event if raw else json.dumps(event).encode()
        self.events.put((invocation, body, told))
        return result

    def end(self, result):
        if not result.known.wait(PATIENCE_S):
            raise AssertionError("nothing came of the event; " + "; ".join(self.faults))
        return result

    def ask(self, event, **options):
        """Give an event, and wait for what comes of it."""
        return self.end(self.begin(event, **options))

    def wait_until_asked(self, count=1):
        with self.changed:
            if not self.changed.wait_for(lambda: self.asking >= count, PATIENCE_S):
                raise AssertionError(f"{self.asking} ask for an event, not {count}")
