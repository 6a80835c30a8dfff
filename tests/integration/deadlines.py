#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Limits of time that callers bring along, and what functions send on."""
import time
import unittest

from callers import connect, send
from harness import Host, main, worker

HEADER = "x-envoy-expected-rq-timeout-ms"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def sent_on(host, **headers):
    status, _, body = send(connect(host), target="/api/outgoing", **headers)
    assert status == 200, body
    return dict(line.split("=", 1) for line in body.splitlines())


def left_ms(host, **headers):
    return int(sent_on(host, **headers)[HEADER])


class Deadlines(unittest.TestCase):
    TRUSTING = "http: {deadlines_from: 127.0.0.1}"

    def test_a_trusted_caller_shortens_a_timeout_and_never_lengthens_it(self):
        with Host(worker(), top=self.TRUSTING) as host:
            self.assertLessEqual(left_ms(host, **{HEADER: "20000"}), 20000)
            self.assertGreater(left_ms(host, **{HEADER: "40000"}), 20000)
            for none in ("90000", "0", "9" * 30):
                self.assertGreater(left_ms(host, **{HEADER: none}), 40000)
                self.assertLessEqual(left_ms(host, **{HEADER: none}), 60000)

    def test_what_is_late_for_its_caller_is_cancelled(self):
        with Host(worker(), top=self.TRUSTING) as host:
            begun = time.monotonic()
            status, _, _ = send(connect(host), target="/api/once?ms=600000", **{HEADER: "100"})
            self.assertEqual(status, 504)
            self.assertLess(time.monotonic() - begun, 300)
            host.wait_for("Function.once: ISW_E_TIMEOUT.* reason=deadline")

    def test_others_have_no_say(self):
        for top in ("", "http: {deadlines_from: 127.0.0.2}",
                    "http: {trusted_proxies: 127.0.0.1}"):
            with self.subTest(top), Host(worker(), top=top) as host:
                for said in ("1", "soon"):
                    self.assertGreater(left_ms(host, **{HEADER: said}), 40000)

    def test_what_is_no_number_is_refused(self):
        with Host(worker(), top=self.TRUSTING) as host:
            for said in ("soon", "-1", "1.5", "10m"):
                status, _, body = send(connect(host), target="/api/outgoing", **{HEADER: said})
                self.assertEqual(status, 400)
                self.assertIn(f"The header {HEADER} is no number of milliseconds.", body)

    def test_networks_are_checked_where_they_stand(self):
        with Host(worker(), top="http: {deadlines_from: ['::1', nowhere]}", expect=78,
                  settled="<end>") as host:
            host.wait_for("host.yaml:1:32: .*nowhere")

    def test_a_trace_its_baggage_and_the_name_of_a_request_go_on(self):
        with Host(worker()) as host:
            said = sent_on(host, traceparent=PARENT, tracestate="a=1,b=2", X_Request_Id="mine",
                           baggage="tier=gold%20one, user=Ada;secret")
            self.assertEqual(said["traceparent"][:36], PARENT[:36])
            self.assertNotEqual(said["traceparent"], PARENT)
            self.assertEqual((said["tracestate"], said["baggage"], said["x-request-id"]),
                             ("a=1,b=2", "tier=gold%20one,user=Ada", "mine"))


if __name__ == "__main__":
    main()
