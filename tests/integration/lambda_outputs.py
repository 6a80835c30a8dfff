# SPDX-License-Identifier: Apache-2.0
"""What functions put out under AWS Lambda, whose environment is frozen between events, and where they
may write: under $TMPDIR alone."""
import os
import tempfile
import time
import unittest

from harness import main, wait_until, worker
from lambda_api import RuntimeApi
from lambda_harness import Lambda, events
from lambda_http import Answer, url
from receiver import Receiver
from webhooks import WEBHOOKS, settings

NEVER = "  retry_delay: 1h\n  retry_delay_max: 1h\n"


class Sending(Lambda):
    """The worker of webhooks.c; `data` is where it may write."""

    def __init__(self, api, receiver, more=NEVER, environment=None, **options):
        self.data = tempfile.TemporaryDirectory(prefix="isw-data-")
        super().__init__(api, worker("test", [WEBHOOKS]), top=settings(receiver, more=more),
                         environment={"TMPDIR": self.data.name, **(environment or {})}, **options)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.data.cleanup()


def send(body="x", output="hook"):
    return url("POST", f"/api/send/{output}", body=body)


class Outputs(unittest.TestCase):
    def test_the_next_event_is_asked_for_once_requests_are_out(self):
        with RuntimeApi() as api, Receiver() as receiver, Sending(api, receiver) as host:
            host.wait_for("queues.store is a file that goes with this environment")
            receiver.gate.clear()
            self.assertEqual(Answer(api.ask(send()).json()).status, 202)
            receiver.wait_for(1)
            released = time.monotonic()
            receiver.gate.set()
            wait_until(lambda: len(api.ask_times) > 1)
            self.assertGreater(api.ask_times[1], released)
            for number in range(20):
                api.ask(send(str(number)))
            wait_until(lambda: len(api.ask_times) > 21)
            self.assertEqual(len(receiver.came), 21)
            self.assertTrue(os.path.exists(host.data.name + "/queues.db"))
            self.assertFalse(os.path.exists(host.folder.name + "/queues.db"))

    def test_one_that_is_to_be_tried_again_is_not_waited_for(self):
        with RuntimeApi() as api, Receiver(500) as receiver, Sending(api, receiver) as host:
            api.ask(send("first"))
            host.wait_for("500")
            self.assertEqual(Answer(api.ask(send("second")).json()).status, 202)
            wait_until(lambda: len(api.ask_times) > 2)
            self.assertEqual([came.body for came in receiver.came], [b"first", b"second"])

    def test_at_the_deadline_of_its_event_it_is_waited_for_no_more(self):
        with RuntimeApi() as api, Receiver() as receiver, Sending(api, receiver) as host:
            receiver.gate.clear()
            api.ask(send(), seconds=0.5)
            host.wait_for("are on their way still at its deadline")
            wait_until(lambda: len(api.ask_times) > 1)
            receiver.gate.set()

    def test_an_environment_of_several_events_is_not_frozen_and_does_not_wait(self):
        with RuntimeApi() as api, Receiver() as receiver, \
                Sending(api, receiver, environment={"AWS_LAMBDA_MAX_CONCURRENCY": "2"}):
            receiver.gate.clear()
            api.wait_until_asked(2)
            api.ask(send())
            receiver.wait_for(1)
            api.wait_until_asked(2)
            receiver.gate.set()

    def test_messages_that_nobody_would_read_are_refused(self):
        with RuntimeApi() as api, Receiver() as receiver, Sending(api, receiver) as host:
            host.wait_for("output work of function send of worker test goes nowhere: messages of "
                          "queues would lie in a file that goes with this environment")
            self.assertEqual(Answer(api.ask(send(output="work")).json()).status, 500)
            host.wait_for("name a server, postgresql:// or nats://")


class Elsewhere(unittest.TestCase):
    """What host.yaml has for hosts that clients and operators come to."""

    def test_what_is_for_them_is_neither_read_nor_opened(self):
        top = ("host: {control: run/control.sock}\n"
               "http:\n  listen: 'https://0.0.0.0:443'\n"
               "  tls: {certificate: none.pem, key: none.key}\n"
               "  access_log: {to: access.log}\n")
        with tempfile.TemporaryDirectory(prefix="isw-data-") as data, RuntimeApi() as api, \
                Lambda(api, events(), top, environment={"TMPDIR": data}) as host:
            self.assertEqual(Answer(api.ask(url("GET", "/api/things/1")).json()).status, 201)
            self.assertFalse(os.path.exists(host.folder.name + "/run"))
            wait_until(lambda: os.path.exists(data + "/access.log"))
            self.assertEqual(api.faults, [])


if __name__ == "__main__":
    main()
