# SPDX-License-Identifier: Apache-2.0
"""Events that functions get by another trigger than that of HTTP or of their JSON: CloudEvents that
come by HTTP, in each mode and by each of its ways."""
import base64
import json
import unittest

from cloudevents import BATCH, CLOUDEVENTS, EVENT, STRUCTURED, came, event
from harness import main, worker
from lambda_api import RuntimeApi
from lambda_harness import Lambda
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


if __name__ == "__main__":
    main()
