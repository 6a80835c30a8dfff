# SPDX-License-Identifier: Apache-2.0
"""What PROTOCOL.md promises to a worker, asked of `isoworker run` by a worker in Python that shares
no code with it. The numbers in comments are sections of the page."""
import http.client
import itertools
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from harness import SOURCE, Host, main, wait_until, worker  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer import (CHUNK, CREDIT, GOODBYE, HEAD, LOADED, LOG, METADATA, OUTPUT,  # noqa: E402
                  RESPONSE, STATUS, WARMED, WORKER_HELLO)

FAILED, SUCCESS, CANCELLED, LATER = range(4)
PROBLEM = "application/problem+json"
TEXT = {"content-type": "text/plain; charset=utf-8"}


def function(name, methods=None, route=None, trigger="http", more=()):
    """One [Function] for a script."""
    pairs = ["methods", methods] if methods is not None else []
    pairs += ["route", route] if route is not None else []
    return {"1": name, "3": trigger, "5": pairs, **dict(more)}


class ScriptedHost(Host):
    """A host with one worker that follows a script, which may be changed for its next start."""

    def __init__(self, functions, play, top="", more="", expect=0, settled="Ctrl-C ends", **script):
        command = [SOURCE + "/conformance/scripted_worker.py", "script.json"]
        super().__init__(worker("w", command, more), top=top, expect=expect, settled=settled)
        self.script(functions, play, **script)

    def script(self, functions, play, **script):
        self.write("script.json", json.dumps({"functions": functions, "play": play, **script}))

    def told(self, lead):
        """What the worker has told behind `lead`."""
        return json.JSONDecoder().raw_decode(self.wait_for(lead).split(lead, 1)[1])[0]

    def ask(self, path, method="GET", body=None, headers=None, below="/api/"):
        """Status, headers (names in lower case) and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, below + path, body, headers or {})
            answer = connection.getresponse()
            return (answer.status, {name.lower(): value for name, value in answer.getheaders()},
                    answer.read())
        finally:
            connection.close()


def answering(cases, **more):
    """A host whose function `answer` responds as the case of its path says."""
    play = {"answer": {"param": "case"},
            **{name: [[RESPONSE, "id", body]] for name, body in cases.items()}}
    return ScriptedHost([function("answer", "GET POST", "answer/{case}")], play, **more)


def http_reply(status=None, headers=(), body="6d"):
    reply = {"3": list(headers), "6": {"hex": body}}
    return [7, {**reply, "8": status} if status is not None else reply]


def rows_of(heading):
    """The first table below a heading of the page, as lists of cells without their backquotes."""
    with open(SOURCE + "/../src/wire/PROTOCOL.md") as file:
        lines = file.read().split("\n" + heading + "\n", 1)[1].splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("|"))
    table = itertools.takewhile(lambda line: line.startswith("|"), lines[first + 2:])
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
            for line in table]


# Results of a success that are no reply, and what they are answered with.
PLAIN = {
    "left_out": (None, b""), "none": ([0, None], b""),
    "string": ([1, "grüße"], "grüße".encode()), "json": ([2, "[1]"], b"[1]"),
    "bytes": ([3, {"hex": "00ff"}], b"\x00\xff"),
}
# Those that cannot be the body of an answer.
NO_ANSWER = {
    "int": [4, 7], "double": [5, 0.5], "bool": [6, True], "model": [8, {"3": "text/plain"}],
    "array": [9, [[4, 1]]], "map": [10, ["a", [4, 1]]], "ints": [20, [1, 2]],
    "strings": [17, ["a"]], "below": [7, {"8": 199}], "above": [7, {"8": 600}],
    "early": [7, {"8": 103}],
}


class Answers(unittest.TestCase):
    def assert_problem(self, answer, status, error, note=None):
        """The answer is a problem document that shows nothing of the worker's own words."""
        self.assertEqual((answer[0], answer[1]["content-type"]), (status, PROBLEM), note)
        problem = json.loads(answer[2])
        self.assertEqual((problem["status"], problem.get("error")), (status, error), note)
        self.assertNotIn(b"my own words", answer[2])
        return problem

    def test_results_of_a_success_become_answers_by_their_type(self):
        cases = {name: {"1": SUCCESS, **({"3": case[0]} if case[0] else {})}
                 for name, case in PLAIN.items()}
        said = [row for row in rows_of("### Answers") if row[0] == "success"]
        with answering(cases) as host:
            for name, (_, body) in PLAIN.items():
                words = name.replace("_", " ")
                row = next(row for row in said if words in row[1])
                answer = host.ask("answer/" + name)
                kind = answer[1].get("content-type", "–")
                self.assertEqual((str(answer[0]), kind, answer[2]), (*row[2:4], body), name)

    def test_a_result_that_is_no_answer_is_a_500_that_the_log_explains(self):
        cases = {name: {"1": SUCCESS, "3": data} for name, data in NO_ANSWER.items()}
        with answering(cases) as host:
            for name in cases:
                self.assert_problem(host.ask("answer/" + name), 500, "ISW_E_FAILED", name)
            for words in ("int", "double", "bool", "model", "array", "map",
                          "http of the status 199", "http of the status 600"):
                host.wait_for(f"error .*answer: its result, of the type {words}, is no answer")

    def test_an_http_result_is_the_answer_as_it_is(self):
        """One without a status is 200, or 204 without a body."""
        headers = ["X-Case", "Kept", "set-cookie", "a=1", "set-cookie", "b=2"]
        cases = {str(status): {"1": SUCCESS, "3": http_reply(status, headers)}
                 for status in (200, 201, 302, 404, 500, 599)}
        cases["full"] = {"1": SUCCESS, "3": http_reply(None, headers)}
        cases["empty"] = {"1": SUCCESS, "3": http_reply(None, headers, "")}
        with answering(cases) as host:
            for name in cases:
                answer = host.ask("answer/" + name)
                status = {"full": 200, "empty": 204}.get(name) or int(name)
                self.assertEqual((answer[0], answer[1]["x-case"], answer[2]),
                                 (status, "Kept", b"" if name == "empty" else b"m"))
            connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
            connection.request("GET", "/api/answer/200")
            names = [pair for pair in connection.getresponse().getheaders()
                     if pair[0].lower() in ("x-case", "set-cookie")]
            connection.close()
            self.assertEqual(names, [("X-Case", "Kept"), ("set-cookie", "a=1"),
                                     ("set-cookie", "b=2")])

    def test_a_body_goes_with_no_204_205_and_304_and_has_its_length_with_head(self):
        cases = {str(status): {"1": SUCCESS, "3": http_reply(status, ["etag", '"1"'], "6d" * 100)}
                 for status in (200, 204, 205, 304)}
        cases["known"] = {"1": SUCCESS, "3": http_reply(200, ["content-length", "7"], "")}
        with answering(cases) as host:
            for status, length in (("204", None), ("205", "0"), ("304", "100")):
                answer = host.ask("answer/" + status)
                self.assertEqual((answer[0], answer[1]["etag"], answer[2]),
                                 (int(status), '"1"', b""))
                self.assertEqual(answer[1].get("content-length"), length)
            self.assertEqual(host.ask("answer/known", "HEAD")[1]["content-length"], "7")
            answer = host.ask("answer/200", "HEAD")
            self.assertEqual((answer[0], answer[1]["content-length"], answer[2]),
                             (200, "100", b""))

    def test_headers_that_belong_to_the_connection_are_dropped(self):
        headers = ["connection", "x-gone", "Content-Length", "99", "keep-alive", "timeout=1",
                   "proxy-connection", "close", "te", "trailers", "trailer", "x", "upgrade", "h2c",
                   "transfer-encoding", "chunked", "x broken", "1", "x-bare", "a\nb", "x-empty", "",
                   "x-kept", "yes"]
        with answering({"a": {"1": SUCCESS, "3": http_reply(200, headers)}}) as host:
            status, got, body = host.ask("answer/a")
            self.assertEqual((status, got["x-kept"], got["content-length"], body),
                             (200, "yes", "1", b"m"))
            self.assertEqual(got["x-empty"], "")
            for name in headers[:-4:2]:
                if name != "Content-Length":
                    self.assertNotIn(name, got)

    def test_headers_that_find_no_room_are_a_500_that_the_log_explains(self):
        large = ["x-large", "x" * 30_000]
        cases = {"fits": {"1": SUCCESS, "3": http_reply(200, large)},
                 "larger": {"1": SUCCESS, "3": http_reply(200, large + large)}}
        with answering(cases) as host:
            self.assertEqual(len(host.ask("answer/fits")[1]["x-large"]), 30_000)
            self.assert_problem(host.ask("answer/larger"), 500, "ISW_E_FAILED")
            host.wait_for("error .*answer: the headers of its answer have 60.* bytes")

    def test_a_failure_is_a_problem_by_its_status_that_hides_the_workers_words(self):
        statuses = {int(row[0]): int(row[2]) for row in rows_of("## 7. Statuses")}
        statuses |= {len(statuses): statuses[1], 999: statuses[1]}  # not known
        statuses[0] = statuses[1]  # no success
        cases = {str(code): {"1": FAILED, "2": {"1": code, "2": "my own words"}}
                 for code in statuses}
        with answering(cases) as host:
            for code, status in statuses.items():
                answer = host.ask(f"answer/{code}")
                self.assertEqual((answer[0], answer[1]["content-type"]), (status, PROBLEM), code)
                self.assertNotIn(b"my own words", answer[2], code)
                self.assertEqual("retry-after" in answer[1], status in (429, 503), code)

    def test_an_outcome_without_a_status_has_one_of_its_own(self):
        cases = {"failed": {"1": FAILED}, "cancelled": {"1": CANCELLED}, "later": {"1": LATER},
                 "ok": {"1": FAILED, "2": {"1": 0}}, "none": {}, "unknown": {"1": 77}}
        with answering(cases) as host:
            for name, status, error in (
                    ("failed", 500, "ISW_E_FAILED"), ("cancelled", 499, "ISW_E_CANCELLED"),
                    ("later", 503, "ISW_E_UNAVAILABLE"), ("ok", 500, "ISW_E_FAILED"),
                    ("none", 500, "ISW_E_FAILED"), ("unknown", 500, "ISW_E_FAILED")):
                self.assert_problem(host.ask("answer/" + name), status, error, name)

    def test_retry_later_says_when(self):
        cases = {"later": {"1": LATER, "5": 1500}, "busy": {"1": LATER, "2": {"1": 8}, "5": 60000},
                 "other": {"1": LATER, "2": {"1": 6}}, "failed": {"1": FAILED, "2": {"1": 13}}}
        with answering(cases) as host:
            for name, status, after in (("later", 503, "2"), ("busy", 429, "60"),
                                        ("other", 503, "1"), ("failed", 503, "1")):
                answer = host.ask("answer/" + name)
                self.assertEqual((answer[0], answer[1]["retry-after"]), (status, after), name)

    def test_a_failure_is_answered_by_an_http_result_that_is_one(self):
        refusal = {"2": {"1": 6}, "3": http_reply(418, ["x-why", "tea"])}
        cases = {"failed": {"1": FAILED, **refusal}, "cancelled": {"1": CANCELLED, **refusal},
                 "later": {"1": LATER, **refusal},
                 "proud": {"1": FAILED, "2": {"1": 6},
                           "3": http_reply(200, ["x-kept", "yes", "etag", "1",
                                                 "content-type", "x/y"])},
                 "above": {"1": FAILED, "2": {"1": 6}, "3": http_reply(600)},
                 "headers": {"1": FAILED, "2": {"1": 6}, "3": http_reply(None, ["X-Kept", "yes"])},
                 "text": {"1": FAILED, "2": {"1": 6}, "3": [1, "my own words"]}}
        with answering(cases) as host:
            for name in ("failed", "cancelled", "later"):
                answer = host.ask("answer/" + name)
                self.assertEqual((answer[0], answer[1]["x-why"], answer[2]), (418, "tea", b"m"))
            for name in ("proud", "above", "headers", "text"):
                answer = host.ask("answer/" + name)
                self.assert_problem(answer, 409, "ISW_E_CONFLICT", name)
                self.assertEqual(answer[1].get("x-kept"),
                                 "yes" if name in ("proud", "headers") else None)
                self.assertNotIn("etag", answer[1])

    def test_no_other_result_is_the_answer_to_what_did_not_succeed(self):
        """Every type with every outcome but success."""
        results = {**NO_ANSWER, **{name: data for name, (data, _) in PLAIN.items() if data}}
        cases = {f"{outcome}-{name}": {"1": outcome, "2": {"1": 6}, "3": data}
                 for outcome in (FAILED, CANCELLED, LATER) for name, data in results.items()}
        with answering(cases) as host:
            for name in cases:
                status = 503 if name.startswith(str(LATER)) else 409
                self.assert_problem(host.ask("answer/" + name), status, "ISW_E_CONFLICT", name)

    def test_a_success_ignores_its_status(self):
        cases = {"a": {"1": SUCCESS, "2": {"1": 6, "2": "my own words"}, "3": [1, "fine"]}}
        with answering(cases) as host:
            self.assertEqual(host.ask("answer/a")[::2], (200, b"fine"))

    def test_the_largest_answer_is_a_message(self):
        spare = 64  # for what else is in the frame
        cases = {"largest": {"1": SUCCESS, "3": [3, {"zeros": 67_108_864 - spare}]},
                 "larger": {"1": SUCCESS, "3": [3, {"zeros": 67_108_864}]}}
        with answering(cases) as host:
            answer = host.ask("answer/largest")
            self.assertEqual((answer[0], len(answer[2])), (200, 67_108_864 - spare))
            self.assertEqual(host.ask("answer/larger")[0], 502)

    def test_the_request_is_told_as_the_page_says(self):
        with answering({"a": {"1": SUCCESS}}) as host:
            host.ask("answer/a?x=1%2B1&x=2&y", "POST", "four", {"X-Upper": " spaced "})
            told = host.told("invoked: ")
            headers = dict(told["headers"])
            self.assertEqual(headers["x-upper"], "spaced")
            self.assertEqual((told["method"], told["url"], told["params"], told["body"]),
                             ("POST", "/api/answer/a?x=1%2B1&x=2&y", [["case", "a"]], 4))
            self.assertEqual(told["query"], [["x", "1+1"], ["x", "2"], ["y", ""]])
            self.assertEqual((told["inputs"], told["metadata"], told["status"]), (0, 0, None))


class Streams(unittest.TestCase):
    """Section 3, "Streams"."""

    def begin(self, status=200, headers=()):
        return [HEAD, "id", {"1": {"3": list(headers), "8": status}}]

    def piece(self, size):
        return [CHUNK, "id", {"1": {"zeros": size}}]

    def host(self, **play):
        good = {"good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        return ScriptedHost([function(name, "GET", name) for name in (*play, "good")],
                            {**play, **good})

    def test_an_answer_in_pieces_is_whole_with_a_success_whose_result_is_ignored(self):
        end = [RESPONSE, "id", {"1": SUCCESS, "3": [1, "ignored"]}]
        with self.host(whole=[self.begin(201, ["X-A", "b"]), self.piece(3), self.piece(0),
                              self.piece(4), end],
                       known=[self.begin(headers=["Content-Length", "2"]), self.piece(2), end],
                       longer=[self.begin(headers=["content-length", "2"]), self.piece(5), end],
                       shorter=[self.begin(headers=["content-length", "9"]), self.piece(5), end],
                       odd=[self.begin(headers=["content-length", "2x"]), self.piece(5), end],
                       empty=[self.begin(), end]) as host:
            status, headers, body = host.ask("whole")
            self.assertEqual((status, headers["x-a"], body), (201, "b", bytes(7)))
            status, headers, body = host.ask("known")
            self.assertEqual((headers["content-length"], body), ("2", bytes(2)))
            self.assertEqual(host.ask("longer")[2], bytes(2))
            self.assertRaises(http.client.IncompleteRead, host.ask, "shorter")
            self.assertEqual(host.ask("odd")[2], bytes(5))
            self.assertEqual(host.ask("empty")[::2], (200, b""))

    def test_a_request_without_a_body_has_none_to_follow(self):
        """And a function that answers before the end gets no more."""
        one = function("one", "GET POST", "one", more={"11": True}.items())
        play = {"one": [[RESPONSE, "id", {"1": SUCCESS, "3": [1, "a"]}]]}
        with ScriptedHost([one], play) as host:
            self.assertEqual(host.ask("one")[::2], (200, b"a"))
            self.assertFalse(host.told("invoked: ")["follows"])
            for size in (5, 2_000_000):
                self.assertEqual(host.ask("one", "POST", bytes(size))[::2], (200, b"a"))
            host.wait_for('invoked: .*"body": 0, "follows": true')

    def test_an_answer_in_pieces_is_cut_by_anything_else(self):
        with self.host(failed=[self.begin(), self.piece(3), [RESPONSE, "id", {"1": FAILED}]],
                       lost=[self.begin(), self.piece(3), ["exit", 1]]) as host:
            for name in ("failed", "lost"):
                with self.assertRaises(http.client.IncompleteRead):
                    host.ask(name)
                wait_until(lambda: host.ask("good")[0] == 204)

    def test_breaches_of_a_stream_cost_the_session(self):
        for words, *frames in (
                ("a head that cannot begin an answer", self.begin(204)),
                ("a head that cannot begin an answer", self.begin(205)),
                ("a head that cannot begin an answer", self.begin(304)),
                ("a head that cannot begin an answer", self.begin(199)),
                ("a head that cannot begin an answer", self.begin(600)),
                ("a chunk before its head", self.piece(1)),
                ("a head that cannot begin an answer", self.begin(), self.begin()),
                # The host grants as the client reads: not so fast as forty pieces come.
                ("a chunk beyond its window", self.begin(), *[self.piece(262_144)] * 40)):
            with self.host(bad=frames) as host:
                try:
                    self.assertEqual(host.ask("bad")[0], 502, words)
                except http.client.IncompleteRead:
                    pass  # it had begun
                host.wait_for(words)
                wait_until(lambda: host.ask("good")[0] == 204)


class Routes(unittest.TestCase):
    """Section 13, "Routes"."""

    def host(self, *functions, top=""):
        play = {one["1"]: [[RESPONSE, "id", {"1": SUCCESS, "3": [1, one["1"]]}]]
                for one in functions}
        return ScriptedHost(list(functions), play, top=top)

    def assert_leads(self, host, *expected):
        for method, path, name in expected:
            answer = host.ask(path, method)
            got = answer[2].decode() if answer[0] == 200 else answer[0]
            self.assertEqual(got, name, f"{method} {path}")

    def test_a_literal_goes_before_a_parameter_and_that_before_a_catch_all(self):
        with self.host(function("literal", "GET", "a/b"), function("parameter", "GET", "a/{x}"),
                       function("all", "GET", "a/{*rest}"), function("deep", "GET", "a/{x}/c"),
                       function("posted", "POST", "a/b"), function("page", "GET", "p/{n?}"),
                       function("root", "GET", "")) as host:
            self.assert_leads(
                host, ("GET", "a/b", "literal"), ("GET", "a/z", "parameter"),
                ("GET", "a/b/c", "deep"), ("GET", "a/b/d", "all"), ("GET", "a", "all"),
                ("GET", "a/B", "parameter"), ("GET", "A/b", 404), ("GET", "a/b/", 404),
                ("GET", "a//b", 404), ("GET", "p", "page"), ("GET", "p/1", "page"),
                ("POST", "a/b", "posted"), ("DELETE", "a/b", 405), ("GET", "a/b%2Fc", 400),
                ("GET", "a/%62", "literal"), ("GET", "", "root"))

    def test_what_is_left_out_has_a_meaning(self):
        """No methods: any. No route: the function's own name."""
        with self.host(function("plain"), function("any", None, "x")) as host:
            self.assert_leads(host, ("GET", "plain", "plain"), ("PATCH", "plain", "plain"),
                              ("DELETE", "x", "any"), ("OPTIONS", "x", "any"))

    def test_head_and_options_are_answered_where_nothing_names_them(self):
        with self.host(function("got", "GET", "g"), function("posted", "POST", "g"),
                       function("own", "HEAD,OPTIONS GET", "own")) as host:
            status, headers, body = host.ask("g", "HEAD")
            self.assertEqual((status, headers["content-length"], body), (200, "3", b""))
            self.assertIn('"method": "HEAD"', host.wait_for("invoked: "))
            status, headers, body = host.ask("g", "OPTIONS")
            self.assertEqual((status, headers["allow"], body),
                             (204, "GET, HEAD, POST, OPTIONS", b""))
            self.assertEqual(host.ask("g", "PUT")[1]["allow"], "GET, HEAD, POST")
            self.assert_leads(host, ("OPTIONS", "own", "own"))

    def test_what_metadata_asks_for_the_host_does_not_hold_callers_to(self):
        asks = {"7": ["auth_level", "admin", "roles", "boss"], "4": "request"}
        with self.host(function("got", "GET", "g", more=asks.items())) as host:
            self.assert_leads(host, ("GET", "g", "got"))

    def test_a_preflight_goes_where_the_chain_has_cors(self):
        asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        with self.host(function("with", "POST", "with", more={"10": ["cors"]}.items()),
                       function("without", "POST", "without")) as host:
            self.assertEqual(host.ask("with", "OPTIONS", headers=asks)[::2], (200, b"with"))
            self.assertEqual(host.ask("without", "OPTIONS", headers=asks)[0], 204)

    def test_a_path_outside_of_the_prefix_is_the_hosts_own(self):
        with self.host(function("got", "GET", "g")) as host:
            self.assertEqual(host.ask("healthz", below="/")[0], 200)
            self.assertEqual(host.ask("", below="/")[0], 200)
            self.assertEqual(host.ask("g", below="/")[0], 404)

    def test_the_prefix_is_the_hosts(self):
        with self.host(function("got", "GET", "/g"), top="http: {prefix: v1/in}") as host:
            self.assertEqual(host.ask("g", below="/v1/in/")[::2], (200, b"got"))
            self.assertEqual(host.ask("g")[0], 404)

    def test_a_function_that_cannot_be_served_costs_no_other(self):
        with self.host(function("good", "GET", "good"), function("lower", "get", "lower"),
                       function("open", "GET", "x/{id"), function("twice", "GET", "good"),
                       function("lost", trigger="nowhere")) as host:
            self.assert_leads(host, ("GET", "good", "good"), ("GET", "lower", 404))
            for name in ("lower", "open"):
                host.wait_for(f"function {name} of worker w is not served: route")
            host.wait_for("function twice of worker w is not served beside function good of worker "
                          "w: routes")
            host.wait_for("function lost of worker w is not served: this host has no trigger of "
                          'the type "nowhere"; it has http')
            host.wait_for(r"lost .*\(not served: this host has no trigger of its type\)")


class Sessions(unittest.TestCase):
    """Section 3."""

    def assert_breach(self, frames, words):
        """The frames cost the session: the caller gets 502 and the log names the reason."""
        play = {"bad": frames, "good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        functions = [function(name, "GET", name) for name in play]
        with ScriptedHost(functions, play) as host:
            self.assertEqual(host.ask("bad")[0], 502)
            host.wait_for(words)
            wait_until(lambda: host.ask("good")[0] == 204)

    def test_ids_count_only_where_something_is_joined(self):
        """A number where 0 stands is passed over, and so are extensions of any form."""
        play = {"a": [[CREDIT, 77, {"1": 3}], [99, "id", [{}, None]], [64, 0, "text"],
                      [LOG, 123456, {"2": "Other", "3": "a line of nobody"}],
                      [CHUNK, 123456, {"1": {"hex": "00"}}], [HEAD, 99, {"1": {"8": 200}}],
                      [OUTPUT, 5, {"1": "x", "2": [4, 1]}], [STATUS, 9, {}],
                      [RESPONSE, "id", {"1": SUCCESS}]]}
        with ScriptedHost([function("a", "GET", "a")], play) as host:
            self.assertEqual(host.ask("a")[0], 204)
            self.assertNotIn("function=a", host.wait_for("a line of nobody"))
            self.assertEqual(host.ask("a")[0], 204)

    def test_a_response_of_id_0_is_a_violation(self):
        self.assert_breach([[RESPONSE, 0, {"1": SUCCESS}]], "a response that nobody waits for")

    def test_a_key_of_64_is_a_violation_where_a_kind_is_an_extension(self):
        self.assert_breach([[RESPONSE, "id", {"1": SUCCESS, "64": 1}]], "a key is larger than 63")

    def test_kinds_up_to_63_are_the_protocols_own(self):
        self.assert_breach([[63, 0, {}]], "frame of unknown kind 63")
        self.assert_breach([[0, 0, {}]], "frame of unknown kind 0")

    def test_an_answer_that_nothing_asked_for_is_a_violation(self):
        self.assert_breach([[WARMED, 1, {}]], "a warmed that nobody asked for")
        self.assert_breach([[LOADED, 1, {"1": 0}]], "a loaded that nobody asked for")
        self.assert_breach([[METADATA, 1, {}]], "metadata that nobody asked for")

    def test_a_key_that_is_not_known_is_skipped(self):
        cases = {"a": {"1": SUCCESS, "3": [1, "fine"], "63": {"1": [{}, "x"]}, "40": None}}
        with answering(cases) as host:
            self.assertEqual(host.ask("answer/a")[::2], (200, b"fine"))

    def test_a_session_begins_with_a_hello_of_who_was_started(self):
        for script, words in (
                ({"stranger": True}, "the token is wrong"),
                ({"first": [[CREDIT, 0, {"1": 1}]]}, "something before its hello"),
                ({"first": [[99, 0, {}]]}, "something before its hello"),
                ({"first": [[WORKER_HELLO, 0, {"1": 1, "2": 1, "3": {"zeros": 32}}]]},
                 "the token is wrong")):
            with ScriptedHost([function("a")], {}, more="give_up_after: 1", settled=None,
                              expect=69, **script) as host:
                host.wait_for(words)
                host.wait_for("<end>")

    def test_what_finds_no_credit_waits_for_one(self):
        """And is answered with 503 when it has waited for queue.wait."""
        play = {"waits": [], "few": [[CREDIT, 0, {"1": 2}], [RESPONSE, "id", {"1": SUCCESS}]]}
        functions = [function("waits", "GET", "waits"), function("few", "GET", "few")]
        top = "host: {shutdown_grace: 0s, cancel_grace: 0s}\nqueue: {wait: 100ms}"
        with ScriptedHost(functions, play, top=top) as host:
            self.assertEqual(host.ask("few")[0], 204)
            waiting = [host.start("GET", "waits") for _ in range(2)]
            wait_until(lambda: host.log().count("invoked: ") == 3)
            status, headers, _ = host.ask("few")
            self.assertEqual((status, headers["retry-after"]), (503, "1"))
            host.process.terminate()
            self.assertEqual([finish()[0] for finish in waiting], [503, 503])

    def test_names_of_functions_are_held_to_their_rule(self):
        for name, words in (("has space", "is no name for a function"),
                            ("1st", "is no name for a function"),
                            ("twice", 'there are two functions named "twice"')):
            functions = [function("twice", "GET", "a"), function(name, "GET", "b")]
            with ScriptedHost(functions, {}, more="give_up_after: 1", settled=None,
                              expect=69) as host:
                host.wait_for("its functions could not be read: .*" + words)
                host.wait_for("<end>")


class Cancels(unittest.TestCase):
    """Section 3, "Cancel" and "Shutdown"."""

    LATE = [[OUTPUT, "id", {"1": "news", "2": [1, "late"]}],
            [RESPONSE, "id", {"1": SUCCESS, "3": [1, "late"], "4": ["news", [1, "last"]]}]]
    NEWS = {"6": [{"1": "news", "2": "log", "3": 1}]}

    def host(self, cancelled, **more):
        functions = [function("waits", "GET", "waits", more=self.NEWS.items()),
                     function("brief", "GET", "brief", more={"8": 200, **self.NEWS}.items()),
                     function("good", "GET", "good")]
        play = {"waits": [], "brief": [], "good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        return ScriptedHost(functions, play, cancelled=cancelled, **more)

    def begin(self, host, path):
        finish = host.start("GET", path)
        host.wait_for("invoked: .*" + path)
        return finish

    def test_a_deadline_is_answered_by_the_host_and_a_late_response_ignored(self):
        with self.host(self.LATE, top="host: {cancel_grace: 5s}") as host:
            self.assertEqual(host.ask("brief")[0], 504)
            host.wait_for("cancelled: reason 1, 5000 ms")
            for _ in range(20):  # more than its credits
                self.assertEqual(host.ask("brief")[0], 504)
            self.assertEqual(host.ask("good")[0], 204)
            self.assertNotIn("Output", host.log())
            self.assertNotIn("nobody waits for", host.log())

    def test_a_deadline_that_is_not_obeyed_costs_the_process(self):
        with self.host([], top="host: {cancel_grace: 100ms}") as host:
            self.assertEqual(host.ask("brief")[0], 504)
            host.wait_for("function [a-z_]+ did not stop 100 ms after it was cancelled")

    def test_a_caller_that_leaves_is_told_and_outputs_of_a_success_count(self):
        with self.host(self.LATE) as host:
            connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
            connection.request("GET", "/api/waits")
            host.wait_for("invoked: ")
            connection.close()
            host.wait_for("cancelled: reason 2, 2000 ms")
            host.wait_for('Output: "late"')
            host.wait_for('Output: "last"')

    def test_what_it_puts_out_undeclared_would_be_lost_and_fails_it(self):
        play = {"puts": [[RESPONSE, "id", {"1": SUCCESS, "4": ["news", [1, "lost"]]}]]}
        with ScriptedHost([function("puts", "GET", "puts")], play) as host:
            self.assertEqual(host.ask("puts")[0], 500)
            host.wait_for("output news of puts: its function did not declare it")

    def stopped(self, cancelled):
        """What the caller gets of a function that is in flight when the host stops."""
        top = "host: {shutdown_grace: 100ms, cancel_grace: 1s}"
        with self.host(cancelled, top=top) as host:
            finish = self.begin(host, "waits")
            host.process.terminate()
            host.wait_for("cancelled: reason 3, 1000 ms")
            return finish()[:2]

    def test_a_response_that_follows_a_shutdown_is_the_answer(self):
        self.assertEqual(self.stopped(self.LATE), (200, "late"))
        self.assertEqual(self.stopped([[RESPONSE, "id", {"1": CANCELLED}]])[0], 503)
        self.assertEqual(self.stopped([])[0], 503)


class Process(unittest.TestCase):
    """Section 14."""

    def test_what_a_process_is_started_with(self):
        play = {"a": [[RESPONSE, "id", {"1": SUCCESS}]]}
        more = "config: here.yaml\nenvironment: [MORE=1]"
        for lane, descriptors in (("message", [0, 1, 2, 3, 5, 9]), ("ring", [0, 1, 2, 3, 4, 5, 6, 7, 9])):
            host = ScriptedHost([function("a")], play, probe=True,
                                more=more + "\nlink: {lane: %s}" % lane)
            host.write("here.yaml", "{}\n")
            with host:
                told = host.told("probe: ")
                folder = os.path.realpath(host.folder.name)
                self.assertEqual((told["folder"], told["input"], told["leads"], told["blocked"]),
                                 (folder, "/dev/null", True, 0))
                self.assertEqual(told["ours"]["ISOWORKER_CONFIG"], folder + "/here.yaml")
                self.assertEqual(told["open"], descriptors)
                names = {"URL", "TOKEN_FD", "CONFIG", "CRASH_FD", "STORE_FD"}
                names |= {"RING_FD", "BELL_FD", "ARENA_FD"} if lane == "ring" else set()
                self.assertEqual({name[len("ISOWORKER_"):] for name in told["ours"]
                                  if name not in os.environ}, names)
                for name in names & {"TOKEN_FD", "RING_FD", "BELL_FD", "ARENA_FD", "CRASH_FD", "STORE_FD"}:
                    self.assertIn(int(told["ours"]["ISOWORKER_" + name]), descriptors)

    def test_an_end_with_goodbye_is_none_to_mention_whatever_its_status(self):
        play = {"leave": Restarts.LEAVES, "good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        functions = [function("leave", "GET", "leave"), function("good", "GET", "good")]
        with ScriptedHost(functions, play, exit=5, more="give_up_after: 2") as host:
            for _ in range(4):
                wait_until(lambda: host.ask("leave")[0] == 204)
            wait_until(lambda: host.ask("good")[0] == 204)
            self.assertNotIn("exited with status", host.log())

    def test_an_end_without_goodbye_is_an_error_and_the_process_replaced(self):
        play = {"end": [["exit", 0]], "good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        functions = [function("end", "GET", "end"), function("good", "GET", "good")]
        with ScriptedHost(functions, play) as host:
            self.assertEqual(host.ask("end")[0], 502)
            host.wait_for("error .*worker w: it exited with status 0 while it ran end .*; "
                          "starts again in")
            wait_until(lambda: host.ask("good")[0] == 204)

    def test_a_process_that_cannot_begin_is_not_started_again(self):
        for code in 64, 66, 78, 126, 127:
            command = ["sh", "-c", f"echo why >&2; exit {code}"]
            with Host(worker("w", command), expect=78, settled="<end>") as host:
                self.assertRegex(host.log(), rf"worker w: given up: it .*status {code}\)?: why")

    def test_a_worker_that_has_served_is_not_given_up_for_its_configuration(self):
        play = {"end": [["exit", 78]]}
        one = [function("end", "GET", "end")]
        with ScriptedHost(one, play, more="give_up_after: 1") as host:
            self.assertEqual(host.ask("end")[0], 502)
            host.wait_for(r"worker w: it refused its configuration \(status 78\); starts again in")
            wait_until(lambda: host.ask("end")[0] == 502)

    def test_idempotent_functions_run_again_elsewhere(self):
        play = {"end": [["exit", 1]]}
        one = function("end", "GET", "end", more={"9": True}.items())
        with ScriptedHost([one], play, more="processes: 2") as host:
            self.assertEqual(host.ask("end")[0], 502)
            host.wait_for("end: tried again")

    def test_heartbeats_begin_when_it_is_ready(self):
        play = {"a": [[RESPONSE, "id", {"1": SUCCESS}]]}
        with ScriptedHost([function("a")], play, slow=0.5, top="host: {heartbeat: 10ms}") as host:
            host.wait_for("left alone until it was ready")
            self.assertEqual(host.ask("a")[0], 204)


class Restarts(unittest.TestCase):
    """Section 3, "Functions"."""

    LEAVES = [[RESPONSE, "id", {"1": SUCCESS}], [GOODBYE, 0, {}]]

    def restart(self, host):
        self.assertEqual(host.ask("leave")[0], 204)

    def test_functions_of_a_later_process_are_served_instead_of_those_of_the_first(self):
        play = {"leave": self.LEAVES, "old": [[RESPONSE, "id", {"1": SUCCESS}]]}
        leave, old = function("leave", "GET", "leave"), function("old", "GET", "old")
        with ScriptedHost([leave, old], play) as host:
            self.assertEqual(host.ask("old")[0], 204)
            chained = function("leave", "GET", "leave", more={"10": ["other"]}.items())
            host.script([chained, function("new", "GET", "new")], play, without=["old"])
            self.restart(host)
            host.wait_for(r"worker w has other functions than before; added: new \(GET http.*/new\); "
                          r"removed: old \(GET http.*/old\)$")
            wait_until(lambda: host.ask("old")[0] == 404)
            host.script([leave, function("old", "GET", "elsewhere")], play)
            self.restart(host)
            host.wait_for("other functions than before; added: old .*; removed: new ")
            wait_until(lambda: host.ask("elsewhere")[0] == 204)
            self.assertEqual((host.ask("old")[0], host.ask("new")[0]), (404, 404))
            host.script([leave, function("old", "GET", "old")], play)
            self.restart(host)
            host.wait_for(r"other functions than before; changed: old \(GET http.*/old\)$")
            wait_until(lambda: host.ask("old")[0] == 204)

    def test_a_function_that_was_not_loaded_answers_503(self):
        play = {"good": [[RESPONSE, "id", {"1": SUCCESS}]]}
        functions = [function("good", "GET", "good"), function("bad", "GET", "bad")]
        with ScriptedHost(functions, play, without=["bad"]) as host:
            self.assertEqual(host.ask("good")[0], 204)
            status, headers, _ = host.ask("bad")
            self.assertEqual((status, "retry-after" in headers), (503, True))


if __name__ == "__main__":
    main()
