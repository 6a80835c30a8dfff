#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Events under the Azure Functions host, and what functions there have this host send: the same by each
of the ways in which it calls."""
import json
import unittest

import azure_host
from azure import MISSING, SUCCESS, WORKERS, App, Data, bindings
from azure_custom import entry
from harness import main, wait_until
from receiver import Receiver

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed"}
HEADERS = {"ce-" + name: value for name, value in EVENT.items()}


class Messages:
    """A language worker, with requests in messages."""

    http = "message"

    def __init__(self, worker, top=""):
        self.app = App(worker, top, arguments=["--http", self.http])

    def __enter__(self):
        self.app.__enter__().begin()
        return self

    def __exit__(self, *arguments):
        self.app.__exit__(*arguments)

    def bindings(self, function):
        return bindings(self.app.functions[function])

    def ask(self, function, method, path, body=b"", headers=None):
        """Status, body, outputs; 500 where that host answers."""
        done = self.app.http(function, method, path, body, headers)
        outputs = {name: data.string or json.loads(data.json) for name, data in done.outputs.items()}
        if done.status != SUCCESS:
            return 500, b"", outputs
        return int(done.http.status_code), done.http.body.bytes, outputs

    def heard(self, text):
        return [m.rpc_log for m in self.app.logs if text in m.rpc_log.message]


class Forwarded(Messages):
    """The same, with requests that come by themselves."""

    http = "forward"

    def ask(self, function, method, path, body=b"", headers=None):
        identifier = self.app.begin_forwarded(function)
        status, _, answer = self.app.forward(identifier, method, path, body, headers)
        done = self.app.answer(identifier)
        assert (done.status == SUCCESS) == (status < 500), (status, done)
        return status, answer, {name: data.string or json.loads(data.json)
                                for name, data in done.outputs.items()}


class Custom:
    """A custom handler, called by the contract."""

    arguments = ()

    def __init__(self, worker, top=""):
        self.azure = azure_host.FunctionsHost(entry("events", f"{WORKERS}/{worker}"), top=top,
                                              arguments=self.arguments)

    def __enter__(self):
        self.azure.__enter__()
        return self

    def __exit__(self, *arguments):
        self.azure.__exit__(*arguments)

    def bindings(self, function):
        return self.azure.functions[function].bindings

    def ask(self, function, method, path, body=b"", headers=None):
        del function
        self.azure.queues.clear()
        status, _, answer = self.azure.request(method, "/api/" + path, body, headers)
        return status, answer, {name: rows[0] if len(rows) == 1 else rows
                                for name, rows in self.azure.queues.items()}

    def heard(self, text):
        return [line for line in self.azure.lines if text in line]


class Forwarding(Custom):
    """The same, with requests that are forwarded."""

    arguments = ("--forwarding",)


def batch(*ids, **more):
    return json.dumps([{**EVENT, "id": each, **more} for each in ids]).encode()


# What is sent, with which headers and method, and what comes of it: a status, and how many events.
CASES = {
    "binary": (b'{"number": 7}', {**HEADERS, "content-type": "application/json"}, 204, 1),
    "structured": (json.dumps({**EVENT, "data": {"number": 7}}).encode(),
                   {"content-type": STRUCTURED}, 204, 1),
    "a batch": (batch("1", "2", "3"), {"content-type": BATCH}, 204, 3),
    "an empty batch": (b"[]", {"content-type": BATCH}, 204, 0),
    "no event": (b"{}", {"content-type": STRUCTURED}, 400, 0),
    "another format": (b"<x/>", {"content-type": "application/cloudevents+xml"}, 415, 0),
    "a failure": (json.dumps({**EVENT, "subject": "fail"}).encode(),
                  {"content-type": STRUCTURED}, 500, 1),
    "a batch that fails": (batch("1", "2", subject="fail"), {"content-type": BATCH}, 500, 2),
    "one that is refused": (json.dumps({**EVENT, "subject": "refuse"}).encode(),
                            {"content-type": STRUCTURED}, 422, 1),
}


@unittest.skipIf(MISSING, MISSING)
class Coming(unittest.TestCase):
    def comes(self, kind):
        with kind("test_cloudevents") as host:
            row = host.bindings("take")[0]
            self.assertEqual((row["type"], row["route"], [one.lower() for one in row["methods"]]),
                             ("httpTrigger", "orders", ["post", "options"]))
            count = 0
            for name, (body, headers, status, events) in CASES.items():
                with self.subTest(name):
                    self.assertEqual(host.ask("take", "POST", "orders", body, headers)[0], status)
                    count += events
                    wait_until(lambda: len(host.heard("event {")) >= count)
                    self.assertEqual(len(host.heard("event {")), count)
            self.assertEqual(host.ask("take", "OPTIONS", "orders", b"", {
                "WebHook-Request-Origin": "sender.example"})[0], 200)

    def test_events_come_in_messages(self):
        self.comes(Messages)

    def test_events_come_by_forwarding(self):
        self.comes(Forwarded)

    def test_events_come_to_a_custom_handler(self):
        self.comes(Custom)

    def test_events_are_forwarded_to_a_custom_handler(self):
        self.comes(Forwarding)

    def test_a_batch_is_cancelled_as_a_whole(self):
        for way in ("message", "forward"):
            with App("test_cloudevents", arguments=["--http", way]) as host:
                host.begin()
                body, headers = batch("1", "2", subject="nap 60000"), {"content-type": BATCH}
                if way == "message":
                    asked = host.request("take", "POST", "orders", body, headers)
                else:
                    asked = host.begin_forwarded("take")
                    host.forward_later(asked, "POST", "orders", body, headers)
                wait_until(lambda: "event {" in host.log_text())
                host.cancel(asked)
                self.assertEqual(host.answer(asked).status, 2)


@unittest.skipIf(MISSING, MISSING)
class Going(unittest.TestCase):
    def goes(self, kind, function="sends", message=("a message",)):
        with Receiver() as receiver, kind("test_azure_sends", top="webhooks:\n  named:\n    - {name: '*', "
                                          f"url: '{receiver.url()}'}}\n") as host:
            self.assertEqual([row["type"] for row in host.bindings(function)],
                             ["httpTrigger", "http"] + ["queue"] * len(message))
            for _ in range(2):
                status, _, outputs = host.ask(function, "GET", function + "/well")
                self.assertEqual((status, tuple(outputs.values())), (200, message))
                status, _, outputs = host.ask(function, "GET", function + "/badly")
                self.assertEqual((status, outputs), (500, {}))
            came = receiver.wait_for(4)
            self.assertEqual(sorted((one.body, one.headers.get("ce-type")) for one in came),
                             [(b"a request", None)] * 2 + [(b"an event", "told")] * 2)
            host.ask(function, "GET", function + "/well")
            receiver.wait_for(6)
        self.assertEqual(len(receiver.came), 6)  # nothing of those that have failed

    def test_requests_and_events_are_sent_beside_what_goes_in_messages(self):
        self.goes(Messages)

    def test_requests_and_events_are_sent_beside_what_goes_by_forwarding(self):
        self.goes(Forwarded)

    def test_requests_and_events_are_sent_by_a_custom_handler(self):
        self.goes(Custom)

    def test_requests_and_events_are_sent_where_requests_are_forwarded(self):
        self.goes(Forwarding, "posts", ())

    def test_what_the_events_of_a_batch_put_out_goes_together(self):
        top = "webhooks: {named: [{name: '*', url: 'http://127.0.0.1:9/'}]}\n"
        for kind in (Messages, Forwarded, Custom):
            with self.subTest(kind.__name__), kind("test_azure_sends", top=top) as host:
                for ids in (["1"], ["1", "2", "3"]):
                    status, _, outputs = host.ask("notes", "POST", "notes", batch(*ids),
                                                  {"content-type": BATCH})
                    (made,) = outputs.values()
                    self.assertEqual((status, sorted(made)), (204, ids))


if __name__ == "__main__":
    main()
