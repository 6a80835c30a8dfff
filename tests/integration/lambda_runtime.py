# SPDX-License-Identifier: Apache-2.0
"""The host as a runtime of AWS Lambda: its life, and events that a function gets as JSON."""
import os
import signal
import socket
import subprocess
import time
import unittest

from harness import BIN, PATIENCE_S, main, wait_until
from lambda_api import RuntimeApi
from lambda_harness import Lambda, events

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class Runtime(unittest.TestCase):
    def check(self, api):
        self.assertEqual(api.faults, [])

    def test_an_event_goes_to_the_function_as_json_and_its_result_back(self):
        with RuntimeApi() as api, Lambda(api):
            event = {"order": 7, "list": [1.5, None, True, "ä\u0000"]}
            told = api.ask(event, Lambda_Runtime_Trace_Id=TRACE,
                           Lambda_Runtime_Client_Context='{"client":{"app":"x"}}',
                           Lambda_Runtime_Cognito_Identity='{"id":"y"}',
                           Lambda_Runtime_Aws_Tenant_Id="blue").json()
            self.assertEqual(told["trigger"], event)
            aws = told["metadata"]["aws"]
            self.assertEqual(aws["event"], "other")
            self.assertEqual(aws["tenant_id"], "blue")
            self.assertEqual(aws["client_context"], '{"client":{"app":"x"}}')
            self.assertEqual(aws["identity"], '{"id":"y"}')
            self.assertEqual(aws["trace_id"], TRACE)
            self.assertEqual(aws["function_arn"], "arn:aws:lambda:eu-west-1:1:function:f")
            self.assertRegex(told["trace"], "^00-5759e988bd862e3fe1be46a994272793-[0-9a-f]{16}-01$")
            self.assertEqual(api.ask({"do": "bytes"}).body, b'"/wB4"')
            self.assertEqual(api.ask({"do": "number"}).body, b"42")
            self.assertEqual(api.ask({"do": "nothing"}).body, b"null")
            api.terse = True
            self.assertEqual(api.ask({"do": "number"}).body, b"42")
            large = {"text": "x" * 300000}
            self.assertEqual(api.ask(large).json()["trigger"], large)
            self.check(api)

    def test_a_failure_is_an_error_with_a_type(self):
        with RuntimeApi() as api, Lambda(api):
            result = api.ask({"do": "fail"})
            self.assertEqual((result.failed, result.type), (True, "Function.Conflict"))
            self.assertEqual(result.json(), {"errorMessage": "it was asked to", "stackTrace": [],
                                             "errorType": "Function.Conflict"})
            result = api.ask(b"{not json", raw=True)
            self.assertEqual((result.failed, result.type), (True, "Runtime.InvalidEvent"))
            self.check(api)

    def test_crashes_end_no_environment(self):
        with RuntimeApi() as api, Lambda(api, events("restart_delay: 10ms\n"
                                                     "restart_delay_max: 20ms\n"
                                                     "give_up_after: 100")):
            for _ in range(8):
                result = api.ask({"do": "crash"})
                self.assertEqual((result.failed, result.type), (True, "Function.WorkerLost"))
            self.assertFalse(api.ask({"fine": 1}).failed)
            self.check(api)

    def test_the_deadline_ends_a_call_and_is_told_before_lambda_does_it(self):
        with RuntimeApi() as api, Lambda(api) as host:
            begin = time.monotonic()
            result = api.ask({"do": "nap"}, seconds=0.6)
            self.assertEqual((result.failed, result.type), (True, "Function.Timeout"))
            self.assertLess(result.at - begin, 0.6)
            host.wait_for("woken")
            self.assertFalse(api.ask({"fine": 1}).failed)
            self.check(api)

    def test_as_many_events_at_a_time_as_the_environment_says(self):
        with RuntimeApi() as api, Lambda(api, environment={"AWS_LAMBDA_MAX_CONCURRENCY": "4"}) as host:
            api.wait_until_asked(4)
            held = [api.begin({"do": "gate"}) for _ in range(3)]
            self.assertFalse(api.ask({"fine": 1}).failed)
            self.assertEqual([result.known.is_set() for result in held], [False] * 3)
            host.write("gate", "")
            for result in held:
                self.assertFalse(api.end(result).failed)
            self.assertEqual(api.most_asking, 4)
            self.check(api)

    def test_what_is_under_way_is_told_before_it_ends(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.begin({"do": "gate"})
            host.wait_for("waits at the gate")
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("waiting for 1 invocation in flight")
            host.write("gate", "")
            self.assertFalse(api.end(result).failed)
            self.assertEqual(host.process.wait(PATIENCE_S), 0)
            self.assertEqual(api.asking, 0)
            self.check(api)

    def test_a_worker_that_cannot_start_is_an_error_of_the_initialisation(self):
        with RuntimeApi() as api, \
                Lambda(api, events('environment: ["EVENTS_BROKEN=1"]\nrestart_delay: 1ms'),
                       settled=None, expect=69) as host:
            told = api.end(api.init_error)
            self.assertEqual(told.type, "Runtime.InitError")
            self.assertIn("the library of the machine is missing", told.json()["errorMessage"])
            host.process.wait(PATIENCE_S)
            self.assertEqual(api.asked, 0)

    def test_so_is_a_configuration_that_is_wrong(self):
        with RuntimeApi() as api, Lambda(api, top="lambda: {rules: [{source: s3}]}", settled=None,
                                         expect=78) as host:
            told = api.end(api.init_error)
            self.assertIn("host.yaml:1:18: ", told.json()["errorMessage"])
            self.assertIn('"function"', told.json()["errorMessage"])
            host.process.wait(PATIENCE_S)

    def test_an_api_that_is_none_is_said_and_ends_it(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = "127.0.0.1:%d" % taken.getsockname()[1]
        with Lambda(nobody, settled=None, expect=69) as host:
            host.wait_for(f"the Runtime API at {nobody} cannot be reached: no connection: "
                          "Connection refused")
            host.process.wait(PATIENCE_S)
        with Lambda(None, settled=None, expect=78) as host:
            host.wait_for("AWS_LAMBDA_RUNTIME_API is not set")
            host.process.wait(PATIENCE_S)
        with Lambda("nonsense", settled=None, expect=78) as host:
            host.wait_for("AWS_LAMBDA_RUNTIME_API=nonsense: no HOST:PORT")
            host.process.wait(PATIENCE_S)

    def test_an_api_that_gives_no_more_events_ends_it_once_the_last_is_told(self):
        with RuntimeApi() as api, Lambda(api, environment={"AWS_LAMBDA_MAX_CONCURRENCY": "2"},
                                         expect=69) as host:
            held = api.begin({"do": "gate"})
            host.wait_for("waits at the gate")
            api.events.put(500)
            host.wait_for("gives no event: status 500")
            host.write("gate", "")
            self.assertFalse(api.end(held).failed)
            host.process.wait(PATIENCE_S)

    def test_a_connection_that_ends_is_opened_anew(self):
        with RuntimeApi() as api, Lambda(api):
            self.assertFalse(api.ask({"fine": 1}).failed)
            api.wait_until_asked()
            api.events.put(None)
            wait_until(lambda: api.asked >= 3)
            self.assertFalse(api.ask({"fine": 2}).failed)
            self.check(api)

    def test_the_next_question_goes_along_with_a_result(self):
        with RuntimeApi() as api, Lambda(api):
            for number in range(3):
                self.assertFalse(api.ask({"fine": number}).failed)
            self.assertEqual([text.split(b"\r\n")[0] for text in api.along],
                             [b"GET /2018-06-01/runtime/invocation/next HTTP/1.1"] * 3)
            self.check(api)

    def test_an_api_that_ends_each_connection_is_asked_anew(self):
        with RuntimeApi() as api, Lambda(api):
            api.closes = True
            for number in range(4):
                self.assertFalse(api.ask({"fine": number}).failed)
            self.assertEqual(api.along[1:], [b""] * 3)
            self.check(api)

    def test_a_result_that_lambda_would_not_take_is_a_failure(self):
        with RuntimeApi() as api, Lambda(api):
            result = api.ask({"text": "x" * (6 * 1024 * 1024)})
            self.assertEqual((result.failed, result.type),
                             (True, "Function.ResponseSizeTooLarge"))
            self.assertIn("more than the 6291556 that it takes", result.json()["errorMessage"])
            self.check(api)

    def test_what_the_api_refuses_is_said_and_no_end(self):
        with RuntimeApi() as api, Lambda(api) as host:
            api.refuse_with = 413
            api.ask({"fine": 1})
            host.wait_for("does not take what came of event .*: status 413")
            api.refuse_with = None
            self.assertFalse(api.ask({"fine": 2}).failed)

    def test_rules_say_whose_an_event_is(self):
        rules = ("lambda:\n  rules:\n    - {source: s3, function: anything}\n"
                 "    - {source: 'arn:aws:sns:*:news', function: whole}\n"
                 "    - {source: other, function: gone}\n")
        with RuntimeApi() as api, Lambda(api, top=rules) as host:
            s3 = {"Records": [{"eventSource": "aws:s3",
                               "s3": {"bucket": {"arn": "arn:aws:s3:::pictures"}}}]}
            told = api.ask(s3).json()
            self.assertEqual(told["metadata"]["aws"]["event"], "s3")
            self.assertEqual(told["trigger"], s3)
            sns = {"Records": [{"EventSource": "aws:sns",
                                "Sns": {"TopicArn": "arn:aws:sns:eu-west-1:1:news",
                                        "Message": "m"}}]}
            self.assertEqual(api.ask(sns).json()["trigger"], sns)
            result = api.ask({"any": 1})
            self.assertEqual(result.type, "Runtime.NoFunction")
            self.assertIn("lambda.rules", result.json()["errorMessage"])
            host.wait_for('no function of any worker matches "gone"')
            self.check(api)

    def test_a_schedule_runs_the_timer_of_its_name(self):
        with RuntimeApi() as api, Lambda(api):
            event = {"version": "0", "id": "1", "detail-type": "Scheduled Event",
                     "source": "aws.events", "account": "1", "time": "2030-07-01T00:30:00Z",
                     "region": "eu-west-1", "detail": {},
                     "resources": ["arn:aws:events:eu-west-1:1:rule/nightly"]}
            told = api.ask(event).json()
            self.assertEqual(told["trigger"], {"scheduled_for": "2030-07-01T02:30:00+02:00",
                                               "is_past_due": False, "last": None, "attempt": 1,
                                               "next": "2030-07-02T02:30:00+02:00"})
            self.check(api)

    def test_bootstrap_is_another_name_of_it(self):
        with RuntimeApi() as api:
            host = Lambda(api)
            link = os.path.join(host.folder.name, "bootstrap")
            os.symlink(BIN + "/isoworker", link)
            host.environment["LAMBDA_TASK_ROOT"] = host.folder.name
            host.command = lambda: ["/usr/bin/env", *[f"{name}={value}" for name, value in
                                                      host.environment.items()], link]
            with host:
                self.assertFalse(api.ask({"fine": 1}).failed)
                version = subprocess.run([link, "version"], capture_output=True, text=True)
                self.assertTrue(version.stdout.startswith("isoworker "))

    def test_one_host_yaml_serves_both(self):
        checked = Lambda(None, top="lambda: {function: anything}")
        done = subprocess.run([BIN + "/isoworker", "check", checked.folder.name],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    main()
