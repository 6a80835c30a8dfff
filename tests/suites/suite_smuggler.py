# SPDX-License-Identifier: Apache-2.0
"""defparam's smuggler: a Transfer-Encoding header in every disguise beside a Content-Length. Each
is sent with three bodies, by GET and POST; none may reach a function as two requests, or with
another body than a strict reader sees: it is refused and the connection ends."""
import concurrent.futures
import os
import sys

from shared import Case, Suite, exchange, host, statuses

SUITE = Suite("smuggler", "defparam/smuggler", "MIT",
              "disguised Transfer-Encoding beside Content-Length", needs=("configs", "lib"))
WAIT_S = 2
CONFIGS = ("default.py", "doubles.py", "exhaustive.py")
# What follows the head: ends by chunks, ends by length, and hides a second request behind either.
BODIES = {"te": "0\r\n\r\n", "cl": "1\r\nZ\r\nQ\r\n\r\n",
          "hidden": "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"}


def mutations(tree):
    """Their table, made by their files, which expect a Payload and a dictionary."""
    sys.path.insert(0, tree)
    try:
        from lib.Payload import Payload
    finally:
        sys.path.remove(tree)
    for config in CONFIGS:
        found = {}
        path = os.path.join(tree, "configs", config)
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), {"Payload": Payload, "mutations": found})
        for name, payload in found.items():
            yield f"{config.removesuffix('.py')}/{name}", payload


def requests(tree):
    for name, payload in mutations(tree):
        for kind, body in BODIES.items():
            for method in ("GET", "POST"):
                payload.host, payload.method, payload.endpoint = "a", method, "/echo"
                payload.body = body
                yield f"{name}/{kind}/{method}", str(payload).encode("latin-1")


def judge(port, data):
    """Refused, or taken whole by its length as one request."""
    answer, closed = exchange(port, data, WAIT_S)
    codes = statuses(answer)
    told = f"{codes or ('closed' if closed else 'waits')} for {data[:60]!r}"
    if codes and codes[0] >= 400:
        return len(codes) == 1 and closed, told
    body = data.partition(b"\r\n\r\n")[2]
    return codes == [200] and answer.endswith(b"\r\n\r\n" + body), told


def run(tree):
    found = list(requests(tree))
    with host() as subject, concurrent.futures.ThreadPoolExecutor(16) as pool:
        for (name, _), (right, told) in zip(
                found, pool.map(lambda case: judge(subject.port, case[1]), found)):
            yield Case(name, right, told)
