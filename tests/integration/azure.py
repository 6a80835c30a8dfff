#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`isoworker azure` under the Azure Functions host of azure_rpc.py: as its language worker."""
import http.server
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import uuid

from harness import BIN, PATIENCE_S, WORKER, is_alive, main, wait_until

try:
    from azure_rpc import TYPES, FunctionsHost
    MISSING = ""
except ImportError as error:
    MISSING = f"python3-grpcio and python3-protobuf are not installed: {error}"
    TYPES, FunctionsHost = {"TypedData": None}, object

WORKERS = os.path.dirname(WORKER)
FAILURE, SUCCESS, CANCELLED = 0, 1, 2
Data = TYPES["TypedData"]


class App(FunctionsHost):
    """A folder with an app of one worker, and its host."""

    def __init__(self, worker="test_azure", top="", arguments=(), yaml=True,
                 chain="middleware:\n  - error_handling\n", **rest):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-azure-")
        if yaml:
            self.write("host.yaml", f"{top}\nworkers:\n  - name: azure\n"
                       f"    command: [{WORKERS}/{worker}]\n")
            self.write("worker.yaml", chain)
        super().__init__([BIN + "/isoworker", "azure", *([self.folder.name] if yaml else []),
                          *arguments], **rest)

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w") as file:
            file.write(text)

    def status(self):
        """As an operator sees it."""
        return json.loads(subprocess.run([BIN + "/isoworker", "status", "--json", self.folder.name],
                                         capture_output=True, text=True, check=True).stdout)

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.folder.cleanup()


def bindings(function):
    return [json.loads(text) for text in function.raw_bindings]


class Azure(unittest.TestCase):
    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)

    # -- The life of a worker --------------------------------------------------------------------

    def test_a_host_of_either_age_says_where_it_is(self):
        for legacy in (False, True):
            with App(legacy=legacy) as host:
                host.init()
                self.assertIn("WorkerStatus", host.capabilities)
                host.say(worker_status_request=TYPES["WorkerStatusRequest"]())
                host.wait_message("worker_status_response")

    def test_functions_are_told_as_the_host_knows_triggers(self):
        with App() as host:
            host.init()
            self.assertEqual(host.index().result.status, SUCCESS)
            told = {name: bindings(one) for name, one in host.functions.items()}
            self.assertNotIn("by_name", told)
            self.assertEqual(told["pages"], [
                {"name": "trigger", "type": "httpTrigger", "direction": "in",
                 "authLevel": "anonymous", "route": "pages/{what}", "methods": ["get", "post"]},
                {"name": "$return", "type": "http", "direction": "out"},
                {"name": "rows", "type": "table", "direction": "out", "tableName": "rows"}])
            self.assertEqual(told["message"][0]["queueName"], "letters")
            self.assertEqual(told["message"][1], {
                "name": "next", "type": "queue", "direction": "out", "queueName": "next",
                "connection": "AzureWebJobsStorage"})
            self.assertEqual(told["same"][0], {
                "name": "trigger", "type": "blobTrigger", "direction": "in", "path": "in/{name}",
                "connection": "Store"})
            self.assertEqual(told["tells"][0]["type"], "eventHubTrigger")
            self.assertEqual(told["daily"][0]["schedule"], "0 0 0 * * *")
            self.assertEqual(told["timer"][0]["schedule"], "00:01:30")
            for name, said in (("timer", (2, 1, 2, 0, 0)), ("hourly", (4, 0, 0, 10, 300)),
                               ("daily", None), ("message", None)):
                retry = host.functions[name].retry_options
                self.assertEqual(
                    (retry.max_retry_count, retry.retry_strategy, retry.delay_interval.seconds,
                     retry.minimum_interval.seconds, retry.maximum_interval.seconds)
                    if host.functions[name].HasField("retry_options") else None, said, name)

    def test_a_function_that_is_not_there_is_a_load_error_and_others_run(self):
        with App() as host:
            host.begin()
            answer = host.load("nowhere")
            self.assertEqual(answer.result.status, FAILURE)
            self.assertIn('no worker of host.yaml has a function "nowhere"',
                          answer.result.exception.message)
            self.assertEqual(host.invoke("same", [("trigger", Data(string="x"))]).status, SUCCESS)

    def test_who_asks_before_functions_are_known_is_answered_when_they_are(self):
        with App(top="host: { heartbeat: 1s }") as host:
            host.say(functions_metadata_request=TYPES["FunctionsMetadataRequest"]())
            host.init()
            answer = host.wait_message("function_metadata_response").function_metadata_response
            self.assertTrue(answer.function_metadata_results)

    def test_a_placeholder_becomes_the_app_that_it_is_told(self):
        with App() as app, App(yaml=False, cwd="/", environment=dict(
                os.environ, WEBSITE_PLACEHOLDER_MODE="1")) as host:
            app.write("host.yaml", "workers:\n  - name: azure\n    command: [\"${PROGRAM}\"]\n")
            host.init()
            host.say(worker_warmup_request=TYPES["WorkerWarmupRequest"](worker_directory="/"))
            host.wait_message("worker_warmup_response")
            host.say(function_environment_reload_request=TYPES["FunctionEnvironmentReloadRequest"](
                environment_variables={"PROGRAM": WORKERS + "/test_azure",
                                       "WEBSITE_PLACEHOLDER_MODE": "0"},
                function_app_directory=app.folder.name))
            answer = host.wait_message("function_environment_reload_response")
            self.assertEqual(answer.function_environment_reload_response.result.status, SUCCESS)
            host.index()
            host.load("same")
            self.assertEqual(host.invoke("same", [("trigger", Data(int=7))]).value.int, 7)

    def specialise(self, host, folder):
        host.init()
        self.assertNotIn("HttpUri", host.capabilities)
        host.say(function_environment_reload_request=TYPES["FunctionEnvironmentReloadRequest"](
            environment_variables={"PROGRAM": WORKERS + "/test_azure"},
            function_app_directory=folder))
        return host.channels[0].wait("function_environment_reload_response")

    def test_a_placeholder_tells_where_requests_go_once_it_has_an_app(self):
        with App() as app, App(yaml=False, arguments=["--http", "forward"], cwd="/",
                               environment=dict(os.environ, WEBSITE_PLACEHOLDER_MODE="1")) as host:
            app.write("host.yaml", "workers:\n  - name: azure\n    command: [\"${PROGRAM}\"]\n")
            host.capabilities = dict(self.specialise(host, app.folder.name).capabilities)
            host.index()
            host.load("pages")
            asked = host.begin_forwarded("pages")
            self.assertEqual(self.forward(host, asked, "GET", "pages/one"), (200, b"page one"))
            self.assertEqual(host.answer(asked).status, SUCCESS)

    def test_a_placeholder_whose_app_cannot_be_served_says_so(self):
        with App() as app, App(yaml=False, cwd="/", expect=78, environment=dict(
                os.environ, WEBSITE_PLACEHOLDER_MODE="1")) as host:
            app.write("host.yaml", "workers: 7\n")
            host.channels[0].let_go = True  # it ends, and is not to be replaced
            answer = self.specialise(host, app.folder.name)
            self.assertEqual(answer.result.status, FAILURE)
            self.assertIn("its app cannot be served", answer.result.exception.message)
            host.process.wait(PATIENCE_S)

    def test_one_that_has_its_app_is_not_another(self):
        with App() as host:
            host.begin()
            host.say(function_environment_reload_request=TYPES["FunctionEnvironmentReloadRequest"](
                environment_variables={"A": "b"}, function_app_directory="/"))
            answer = host.wait_message("function_environment_reload_response")
            self.assertEqual(answer.function_environment_reload_response.result.status, FAILURE)

    def test_the_end_is_told_and_leaves_what_runs_its_time(self):
        with App() as host:
            host.begin()
            identifier = host.start("waits", [("trigger", Data(string=""))])
            host.wait_log("waits")
            host.say(worker_terminate=TYPES["WorkerTerminate"](grace_period={"seconds": 2}))
            self.assertNotEqual(host.answer(identifier).status, SUCCESS)
            self.assertEqual(host.process.wait(PATIENCE_S), 0)

    def test_a_host_that_is_gone_is_the_end_and_said(self):
        with App(expect=69) as host:
            host.begin()
            host.channels[0].let_go = True
            host.channels[0].send.put(None)
            host.process.wait(PATIENCE_S)
        self.assertIn("the Azure Functions host at", host.stderr)

    def test_nobody_or_somebody_else_there_is_said(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with App() as app:
            for uri, text, code in (
                    (f"http://127.0.0.1:{port}", "does not answer: Connection refused", 69),
                    ("https://127.0.0.1:1", "is over TLS", 64),
                    ("nowhere", "--functions-uri", 64)):
                ended = subprocess.run([BIN + "/isoworker", "azure", app.folder.name,
                                        "--functions-uri", uri, "--functions-worker-id", "w"],
                                       capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual(ended.returncode, code, ended.stderr)
                self.assertIn(text, ended.stderr)

    def test_a_server_that_speaks_no_grpc_is_said(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with App() as app:
                ended = subprocess.run([BIN + "/isoworker", "azure", app.folder.name, "--host",
                                        "127.0.0.1", "--port", str(server.server_port),
                                        "--workerId", "w"],
                                       capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual(ended.returncode, 69, ended.stderr)
                self.assertIn("the Azure Functions host at", ended.stderr)
        finally:
            server.shutdown()
            server.server_close()

    def test_children_die_with_it_however_it_ends(self):
        with App(expect=-signal.SIGKILL) as host:
            host.begin()
            with open(f"/proc/{host.process.pid}/task/{host.process.pid}/children") as file:
                children = [int(pid) for pid in file.read().split()]
            self.assertTrue(children)
            host.channels[0].let_go = True
            host.process.kill()
            host.process.wait()
            wait_until(lambda: not any(is_alive(pid) for pid in children))

    def test_init_writes_what_the_host_reads(self):
        with App(top="http: { prefix: v1 }") as app:
            def init(*more):
                return subprocess.run([BIN + "/isoworker", "azure", "init", *more, app.folder.name],
                                      capture_output=True, text=True, timeout=PATIENCE_S)

            def read(name):
                with open(os.path.join(app.folder.name, name)) as file:
                    return json.load(file)

            done = init()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(read("host.json")["extensions"]["http"]["routePrefix"], "v1")
            described = read("worker.config.json")["description"]
            self.assertEqual((described["language"], described["workerIndexing"],
                              described["defaultExecutablePath"]),
                             ("isoworker", "true", "isoworker"))
            values = read("local.settings.json")["Values"]
            self.assertEqual(values["FUNCTIONS_WORKER_RUNTIME"], "isoworker")
            self.assertEqual(values["languageWorkers__isoworker__workerDirectory"],
                             os.path.realpath(app.folder.name))
            self.assertEqual(init().stdout, "nothing is written: all files say so already\n")
            refused = init("--forwarding")
            self.assertEqual((refused.returncode, refused.stdout), (64, ""))
            self.assertIn("give --custom-handler with it", refused.stderr)
            self.assertNotIn("functionTimeout", read("host.json"))
            for given, theirs in (("4m", None), ("20m", "0.00:20:07"), ("0", None)):
                app.write("host.yaml", f"host: {{function_timeout: {given}}}\nworkers:\n"
                          f"  - {{name: azure, command: [{WORKERS}/test_azure]}}\n")
                done = init("--force")
                self.assertEqual((done.returncode, read("host.json").get("functionTimeout")),
                                 (0, theirs), done.stderr)
                self.assertEqual("restarts the whole" in done.stderr, given == "0")
            app.write("host.json", "{}")
            self.assertEqual(init().returncode, 78)
            self.assertEqual(init("--force").returncode, 0)
            command = App(arguments=described["arguments"][1:])
        with command as host:  # as it says that it is to be started
            host.begin()
            self.assertIn("HttpUri", host.capabilities)

    # -- Values ----------------------------------------------------------------------------------

    def test_values_come_and_go_without_loss(self):
        with App() as host:
            host.begin()
            for value in (Data(string="Grüße\0x"), Data(json='{"a":[1,2.5,null]}'),
                          Data(bytes=bytes(range(256))), Data(int=-9007199254740993),
                          Data(double=0.1), Data(string=""), Data(int=0), Data(double=-0.0)):
                answer = host.invoke("same", [("trigger", value)])
                self.assertEqual(answer.status, SUCCESS)
                self.assertEqual(answer.value, value)
            self.assertEqual(host.invoke("same").value.WhichOneof("one"), None)
            stream = host.invoke("same", [("trigger", Data(stream=b"abc"))])
            self.assertEqual(stream.value.bytes, b"abc")
            for value, text in (
                    (Data(collection_string={"string": ["a", "", "ü"]}), '["a","","ü"]'),
                    (Data(collection_sint64={"sint64": [1, -2, 1 << 60]}),
                     "[1,-2,1152921504606846976]"),
                    (Data(collection_double={"double": [0.5, 2]}), "[0.5,2.0]"),
                    (Data(collection_bytes={"bytes": [b"abc", b""]}), '["YWJj",""]')):
                self.assertEqual(host.invoke("same", [("trigger", value)]).value.json, text)

    def test_what_comes_beside_the_trigger_is_there(self):
        with App() as host:
            host.begin()
            identifier = str(uuid.uuid4())
            answer = host.invoke(
                "tells", [("picture", Data(bytes=b"abc")),
                          ("trigger", Data(collection_string={"string": ["a", "b"]}))],
                metadata={"Offset": Data(json="12"), "Name": Data(string="n")},
                trace=TYPES["RpcTraceContext"](
                    trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                retry=TYPES["RetryContext"](retry_count=2, max_retry_count=5,
                                            exception={"message": "before"}),
                identifier=identifier)
            told = json.loads(answer.value.json)
            self.assertEqual(told["type"], "array")
            self.assertEqual(told["trigger"], ["a", "b"])
            self.assertEqual(told["inputs"], {"picture": "YWJj"})
            self.assertEqual(told["metadata"], {"Offset": 12, "Name": "n"})
            self.assertTrue(told["parent"].startswith("00-0af7651916cd43dd8448eb211c80319c-"))
            self.assertEqual((told["retry"], told["retries"]), (2, 5))
            self.assertEqual(told["id"], identifier.replace("-", ""))

    def test_a_message_is_one_of_a_queue_and_outputs_go_with_the_response(self):
        with App() as host:
            host.begin()
            answer = host.invoke("message", [("trigger", Data(string="good"))],
                                 metadata={"Id": Data(string="m-1"),
                                           "DequeueCount": Data(json="3")})
            self.assertEqual(answer.status, SUCCESS)
            self.assertEqual(answer.outputs["next"].string, "good")
            self.assertEqual(json.loads(answer.outputs["rows"].json), [{"a": 1}, {"a": 2}])
            host.wait_log("message m-1 of letters for the time 3")
            bad = host.invoke("message", [("trigger", Data(string="bad"))])
            self.assertEqual((bad.status, bad.outputs), (FAILURE, {}))
            self.assertEqual(bad.error.message, "a bad message")

    def test_names_that_are_none_there_are_told_as_others(self):
        with App() as host:
            host.begin()
            self.assertEqual([one["name"] for one in bindings(host.functions["renames"])],
                             ["theBlob", "firstLook", "x2ndPrint"])
            answer = host.invoke("renames", [("firstLook", Data(string="seen")),
                                             ("theBlob", Data(string="x"))])
            self.assertEqual((answer.status, answer.outputs["x2ndPrint"].string), (SUCCESS, "seen"))

    def test_what_a_function_says_of_its_message_is_its_end(self):
        with App() as host:
            host.begin()
            for body, status, message in (("again", FAILURE, "not today"), ("done", SUCCESS, ""),
                                          ("good", SUCCESS, "")):
                answer = host.invoke("settles", [("trigger", Data(string=body))])
                self.assertEqual((answer.status, answer.error.message), (status, message), body)
        with App("test_messages") as host:
            host.begin()
            for body, status in (("bad", FAILURE), ("good", SUCCESS)):
                answer = host.invoke("batch", [("trigger", Data(string=body))],
                                     metadata={"Id": Data(string="m-1")})
                self.assertEqual(answer.status, status, body)
            self.assertIn("batchItemFailures", host.invoke(
                "batch", [("trigger", Data(string="bad"))]).error.message)

    def test_a_timer_is_told_as_ours_are(self):
        status = {"Schedule": {"AdjustForDST": True}, "IsPastDue": True,
                  "ScheduleStatus": {"Last": "0001-01-01T00:00:00+00:00",
                                     "Next": "2026-11-27T18:01:30+00:00"}}
        with App() as host:
            host.begin()
            told = json.loads(host.invoke("timer", [("trigger", Data(json=json.dumps(status)))])
                              .value.json)["trigger"]
            self.assertEqual((told["is_past_due"], told["last"], told["next"], told["attempt"]),
                             (True, None, "2026-11-27T18:01:30+00:00", 1))

    # -- Failures --------------------------------------------------------------------------------

    def test_a_failure_says_what_where_and_why_and_its_lines_are_its_own(self):
        with App() as host:
            host.begin()
            answer = host.invoke("fails", [("trigger", Data(string="x"))])
            self.assertEqual(answer.status, FAILURE)
            error = answer.error
            self.assertEqual((error.message, error.type, error.source, error.is_user_exception),
                             ("no page was printed", "ISW_E_FAILED", "azure", True))
            self.assertRegex(error.stack_trace, r"at azure.c:\d+\n ---> the cartridge is empty\n"
                             r"   at azure.c:\d+")
            line = next(one for one in answer.logs if one.message.startswith("out of ink"))
            self.assertEqual((line.level, line.category, line.log_category,
                              line.propertiesMap["sheet"].int), (3, "Press", 0, 7))
            self.assertEqual(line.message, "out of ink sheet=7")

    def test_a_crash_is_answered_at_once_and_ends_nothing(self):
        with App() as host:
            host.begin()
            answer = host.invoke("dies", [("trigger", Data(string="x"))])
            self.assertEqual((answer.status, answer.error.type), (FAILURE, "ISW_E_WORKER_LOST"))
            self.assertEqual(host.invoke("same", [("trigger", Data(int=3))]).value.int, 3)

    def test_one_that_is_cancelled_says_so(self):
        with App() as host:
            host.begin()
            identifier = host.start("waits", [("trigger", Data(string=""))])
            host.wait_log("waits")
            host.cancel(identifier)
            self.assertEqual(host.answer(identifier).status, CANCELLED)
            host.cancel(identifier)  # which is nothing any more
            self.assertEqual(host.invoke("same", [("trigger", Data(int=3))]).value.int, 3)

    def test_a_message_that_is_too_large_is_refused_by_its_name(self):
        with App() as host:
            host.begin()
            large = Data(bytes=bytes(129 << 20))
            answer = host.invoke("same", [("trigger", large)])
            self.assertEqual(answer.status, FAILURE)
            self.assertIn("is more than the 134217728 that are taken", answer.error.message)
            self.assertEqual(host.invoke("same", [("trigger", Data(int=3))]).value.int, 3)

    def test_an_answer_that_the_host_does_not_take_is_a_failure_that_says_so(self):
        app = App()
        app.message_max = 5000
        with app as host:
            host.begin()
            self.assertEqual(host.invoke("same", [("trigger", Data(bytes=bytes(4000)))]).status,
                             SUCCESS)
            answer = host.invoke("same", [("trigger", Data(bytes=bytes(6000)))])
            self.assertEqual(answer.status, FAILURE)
            self.assertRegex(answer.error.message, "its response has .* more than the 5000 that")

    def test_a_value_that_no_worker_takes_is_a_failure_that_says_so(self):
        with App() as host:
            host.begin()
            answer = host.invoke("same", [("trigger", Data(bytes=bytes(70 << 20)))])
            self.assertEqual(answer.status, FAILURE)
            self.assertIn("are more than 67108864", answer.error.message)

    def test_large_values_come_and_go(self):
        with App() as host:
            host.begin()
            value = Data(bytes=os.urandom(3 << 20))
            self.assertEqual(host.invoke("same", [("trigger", value)]).value, value)

    def test_many_at_a_time_are_each_answered(self):
        with App() as host:
            host.begin()
            started = {host.start("same", [("trigger", Data(int=n))]): n for n in range(300)}
            for identifier, number in started.items():
                answer = host.answer(identifier)
                self.assertEqual((answer.status, answer.value.int), (SUCCESS, number))

    # -- HTTP in messages ------------------------------------------------------------------------

    def test_requests_in_messages_are_answered_as_by_our_own_front(self):
        with App() as host:
            host.begin()
            answer = host.http("pages", "GET", "pages/one")
            self.assertEqual((answer.status, answer.http.status_code, answer.http.body.bytes),
                             (SUCCESS, "200", b"page one"))
            self.assertEqual(answer.outputs["rows"].string, "seen")
            cookies = host.http("pages", "GET", "pages/cookies").http.cookies
            self.assertEqual([(one.name, one.value) for one in cookies], [("a", "1"), ("b", "2")])
            self.assertEqual((cookies[0].path.value, cookies[0].http_only.value,
                              cookies[0].same_site), ("/", True, 1))
            self.assertEqual((cookies[1].max_age.value, cookies[1].secure.value), (60.0, True))

    def test_what_its_caller_did_wrong_is_an_answer_and_other_failures_are_failures(self):
        with App() as host:
            host.begin()
            missing = host.http("pages", "GET", "pages/missing")
            self.assertEqual((missing.status, missing.http.status_code), (SUCCESS, "404"))
            self.assertEqual(json.loads(missing.http.body.bytes)["invocation_id"],
                             missing.response.invocation_id.replace("-", ""))
            broken = host.http("pages", "GET", "pages/broken")
            self.assertEqual((broken.status, broken.error.message),
                             (FAILURE, "the press is broken"))

    def test_bodies_and_headers_are_kept(self):
        with App("test_functions") as host:
            host.begin()
            body = bytes(range(256)) * 400
            answer = host.http("echo", "POST", "echo", body, {"content-type": "image/x"})
            self.assertEqual(answer.http.body.bytes, body)
            self.assertEqual(answer.http.headers["content-type"], "image/x")
            self.assertEqual(host.http("header", "GET", "header/x-empty", headers={"X-Empty": ""})
                             .http.status_code, "200")
            self.assertEqual(host.http("hello", "GET", "hello/J%C3%BCrgen?x=1").http.body.bytes,
                             "Hello, Jürgen!\n".encode())

    def test_a_body_that_the_host_did_not_pass_on_is_a_failure_that_says_so(self):
        with App("test_functions") as host:
            host.begin()
            answer = host.http("echo", "POST", "echo", b"abc", {"Transfer-Encoding": "chunked"})
            self.assertEqual(answer.status, FAILURE)
            self.assertIn("--http forward", answer.error.message)

    def test_a_request_that_is_cancelled_is_answered_and_its_function_told(self):
        with App("test_functions") as host:
            host.begin()
            identifier = host.request("once", "GET", "once?ms=60000")
            host.wait_log("napping")
            host.cancel(identifier)
            self.assertEqual(host.answer(identifier).status, CANCELLED)

    # -- HTTP that is forwarded ------------------------------------------------------------------

    def forward(self, host, *arguments):
        status, _, body = host.forward(*arguments)
        return status, body

    def test_forwarded_requests_are_joined_with_their_invocations(self):
        # Certificates are not wanted where the host of Azure says where to listen.
        with App(arguments=["--http", "forward"], top="http:\n  listen: 'https://0.0.0.0:443'\n"
                 "  tls: {certificate: none.pem, key: none.key}\n") as host:
            host.begin()
            first = host.begin_forwarded("pages")
            self.assertEqual(self.forward(host, first, "GET", "pages/one"), (200, b"page one"))
            answer = host.answer(first)
            self.assertEqual((answer.status, answer.outputs["rows"].string), (SUCCESS, "seen"))
            self.assertIn("page one", [one.message for one in answer.logs])
            broken = host.begin_forwarded("pages")
            self.assertEqual(self.forward(host, broken, "GET", "pages/broken")[0], 500)
            answer = host.answer(broken)
            self.assertEqual((answer.status, answer.error.message),
                             (FAILURE, "the press is broken"))

    def test_a_request_that_is_over_before_its_invocation_comes_is_not_forgotten(self):
        with App(arguments=["--http", "forward"]) as host:
            host.begin()
            identifier = str(uuid.uuid4())
            self.assertEqual(self.forward(host, identifier, "GET", "pages/broken")[0], 500)
            host.begin_forwarded("pages", identifier=identifier)
            answer = host.answer(identifier)
            self.assertEqual((answer.status, answer.error.message),
                             (FAILURE, "the press is broken"))
            good = str(uuid.uuid4())
            self.assertEqual(self.forward(host, good, "GET", "pages/one")[0], 200)
            host.begin_forwarded("pages", identifier=good)
            answer = host.answer(good)
            self.assertEqual((answer.status, answer.outputs["rows"].string), (SUCCESS, "seen"))

    def test_a_forwarded_request_that_comes_to_no_function_is_no_call_that_hangs(self):
        with App(arguments=["--http", "forward"]) as host:
            host.begin()
            lost = host.begin_forwarded("pages")
            self.assertEqual(self.forward(host, lost, "GET", "elsewhere")[0], 404)
            self.assertEqual(host.answer(lost).status, SUCCESS)
            early = str(uuid.uuid4())
            self.assertEqual(self.forward(host, early, "DELETE", "pages/one")[0], 405)
            host.begin_forwarded("pages", identifier=early)
            self.assertEqual(host.answer(early).status, SUCCESS)

    def test_an_invocation_whose_request_names_another_is_no_call_that_hangs(self):
        with App(top="http: { header_timeout: 100ms, body_timeout: 100ms }",
                 arguments=["--http", "forward"]) as host:
            host.begin()
            lost = host.begin_forwarded("pages")
            self.assertEqual(self.forward(host, "mine", "GET", "pages/one")[0], 200)
            answer = host.answer(lost)
            self.assertEqual(answer.status, FAILURE)
            self.assertIn("its request did not come", answer.error.message)

    def test_a_forwarded_body_of_any_length_comes_as_it_is_sent(self):
        with App("test_functions", arguments=["--http", "forward"]) as host:
            host.begin()
            identifier = host.begin_forwarded("echo")
            body = os.urandom(2 << 20)
            pieces = (body[at:at + 65536] for at in range(0, len(body), 65536))
            self.assertEqual(self.forward(host, identifier, "POST", "echo", pieces), (200, body))
            self.assertEqual(host.answer(identifier).status, SUCCESS)


if __name__ == "__main__":
    main()
