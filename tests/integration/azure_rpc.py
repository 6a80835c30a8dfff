# SPDX-License-Identifier: Apache-2.0
"""The Azure Functions host as its language workers see it, as the real one was seen to behave: it
starts a process or several, calls them in turn, and restarts what ends.

It is strict: what the real one would refuse, drop or wait for in vain is a fault, and a test that ends
with one fails. HTTP/2 is grpc's, messages are google.protobuf's; nothing is shared with the adapter.
"""
import contextlib
import http.client
import itertools
import json
import queue
import re
import subprocess
import threading
import time
import uuid
from concurrent import futures

import grpc

from azure_messages import PACKAGE, TYPES

PATIENCE_S = 30
GRACE_S = 2           # behind a cancel, for what took too long
TERMINATE_S = 5       # that a worker is told it has
RESTART_EVERY_S = 10  # but for the first time
ERRORS_PER_PROCESS = 3
Message = TYPES["StreamingMessage"]

FUNCTION_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,127}")
BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")


class Invocation(Exception):
    """What came of one."""

    def __init__(self, response, logs):
        super().__init__(response.result.exception.message)
        self.response, self.logs = response, logs
        self.status = response.result.status
        self.error = response.result.exception
        self.http = response.return_value.http
        self.value = response.return_value
        self.outputs = {one.name: one.data for one in response.output_data}


class TimedOut(Exception):
    """It took longer than the functionTimeout of host.json."""


class WorkerExited(Exception):
    """The process that had it ended with an error."""


class Channel:
    """One process, and its stream."""

    def __init__(self, host):
        self.host, self.id = host, str(uuid.uuid4())
        self.send = queue.Queue()
        self.heard = []
        self.running = {}   # invocations that it has
        self.functions = set()  # by the ids that it was told to load
        self.gone = self.ready = self.let_go = False

    def say(self, **content):
        message = Message(request_id=f"r{next(self.host.numbers)}", **content)
        self.send.put(message)
        return message.request_id

    def wait(self, kind, after=0, of=None):
        return self.host.wait(lambda: next(
            (getattr(m, kind) for m in self.heard[after:]
             if m.WhichOneof("one") == kind and (of is None or of(m))), None), kind, self)

    # -- What the real one does with a process, step by step --

    def spawn(self):
        self.process = subprocess.Popen(
            self.host.command + self.host.arguments(self.id), env=self.host.environment,
            cwd=self.host.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read_errors, daemon=True).start()

    def read_errors(self):
        for line in self.process.stderr:
            self.host.stderr += line
        code = self.process.wait()
        if not self.let_go:
            self.host.exited(self, code)

    def init(self):
        self.say(worker_init_request=TYPES["WorkerInitRequest"](
            host_version="4.1037.0", capabilities={"MultiStream": "10"}))
        answer = self.wait("worker_init_response")
        if answer.result.status != 1:
            raise AssertionError("the worker does not begin: " + answer.result.exception.message)
        self.host.capabilities = dict(answer.capabilities)
        for name, value in answer.capabilities.items():
            if not value or value.lower() == "false":
                self.host.fault(f"the capability {name} is there with {value!r}, which says yes")

    def load(self, name, metadata):
        count = len(self.heard)
        identifier = metadata.function_id or name
        self.functions.add(identifier)
        self.say(function_load_request=TYPES["FunctionLoadRequest"](function_id=identifier,
                                                                    metadata=metadata))
        return self.wait("function_load_response", count,
                         lambda m: m.function_load_response.function_id == identifier)

    def end(self, patience_s=None):
        """It is told, and killed when the time that it was given is over."""
        self.let_go = True
        told = self.host.capabilities
        if self.process.poll() is None and (not told or "HandlesWorkerTerminateMessage" in told):
            self.say(worker_terminate=TYPES["WorkerTerminate"](
                grace_period={"seconds": TERMINATE_S}))
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(patience_s or self.host.terminate_s)
        self.process.kill()
        self.process.wait()
        return "nothing: it had to be killed"


class FunctionsHost:
    """Use it as a context. `timeout_s` is functionTimeout."""

    channel = Channel

    def __init__(self, command, environment=None, legacy=False, cwd=None, expect=0, processes=1,
                 timeout_s=None, grace_s=GRACE_S, terminate_s=TERMINATE_S,
                 restart_every_s=RESTART_EVERY_S):
        self.command, self.environment, self.cwd = list(command), environment, cwd
        self.legacy, self.expect, self.timeout_s = legacy, expect, timeout_s
        self.grace_s, self.terminate_s, self.restart_every_s = grace_s, terminate_s, restart_every_s
        self.message_max = 2147483647
        self.changed = threading.Condition()
        self.heard = []          # all messages but logs
        self.logs = []
        self.numbers = itertools.count(1)
        self.channels = [self.channel(self) for _ in range(processes)]
        self.turns = itertools.count()
        self.capabilities, self.functions, self.done, self.faults = {}, {}, {}, []
        self.forwarding, self.half = set(), set()  # requests; of which the invocation was answered
        self.loaded = []         # names, for processes that come later
        self.errors = self.restarts = 0
        self.restarted_at = 0
        self.ended = False       # too many errors
        self.ends_early = not timeout_s
        self.stderr = ""

    @property
    def process(self):
        return self.channels[0].process

    # -- The stream --------------------------------------------------------------------------

    def stream(self, requests, context):
        first = next(requests)
        channel = next((one for one in self.channels
                        if first.WhichOneof("one") == "start_stream" and
                        first.start_stream.worker_id == one.id), None)
        if channel is None:
            self.fault(f"a stream begins with {first}, of no process that was started")
            return
        self.note(channel, first)
        threading.Thread(target=self.read, args=(channel, requests), daemon=True).start()
        while (message := channel.send.get()) is not None:
            yield message

    def read(self, channel, requests):
        with contextlib.suppress(grpc.RpcError):
            for message in requests:
                self.note(channel, message)
        channel.send.put(None)
        with self.changed:
            channel.gone = True
            self.changed.notify_all()

    def note(self, channel, message):
        kind = message.WhichOneof("one")
        with self.changed:
            if kind == "rpc_log":
                self.logs.append(message)
            else:
                self.heard.append(message)
                channel.heard.append(message)
            self.check(channel, message, kind)
            if kind == "invocation_response":
                self.take(channel, message.invocation_response)
            self.changed.notify_all()

    def take(self, channel, response):
        """An invocation is over with its answer, and that to its request, if that was forwarded."""
        identifier = response.invocation_id
        if identifier not in channel.running or identifier in self.half:
            self.fault(f"an answer to {identifier}, which that process does not have")
            return
        self.done.setdefault(identifier, response)
        if identifier in self.forwarding:
            self.half.add(identifier)
        else:
            del channel.running[identifier]

    def forwarded(self, identifier):
        with self.changed:
            self.forwarding.discard(identifier)
            for channel in self.channels if identifier in self.half else ():
                channel.running.pop(identifier, None)
            self.half.discard(identifier)
            self.changed.notify_all()

    def fault(self, text):
        self.faults.append(text)

    # -- What is refused, or would be lost ------------------------------------------------------

    def check(self, channel, message, kind):
        self.check_fields(message, kind)
        if kind not in ("start_stream", "worker_init_response", "worker_status_response", "rpc_log",
                        "function_metadata_response", "function_load_response",
                        "invocation_response", "worker_warmup_response",
                        "function_environment_reload_response"):
            self.fault(f"a message {kind}, which a worker does not send")
        elif kind == "invocation_response":
            self.check_response(message.invocation_response)
        elif kind == "function_metadata_response":
            self.check_functions(message.function_metadata_response)
        elif kind == "function_load_response" and \
                message.function_load_response.function_id not in channel.functions:
            self.fault(f"a function was loaded that nobody asked for: {message}")
        elif kind == "rpc_log" and not 0 <= message.rpc_log.level <= 6:
            self.fault(f"a line of the level {message.rpc_log.level}")

    def check_fields(self, message, where):
        """Those that nobody knows; all the way down."""
        if len(message.UnknownFields()):
            self.fault(f"{where}: fields that {type(message).__name__} does not have")
        for field, value in message.ListFields():
            if field.message_type is None:
                continue
            if field.message_type.GetOptions().map_entry:
                if field.message_type.fields_by_name["value"].message_type is None:
                    continue
                value = value.values()
            elif not field.is_repeated if hasattr(field, "is_repeated") else field.label != 3:
                value = [value]
            for one in value:
                self.check_fields(one, where)

    def check_response(self, response):
        for one in response.output_data:
            self.check_data(one.data, f"output {one.name}")
        self.check_data(response.return_value, "the value that is returned")
        if response.result.status not in (0, 1, 2):
            self.fault(f"an answer of the status {response.result.status}")
        if response.result.status == 0 and not response.result.exception.message:
            self.fault("a failure without a message")
        function = next((one for one in self.functions.values()
                         if one.name == self.started.get(response.invocation_id)), None)
        names = {json.loads(text)["name"] for text in function.raw_bindings} if function else set()
        for one in response.output_data:
            if function and one.name not in names:
                self.fault(f"an output {one.name}, which {function.name} does not have")

    def check_data(self, data, what):
        kind = data.WhichOneof("one")
        if kind not in (None, "string", "json", "bytes", "http", "int", "double"):
            self.fault(f"{what} is {kind}, which is not taken")
        if kind == "json":
            json.loads(data.json)
        if kind == "http":
            if not 100 <= int(data.http.status_code) <= 599:
                self.fault(f"{what} has the status {data.http.status_code}")
            self.check_data(data.http.body, "a body")

    def check_functions(self, response):
        for function in response.function_metadata_results:
            if not FUNCTION_NAME.fullmatch(function.name) or function.name.lower() == "host":
                self.fault(f"{function.name!r} is no name of a function")
            self.check_bindings(function)
            retry = function.retry_options
            if function.HasField("retry_options") and not (
                    retry.HasField("delay_interval") if retry.retry_strategy == 1 else
                    retry.HasField("minimum_interval") and retry.HasField("maximum_interval")):
                self.fault(f"the retries of {function.name} say no interval")

    def check_bindings(self, function):
        names, triggers = set(), 0
        for text in function.raw_bindings:
            binding = json.loads(text)
            name, kind = binding["name"], binding["type"]
            triggers += kind.endswith("Trigger")
            if not BINDING_NAME.fullmatch(name) or name.lower() in names:
                self.fault(f"{name!r} is no name of a binding of {function.name}, or is there twice")
            if binding["direction"] not in ("in", "out", "inout") or \
                    (name == "$return" and binding["direction"] != "out"):
                self.fault(f"the binding {name} of {function.name} goes {binding['direction']}")
            names.add(name.lower())
        if triggers != 1:
            self.fault(f"{function.name} has {triggers} triggers")

    # -- Waiting -----------------------------------------------------------------------------

    def wait(self, found, what, channel=None):
        """What `found` gives that is not None; not for longer than the process has a stream that it
        is of."""
        with self.changed:
            result = []

            def look():
                value = found()
                if value is not None:
                    result[:] = [value]
                return value is not None

            def over():
                return channel.gone if channel else self.ends_early and self.channels[0].gone

            if not self.changed.wait_for(lambda: look() or over(), PATIENCE_S) or not result:
                raise AssertionError(f"nothing was heard of {what}; logs:\n" + self.log_text())
            return result[0]

    def wait_message(self, kind, after=0, of=None):
        return self.wait(lambda: next((m for m in self.heard[after:] if m.WhichOneof("one") == kind
                                       and (of is None or of(getattr(m, kind)))), None), kind)

    def wait_log(self, text):
        return self.wait(lambda: next((m.rpc_log for m in self.logs if text in m.rpc_log.message),
                                      None), f"a line with {text!r}")

    def log_text(self):
        return "\n".join(f"{m.rpc_log.level} [{m.rpc_log.invocation_id}] {m.rpc_log.message}"
                         for m in self.logs) + "\n" + self.stderr

    def say(self, **content):
        return self.channels[0].say(**content)

    # -- Life --------------------------------------------------------------------------------

    def serve(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(8), options=[
            ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(
            self.stream, request_deserializer=Message.FromString,
            response_serializer=Message.SerializeToString)
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
            PACKAGE + ".FunctionRpc", {"EventStream": handler})])
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def arguments(self, worker_id):
        if self.legacy:
            return ["--host", "127.0.0.1", "--port", str(self.port), "--workerId", worker_id,
                    "--requestId", "start", "--grpcMaxMessageLength", str(self.message_max)]
        return ["--functions-uri", f"http://127.0.0.1:{self.port}/", "--functions-worker-id",
                worker_id, "--functions-request-id", "start",
                f"--functions-grpc-max-message-length={self.message_max}",
                "--functions-of-tomorrow", "7"]

    def init(self):
        for channel in self.channels:
            channel.init()

    def index(self):
        """Of one process, which tells for all."""
        self.say(functions_metadata_request=TYPES["FunctionsMetadataRequest"]())
        answer = self.channels[0].wait("function_metadata_response")
        self.functions = {one.name: one for one in answer.function_metadata_results}
        return answer

    def load(self, name):
        metadata = self.functions.get(name) or TYPES["RpcFunctionMetadata"](name=name)
        self.loaded.append((name, metadata))
        return [channel.load(name, metadata) for channel in self.channels][0]

    def __enter__(self):
        self.started = {}
        self.serve()
        for channel in self.channels:
            channel.spawn()
        for channel in self.channels:
            channel.wait("start_stream")
            channel.ready = True
        return self

    def begin(self):
        """As far as all functions are loaded."""
        self.init()
        self.index()
        for name in self.functions:
            self.load(name)
        return self

    def __exit__(self, kind, value, traceback):
        codes = [channel.end(PATIENCE_S if self.expect is not None else None)
                 for channel in self.channels]
        for channel in self.channels:
            channel.send.put(None)
        self.server.stop(0)
        if kind is None and any(code != self.expect for code in codes) and self.expect is not None:
            raise AssertionError(f"the worker ended with {codes}, not {self.expect}:\n" +
                                 self.log_text())
        if kind is None and self.faults:
            raise AssertionError("\n".join(self.faults) + "\n" + self.log_text())

    # -- What ends, and what begins again -------------------------------------------------------

    def exited(self, channel, code):
        """A process is gone that nobody has ended. With 0 that is not looked at: what it had waits
        for its own time."""
        if code == 0:
            return
        with self.changed:
            for identifier in channel.running:
                self.done.setdefault(identifier, WorkerExited(code))
            channel.running.clear()
            self.errors += code != 200
            self.ended = self.ended or self.errors >= ERRORS_PER_PROCESS * len(self.channels)
            self.changed.notify_all()
        if self.ended:
            for one in self.channels:
                one.end()
        else:
            self.restart(channel)

    def restart(self, channel):
        """Another in its place; the first one at once, and further ones not sooner than that."""
        channel.ready = False
        wait_s = self.restarted_at + self.restart_every_s - time.monotonic()
        if self.restarts and wait_s > 0:
            time.sleep(wait_s)
        self.restarted_at = time.monotonic()
        after = self.channel(self)
        self.channels[self.channels.index(channel)] = after
        after.spawn()
        after.wait("start_stream")
        after.init()
        for name, metadata in self.loaded:
            after.load(name, metadata)
        with self.changed:
            after.ready = True
            self.restarts += 1
            self.changed.notify_all()

    def expire(self, channel, identifier):
        """It is cancelled, has two seconds, and then its process is ended; of others that it has
        nobody thinks."""
        if identifier not in channel.running:
            return
        self.cancel(identifier)
        with self.changed:
            self.changed.wait_for(lambda: identifier not in channel.running, self.grace_s)
            late = identifier in channel.running
            if late:
                self.done.setdefault(identifier, TimedOut())
            self.changed.notify_all()
        if late and not channel.let_go:
            channel.end()
            self.restart(channel)

    # -- Invocations -------------------------------------------------------------------------

    def next_channel(self):
        """In turn, of those that are ready."""
        with self.changed:
            self.changed.wait_for(lambda: any(one.ready for one in self.channels), PATIENCE_S)
            ready = [one for one in self.channels if one.ready]
        return ready[next(self.turns) % len(ready)]

    def start(self, function, inputs=(), metadata=None, trace=None, retry=None, identifier=None):
        identifier = identifier or str(uuid.uuid4())
        channel = self.next_channel()
        with self.changed:
            self.done.pop(identifier, None)  # the next try of a retry policy has the same
            channel.running[identifier] = function
            self.started[identifier] = function
        channel.say(invocation_request=TYPES["InvocationRequest"](
            invocation_id=identifier, function_id=self.functions[function].function_id,
            input_data=[TYPES["ParameterBinding"](name=name, data=data) for name, data in inputs],
            trigger_metadata=metadata or {}, trace_context=trace, retry_context=retry))
        if self.timeout_s:
            timer = threading.Timer(self.timeout_s, self.expire, (channel, identifier))
            timer.daemon = True
            timer.start()
        return identifier

    def answer(self, identifier):
        came = self.wait(lambda: self.done.get(identifier), f"invocation {identifier}")
        if isinstance(came, Exception):
            raise came
        return Invocation(came, [m.rpc_log for m in self.logs
                                 if m.rpc_log.invocation_id == identifier])

    def invoke(self, function, inputs=(), **rest):
        return self.answer(self.start(function, inputs, **rest))

    def cancel(self, identifier):
        for channel in self.channels:
            if identifier in channel.running or len(self.channels) == 1:
                channel.say(invocation_cancel=TYPES["InvocationCancel"](invocation_id=identifier))

    # -- HTTP --------------------------------------------------------------------------------

    def trigger_of(self, function):
        return next(row["name"] for row in map(json.loads, self.functions[function].raw_bindings)
                    if row["type"].endswith("Trigger"))

    def request(self, function, method, path, body=None, headers=None, **rest):
        """In a message: with its body where that has a length, and is not empty."""
        rpc = TYPES["RpcHttp"](method=method, url=f"http://localhost:7071/api/{path}")
        for name, value in (headers or {}).items():
            rpc.nullable_headers[name.lower()].value = value
        if body and "transfer-encoding" not in rpc.nullable_headers:
            rpc.body.bytes = body
        return self.start(function, [(self.trigger_of(function), TYPES["TypedData"](http=rpc))],
                          **rest)

    def http(self, *arguments, **rest):
        return self.answer(self.request(*arguments, **rest))

    def begin_forwarded(self, function, **rest):
        """The invocation of a request that comes by itself."""
        empty = TYPES["TypedData"](http=TYPES["RpcHttp"]())
        return self.start(function, [(self.trigger_of(function), empty)], **rest)

    def forward_later(self, *arguments):
        """The same, with nobody who looks at the answer."""
        threading.Thread(target=self.forward, args=arguments, daemon=True).start()

    def forward(self, identifier, method, path, body=None, headers=None):
        """As its reverse proxy does it: status, headers, body."""
        place = self.capabilities["HttpUri"].removeprefix("http://")
        with self.changed:
            if identifier in self.started and identifier not in self.done:
                self.forwarding.add(identifier)
        connection = http.client.HTTPConnection(place, timeout=PATIENCE_S)
        try:
            connection.request(method, "/api/" + path, body,
                               {**(headers or {}), "x-ms-invocation-id": identifier})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
            self.forwarded(identifier)
