# SPDX-License-Identifier: Apache-2.0
"""Events that functions get in another form than that which AWS Lambda has them in: CloudEvents that
come by HTTP, in each mode and by each of its ways, and notices of its services as messages."""
import base64
import json
import unittest

from cloudevents import BATCH, CLOUDEVENTS, EVENT, STRUCTURED, came, event
from harness import main, worker
from lambda_api import RuntimeApi
from lambda_harness import Lambda, events
from lambda_http import KINDS, Answer, second, url

BINARY = [*((f"ce-{name}", value) for name, value in EVENT.items()),
          ("content-type", "application/json")]


def cloudevents(api, **options):
    return Lambda(api, worker("test", [CLOUDEVENTS]), **options)


class CloudEvents(unittest.TestCase):
    def test_each_mode_is_the_same_to_a_function_by_each_way(self):
        whole = json.dumps(event(data={"a": 1}))
        with RuntimeApi() as api, cloudevents(api) as host:
            for name, make in KINDS.items():
                with self.subTest(name):
                    before = len(came(host, 0))
                    for headers, body in ((BINARY, '{"a":1}'),
                                          ([("content-type", STRUCTURED)], whole),
                                          ([("content-type", BATCH)], f"[{whole}, {whole}]")):
                        answer = Answer(api.ask(make("POST", "/api/orders", headers=headers,
                                                     body=body)).json())
                        self.assertEqual((answer.status, answer.body), (204, b""))
                    told = came(host, before + 4)[before:]
                    self.assertEqual({(one["id"], one["source"], one["kind"], one["data"]["a"])
                                      for one in told}, {("1", "/shops/7", "json", 1)})
            self.assertEqual(api.faults, [])

    def test_what_it_says_of_an_event_is_the_answer(self):
        encoded = base64.b64encode(b"\x00\xff").decode()
        with RuntimeApi() as api, cloudevents(api) as host:
            failed = Answer(api.ask(url("POST", "/api/orders", body=json.dumps(
                event(subject="fail")), headers=[("content-type", STRUCTURED)])).json())
            self.assertEqual(failed.status, 500)
            later = Answer(api.ask(url("POST", "/api/orders", body=json.dumps(
                event(subject="later")), headers=[("content-type", STRUCTURED)])).json())
            self.assertEqual((later.status, later.all("retry-after")), (503, ["7"]))
            missing = Answer(api.ask(url("POST", "/api/orders", headers=BINARY[1:])).json())
            self.assertEqual(json.loads(missing.body)["detail"],
                             "the attribute specversion is missing")
            api.ask(second("POST", "/api/orders", body=encoded, encoded=True, headers=BINARY[:-1]))
            self.assertEqual(came(host, 3)[-1]["data"], encoded)
            listed = Answer(api.ask(second("GET", "/api/orders")).json())
            self.assertEqual(listed.body, b"a list\n")


def sns(*messages, topic="orders", **more):
    return {"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns",
                         "EventSubscriptionArn": f"arn:aws:sns:eu-west-1:1:{topic}:21be56ed",
                         "Sns": {"Type": "Notification", "MessageId": f"n{number}",
                                 "TopicArn": f"arn:aws:sns:eu-west-1:1:{topic}",
                                 "Subject": "TestInvoke", "Message": message,
                                 "Timestamp": "2019-01-02T12:45:07.000Z",
                                 "SignatureVersion": "1", "MessageAttributes": more}}
                        for number, message in enumerate(messages)]}


def s3(*keys, bucket="orders"):
    return {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-2",
                         "eventTime": "2019-09-03T19:37:27.192Z", "eventName": "ObjectCreated:Put",
                         "userIdentity": {"principalId": "AWS:A"},
                         "requestParameters": {"sourceIPAddress": "205.255.255.255"},
                         "responseElements": {"x-amz-request-id": "D82B88E5F771F645"},
                         "s3": {"s3SchemaVersion": "1.0", "configurationId": "828aa6fc",
                                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                                "object": {"key": key, "size": 1305578,
                                           "sequencer": f"0C0F6F405D6ED209{number}"}}}
                        for number, key in enumerate(keys)]}


def ses():
    return {"Records": [{"eventVersion": "1.0", "eventSource": "aws:ses",
                         "ses": {"mail": {"messageId": "o3vrnil0e2ic28tr", "source": "a@b.example",
                                          "timestamp": "2012-03-12T00:00:00.000Z"},
                                 "receipt": {"recipients": ["c@d.example"]}}}]}


def bridge(**detail):
    return {"version": "0", "id": "12345678-1234", "detail-type": "Order Placed",
            "source": "com.acme.shop", "account": "1", "time": "2019-05-30T15:00:00Z",
            "region": "eu-west-1", "resources": [], "detail": detail}


RULES = ("lambda:\n  function: anything\n  rules:\n    - {source: ses, function: several}\n"
         "    - {source: com.acme.*, function: several}\n")


class Notices(unittest.TestCase):
    def test_each_is_a_message_to_the_queue_of_its_name_or_of_its_rule(self):
        mail, placed, file = ses(), bridge(order=7), s3("happy face.jpg")
        table = [(sns("plain text"), r"got <plain text> string 1 of orders key <> id <n0>"),
                 (sns('{"a": 1}', topic="orders.fifo"), r'got <{"a": 1}> json 1 of orders'),
                 (sns("[]", **{"content-type": {"Type": "String", "Value": "text/plain"}}),
                  r"got <\[\]> string"),
                 (file, r"got <(.*)> json 1 of orders key <> id <0C0F6F405D6ED2090>"),
                 (mail, r"got <(.*)> json 1 of several key <> id <o3vrnil0e2ic28tr>"),
                 (placed, r'got <{"order":7}> json 1 of several key <> id <12345678-1234>')]
        with RuntimeApi() as api, Lambda(api, top=RULES) as host:
            for told, line in table:
                result = api.ask(told)
                self.assertEqual((result.failed, result.body), (False, b"null"))
                said = host.wait_for(line)
                if "(.*)" in line:
                    self.assertEqual(json.loads(said[said.index("<") + 1:said.index("> json")]),
                                     told["Records"][0])
            for told in (sns("x", topic="other"), s3("x", bucket="other"), {"any": 1}):
                self.assertEqual(api.ask(told).json()["trigger"], told)
            self.assertEqual(api.faults, [])

    def test_one_that_fails_has_all_of_them_come_again(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.ask(sns("one", "bad two", "three"))
            self.assertEqual((result.failed, result.type), (True, "Function.BatchFailed"))
            self.assertIn("1 of 3 messages failed", result.json()["errorMessage"])
            host.wait_for("got <three>")


if __name__ == "__main__":
    main()
