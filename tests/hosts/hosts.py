# SPDX-License-Identifier: Apache-2.0
"""The hosts, each as a context that answers cases, and with `deliver` and `fire` where it has queues
and timers. Workers are the same executables with the same YAML under each."""
import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "integration"), os.path.join(TESTS, "conformance")]

import host as conformance  # noqa: E402
import peer  # noqa: E402
from azure_host import Failed, FunctionsHost  # noqa: E402
try:
    import azure_rpc  # noqa: E402
except ImportError:  # python3-grpcio, python3-protobuf
    azure_rpc = None
from cases import Answer  # noqa: E402
from harness import BIN, Host, free_port, wait_until  # noqa: E402
from lambda_api import RuntimeApi  # noqa: E402
from lambda_harness import Lambda  # noqa: E402
from operators import run  # noqa: E402

VALUES = os.path.join(os.path.dirname(os.environ["ISOWORKER_TEST_WORKER"]), "test_values")
TOUR = os.path.join(BIN, "tour")
TOUR_YAML = os.path.join(os.path.dirname(TESTS), "samples", "tour", "worker.yaml")
CHAIN = "middleware:\n  - error_handling: { expose_details: true }\n"
PROGRAMS = {"values": VALUES, "tour": TOUR}

# With groups of what only some of the hosts do: one host.yaml is right under each of them.
TOP = ("host: {cancel_grace: 100ms}\nqueues:\n  max_attempts: 1\n"
       "webhooks: {max_attempts: 3}\nlambda: {batch_failures: report}\n")


def worker(name, program, config, more=""):
    return (f"  - name: {name}\n    command: [{program}]\n    config: {config}\n"
            f"    restart_delay: 1ms\n{more}")


def workers(more=""):
    return (worker("values", VALUES, "worker.yaml", more) + worker("tour", TOUR, TOUR_YAML, more))


def over_http(port, case, prefix="/api/", headers=None):
    """The answer of whoever listens there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(case.method, prefix + case.path, case.body or None,
                           {**case.headers, **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def queue(host, *words):
    code, out, err = run("queue", *words, "-C", host.folder.name)
    assert code == 0, (code, out, err)
    return out


def peeked(host, name):
    """The bodies that wait in a queue of the host's own store."""
    lines = map(json.loads, queue(host, "peek", name, "--json").splitlines())
    return [message["body"] for line in lines for message in line["messages"]]


# -- isoworker run -----------------------------------------------------------------------------------

class Ours(Host):
    """`isoworker run`, the one that others are compared with."""

    title = "isoworker run"

    def __init__(self, more="", top=TOP, **arguments):
        super().__init__(workers(more), top=top, chain=CHAIN, **arguments)

    def ask(self, case):
        return over_http(self.port, case)

    def depths(self, name):
        return json.loads(queue(self, "list", name, "--json"))["queues"][0]

    def deliver(self, body):
        """Whether it was done, and the bodies that were put out for it."""
        dead = self.depths("taken")["dead"]
        queue(self, "put", "taken", body)
        wait_until(lambda: not any(self.depths("taken")[state]
                                   for state in ("ready", "delayed", "claimed")))
        made = peeked(self, "made")
        queue(self, "purge", "made")
        return self.depths("taken")["dead"] == dead, made

    def fire(self):
        code, out, err = run("timer", "run", "tick", "-C", self.folder.name)
        assert code == 0, (code, out, err)
        self.wait_for("it is time")


class Messages(Ours):
    """The other lane, for which a host needs no shared memory."""

    title = "the same, message lane"

    def __init__(self):
        super().__init__("    link: {lane: message}\n")


class Several(Ours):
    title = "the same, two processes each"

    def __init__(self):
        super().__init__("    processes: 2\n")


# -- A host that shares no code with ours ------------------------------------------------------------

class Session:
    """One worker, and one invocation at a time."""

    def __init__(self, folder, name):
        self.path, self.name = os.path.join(folder, name), name
        self.config = TOUR_YAML if name == "tour" else os.path.join(folder, "worker.yaml")
        self.begin()

    def begin(self):
        token = os.urandom(64)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(self.path)
            listener.listen(1)
            self.worker = conformance.start([PROGRAMS[self.name], "--config", self.config],
                                            self.path, token)
            self.sock = conformance.accept(listener, self.worker)
        os.unlink(self.path)
        self.host = conformance.Host(peer.Peer(self.sock))
        self.host.hello(token)
        self.functions = self.host.prepare([])

    def invoke(self, function, request):
        try:
            return self.host.invoke(self.functions[function], request)
        except EOFError:  # it has crashed
            self.worker.wait(30)
            self.sock.close()
            self.begin()
            return None

    def end(self):
        self.host.terminate()
        self.sock.close()
        assert self.worker.wait(30) == 0, self.name


class InPython:
    """tests/conformance/host.py, as somebody else would write a host from PROTOCOL.md."""

    title = "a host in Python"
    TYPES = {1: "text/plain; charset=utf-8", 2: "application/json", 3: "application/octet-stream"}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-")
        with open(os.path.join(self.folder.name, "worker.yaml"), "w", encoding="utf-8") as file:
            file.write(CHAIN)
        self.sessions = {name: Session(self.folder.name, name) for name in PROGRAMS}
        return self

    def __exit__(self, kind, value, traceback):
        for session in self.sessions.values():
            if kind:
                session.worker.kill()
                session.worker.wait()
            else:
                session.end()
        self.folder.cleanup()

    def ask(self, case):
        url = urllib.parse.urlsplit(case.path)
        flat = lambda rows: [text for row in rows for text in row]  # noqa: E731
        request = {1: case.method, 2: "/api/" + case.path,
                   3: flat((name.lower(), value) for name, value in case.headers.items()),
                   4: flat(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
                   5: flat(case.params.items()), 6: case.body, 7: "127.0.0.1"}
        body = self.sessions[case.worker].invoke(
            case.function, {key: value for key, value in request.items() if value})
        return self.answer(body) if body is not None else Answer(502, [], b"")

    def answer(self, body):
        if peer.field(body, 1, int, 0) == 3 and 3 not in body:
            return Answer(503, [], b"")
        if 3 not in body:
            return Answer(204 if peer.field(body, 1, int, 0) == 1 else 500, [], b"")
        kind, value = peer.field(body, 3, list)
        if kind != peer.HTTP:
            value = value.encode() if isinstance(value, str) else value
            return (Answer(200, [("content-type", self.TYPES[kind])], value)
                    if kind in self.TYPES else Answer(500, [], b""))
        reply = peer.members(value)
        return Answer(peer.field(reply, 8, int, 0), peer.pairs(reply, 3),
                      peer.field(reply, 6, bytes, b""))


# -- A platform that gives a port and asks for readiness -----------------------------------------------

class Platform(Ours):
    """As Knative and its like run a container: PORT says where to listen, a probe says when it is
    ready, and SIGTERM that it is to end."""

    title = "a platform with $PORT"

    def __init__(self):
        self.wanted = free_port()
        super().__init__(prepare=lambda: os.environ.update(PORT=str(self.wanted)),
                         top=TOP + "http: {listen: \"127.0.0.1:${PORT:-7071}\"}\n")

    def command(self):
        return [BIN + "/isoworker", "run", self.folder.name]


# -- The Azure Functions host, with a custom handler -------------------------------------------------

class Custom(FunctionsHost):
    title = "Azure, custom handler"
    forwarding = []

    def __init__(self):
        super().__init__(workers(), arguments=self.forwarding, top=TOP,
                         files={"worker.yaml": CHAIN})

    def ask(self, case):
        return Answer(*self.request(case.method, "/api/" + case.path, case.body, case.headers))

    def deliver(self, body):
        self.queues.clear()
        try:
            self.queue("taken", body)
        except Failed:
            return False, self.queues.get("made", [])
        return True, self.queues.get("made", [])

    def fire(self):
        self.timer("tick")
        assert any("it is time" in line for line in self.logs), self.logs


class Forwarding(Custom):
    title = "the same, forwarding"
    forwarding = ["--forwarding"]


# -- The Azure Functions host, with a language worker ------------------------------------------------

class Worker:
    """By FunctionRpc, with requests in messages."""

    title = "Azure, language worker"
    http = "message"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-")
        for name, text in (("host.yaml", TOP + "workers:\n" + workers()), ("worker.yaml", CHAIN)):
            with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.host = azure_rpc.FunctionsHost([BIN + "/isoworker", "azure", self.folder.name, "--http",
                                             self.http])
        self.host.__enter__().begin()
        self.bindings = {name: [json.loads(text) for text in function.raw_bindings]
                         for name, function in self.host.functions.items()}
        return self

    def __exit__(self, *arguments):
        self.host.__exit__(*arguments)
        self.folder.cleanup()

    def cookie(self, one):
        """As that host writes it anew."""
        words = [f"{one.name}={one.value}"]
        if one.HasField("max_age"):
            words.append(f"max-age={one.max_age.value:.0f}")
        for name in ("domain", "path"):
            if one.HasField(name):
                words.append(f"{name}={getattr(one, name).value}")
        words += ["secure"] * one.secure.value + ["httponly"] * one.http_only.value
        if one.same_site:
            words.insert(-1 if one.http_only.value else len(words),
                         "samesite=" + ("", "lax", "strict", "none")[one.same_site])
        return "; ".join(words)

    def ask(self, case):
        done = self.host.http(case.function, case.method, case.path, case.body, case.headers)
        if done.status != 1:  # which that host answers itself
            return Answer(500, [], b"")
        http = done.http
        return Answer(int(http.status_code),
                      [*http.headers.items(),
                       *(("set-cookie", self.cookie(one)) for one in http.cookies)],
                      http.body.bytes)

    def of_queue(self, queue_name):
        return next(name for name, rows in self.bindings.items()
                    if rows[0].get("queueName") == queue_name)

    def deliver(self, body):
        function = self.of_queue("taken")
        done = self.host.invoke(function, [("trigger", azure_rpc.TYPES["TypedData"](string=body))])
        queues = {row["name"]: row.get("queueName") for row in self.bindings[function]}
        made = [value.string or value.json for name, value in done.outputs.items()
                if queues[name] == "made"]
        return done.status == 1, made

    def fire(self):
        status = azure_rpc.TYPES["TypedData"](json='{"IsPastDue":false}')
        assert self.host.invoke("tick", [("trigger", status)]).status == 1
        self.host.wait_log("it is time")


class Forwarded(Worker):
    """With requests that are forwarded."""

    title = "the same, forwarding"
    http = "forward"

    def ask(self, case):
        port = int(self.host.capabilities["HttpUri"].rsplit(":", 1)[1])
        identifier = self.host.begin_forwarded(case.function)
        answer = over_http(port, case, headers={"x-ms-invocation-id": identifier})
        done = self.host.answer(identifier)
        failed = answer.status >= 500 and not case.name.startswith("status ")
        assert (done.status == 1) == (not failed), (case.name, answer.status, done)
        return answer


# -- AWS Lambda --------------------------------------------------------------------------------------

class Function(Lambda):
    """A function URL, a queue of SQS and a rule of EventBridge before one Lambda function."""

    title = "AWS Lambda"

    def __init__(self):
        self.api = RuntimeApi()
        kept = TOP.replace("queues:\n", "queues:\n  store: 'sqlite:${KEPT}/queues.db'\n")
        super().__init__(None, workers(), kept, chain=CHAIN)
        # What lies below TMPDIR goes with the environment; a file system that is mounted does not.
        self.environment.update(KEPT=self.folder.name, TMPDIR=self.folder.name + "/temporary")

    def __enter__(self):
        self.api.__enter__()
        self.environment["AWS_LAMBDA_RUNTIME_API"] = self.api.address
        return super().__enter__()

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.api.__exit__(*arguments)
        assert arguments[0] or not self.api.faults, self.api.faults

    def ask(self, case):
        path, _, query = ("/api/" + case.path).partition("?")
        headers = {name.lower(): value for name, value in case.headers.items()}
        cookies = headers.pop("cookie", "")
        event = {"version": "2.0", "routeKey": "$default", "rawPath": path,
                 "rawQueryString": query, "headers": headers,
                 "requestContext": {"domainName": "x.lambda-url.eu-west-1.on.aws",
                                    "http": {"method": case.method, "path": path,
                                             "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}}}
        if cookies:
            event["cookies"] = cookies.split("; ")
        if case.body:
            event.update(body=base64.b64encode(case.body).decode(), isBase64Encoded=True)
        result = self.api.ask(event)
        if result.failed:  # which a function URL answers so
            return Answer(502, [], b"Internal Server Error")
        said = result.json()
        body = said.get("body", "").encode()
        return Answer(said["statusCode"],
                      [*said.get("headers", {}).items(),
                       *(("set-cookie", cookie) for cookie in said.get("cookies", []))],
                      base64.b64decode(body) if said.get("isBase64Encoded") else body)

    def deliver(self, body):
        record = {"messageId": "m1", "body": body, "eventSource": "aws:sqs",
                  "eventSourceARN": "arn:aws:sqs:eu-west-1:1:taken", "messageAttributes": {},
                  "attributes": {"ApproximateReceiveCount": "1"}}
        result = self.api.ask({"Records": [record]})
        made = peeked(self, "made")
        queue(self, "purge", "made")
        return not result.failed and result.json() == {"batchItemFailures": []}, made

    def fire(self):
        event = {"version": "0", "id": "1", "detail-type": "Scheduled Event",
                 "source": "aws.events", "account": "1", "time": "2030-01-01T03:00:00Z",
                 "region": "eu-west-1", "detail": {},
                 "resources": ["arn:aws:events:eu-west-1:1:rule/tick"]}
        assert not self.api.ask(event).failed
        self.wait_for("it is time")


HOSTS = [Ours, Messages, Several, InPython, Platform, Custom, Forwarding,
         *([Worker, Forwarded] if azure_rpc else []), Function]

# -- Where an answer may be another one --------------------------------------------------------------

# By host and case; the words are those of the table.
EXPLAINED = {
    **{("Custom", name): "a custom handler gives back text alone; forwarding has bytes"
       for name in ("a result: bytes", "bytes there and back")},
    ("Custom", "headers and cookies"):
        "its contract has one value for a name: of cookies one is left, which is said",
    ("Forwarding", "a request: a query"):
        "that host forwards each name of a query once, with its values in one",
    **{("Custom", f"a failure: {how}"):
       "what fails is a failure of the invocation, which that host answers in its own way"
       for how in ("later", "failed", "crash")},
    ("Worker", "headers and cookies"):
        "in messages several cookies are told by their parts, and that host writes them anew",
    **{("Worker", f"a failure: {how}"):
       "what fails is a failure of the invocation, which that host answers in its own way"
       for how in ("later", "failed", "crash")},
}
