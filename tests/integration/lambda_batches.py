# SPDX-License-Identifier: Apache-2.0
"""Batches of SQS, Kinesis and DynamoDB: messages of queues, and which of them failed."""
import base64
import json
import unittest

from harness import main, wait_until
from lambda_api import RuntimeApi
from lambda_harness import Lambda, events


def sqs(bodies, queue="orders", group=None, received=1, more=None):
    records = []
    for number, body in enumerate(bodies):
        attributes = {"ApproximateReceiveCount": str(received), "SentTimestamp": "1700000000123",
                      "SenderId": "me", "ApproximateFirstReceiveTimestamp": "1700000000200"}
        if group:
            attributes["MessageGroupId"] = group if isinstance(group, str) else group[number]
        records.append({"messageId": f"m{number}", "receiptHandle": "h", "body": body,
                        "attributes": attributes, "messageAttributes": more or {},
                        "md5OfBody": "x", "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
                        "eventSourceARN": f"arn:aws:sqs:eu-west-1:1:{queue}"})
    return {"Records": records}


def kinesis(bodies, stream="orders"):
    return {"Records": [{"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "p",
                                     "sequenceNumber": f"s{number}",
                                     "data": base64.b64encode(body.encode()).decode(),
                                     "approximateArrivalTimestamp": 1545084650.987},
                         "eventSource": "aws:kinesis", "eventID": f"shard:s{number}",
                         "eventSourceARN": f"arn:aws:kinesis:eu-west-1:1:stream/{stream}"}
                        for number, body in enumerate(bodies)]}


def failed(result):
    return [one["itemIdentifier"] for one in result.json()["batchItemFailures"]]


class Batches(unittest.TestCase):
    def test_messages_of_a_queue_go_to_its_function_one_by_one(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.ask(sqs(["one", '{"two": 2}', "bad three"], received=3))
            self.assertEqual(failed(result), ["m2"])
            host.wait_for(r"got <one> string 3 of orders key <> id <m0>")
            host.wait_for(r'got <{"two": 2}> json 3 of orders')
            self.assertEqual(failed(api.ask(sqs(["fine"]))), [])
            self.assertEqual(api.faults, [])

    def test_batches_are_as_large_as_the_function_takes(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.ask(sqs(["a", "bad b", "c", "d", "bad e", "f", "g"], queue="several"))
            self.assertEqual(failed(result), ["m1", "m4"])
            host.wait_for("a call of 1")
            wait_until(lambda: host.log().count("a call of 3") == 2)

    def test_a_record_that_is_none_is_told_with_what_is_wrong(self):
        nameless, unreadable = sqs(["a", "b"]), kinesis(["a", "b"])
        del nameless["Records"][1]["messageId"]
        unreadable["Records"][1]["kinesis"]["data"] = "?"
        with RuntimeApi() as api, Lambda(api):
            for event, why in ((nameless, "record 1 has no messageId"),
                               (unreadable, "record 1 has data that is no base64")):
                self.assertEqual(api.ask(event).json()["errorMessage"], why)

    def test_what_the_function_says_of_one_message_counts(self):
        with RuntimeApi() as api, Lambda(api):
            self.assertEqual(failed(api.ask(sqs(["done", "bury", "fine"]))), ["m1"])

    def test_where_all_failed_the_event_has(self):
        with RuntimeApi() as api, Lambda(api):
            result = api.ask(sqs(["bad one", "bad two"]))
            self.assertEqual((result.failed, result.type), (True, "Function.BatchFailed"))
            self.assertIn("2 of 2 messages failed: no luck with it",
                          result.json()["errorMessage"])

    def test_whole_batches_fail_where_host_yaml_says_so(self):
        with RuntimeApi() as api, Lambda(api, top="lambda: {batch_failures: whole}"):
            self.assertTrue(api.ask(sqs(["fine", "bad one"])).failed)
            self.assertEqual(failed(api.ask(sqs(["fine"]))), [])

    def test_a_batch_of_which_nothing_is_done_is_an_error(self):
        with RuntimeApi() as api, Lambda(api):
            for batch in (sqs(["bad one"]), sqs(["bad one", "bad two"]),
                          kinesis(["bad one", "two", "three"])):
                result = api.ask(batch)
                self.assertEqual((result.failed, result.type), (True, "Function.BatchFailed"))
                count = len(batch["Records"])
                self.assertIn(f"{count} of {count} messages failed: no luck with it",
                              result.json()["errorMessage"])
            self.assertEqual(api.faults, [])

    def test_a_crash_costs_its_message_alone(self):
        with RuntimeApi() as api, Lambda(api, events("processes: 2\nrestart_delay: 10ms")):
            self.assertEqual(failed(api.ask(sqs(["crash", "fine"], group=["a", "b"]))), ["m0"])

    def test_behind_a_failure_of_its_group_no_message_is_looked_at(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.ask(sqs(["a1", "bad b1", "a2", "b2", "a3"], queue="orders.fifo",
                                 group=["a", "b", "a", "b", "a"]))
            self.assertEqual(failed(result), ["m1", "m3"])
            self.assertNotIn("got <b2>", host.log())
            host.wait_for("got <a3> string 1 of orders key <a>")

    def test_a_stream_goes_on_from_its_first_failure(self):
        with RuntimeApi() as api, Lambda(api) as host:
            result = api.ask(kinesis(["one", "bad two", "three"]))
            self.assertEqual(failed(result), ["s1"])
            host.wait_for("got <one> string 1 of orders key <p> id <s0>")
            self.assertNotIn("got <three>", host.log())

    def test_changes_of_a_table_are_messages_with_all_that_is_known(self):
        record = {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
                  "dynamodb": {"Keys": {"id": {"S": "7"}}, "SequenceNumber": "4421",
                               "ApproximateCreationDateTime": 1479499740},
                  "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2024-06"}
        with RuntimeApi() as api, Lambda(api) as host:
            self.assertEqual(failed(api.ask({"Records": [record]})), [])
            line = host.wait_for("got <.*> json 1 of orders key <> id <4421>")
            self.assertEqual(json.loads(line[line.index("<") + 1:line.index("> json")]), record)

    def test_another_queue_is_nobodys_unless_a_rule_says_so(self):
        with RuntimeApi() as api, Lambda(api, top="lambda:\n  rules:\n    - {source: "
                                         "'arn:aws:sqs:*:late-*', function: orders}") as host:
            self.assertEqual(failed(api.ask(sqs(["x"], queue="late-7"))), [])
            host.wait_for("got <x>")
            told = api.ask(sqs(["x"], queue="foreign")).json()
            self.assertEqual(told["metadata"]["aws"]["event"], "sqs")

    def test_a_large_batch_is_worked_on_by_as_many_as_the_worker_takes(self):
        with RuntimeApi() as api, Lambda(api):
            bodies = ["bad" if number % 10 == 3 else "fine" for number in range(2000)]
            self.assertEqual(failed(api.ask(sqs(bodies))),
                             [f"m{number}" for number in range(3, 2000, 10)])
            self.assertEqual(api.faults, [])


if __name__ == "__main__":
    main()
