# SPDX-License-Identifier: Apache-2.0
"""Functions under the Azure Functions host, which has `isoworker azure` as its custom handler."""
import base64
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import unittest

from azure_host import Failed, FunctionsHost, TimedOut
from harness import BIN, PATIENCE_S, is_alive, main, wait_until

VALUES = os.path.join(os.path.dirname(os.environ["ISOWORKER_TEST_WORKER"]), "test_values")
ORDER = {"id": "o1", "customer": "ada", "item": "tea", "quantity": 2}
UNICORN = {**ORDER, "item": "unicorn"}


def entry(name, program, more=""):
    return f"  - name: {name}\n    command: [{program}]\n    config: worker.yaml\n{more}"


ORDERS = (entry("api", BIN + "/orders_api") + entry("work", BIN + "/orders_work") +
          entry("cron", BIN + "/cron"))


def host(workers=ORDERS, **more):
    return FunctionsHost(workers, **more)


def values(*arguments, top="", **more):
    return FunctionsHost(entry("values", VALUES), arguments=arguments, top=top, **more)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]


class Contract(unittest.TestCase):
    def test_a_request_a_message_and_a_timer_reach_their_functions(self):
        with host() as azure:
            status, headers, body = azure.request(
                "POST", "/api/orders", json.dumps(ORDER).encode(),
                {"Content-Type": "application/json"})
            self.assertEqual((status, body), (202, b"order o1 is taken\n"))
            self.assertIn(("content-type", "text/plain"), headers)
            (order,) = azure.queues["orders"]
            self.assertEqual(json.loads(order), ORDER)
            self.assertIsNone(azure.queue("orders", order))
            self.assertEqual(azure.queues["parcels"], ["o1: 2 x tea for ada"])
            azure.queue("parcels", azure.queues["parcels"][0])  # by a function that takes batches
            self.assertRegex(azure.logs[0], "Function.ship: shipped o1: 2 x tea for ada")
            azure.timer("report")
            self.assertRegex(azure.logs[0], r"the report of 20\d\d-")

    def test_what_fails_is_a_failure_there_and_puts_nothing(self):
        with host() as azure:
            with self.assertRaisesRegex(Failed, "^500"):
                azure.queue("orders", json.dumps(UNICORN))
            self.assertNotIn("parcels", azure.queues)
            with self.assertRaisesRegex(Failed, "^404"):
                azure.invoke("nobody", {"message": '""'}, {})

    def test_a_request_that_is_refused_tells_its_client_why(self):
        with host() as azure:
            status, _, body = azure.request("POST", "/api/orders", b'{"id": "o1"}',
                                            {"Content-Type": "application/json"})
            self.assertEqual(status, 400)
            self.assertIn(b"order.customer", body)

    def test_a_crash_is_a_failure_at_once_and_the_handler_goes_on(self):
        with values() as azure:
            before = azure.process.pid
            self.assertEqual(azure.request("GET", "/api/failures/crash")[0], 500)
            self.assertEqual(azure.request("GET", "/api/values/string")[2].decode(), "Grüße")
            self.assertEqual((azure.process.pid, azure.process.poll()), (before, None))

    def test_a_function_that_leaves_or_sticks_is_a_failure_at_once_and_the_handler_goes_on(self):
        program = os.path.join(os.path.dirname(VALUES), "test_azure")
        with tempfile.NamedTemporaryFile() as gate, FunctionsHost(
                entry("azure", program), timeout_s=20, init=["--force"],
                top="host: {function_timeout: 200ms, cancel_grace: 50ms}") as azure:
            for queue in ("dies", "leaves", "sticks", "waits"):
                with self.assertRaises(Failed):
                    azure.queue(queue, gate.name)
            self.assertEqual(azure.restarts, 0)

    def test_what_takes_longer_than_that_host_waits_restarts_the_handler(self):
        """Which is the model's: there is nobody to be told that it is cancelled."""
        program = os.path.join(os.path.dirname(VALUES), "test_azure")
        with tempfile.NamedTemporaryFile() as gate, FunctionsHost(
                entry("azure", program), timeout_s=0.3) as azure:
            with self.assertRaises(TimedOut):
                azure.queue("sticks", gate.name)
            self.assertEqual(azure.restarts, 1)
            self.assertIsNone(azure.queue("settles", "good"))

    def test_a_failure_with_500_is_one_there_and_a_reply_with_500_is_none(self):
        with values() as azure:
            self.assertEqual(azure.request("GET", "/api/failures/failed"), (500, [], b""))
            self.assertEqual(azure.request("GET", "/api/statuses/500")[::2], (500, b"500\n"))

    def test_certificates_are_not_wanted_where_the_host_says_where_to_listen(self):
        with values(top="http:\n  listen: 'https://0.0.0.0:443'\n"
                        "  tls: {certificate: none.pem, key: none.key}\n") as azure:
            self.assertEqual(azure.request("GET", "/api/statuses/204")[0], 204)

    def test_what_text_cannot_carry_is_refused_and_said(self):
        with values() as azure:
            self.assertEqual(azure.request("GET", "/api/values/bytes")[0], 500)
            wait_until(lambda: any("its answer is no text" in line for line in azure.lines))
            status, headers, _ = azure.request("GET", "/api/headers")
            self.assertEqual(status, 200)
            self.assertEqual(dict(headers)["x-many"], "first, second")
            self.assertRegex(azure.logs[-1], "1 of 2 cookies of its answer are lost")

    def test_a_stream_is_gathered(self):
        with values() as azure:
            status, _, body = azure.request("GET", "/api/stream")
            self.assertEqual((status, body), (200, b"".join(b"piece %d\n" % i for i in range(100))))

    def test_bytes_of_a_body_come_as_they_are(self):
        with values() as azure:
            sent = bytes(range(32, 127)) * 3
            self.assertEqual(azure.request("POST", "/api/bytes", sent, {
                "Content-Type": "application/octet-stream"})[2], sent)

    def test_a_body_that_is_no_call_is_refused_with_what_is_wrong(self):
        with host() as azure:
            for body, words in ((b"{", b"the body is no JSON: line 1"), (b"[]", b"no object"),
                                (b'{"Data": {}}', b"no value for the trigger")):
                status, _, said = azure.send("POST", "/pack", body)
                self.assertEqual((status, words in said), (400, True), said)

    def test_what_looks_like_base64_is_put_as_it_is(self):
        with values() as azure:
            for text in ("abcd", "12345678", '{"a":1}', "[1]", '"x"'):
                azure.queue("taken", text)
                self.assertEqual(azure.queues.pop("made"), [text])

    def test_the_trigger_may_have_any_name(self):
        with host() as azure:
            outputs, _ = azure.invoke("pack", {"order": json.dumps(json.dumps(ORDER))}, {})
            self.assertEqual(base64.b64decode(outputs["parcels"]), b"o1: 2 x tea for ada")


class Forwarding(unittest.TestCase):
    def test_requests_come_as_they_are_and_messages_by_the_contract(self):
        with values("--forwarding") as azure:
            every = bytes(range(256)) * 100
            self.assertEqual(azure.request("POST", "/api/bytes", every)[2], every)
            _, headers, _ = azure.request("GET", "/api/headers")
            self.assertEqual(len([name for name, _ in headers if name == "set-cookie"]), 2)
            azure.queue("taken", "hello")
            self.assertEqual(azure.queues["made"], ["hello"])

    def test_a_function_with_more_outputs_is_called_by_the_contract(self):
        with host(arguments=["--forwarding"]) as azure:
            self.assertFalse(azure.functions["take"].is_forwarded())
            self.assertEqual(azure.request("POST", "/api/orders", json.dumps(ORDER).encode(),
                                           {"Content-Type": "application/json"})[0], 202)
            self.assertEqual(len(azure.queues["orders"]), 1)

    def test_a_client_cannot_call_by_the_contract(self):
        with values("--forwarding", top="http: {prefix: other}") as azure:
            body = json.dumps({"Data": {"message": '"x"'}, "Metadata": {}})
            self.assertEqual(azure.send("POST", "/message", body)[0], 200)
            self.assertEqual(azure.send("POST", "/other/message", body)[0], 404)

    def test_an_empty_prefix_is_refused_where_it_would_let_clients_in(self):
        made = values("--forwarding", top='http: {prefix: ""}').run_init()
        self.assertEqual(made.returncode, 78)
        self.assertIn("http.prefix is empty", made.stderr)


class Process(unittest.TestCase):
    def test_workers_end_with_a_handler_that_is_killed(self):
        with values() as azure:
            family = children_of(azure.process.pid)
            self.assertTrue(family)
            azure.restart()
            wait_until(lambda: not any(is_alive(pid) for pid in family))
            self.assertEqual(azure.request("GET", "/api/values/string")[0], 200)

    def test_what_is_in_flight_ends_before_the_handler_does(self):
        tour = entry("tour", BIN + "/tour")
        with FunctionsHost(tour) as azure:
            answers = []
            asks = threading.Thread(
                target=lambda: answers.append(azure.request("GET", "/api/slow?ms=1000")))
            asks.start()
            wait_until(lambda: re.search(r'"in_flight": ?1', subprocess.run(
                [BIN + "/isoworker", "status", "--json", azure.folder], capture_output=True,
                text=True, check=False).stdout))
            azure.process.send_signal(signal.SIGTERM)
            asks.join(PATIENCE_S)
            self.assertEqual(answers[0][0], 200)

    def test_without_a_port_it_says_who_gives_one(self):
        variables = {name: value for name, value in os.environ.items() if "PORT" not in name}
        ran = subprocess.run([BIN + "/isoworker", "azure", "--custom-handler", "/"], text=True,
                             capture_output=True, env=variables, check=False, timeout=60)
        self.assertEqual(ran.returncode, 64)
        self.assertIn("FUNCTIONS_CUSTOMHANDLER_PORT is not set", ran.stderr)


class Init(unittest.TestCase):
    def test_what_is_there_is_left_unless_it_is_forced(self):
        app = host()
        self.assertEqual(app.run_init().returncode, 0)
        again = app.run_init()
        self.assertEqual((again.returncode, again.stdout),
                         (0, "nothing is written: all files say so already\n"))
        app.write("take/function.json", "{}")
        other = app.run_init()
        self.assertEqual(other.returncode, 78)
        self.assertIn("take/function.json is there and says something else", other.stderr)
        self.assertIn("take/function.json", app.run_init("--force").stdout)

    def test_schedules_are_those_of_the_other_side(self):
        timers = os.path.join(os.path.dirname(VALUES), "test_timers")
        app = FunctionsHost(entry("timers", timers))
        made = app.run_init()
        self.assertEqual(made.returncode, 0, made.stderr)
        for name in os.listdir(app.folder):
            if os.path.isdir(os.path.join(app.folder, name)):
                (row,) = app.read_json(name, "function.json")["bindings"]
                self.assertRegex(row["schedule"], r"^(\S+ ){5}\S+$|^\d+\.\d\d:\d\d:\d\d$")

    def test_secrets_are_not_wanted(self):
        webhooks = os.path.join(os.path.dirname(VALUES), "test_webhooks")
        app = FunctionsHost(entry("hooks", webhooks),
                            top="webhooks:\n  named:\n    - {name: hook, url: 'http://a.example/', "
                                "secret: 'env:ISW_TEST_NOT_SET'}\n")
        made = app.run_init()
        self.assertEqual(made.returncode, 0, made.stderr)

    def test_a_worker_that_cannot_start_is_told(self):
        app = FunctionsHost(entry("lost", "/nonexistent/program"))
        made = app.run_init()
        self.assertEqual(made.returncode, 78)
        self.assertIn("/nonexistent/program", made.stderr)


if __name__ == "__main__":
    main()
