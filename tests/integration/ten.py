# SPDX-License-Identifier: Apache-2.0
"""The sample with the chain of ten under load: nothing is lost, and what was counted adds up."""
import collections
import http.client
import json
import os
import re
import subprocess
import threading
import unittest
import urllib.request

from harness import BIN, PATIENCE_S, SOURCE, Host, main

THREADS, ROUNDS = 8, 60
JSON = {"Content-Type": "application/json"}

# Method, path, body, headers, and the statuses that it may have.
REQUESTS = [
    ("GET", "/api/catalog", None, {"Accept-Encoding": "gzip"}, {200}),
    ("GET", "/api/quote", None, {"Origin": "https://shop.example"}, {200, 503}),
    ("GET", "/api/stock", None, {}, {503}),
    ("POST", "/api/orders", '{"item":"tea","quantity":2}', JSON, {201}),
    ("POST", "/api/orders", '{"item":"tea","quantity":1000}', JSON, {400}),
    ("POST", "/api/orders", '{"item":"tea"}', dict(JSON, **{"Idempotency-Key": "k"}), {201, 409}),
]


class Ten(unittest.TestCase):
    def ask(self, port, seen, replays):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        for _ in range(ROUNDS):
            for method, path, body, headers, allowed in REQUESTS:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                seen[path, answer.status] += 1
                if answer.status not in allowed and answer.status != 429:
                    seen["wrong", (path, answer.status, text)] += 1
                if headers.get("Idempotency-Key") and answer.status == 201:
                    replays.add(text)
        connection.close()

    def test_all_ten_together_under_load(self):
        seen, replays = collections.Counter(), set()
        sample = os.path.join(SOURCE, "..", "samples", "full_chain")
        with open(sample + "/worker.yaml") as file:
            chain = file.read()
        with Host("  - {name: shop, command: [full_chain]}\n", chain=chain,
                  top='admin: {listen: "127.0.0.1:0"}\nlogging: {level: error}') as host:
            threads = [threading.Thread(target=self.ask, args=(host.port, seen, replays),
                                        daemon=True) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            status = json.loads(subprocess.run(
                [BIN + "/isoworker", "status", host.folder.name, "--json"], timeout=30,
                capture_output=True, text=True, check=True).stdout)
            with urllib.request.urlopen(status["host"]["admin_url"] + "/metrics",
                                        timeout=PATIENCE_S) as answer:
                metrics = answer.read().decode()
        self.assertEqual([], [key for key in seen if key[0] == "wrong"])
        self.assertEqual(sum(seen.values()), THREADS * ROUNDS * len(REQUESTS))
        self.assertEqual(len(replays), 1)  # one order, whoever sent it again
        counted = sum(float(value) for value in
                      re.findall(r"^isoworker_invocations_total\{[^}]*\} (\S+)$", metrics, re.M))
        self.assertEqual(counted, THREADS * ROUNDS * len(REQUESTS))
        self.assertEqual([function["chain"] for function in status["functions"]][0],
                         ["metrics", "trace", "cors", "error_handling", "compress", "rate_limit",
                          "timeout", "validate", "idempotency", "circuit_breaker", "retry"])


if __name__ == "__main__":
    main()
