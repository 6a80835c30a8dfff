# SPDX-License-Identifier: Apache-2.0
"""uNetworking's h1spec: a table of requests, whole and cut off, for a server that echoes bodies. It
has no licence, so its table is read where it is."""
import concurrent.futures
import os

from shared import Case, Suite, exchange, host, statuses, table_of

SUITE = Suite("h1spec_echo", "uNetworking/h1spec", "none: nothing of it may be copied",
              "whole, broken and unfinished requests against a function that echoes",
              needs=("http_test.ts",), commands=(("node", "nodejs"),))
WAIT_S = 0.5


def judge(port, case):
    answer, closed = exchange(port, case["request"].encode(), WAIT_S)
    codes = statuses(answer)
    body = answer.partition(b"\r\n\r\n")[2].decode(errors="replace")
    told = f"{codes or ('closed' if closed else 'waits')} {body[:80]!r}"
    if case.get("expectedTimeout"):
        return not codes and not closed, told
    right = bool(codes) and any(low <= codes[0] <= high for low, high in case["expectedStatus"])
    if right and codes[0] == 200 and case.get("expectedBody"):
        right = body == case["expectedBody"]
    return right, told


def run(tree):
    table = table_of(os.path.join(tree, "http_test.ts"), "const testCases: TestCase[] = ", "\n];")
    with host() as subject, concurrent.futures.ThreadPoolExecutor(16) as pool:
        for case, (right, told) in zip(table, pool.map(lambda each: judge(subject.port, each),
                                                       table)):
            yield Case(case["description"], right, told)
