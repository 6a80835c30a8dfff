# SPDX-License-Identifier: Apache-2.0
"""What is asked of each host, and what of the answers is compared: the status, the body, byte by
byte, and the headers, but for those with which a host speaks for itself."""
import json
import re

TOUR_KEY = {"x-functions-key": "open-sesame"}
OF_THE_HOST = {"connection", "content-length", "date", "keep-alive", "server", "traceparent",
               "transfer-encoding", "vary", "via", "x-request-id"}


class Case:
    """A request. `worker` and `function` say whose it is, for hosts that are not asked by routes,
    and `params` what its route says. Where the host answers in words of its own (`by_host`) its
    status counts alone."""

    by_host = False

    def __init__(self, name, worker, function, method, path, params=None, headers=None, body=b""):
        self.name, self.worker, self.function = name, worker, function
        self.method, self.path = method, path
        self.params, self.headers, self.body = params or {}, headers or {}, body


def joined(headers):
    """Lists that came in several headers of a name are lists in one (RFC 9110, 5.3); cookies are
    none."""
    lists = {}
    for name, value in headers:
        if name not in OF_THE_HOST:
            lists.setdefault(name, []).append(value)
    cookies = lists.pop("set-cookie", [])
    return sorted([*((name, ", ".join(values)) for name, values in lists.items()),
                   *(("set-cookie", cookie) for cookie in cookies)])


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = joined((name.lower(), value) for name, value in headers)

    def comparable(self):
        """An invocation's id is another each time."""
        body = re.sub(rb'("instance":"urn:isoworker:invocation:|"invocation_id":")[^"]+"',
                      rb'\1..."', self.body)
        return self.status, self.headers, body

    def difference(self, other):
        """From the other answer to this one, in a few words; "" where they are the same."""
        words = []
        if self.status != other.status:
            words.append(f"{self.status} for {other.status}")
        mine, others = dict(self.headers), dict(other.headers)
        if self.headers != other.headers:
            words.append("headers " + ", ".join(
                f"{name}: {mine.get(name, '-')} for {others.get(name, '-')}"
                for name in sorted(mine.keys() | others.keys())
                if mine.get(name) != others.get(name)) or "headers")
        if self.comparable()[2] != other.comparable()[2]:
            words.append(f"body {self.body[:60]!r} for {other.body[:60]!r}")
        return "; ".join(words)


def by_host(case):
    case.by_host = True
    return case


def values(kind):
    return Case(f"a result: {kind}", "values", "value", "GET", f"values/{kind}", {"kind": kind})


def statuses(status):
    return Case(f"status {status}", "values", "status", "GET", f"statuses/{status}",
                {"status": str(status)})


def failures(how):
    return Case(f"a failure: {how}", "values", "failure", "GET", f"failures/{how}", {"how": how})


def tour(name, function, method, path, params=None, headers=None, body=b""):
    return Case(f"tour: {name}", "tour", function, method, path, params, headers, body)


ALL_BYTES = bytes(range(256)) * 3

CASES = [
    *map(values, ("string", "empty", "json", "bytes", "none")),
    *map(by_host, map(values, ("int", "double", "bool", "map"))),  # they answer no HTTP request
    Case("a request: parameters", "values", "request", "GET", "request/a%20b", {"rest": "a b"}),
    Case("a request: a query", "values", "request", "GET",
         "request/x?a=1&b=%C3%BC%26&a=2&empty=", {"rest": "x"}),
    # One at a time: some hosts have them in a map, in whatever order.
    Case("a request: a header", "values", "request", "GET", "request/x", {"rest": "x"},
         {"X-Given": "a, b; \"c\""}),
    Case("a request: an empty header", "values", "request", "GET", "request/x", {"rest": "x"},
         {"x-given": ""}),
    Case("a request: a cookie", "values", "request", "GET", "request/x", {"rest": "x"},
         {"cookie": "other=1; flavour=vanilla"}),
    Case("a request: a body of text", "values", "request", "PUT", "request/x", {"rest": "x"},
         {"content-type": "text/plain; charset=utf-8"}, "Grüße €\n".encode()),
    Case("a request: a body of JSON", "values", "request", "PATCH", "request/x", {"rest": "x"},
         {"content-type": "application/json"}, b'{"a": [1, 2.50, "\\u20ac"]}'),
    Case("bytes there and back", "values", "bytes", "POST", "bytes", None,
         {"content-type": "application/octet-stream"}, ALL_BYTES),
    Case("1 MiB there and back", "values", "bytes", "POST", "bytes", None,
         {"content-type": "application/octet-stream"}, b"\0mebi" * (2**20 // 5)),
    *map(statuses, (200, 201, 204, 304, 404, 418, 500)),
    Case("headers and cookies", "values", "headers", "GET", "headers"),
    Case("a stream", "values", "stream", "GET", "stream"),
    *map(failures, ("invalid", "absent", "later", "failed")),
    by_host(failures("crash")),
    Case("after the crash", "values", "value", "GET", "values/string", {"kind": "string"}),
    tour("hello", "hello", "GET", "hello/World", {"name": "World"}),
    tour("no key", "secret", "GET", "secret"),
    tour("a key", "secret", "GET", "secret", None, TOUR_KEY),
    tour("a failure", "order", "GET", "orders/0", {"id": "0"}),
    tour("none", "order", "GET", "orders/7", {"id": "7"}),
    tour("echo", "echo", "POST", "echo", None, {"content-type": "text/csv"}, b"a,b\r\n1,2\r\n"),
    tour("slow", "slow", "GET", "slow?ms=20"),
]

# A message, and how it ends: whether it is done, and what is put out for it.
MESSAGES = [
    ("a message of text", "Grüße", (True, ["Grüße"])),
    ("a message of JSON", json.dumps({"a": [1, None, "€"]}, ensure_ascii=False),
     (True, [json.dumps({"a": [1, None, "€"]}, ensure_ascii=False)])),
    ("a message that fails", "fail", (False, [])),
]
