# SPDX-License-Identifier: Apache-2.0
"""The Azure Functions host as its custom handlers see it, as the real one was seen to behave: it
reads host.json and function.json, starts the handler, asks it for / until there is any answer, and
calls it. It is as strict: a 2xx without a body hangs a call, which is a failure here, and so are a
body that is no JSON object and a status that is no 2xx."""
import base64
import contextlib
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

from harness import BIN, PATIENCE_S, end, free_port

ASK_EVERY_S = 0.025


class Hangs(AssertionError):
    """The real host would wait for ever."""


class Failed(Exception):
    """The invocation has failed there: its message is tried again, its client gets a 500."""


class TimedOut(Exception):
    """It took longer than functionTimeout: the handler was restarted for it."""


class Function:
    def __init__(self, name, bindings):
        self.name, self.bindings = name, bindings
        self.trigger = next(row for row in bindings if row["type"].endswith("Trigger"))
        self.outputs = {row["name"]: row for row in bindings if row["direction"] == "out"}
        route = self.trigger.get("route", name)
        self.route = re.compile("/".join(
            "(?P<%s>.*)" % part[2:-1] if part.startswith("{*") else
            "(?P<%s>[^/]+)" % part[1:-1] if part.startswith("{") else re.escape(part)
            for part in route.split("/")))

    def is_http(self):
        return self.trigger["type"] == "httpTrigger"

    def is_forwarded(self):
        """One trigger, one answer, and nothing else."""
        return self.is_http() and [row["type"] for row in self.outputs.values()] == ["http"]


class FunctionsHost:
    """A context: the application of `folder`, which `isoworker azure init` has made ready."""

    def __init__(self, workers, arguments=(), top="", files=None, init=(), timeout_s=PATIENCE_S):
        self.temporary = tempfile.TemporaryDirectory(prefix="isw-")
        self.folder = self.temporary.name
        self.arguments, self.init = list(arguments), list(init)
        self.timeout_s, self.restarts = timeout_s, 0
        self.queues = {}
        self.lines = []
        self.logs = []
        self.write("host.yaml", f"{top}\nworkers:\n{workers}")
        self.write("worker.yaml", "middleware:\n  - error_handling: { expose_details: true }\n")
        for name, text in (files or {}).items():
            self.write(name, text)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read_json(self, *names):
        with open(os.path.join(self.folder, *names), encoding="utf-8") as file:
            return json.load(file)

    def run_init(self, *more):
        return subprocess.run([BIN + "/isoworker", "azure", "init", "--custom-handler",
                               *self.arguments, *more, self.folder], capture_output=True, text=True,
                              timeout=60, check=False)

    # -- The handler's process --

    def __enter__(self):
        made = self.run_init(*self.init)
        assert made.returncode == 0, made.stderr
        host = self.read_json("host.json")
        handler = host["customHandler"]
        self.prefix = host["extensions"]["http"]["routePrefix"]
        self.forwards = handler.get("enableForwardingHttpRequest", False)
        self.command = [BIN + "/" + handler["description"]["defaultExecutablePath"],
                        *handler["description"]["arguments"]]
        self.functions = {}
        for name in sorted(os.listdir(self.folder)):
            if os.path.exists(os.path.join(self.folder, name, "function.json")):
                bindings = self.read_json(name, "function.json")["bindings"]
                self.functions[name] = Function(name, bindings)
        self.port = free_port()
        self.start()
        return self

    def start(self):
        variables = {**os.environ, "FUNCTIONS_CUSTOMHANDLER_PORT": str(self.port),
                     "FUNCTIONS_CUSTOMHANDLER_WORKER_ID": str(uuid.uuid4()),
                     "FUNCTIONS_APP_ROOT_PATH": self.folder}
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=variables,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        errors="replace", bufsize=1)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.send("GET", "/")
                return
            time.sleep(ASK_EVERY_S)
        raise AssertionError("the handler is not ready:\n" + "\n".join(self.lines))

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def restart(self):
        """As behind a timeout: the process is killed, and another takes its port, at once."""
        self.restarts += 1
        self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.start()

    def __exit__(self, kind, value, traceback):
        code = end(self.process)
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.temporary.cleanup()
        if kind is None and code != 0:
            raise AssertionError(f"the handler exited with {code}:\n" + "\n".join(self.lines))

    def send(self, method, target, body=None, headers=None, timeout=PATIENCE_S, chunked=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, target, [body] if chunked else body, headers or {},
                               encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    # -- Invocations by the contract --

    def invoke(self, name, data, metadata):
        """Outputs and ReturnValue."""
        body = json.dumps({"Data": data, "Metadata": metadata}).encode()
        headers = {"Content-Type": "application/json; charset=utf-8",
                   "Transfer-Encoding": "chunked",
                   "X-Azure-Functions-InvocationId": str(uuid.uuid4()),
                   "X-Azure-Functions-HostVersion": "4.1037.0.0",
                   "User-Agent": "Azure-Functions-Host/4.1037.0.0"}
        try:
            status, headers, text = self.send("POST", "/" + name, body, headers, self.timeout_s,
                                              chunked=True)
        except TimeoutError:
            self.restart()
            raise TimedOut(name) from None
        if not 200 <= status < 300:
            raise Failed(f"{status} {text!r}")
        if not text:
            raise Hangs(name)
        kind = dict((key.lower(), value) for key, value in headers).get("content-type", "")
        if not kind.startswith("application/json"):
            raise Failed("No MediaTypeFormatter for " + kind)
        told = {key.lower(): value for key, value in json.loads(text).items()}
        self.logs = told.get("logs") or []
        assert all(isinstance(line, str) for line in self.logs), self.logs
        return told.get("outputs") or {}, told.get("returnvalue")

    def put_outputs(self, function, outputs):
        """Into queues, as that host's bindings do."""
        for name, row in function.outputs.items():
            if row["type"] != "queue" or name not in outputs:
                continue
            values = outputs[name] if isinstance(outputs[name], list) else [outputs[name]]
            for value in values:
                self.queues.setdefault(row["queueName"], []).append(self.message_of(value))

    @staticmethod
    def message_of(value):
        """A text is taken for base64 where it can be, and JSON is read and written anew."""
        if not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, indent=2)
        with contextlib.suppress(ValueError):
            return base64.b64decode(value, validate=True).decode("utf-8", "replace")
        with contextlib.suppress(ValueError):
            return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
        return value

    def queue(self, name, text, dequeue_count=1):
        """Deliver a message; what the function gave back. It is Failed otherwise."""
        function = next(each for each in self.functions.values()
                        if each.trigger.get("queueName") == name)
        metadata = {"DequeueCount": str(dequeue_count), "Id": json.dumps(str(uuid.uuid4())),
                    "InsertionTime": "2026-11-27T12:00:00+00:00", "PopReceipt": '"abc"',
                    "sys": {"MethodName": function.name}}
        outputs, value = self.invoke(function.name, {function.trigger["name"]: json.dumps(text)},
                                     metadata)
        self.put_outputs(function, outputs)
        return value

    def timer(self, name, late=False):
        function = self.functions[name]
        value = {"Schedule": {"AdjustForDST": True}, "IsPastDue": late,
                 "ScheduleStatus": {"Last": "0001-01-01T00:00:00",
                                    "Next": "2026-11-30T09:30:00+00:00"}}
        return self.invoke(name, {function.trigger["name"]: value}, {"sys": {"MethodName": name}})

    # -- Requests of its clients --

    def request(self, method, path, body=b"", headers=None):
        """Status, headers and body, as a client of the real host gets them."""
        target = urllib.parse.urlsplit(path)
        for function in self.functions.values():
            if not function.is_http() or not target.path.startswith(f"/{self.prefix}/"):
                continue
            found = function.route.fullmatch(target.path[len(self.prefix) + 2:])
            methods = function.trigger.get("methods")
            if found and (not methods or method in (name.upper() for name in methods)):
                return self.lead(function, found, method, path, body, headers or {})
        return 404, [], b""

    def lead(self, function, found, method, path, body, headers):
        if self.forwards and function.is_forwarded():
            return self.send(method, self.forwarded(path), body or None,
                             {**headers, "X-Azure-Functions-InvocationId": str(uuid.uuid4())})
        try:
            outputs, value = self.invoke(function.name, {
                function.trigger["name"]: self.request_value(found, method, path, body, headers)
            }, {key: json.dumps(text) for key, text in found.groupdict().items()})
        except Failed:
            return 500, [], b""
        self.put_outputs(function, outputs)
        return self.answer_of(function, outputs, value)

    @staticmethod
    def forwarded(path):
        """Its query has each name once, with all values in one."""
        target = urllib.parse.urlsplit(path)
        query = {}
        for name, value in urllib.parse.parse_qsl(target.query, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        return target.path + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
                              if query else "")

    def request_value(self, found, method, path, body, headers):
        kind = next((value for name, value in headers.items()
                     if name.lower() == "content-type"), "")
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query,
                                            keep_blank_values=True))
        value = {"Url": f"http://localhost:7071{path}", "Method": method, "Query": query,
                 "Headers": {"Host": ["localhost:7071"],
                             **{name: [text] for name, text in headers.items()}},
                 "Params": {name: urllib.parse.unquote(text)
                            for name, text in found.groupdict().items()},
                 "Identities": [{"IsAuthenticated": False}]}
        if body and re.match("application/octet-stream|multipart/", kind):
            value["Body"] = base64.b64encode(body).decode()
        elif body:
            value["Body"] = body.decode("utf-8", "replace")
        return value

    @staticmethod
    def answer_of(function, outputs, value):
        name = next(name for name, row in function.outputs.items() if row["type"] == "http")
        output = value if name == "$return" else outputs.get(name)
        if not output:
            return 204, [], b""
        assert set(output) <= {"statusCode", "headers", "body"}, output
        assert all(isinstance(text, str) for text in output.get("headers", {}).values()), output
        return (int(output["statusCode"]), list(output.get("headers", {}).items()),
                output.get("body", "").encode())
