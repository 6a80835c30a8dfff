# SPDX-License-Identifier: Apache-2.0
"""CloudEvents by HTTP: functions that events trigger, and events that functions send."""
import base64
import json
import os
import time
import unittest

from auth import CHAIN, GOOD, good
from harness import WORKER, Host, main, wait_until, worker
from operators import run
from receiver import Receiver

CLOUDEVENTS = os.path.join(os.path.dirname(WORKER), "test_cloudevents")
STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "application/cloudevents-batch+json"
EVENT = {"specversion": "1.0", "id": "1", "source": "/shops/7", "type": "com.example.paid"}


def cloudevents(top="", chain=None, **arguments):
    chain = {"chain": chain} if chain else {}
    return Host(worker("test", [CLOUDEVENTS]), top=top, **chain, **arguments)


def binary(host, body="", path="orders", content_type="application/json", drop=(), **attributes):
    headers = {f"ce-{name}": value for name, value in {**EVENT, **attributes}.items()
               if name not in drop}
    if content_type:
        headers["content-type"] = content_type
    return host.request("POST", path, body, headers)


def structured(host, event=None, path="orders", content_type=STRUCTURED, headers=None, **members):
    body = json.dumps({**EVENT, **members} if event is None else event)
    return host.request("POST", path, body, {"content-type": content_type, **(headers or {})})


def batch(host, *events, path="orders"):
    return structured(host, list(events), path, BATCH)


def event(**members):
    return {**EVENT, **members}


def came(host, count=1):
    """What functions tell of the first events."""
    found = lambda: [json.loads(line.split("event ", 1)[1].rsplit(" (", 1)[0])  # noqa: E731
                     for line in list(host.lines) if " event {" in line]
    wait_until(lambda: len(found()) >= count)
    return found()


def after(answer):
    """Status and Retry-After."""
    return answer[0], {name.lower(): value for name, value in answer[2].items()}.get("retry-after")


def detail(answer):
    return answer[0], json.loads(answer[1])["detail"]


class Modes(unittest.TestCase):
    def test_an_event_in_binary_mode_is_headers_and_a_body(self):
        with cloudevents() as host:
            status, body, _ = binary(host, '{"a":1}', subject="50%25%20%22%C3%A9%22", shop="7",
                                     time="2026-01-31T23:59:59Z", dataschema="https://example.org/s")
            self.assertEqual((status, body), (204, b""))
            self.assertEqual(came(host), [{
                "id": "1", "source": "/shops/7", "type": "com.example.paid", "subject": '50% "é"',
                "time": "2026-01-31T23:59:59Z", "content_type": "application/json",
                "schema": "https://example.org/s", "extensions": {"shop": "7"}, "kind": "json",
                "data": {"a": 1}}])

    def test_an_event_in_structured_mode_is_the_same(self):
        with cloudevents() as host:
            status, _, _ = structured(host, subject="s", count=7, fine=True, absent=None,
                                      data={"a": 1})
            self.assertEqual(status, 204)
            told, = came(host)
            self.assertEqual((told["id"], told["subject"], told["kind"], told["data"]),
                             ("1", "s", "json", {"a": 1}))
            self.assertEqual(told["extensions"], {"count": 7, "fine": True})
            self.assertEqual(told["content_type"], "application/json")

    def test_data_is_what_its_content_type_says(self):
        encoded = base64.b64encode(b"\x00\xff").decode()
        with cloudevents() as host:
            structured(host, id="json text", data="x")
            structured(host, id="text", data="x", datacontenttype="text/plain")
            structured(host, id="xml", data="<x/>", datacontenttype="application/xml")
            structured(host, id="bytes", data_base64=encoded,
                       datacontenttype="application/octet-stream")
            structured(host, id="json bytes", data_base64=base64.b64encode(b"[1]").decode(),
                       datacontenttype="application/vnd.x+json")
            structured(host, id="none")
            binary(host, b"\x00\xff", id="binary", content_type=None)
            kinds = {told["id"]: (told["kind"], told["data"]) for told in came(host, 7)}
            xml = base64.b64encode(b"<x/>").decode()
            self.assertEqual(kinds, {
                "json text": ("json", "x"), "text": ("string", "x"), "xml": ("bytes", xml),
                "bytes": ("bytes", encoded), "json bytes": ("json", [1]), "none": ("none", None),
                "binary": ("bytes", encoded)})

    def test_data_binds_to_a_struct_in_each_mode(self):
        with cloudevents() as host:
            self.assertEqual(binary(host, '{"number":7}', path="bound")[:2], (200, b"number 7\n"))
            self.assertEqual(structured(host, path="bound", data={"number": 8})[:2],
                             (200, b"number 8\n"))
            self.assertEqual(structured(host, path="bound", data={})[0], 400)

    def test_a_batch_is_an_invocation_for_each(self):
        with cloudevents() as host:
            events = [event(id=str(i), data=i) for i in range(50)]
            self.assertEqual(batch(host, *events)[:2], (204, b""))
            self.assertEqual(sorted(told["data"] for told in came(host, 50)), list(range(50)))
            self.assertEqual(batch(host)[0], 204)

    def test_a_batch_is_answered_when_all_of_it_is_done(self):
        with cloudevents() as host:
            begin = time.monotonic()
            self.assertEqual(batch(host, event(id="a", subject="nap 200"), event(id="b"))[0], 204)
            self.assertGreaterEqual(time.monotonic() - begin, 0.2)

    def test_other_formats_are_refused(self):
        with cloudevents() as host:
            for kind in ("application/cloudevents+xml", "application/cloudevents-batch+avro",
                         "application/cloudevents"):
                self.assertEqual(structured(host, content_type=kind)[0], 415)
            self.assertEqual(structured(host, headers={"content-encoding": "gzip"})[0], 501)


class Validity(unittest.TestCase):
    def test_what_an_event_must_have_is_named_when_it_is_missing(self):
        with cloudevents() as host:
            for name in ("specversion", "id", "source", "type"):
                sentence = f"the attribute {name} is missing"
                self.assertEqual(detail(binary(host, drop=[name])), (400, sentence))
                missing = {key: value for key, value in EVENT.items() if key != name}
                self.assertEqual(detail(structured(host, missing)), (400, sentence))
                self.assertEqual(detail(batch(host, EVENT, missing)),
                                 (400, f"event 1 of the batch: {sentence}"))
            self.assertNotIn("event {", host.log())

    def test_attributes_that_cannot_be_are_named(self):
        wrong = {
            "specversion": ["0.3", "1.1", 1], "id": ["", 7, {}], "source": ["", "a b", []],
            "type": [""], "subject": [""], "dataschema": ["", "<x>"],
            "datacontenttype": ["", "json", "a/b/c"],
            "time": ["", "yesterday", "2026-01-31", "2026-13-01T00:00:00Z", "2026-01-31T24:00:00Z",
                     "2026-01-31T23:59:59", "2026-01-31T23:59:59.Z", "2026-01-31T23:59:59+25:00"],
            "ext": [1.5, [], {}, 2 ** 31, "a\x07b", "a\x85b"]}
        with cloudevents() as host:
            for name, values in wrong.items():
                for value in values:
                    status, sentence = detail(structured(host, **{name: value}))
                    self.assertEqual((status, sentence.split()[0]), (400, name), value)
            for name in ("Ext", "my-ext", "my_ext", "ä", ""):
                self.assertRegex(str(detail(structured(host, **{name: "x"}))),
                                 "400.*cannot be the name of an attribute")
            self.assertRegex(str(detail(binary(host, **{"my-ext": "x"}))), "400.*cannot be the name")

    def test_data_that_is_there_twice_or_is_no_base64_is_refused(self):
        with cloudevents() as host:
            self.assertRegex(str(detail(structured(host, data=1, data_base64="AA=="))), "400.*both")
            self.assertRegex(str(detail(structured(host, data_base64="!"))), "400.*base64")
            self.assertRegex(str(detail(structured(host, data_base64=7))), "400.*base64")

    def test_what_is_no_json_is_refused_with_its_place(self):
        with cloudevents() as host:
            for kind in (STRUCTURED, BATCH):
                answer = host.request("POST", "orders", '{"id": }', {"content-type": kind})
                self.assertRegex(str(detail(answer)), r"400.*1")
            self.assertRegex(str(detail(structured(host, [EVENT]))), "400.*object")
            self.assertRegex(str(detail(batch_of(host, EVENT))), "400.*array")
            self.assertRegex(str(detail(batch(host, EVENT, 7))), "400.*event 1 of the batch")
            self.assertRegex(str(detail(batch(host, *[EVENT] * 1001))), "413.*1000")

    def test_a_header_that_is_no_utf_8_is_refused_and_a_percent_that_is_no_escape_is_itself(self):
        with cloudevents() as host:
            self.assertRegex(str(detail(binary(host, subject="%ff"))), "400.*ce-subject")
            for value in ("100%", "%4", "a%zz"):
                self.assertEqual(binary(host, subject=value)[0], 204)
            self.assertEqual([told["subject"] for told in came(host, 3)], ["100%", "%4", "a%zz"])


def batch_of(host, value):
    return structured(host, value, "orders", BATCH)


class Failure(unittest.TestCase):
    def test_a_failure_is_answered_as_that_of_an_http_function(self):
        with cloudevents() as host:
            self.assertEqual(binary(host, subject="fail")[0], 500)
            self.assertEqual(binary(host, subject="refuse")[:2], (422, b"not this one\n"))
            self.assertEqual(after(structured(host, subject="later")), (503, "7"))

    def test_a_batch_of_which_some_failed_is_a_failure_and_all_were_tried(self):
        with cloudevents() as host:
            answer = batch(host, event(id="a"), event(id="b", subject="fail"), event(id="c"),
                           event(id="d", subject="fail"))
            self.assertEqual(detail(answer), (500, "2 of 4 events failed; all of the batch may be "
                                                   "sent again."))
            self.assertEqual({told["id"] for told in came(host, 4)}, set("abcd"))
            self.assertEqual(batch(host, event(subject="refuse"))[0], 422)
            self.assertEqual(after(batch(host, event(subject="later"))), (503, "7"))


class Front(unittest.TestCase):
    def test_routes_are_shared_with_functions_of_http(self):
        with cloudevents() as host:
            self.assertEqual(host.get("orders"), (200, "a list\n"))
            self.assertEqual(binary(host)[0], 204)
            status, _, headers = host.request("PUT", "orders")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD, POST"))
            self.assertIn("/api/orders", host.log())

    def test_only_wanted_events_get_to_the_function(self):
        with cloudevents() as host:
            sent = {"a": {"type": "com.example.x"}, "b": {"type": "com.other"}, "c": {"type": "org.x"},
                    "d": {"type": "org.x", "source": "/houses/1"}}
            for name, members in sent.items():
                self.assertEqual(structured(host, path="some", id=name, **members)[0], 204)
            mixed = [event(id=name + name, **members) for name, members in sent.items()]
            self.assertEqual(batch(host, *mixed, path="some")[0], 204)
            self.assertEqual({told["id"] for told in came(host, 4)}, {"a", "c", "aa", "cc"})

    def test_a_sender_that_asks_is_allowed_or_not(self):
        with cloudevents() as host:
            ask = lambda path, origin, **more: host.request(  # noqa: E731
                "OPTIONS", path, headers={"WebHook-Request-Origin": origin, **more})
            status, _, headers = ask("orders", "events.example.com")
            self.assertEqual((status, headers["WebHook-Allowed-Origin".lower()]),
                             (200, "events.example.com"))
            self.assertNotIn("webhook-allowed-rate", headers)
            _, _, headers = ask("some", "events.example.org", **{"WebHook-Request-Rate": "120"})
            self.assertEqual((headers["webhook-allowed-origin"], headers["webhook-allowed-rate"]),
                             ("events.example.org", "*"))
            status, _, headers = ask("some", "evil.example.com")
            self.assertEqual(status, 200)
            self.assertNotIn("webhook-allowed-origin", headers)
            status, _, headers = host.request("OPTIONS", "orders")
            self.assertEqual((status, headers["Allow"]), (204, "GET, HEAD, POST, OPTIONS"))
            status, _, headers = ask("send/x", "events.example.com")  # takes no events
            self.assertEqual(status, 204)
            self.assertNotIn("webhook-allowed-origin", headers)

    def test_the_chain_is_that_of_http(self):
        chain = ("middleware:\n  - error_handling\n  - cors: {origins: ['https://a.example']}\n")
        with cloudevents(chain=chain) as host:
            status, _, headers = host.request("OPTIONS", "orders", headers={
                "Origin": "https://a.example", "Access-Control-Request-Method": "POST"})
            names = {name.lower(): value for name, value in headers.items()}
            self.assertEqual((status, names["access-control-allow-origin"]),
                             (204, "https://a.example"))
            status, _, headers = structured(host, headers={"Origin": "https://a.example"})
            self.assertEqual((status, headers["Access-Control-Allow-Origin".lower()]),
                             (204, "https://a.example"))

    def test_who_may_not_call_is_refused_in_each_mode(self):
        host = cloudevents(chain=CHAIN)
        host.write("keys.json", json.dumps({"keys": [GOOD]}))
        with host:
            self.assertEqual([binary(host)[0], structured(host)[0], batch(host, EVENT)[0]], [401] * 3)
            self.assertNotIn("event {", host.log())
            self.assertEqual([structured(host, headers=good())[0],
                              structured(host, [EVENT], "orders", BATCH, good())[0]], [204] * 2)

    def test_the_request_id_and_the_limits_are_those_of_http(self):
        with cloudevents(top="http: {body_limit: 1KiB, body_memory: 1MiB}\n") as host:
            _, _, headers = structured(host, headers={"x-request-id": "r7"})
            self.assertEqual(headers["X-Request-Id"], "r7")
            self.assertEqual(structured(host, data="x" * 2000)[0], 413)


class ByHand(unittest.TestCase):
    def invoke(self, host, *words):
        return run("invoke", "take", "-C", host.folder.name, *words)

    def test_a_function_is_invoked_with_an_event(self):
        with cloudevents() as host:
            code, out, err = self.invoke(host, "--data", json.dumps(event(data=7)), "--type",
                                         "application/cloudevents+json")
            self.assertEqual(code, 0, (out, err))
            attributes = [word for name, value in EVENT.items()
                          for word in ("--header", f"ce-{name}={value}")]
            code, out, err = self.invoke(host, "--data", "8", "--type", "application/json",
                                         *attributes)
            self.assertEqual(code, 0, (out, err))
            self.assertEqual([told["data"] for told in came(host, 2)], [7, 8])

    def test_what_is_no_event_is_refused_with_what_to_say(self):
        with cloudevents() as host:
            for words in (["--data", "8"], ["--data", "[]", "--type", BATCH],
                          ["--data", "{}", "--type", "application/cloudevents+json"]):
                code, out, err = self.invoke(host, *words)
                self.assertEqual(code, 65, (out, err))
            self.assertIn("the attribute specversion is missing", err)


class Sending(unittest.TestCase):
    def both(self, receiver):
        return cloudevents(top="webhooks:\n  named:\n    - {name: '*', url: '" + receiver.url() + "'}\n")

    def test_a_value_is_the_data_of_an_event(self):
        with Receiver() as receiver, self.both(receiver) as host:
            host.request("POST", "send/binary", '{"a":1}', {"content-type": "application/json"})
            sent, = receiver.wait_for(1)
            self.assertEqual((sent.body, sent.headers["content-type"]), (b'{"a":1}', "application/json"))
            self.assertEqual({name: sent.headers["ce-" + name] for name in
                              ("specversion", "type", "source")},
                             {"specversion": "1.0", "type": "com.example.made", "source": "/send"})
            self.assertRegex(sent.headers["ce-id"], "^[0-9A-Z]{26}$")
            self.assertRegex(sent.headers["ce-time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_in_structured_mode_it_is_json(self):
        with Receiver() as receiver, self.both(receiver) as host:
            for body, kind in (('{"a":1}', "application/json"), ("hello", "text/plain"),
                               (b"\x00\xff", "application/octet-stream")):
                host.request("POST", "send/structured", body, {"content-type": kind})
            events = [json.loads(sent.body) for sent in receiver.wait_for(3)]
            self.assertEqual({sent.headers["content-type"] for sent in receiver.came},
                             {"application/cloudevents+json"})
            self.assertEqual({one["source"] for one in events}, {"/made"})
            data = [one.get("data", one.get("data_base64")) for one in events]
            self.assertCountEqual(data, [{"a": 1}, "hello", base64.b64encode(b"\x00\xff").decode()])

    def test_all_that_an_event_says_goes_along_in_each_mode(self):
        with Receiver() as receiver, self.both(receiver) as host:
            host.request("POST", "whole/binary?type=t", "")
            sent, = receiver.wait_for(1)
            self.assertEqual({name: value for name, value in sent.headers.items()
                              if name.startswith("ce-")}, {
                "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/whole", "ce-type": "t",
                "ce-subject": "50%25%20%22%C3%A9%22", "ce-time": "2026-01-31T23:59:59.5+01:00",
                "ce-dataschema": "https://example.org/schema", "ce-count": "7", "ce-fine": "true"})
            host.request("POST", "whole/structured?type=t", "")
            self.assertEqual(json.loads(receiver.wait_for(2)[1].body), {
                "specversion": "1.0", "id": "e1", "source": "/whole", "type": "t",
                "subject": '50% "é"', "time": "2026-01-31T23:59:59.5+01:00",
                "dataschema": "https://example.org/schema", "count": 7, "fine": True,
                "datacontenttype": "application/json", "data": {"a": [1]}})

    def test_an_event_goes_on_as_it_came(self):
        with Receiver() as receiver, self.both(receiver) as host:
            self.assertEqual(binary(host, '{"n":1}', path="pass", subject="s", shop="7")[0], 204)
            self.assertEqual(json.loads(receiver.wait_for(1)[0].body), {
                **EVENT, "subject": "s", "shop": "7", "datacontenttype": "application/json",
                "data": {"n": 1}, "time": json.loads(receiver.came[0].body)["time"]})

    def test_data_without_a_type_is_not_taken_for_json(self):
        with Receiver() as receiver, self.both(receiver) as host:
            self.assertEqual(binary(host, b"{}", path="pass", content_type=None)[0], 204)
            sent = json.loads(receiver.wait_for(1)[0].body)
            self.assertEqual((sent.get("data"), sent["data_base64"]), (None, "e30="))
            self.assertNotIn("datacontenttype", sent)

    def test_what_is_sent_is_read_again(self):
        with cloudevents() as host:
            top = (f"webhooks:\n  named:\n    - {{name: '*', url: 'http://127.0.0.1:{host.port}"
                   "/api/orders'}\n")
            with cloudevents(top=top) as other:
                for output in ("binary", "structured"):
                    other.request("POST", f"whole/{output}?type={output}", "")
                told = {one["type"]: one for one in came(host, 2)}
                self.assertEqual(told["binary"]["extensions"], {"count": "7", "fine": "true"})
                self.assertEqual(told["structured"]["extensions"], {"count": 7, "fine": True})
                for one in told.values():
                    self.assertEqual((one["subject"], one["data"]), ('50% "é"', {"a": [1]}))

    def test_what_cannot_be_an_event_is_the_functions_failure(self):
        with Receiver() as receiver, self.both(receiver) as host:
            self.assertEqual(host.request("POST", "send/untyped", "x")[0], 500)
            host.wait_for("output untyped of send: the attribute type is missing")
            self.assertEqual(host.request("POST", "whole/binary?type=", "")[0], 204)  # has a default
            self.assertEqual(receiver.wait_for(1)[0].headers["ce-type"], "com.example.made")


if __name__ == "__main__":
    main()
