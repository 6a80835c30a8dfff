# SPDX-License-Identifier: Apache-2.0
"""Outputs of the type http: requests that the host sends for functions."""
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import ssl
import time
import unittest

from harness import WORKER, Host, main, wait_until, worker
from invoke import invoke
from metrics import samples_of
from operators import ADMIN, admin, report, run
from receiver import Receiver
from renewal import attention, say

WEBHOOKS = os.path.join(os.path.dirname(WORKER), "test_webhooks")
KEYS = [bytes(range(24)), bytes(range(100, 132))]
SECRETS = ["whsec_" + base64.b64encode(key).decode() for key in KEYS]
QUICK = "  retry_delay: 10ms\n  retry_delay_max: 20ms\n"


def settings(receiver, named="", more=QUICK, top="", scheme="http"):
    rows = "".join(f"      {line}\n" for line in named.splitlines())
    return (f"{top}\nwebhooks:\n{more}  named:\n    - name: \"*.hook\"\n"
            f"      url: {receiver.url(scheme=scheme)}\n{rows}")


def certificate(name):
    return os.path.join(os.environ["ISOWORKER_CERTIFICATES"], name)


def secure(sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate("server.pem"), certificate("server.key"))
    return context.wrap_socket(sock, server_side=True)


def webhooks(receiver, *given, **arguments):
    return Host(worker("test", [WEBHOOKS]), top=settings(receiver, *given, **arguments))


def send(host, body, output="hook", headers=None, **options):
    query = "&".join(f"{name}={value}" for name, value in options.items())
    status, answer, _ = host.request("POST", f"send/{output}?{query}", body, headers)
    return status if status == 202 else (status, answer.decode())


def queue(host, *words):
    code, out, err = run("queue", *words, "-C", host.folder.name)
    assert code == 0, (code, out, err)
    return out


def depth(host, state, name="http.send.hook"):
    return json.loads(queue(host, "list", name, "--json"))["queues"][0][state]


def dead(host, name="http.send.hook"):
    return queue(host, "dead", name)


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def signature(key, request):
    signed = "{webhook-id}.{webhook-timestamp}.".format(**request.headers).encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Delivery(unittest.TestCase):
    def test_what_a_function_puts_is_posted(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            begin = time.time()
            self.assertEqual(send(host, '{"a":1}', headers={"content-type": "application/json",
                                                            "x-request-id": "r7"}), 202)
            came, = receiver.wait_for(1)
            self.assertEqual((came.method, came.path, came.body), ("POST", "/hook", b'{"a":1}'))
            self.assertEqual(came.headers["content-type"], "application/json")
            self.assertEqual(came.headers["x-request-id"], "r7")
            self.assertRegex(came.headers["user-agent"], r"^isoworker/")
            self.assertRegex(came.headers["webhook-id"], r"^[0-9A-Z]{26}$")
            self.assertLess(abs(int(came.headers["webhook-timestamp"]) - begin), 60)
            self.assertNotIn("webhook-signature", came.headers)
            self.assertNotIn("expect", came.headers)

    def test_text_and_bytes_are_bodies_of_their_type(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            send(host, "hello")
            send(host, b"\x00\xff", headers={"content-type": "application/octet-stream"})
            types = {came.body: came.headers.get("content-type") for came in receiver.wait_for(2)}
            self.assertEqual(types, {b"hello": "text/plain; charset=utf-8", b"\x00\xff": None})

    def test_the_trace_of_the_call_goes_along(self):
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with Receiver() as receiver, webhooks(receiver) as host:
            send(host, "traced", headers={"traceparent": parent})
            self.assertIn(parent.split("-")[1], receiver.wait_for(1)[0].headers["traceparent"])

    def test_an_http_value_says_the_headers(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            status, _, _ = host.request("POST", "shape?name=x-kind&value=paid", "a,b")
            self.assertEqual(status, 202)
            came, = receiver.wait_for(1)
            self.assertEqual((came.headers["content-type"], came.headers["x-kind"], came.body),
                             ("text/csv", "paid", b"a,b"))

    def test_headers_that_are_the_hosts_are_refused(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            for name in ("webhook-signature", "Host", "content-length"):
                self.assertEqual(host.request("POST", f"shape?name={name}&value=1", "x")[0], 500)
            host.wait_for("output hook of shape: the header webhook-signature is the host's own")
            self.assertEqual(receiver.came, [])

    def test_nothing_is_sent_for_a_function_that_fails(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            self.assertEqual(send(host, "never", then="fail")[0], 500)
            send(host, "after")
            self.assertEqual([came.body for came in receiver.wait_for(1)], [b"after"])

    def test_a_message_and_the_request_it_causes_are_done_with_together(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            send(host, "go", output="work")
            self.assertEqual(receiver.wait_for(1)[0].body, b"go")
            send(host, "end")
            self.assertEqual([came.body for came in receiver.wait_for(2)], [b"go", b"end"])

    def next_host(self, host, receiver):
        """The one behind a host that is killed, in its folder."""
        host.process.kill()
        host.process.wait()
        host.expect = -signal.SIGKILL
        again = Host(worker("test", [WEBHOOKS]), top=settings(receiver))
        again.folder.cleanup()
        again.folder = host.folder
        return again

    def test_what_was_kept_is_sent_by_the_next_host(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            queue(host, "pause", "http.send.hook")
            self.assertEqual(send(host, "kept"), 202)
            with self.next_host(host, receiver) as again:
                self.assertEqual(receiver.came, [])
                queue(again, "resume", "http.send.hook")
                self.assertEqual(receiver.wait_for(1)[0].body, b"kept")

    def test_what_was_on_its_way_when_the_host_ended_is_sent_again_under_its_name(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            receiver.gate.clear()
            send(host, "once more")
            receiver.wait_for(1)
            with self.next_host(host, receiver) as again:
                first, second = receiver.wait_for(2)
                receiver.gate.set()
                self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
                wait_until(lambda: depth(again, "claimed") == 0)
                self.assertEqual((depth(again, "ready"), depth(again, "dead")), (0, 0))

    def test_requests_of_a_key_come_one_at_a_time_in_their_order(self):
        with Receiver(500) as receiver, webhooks(receiver) as host:
            for i in range(5):
                send(host, f"{i}", key="k")
            bodies = [came.body.decode() for came in receiver.wait_for(6)]
            self.assertEqual(bodies, ["0", "0", "1", "2", "3", "4"])
            self.assertEqual(receiver.most, 1)

    def test_no_more_are_on_their_way_than_may_be(self):
        with Receiver() as receiver, webhooks(receiver, "concurrency: 3") as host:
            receiver.gate.clear()
            for i in range(8):
                send(host, f"{i}")
            receiver.wait_for(3)
            wait_until(lambda: depth(host, "ready") == 5)
            receiver.gate.set()
            receiver.wait_for(8)
            self.assertEqual(receiver.most, 3)

    def test_the_host_ends_when_what_is_on_its_way_has_arrived(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            receiver.gate.clear()
            send(host, "last")
            receiver.wait_for(1)
            host.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not listens(host.port))
            self.assertIsNone(host.process.poll())
            receiver.gate.set()
            self.assertEqual(host.process.wait(30), 0)
            self.assertEqual(len(receiver.came), 1)


class Signatures(unittest.TestCase):
    def test_requests_are_signed_as_standard_webhooks_has_it(self):
        os.environ["HOOK_SECRET"] = SECRETS[0]
        with Receiver() as receiver, webhooks(receiver, "secret: env:HOOK_SECRET") as host:
            send(host, "signed")
            came, = receiver.wait_for(1)
            self.assertEqual(came.headers["webhook-signature"], signature(KEYS[0], came))

    def test_with_an_old_secret_they_bear_both_signatures(self):
        os.environ["HOOK_SECRET"], os.environ["OLD_SECRET"] = SECRETS
        with Receiver() as receiver, webhooks(
                receiver, "secret: env:HOOK_SECRET\nold_secret: env:OLD_SECRET") as host:
            send(host, "both")
            came, = receiver.wait_for(1)
            self.assertEqual(came.headers["webhook-signature"].split(" "),
                             [signature(key, came) for key in KEYS])

    def test_an_attempt_that_is_made_again_has_its_name_and_its_own_signature(self):
        os.environ["HOOK_SECRET"] = SECRETS[0]
        with Receiver(503) as receiver, webhooks(receiver, "secret: env:HOOK_SECRET") as host:
            send(host, "again", id="m-1")
            first, second = receiver.wait_for(2)
            self.assertEqual([came.headers["webhook-id"] for came in (first, second)], ["m-1"] * 2)
            for came in (first, second):
                self.assertEqual(came.headers["webhook-signature"], signature(KEYS[0], came))

    def test_a_secret_of_another_form_is_refused_at_its_place_and_not_shown(self):
        os.environ["HOOK_SECRET"] = "whsec_tooshort"
        with Receiver() as receiver, Host(
                worker("test", [WEBHOOKS]), top=settings(receiver, "secret: env:HOOK_SECRET"),
                settled=None, expect=78) as host:
            line = host.wait_for("whsec_")
            self.assertRegex(line, r'host\.yaml:\d+:\d+.*secret is to be "whsec_" and 24 to 64')
            host.process.wait(30)
            self.assertNotIn("tooshort", host.log())

    def test_headers_of_host_yaml_come_before_the_functions(self):
        os.environ["HOOK_TOKEN"] = "t0k3n"
        with Receiver() as receiver, webhooks(
                receiver, 'headers: {authorization: "Bearer ${HOOK_TOKEN}", x-kind: all}') as host:
            host.request("POST", "shape?name=X-Kind&value=own", "x")
            came, = receiver.wait_for(1)
            self.assertEqual(came.headers["authorization"], "Bearer t0k3n")
            self.assertEqual(came.headers["x-kind"], "all")
            self.assertNotIn("t0k3n", host.log())


class Failure(unittest.TestCase):
    def test_a_failure_is_tried_again_until_it_goes_through(self):
        with Receiver(500, 429, 302, 408) as receiver, webhooks(receiver) as host:
            send(host, "tenacious")
            self.assertEqual({came.body for came in receiver.wait_for(5)}, {b"tenacious"})
            host.wait_for(r"output send\.hook: a request to 127.0.0.1:\d+ failed: it was answered 500")
            host.wait_for(r"output send\.hook: 127.0.0.1:\d+ takes requests again")

    def test_a_time_that_the_answer_names_is_waited_for(self):
        with Receiver((503, {"retry-after": "1"}, "")) as receiver, webhooks(receiver) as host:
            begin = time.monotonic()
            send(host, "later")
            receiver.wait_for(2)
            self.assertGreaterEqual(time.monotonic() - begin, 1)

    def test_a_refusal_is_dead_at_once_and_can_be_replayed(self):
        with Receiver((422, {}, "no such customer")) as receiver, webhooks(receiver) as host:
            send(host, "wrong")
            line = host.wait_for("is dead after 1 attempts")
            self.assertIn("it was answered 422: no such customer", line)
            self.assertIn("isoworker queue dead http.send.hook", line)
            out = dead(host)
            self.assertIn("error: it was answered 422: no such customer", out)
            self.assertRegex(out, r"\n  header content-type: .+\n(  header .*\n)*  wrong\n$")
            shown = json.loads(queue(host, "dead", "http.send.hook", "--json").splitlines()[0])
            self.assertEqual(shown["messages"][0]["body"], "wrong")
            self.assertIn("content-type: " + shown["messages"][0]["content_type"],
                          shown["messages"][0]["headers"])
            queue(host, "replay", "http.send.hook")
            first, second = receiver.wait_for(2)
            self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
            self.assertNotIn("takes requests again", host.log())

    def test_attempts_are_bounded_by_what_the_function_says(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            send(host, "lost", output="twice")
            self.assertRegex(host.wait_for("is dead after"),
                             r"output send\.twice is dead after 2 attempts: .*(refused|connect)")

    def test_what_host_yaml_says_of_an_output_comes_before_what_the_function_says(self):
        with Receiver(500) as receiver:
            more = f"    - name: send.twice\n      url: {receiver.url('/put')}\n      max_attempts: 1\n"
            with Host(worker("test", [WEBHOOKS]), top=settings(receiver) + more) as host:
                send(host, "once", output="twice")
                host.wait_for("is dead after 1 attempts: it was answered 500")
                came, = receiver.wait_for(1)
                self.assertEqual((came.method, came.path), ("PUT", "/put"))

    def test_a_receiver_that_does_not_answer_is_waited_for_so_long(self):
        with Receiver() as receiver, webhooks(receiver, "timeout: 200ms\nmax_attempts: 1") as host:
            receiver.gate.clear()
            send(host, "slow")
            self.assertRegex(host.wait_for("is dead after"), "[Tt]imed? ?out")

    def test_an_answer_with_control_characters_is_shown_safely(self):
        with Receiver((400, {}, "a\x1b[31mb\nc")) as receiver, webhooks(receiver) as host:
            send(host, "evil")
            self.assertIn(r"it was answered 400: a\x1b[31mb\nc", host.wait_for("is dead after"))

    def test_a_receiver_that_fails_stands_in_the_status_until_it_does_not(self):
        with Receiver(500) as receiver, webhooks(
                receiver, "retry_delay: 1h\nretry_delay_max: 1h") as host:
            send(host, "ill")
            attention = lambda: " ".join(report(host)["attention"])  # noqa: E731
            wait_until(lambda: "output send.hook: requests to 127.0.0.1" in attention())
            send(host, "well")
            wait_until(lambda: "output send.hook" not in attention())

    def test_a_receiver_whose_certificate_nobody_vouches_for_gets_nothing(self):
        with Receiver(wrap=secure) as receiver:
            named = "max_attempts: 1"
            with Host(worker("test", [WEBHOOKS]),
                      top=settings(receiver, named, scheme="https")) as host:
                send(host, "secret")
                self.assertIn("ertificate", host.wait_for("is dead after 1 attempts"))
            self.assertEqual(receiver.came, [])
            vouched = QUICK + f"  ca_file: {certificate('ca.pem')}\n"
            with Host(worker("test", [WEBHOOKS]),
                      top=settings(receiver, named, vouched, scheme="https")) as host:
                send(host, "secret")
                self.assertEqual(receiver.wait_for(1)[0].body, b"secret")


class Settings(unittest.TestCase):
    def test_an_output_that_goes_nowhere_is_told_at_the_start(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            host.wait_for(r"output nowhere of function send of worker test goes nowhere: url is to be "
                          r"http:// or https://")
        with Host(worker("test", [WEBHOOKS])) as host:
            host.wait_for(r"output hook of function send of worker test goes nowhere: nobody says "
                          r"where to; .*named: \[\{name: send\.hook, url: \.\.\.\}\]")

    def test_what_is_put_where_it_would_be_lost_fails_its_call(self):
        reasons = (("nowhere", r"url is to be http:// or https://"),
                   ("stray", r'this host has no output of the type "pigeon"; it has file, log'))
        with Receiver() as receiver, webhooks(receiver, top=ADMIN) as host:
            warnings = admin(host, "GET", "/ready")[1]["warnings"]
            code, out, _ = run("describe", "send", "-C", host.folder.name)
            self.assertEqual((code, len(warnings), out.count("  ! ")), (0, 2, 2))
            for output, why in reasons:
                self.assertEqual(host.request("POST", f"send/{output}", "x")[0], 500)
                host.wait_for(f"output {output} of send: {why}")
                told = f"output {output} of function send of worker test goes nowhere: {why}"
                self.assertRegex(attention(host), told)
                self.assertRegex("\n".join(warnings), told)
                self.assertRegex(out, f"(?m)^  ! {told}")
                code, _, err = invoke(host, "send", "--param", f"output={output}", "--data", "x")
                self.assertRegex(err, f"ISW_E_FAILED: what it put out to {output} cannot be kept: {why}")
            send(host, "right")
            self.assertEqual([came.body for came in receiver.wait_for(1)], [b"right"])

    def test_a_message_whose_output_would_be_lost_is_kept_among_the_dead(self):
        top = "queues: {named: [{name: work, max_attempts: 2}]}\n"
        with Host(worker("test", [WEBHOOKS]), top=top) as host:
            self.assertEqual(send(host, "x", "work"), 202)
            host.wait_for("output hook of relay: nobody says where to; .*name: relay.hook")
            host.wait_for("is dead after 2 attempts: what it put out to hook cannot be kept: nobody")
            self.assertEqual(depth(host, "dead", "work"), 1)

    def test_a_pattern_that_was_meant_for_an_output_is_named_to_it(self):
        wrong = ("webhooks: {named: [{name: other.x, url: 'http://a/'}, "
                 "{name: send.hok, url: 'http://a/'}]}")
        with Host(worker("test", [WEBHOOKS]), top=wrong) as host:
            told = host.wait_for("output hook of function send of worker test goes nowhere: "
                                 "nobody says")
            self.assertRegex(told, r'url: \.\.\.\}\]\}`, whose "send\.hok" does not match it')
            code, _, err = run("check", host.folder.name)
            self.assertEqual(code, 78)
            self.assertIn('whose "send.hok" does not match it', err)

    def test_names_that_match_no_output_and_no_queue_are_told(self):
        """By check, at the start, and when the file has changed, also where that waits."""
        rows = ("\nqueues: {named: [{name: work}, {name: 'http.*.hook'}, {name: wrok}, "
                "{name: 'bin*'}]}\n")
        told = (r'host.yaml:\d+:\d+: no output of the type http or cloudevents of any worker matches '
                r'"send\.hok"; did you mean "send\.hook"\?',
                r'host.yaml:\d+:\d+: no queue of a function or output of any worker matches "wrok"; '
                r'did you mean "work"\?',
                r'host.yaml:\d+:\d+: no queue of a function or output of any worker matches "bin\*"$')
        with Receiver() as receiver:
            top = settings(receiver) + "    - {name: send.hok}\n" + rows
            with Host(worker("test", [WEBHOOKS]), top=top) as host:
                for line in told:
                    host.wait_for(line)
                for line in told:
                    self.assertRegex(attention(host), "(?m)" + line)
                code, _, err = run("check", host.folder.name)
                self.assertEqual(code, 78)
                for line in told:
                    self.assertRegex(err, "(?m)" + line)
                say(host, worker("test", [WEBHOOKS]), top.replace("hok", "hooks").replace("wrok", "work"))
                host.wait_for("needs a restart of the host: .*webhooks.named")
                host.wait_for(r'matches "send\.hooks"; did you mean "send\.hook"\?')
                self.assertNotIn("wrok", attention(host))

    def test_an_address_that_is_none_is_refused_at_its_place(self):
        with Receiver() as receiver, Host(
                worker("test", [WEBHOOKS]), settled=None, expect=78,
                top=settings(receiver) + "    - {name: a, url: 'http://a b/'}\n") as host:
            host.process.wait(30)
            self.assertRegex(host.wait_for("url"), r"host.yaml:\d+:\d+: url is to be http://")

    def test_a_functions_queue_cannot_be_called_as_those_of_outputs_are(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            code, out, err = run("queue", "put", "http.send.hook", "by hand", "-C",
                                 host.folder.name)
            self.assertEqual(code, 0, (out, err))
            self.assertEqual(receiver.wait_for(1)[0].body, b"by hand")

    def test_numbers_are_among_the_metrics(self):
        with Receiver(500, 422) as receiver, webhooks(receiver, top=ADMIN) as host:
            send(host, "a")
            receiver.wait_for(2)
            send(host, "b")
            receiver.wait_for(3)
            value = lambda name: samples_of(host).get(  # noqa: E731
                f'isoworker_host_webhook_{name}{{output="send.hook"}}')
            wait_until(lambda: value("delivered_total") == 1)
            self.assertEqual([value("failed_total"), value("dead_total"), value("in_flight")],
                             [2, 1, 0])
            self.assertGreater(value("seconds_total"), 0)

    def test_nothing_turns_at_rest(self):
        with Receiver() as receiver, webhooks(receiver) as host:
            send(host, "one")
            receiver.wait_for(1)
            wait_until(lambda: depth(host, "claimed") == 0)
            thread = next(t for t in os.listdir(f"/proc/{host.process.pid}/task")
                          if open(f"/proc/{host.process.pid}/task/{t}/comm").read() == "webhooks\n")
            status = f"/proc/{host.process.pid}/task/{thread}/status"
            switches = lambda: next(int(line.split()[1]) for line in open(status)  # noqa: E731
                                    if line.startswith("voluntary"))
            before = switches()
            time.sleep(2)
            self.assertLessEqual(switches() - before, 1)


if __name__ == "__main__":
    main()
