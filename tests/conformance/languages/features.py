# SPDX-License-Identifier: Apache-2.0
"""What the libraries of samples/languages can, asked of their functions (functions.py, functions.js)
under `isoworker run`. Each test of Features is a row of the table in samples/languages/README.md,
by its first line of documentation; `features.py --table` prints that table.
"""
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import unittest.mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "../../integration")]
from agree import TOKEN, with_worker  # noqa: E402
from harness import BIN, PATIENCE_S, SOURCE, Client, Host, main, wait_until, worker  # noqa: E402
from remote import FarHost, far_process, remote  # noqa: E402
from receiver import Receiver  # noqa: E402
from our_worker import EX_UNAVAILABLE, expect  # noqa: E402
from peer import GOODBYE, HOST_HELLO, STATUS, STATUS_REQUEST, TERMINATE, pairs  # noqa: E402

FOLDER = os.path.join(SOURCE, "../samples/languages")
PYTHON, NODE = "/usr/bin/python3", shutil.which("node")
MEGABYTE = 1_000_000

# What a worker can offer in its hello beside what tests below are of.
CAPABILITIES = {"metrics": "Metrics", "reload": "A configuration that is read again",
                "ring": "The ring of shared memory"}


class Features:
    """Of one language, whose worker COMMAND starts."""

    def host(self, **named):
        return Host(worker("w", self.COMMAND, named.pop("more", "")), **named)

    def test_requests_and_replies(self):
        """HTTP: routes, methods, query, headers, replies of every kind of value"""
        with self.host() as host:
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
            for kind, expected in {
                    "none": (204, None, b""), "number": (200, "application/json", b"7"),
                    "text": (200, "text/plain; charset=utf-8", "grüße".encode()),
                    "bytes": (200, "application/octet-stream", b"\x00\xff"),
                    "list": (200, "application/json", b"[true]")}.items():
                status, body, headers = host.request("GET", "shape/" + kind)
                self.assertEqual((status, headers.get("content-type", headers.get("Content-Type")),
                                  body), expected, kind)
            self.assertEqual(json.loads(host.get("shape/json")[1]), {"a": [1, 2.5, None]})
            status, body, _ = host.request("GET", "shape/reply")
            self.assertEqual((status, json.loads(body)), (201, {"made": 1}))
            status, body, _ = host.request("POST", "echo", "grüße".encode(), {"Content-Type": "x/y"})
            self.assertEqual((status, body.decode()), (200, "grüße"))
            self.assertEqual(host.request("DELETE", "hello/Ada")[0], 405)

    def test_repeated_headers(self):
        """HTTP: headers that repeat, and of other than ASCII text"""
        with self.host() as host:
            client = Client(host, "GET /api/shape/reply HTTP/1.1\nHost: a\nConnection: close")
            client.wait_for(b'{"made"')
            self.assertEqual(re.findall(rb"(?i)set-cookie: (\S+)", client.got), [b"a=1", b"b=2"])
            self.assertIn("grüße".encode(), client.got)
            client.close()

    def test_facts(self):
        """What is known of a call: caller, scheme, trace, id"""
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with self.host() as host:
            _, body, _ = host.request("GET", "facts/x?q=a%20b", None,
                                      {"x-some": "thing", "traceparent": trace})
            told = json.loads(body)
            self.assertEqual(told.pop("trace").split("-")[1], trace.split("-")[1])
            self.assertEqual(told, {"warm": True, "method": "GET", "query": "a b", "header": "thing",
                                    "client": "127.0.0.1", "scheme": "http", "id": True})

    def test_failures(self):
        """Failures: codes, retry later, replies of one's own, place and causes"""
        with self.host() as host:
            self.assertEqual(host.get("fail/conflict")[0], 409)
            self.assertEqual(host.get("fail/own"), (422, "not like this"))
            status, _, headers = host.request("GET", "fail/later")
            self.assertEqual((status, headers["Retry-After"]), (503, "7"))
            self.assertEqual(host.request("POST", "fail/json", b"{")[0], 400)
            status, body, _ = host.request("GET", "fail/cause")
            self.assertEqual((status, b"it cannot be" in body), (500, False))
            line = host.wait_for("it cannot be")
            self.assertRegex(line, r"functions\.(py|js):\d+")
            host.wait_for("no such key")

    def test_bodies_in_pieces(self):
        """HTTP: requests and answers in pieces, with flow control"""
        with self.host() as host:
            status, body, _ = host.request("GET", f"pour?bytes={5 * MEGABYTE}")
            self.assertEqual((status, body == b"x" * 5 * MEGABYTE), (200, True))
            self.assertEqual(host.get("drip"), (202, "drop 0\ndrop 1\ndrop 2\n"))
            status, body, _ = host.request("PUT", "swallow", b"y" * 5 * MEGABYTE)
            self.assertEqual((status, json.loads(body)), (200, {"bytes": 5 * MEGABYTE}))
            status, body, _ = host.request("POST", "converse", b"z" * 2 * MEGABYTE)
            self.assertEqual((status, body == b"Z" * 2 * MEGABYTE), (200, True))
            self.assertEqual(host.request("PUT", "swallow")[1], b'{"bytes": 0}'
                             if self.COMMAND[0] == PYTHON else b'{"bytes":0}')

    def test_a_stream_that_breaks(self):
        """HTTP: an answer that fails midway is cut off"""
        with self.host() as host:
            client = Client(host, "GET /api/breaks HTTP/1.1\nHost: a")
            with self.assertRaises(AssertionError):  # it closes without the last chunk
                client.wait_for(b"\r\n0\r\n")
            client.close()
            self.assertIn(b"a beginning", client.got)
            host.wait_for("and no end")

    def test_side_by_side(self):
        """Calls side by side, and functions that wait"""
        with self.host() as host:
            calls = [host.start("GET", f"{name}?ms=60000") for name in ("nap", "doze") * 3]
            host.wait_for_naps(6)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            host.process.terminate()  # which cancels them once its patience is over
            host.process.terminate()
            self.assertEqual({call()[0] for call in calls}, {503})

    def test_cancellation(self):
        """Cancellation: by a deadline, and a caller that leaves"""
        top = "host: {cancel_grace: 20s}\nfunctions: [{name: nap, timeout: 100ms}, " \
              "{name: late, timeout: 100ms}]"
        with self.host(top=top) as host:
            self.assertEqual(host.get("nap?ms=60000")[0], 504)
            self.assertEqual(host.get("late?ms=300")[0], 504)
            client = Client(host, "GET /api/doze?ms=60000 HTTP/1.1\nHost: a")
            host.wait_for_naps(2)
            client.close()
            wait_until(lambda: " 0 in flight" in self.status(host))
            self.assertNotIn("starts again", host.log())

    @staticmethod
    def status(host):
        return subprocess.run([BIN + "/isoworker", "status", host.folder.name], timeout=60,
                              capture_output=True, text=True, check=False).stdout

    def test_outputs(self):
        """Outputs, of every kind of value"""
        with self.host() as host:
            path = os.path.join(host.folder.name, "lines.jsonl")
            status, _, _ = host.request("POST", "tell", json.dumps({"line": "grüße"}))
            self.assertEqual(status, 204)
            wait_until(lambda: len(self.lines_of(path)) == 2)
            self.assertEqual(self.lines_of(path), [
                "at once", {"n": 1, "half": 0.5, "list": ["a", None, True], "of": "grüße"}])

    @staticmethod
    def lines_of(path):
        """Those that are whole."""
        with open(path) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def test_queues(self):
        """Queues: messages one by one, tried again, settled at once"""
        with self.host() as host:
            jobs = json.dumps({"jobs": ["once", "again", "dead"]})
            self.assertEqual(host.request("POST", "tell", jobs)[0], 204)
            for line in "once, delivery 1, of jobs", "again, delivery 1", "again, delivery 2", \
                        "dead, delivery 1":
                host.wait_for("job " + line)
            wait_until(lambda: "as it says" in self.dead(host))

    @staticmethod
    def dead(host):
        return subprocess.run([BIN + "/isoworker", "queue", "dead", "jobs", "--json", "-C",
                               host.folder.name], capture_output=True, text=True, timeout=60,
                              check=False).stdout

    def test_batches(self):
        """Queues: batches, of which some fail"""
        with self.host() as host:
            many = json.dumps({"many": ["good", "bad", "fine"]})
            self.assertEqual(host.request("POST", "tell", many)[0], 204)
            host.wait_for("one bad, delivery 2")
            self.assertNotIn("one good, delivery 2", host.log())

    def test_files(self):
        """Files that come into a folder"""
        host = self.host()
        os.mkdir(os.path.join(host.folder.name, "inbox"))
        with host:
            host.write("made", "grüße")
            os.rename(os.path.join(host.folder.name, "made"),
                      os.path.join(host.folder.name, "inbox", "a.txt"))
            for delivery in 1, 2:
                host.wait_for(f"file a.txt says grüße, 7 bytes, delivery {delivery}")

    def test_events(self):
        """CloudEvents by HTTP, in each mode"""
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "org.example.a", "shop": "9"}
        structured = {"content-type": "application/cloudevents+json"}
        told = {"id": "1", "type": event["type"], "shop": "9", "method": "POST"}
        with self.host() as host:
            for kind, body, data in (("application/json", b'{"a":1}', {"a": 1}),
                                     ("text/plain", "grüße".encode(), "grüße"),
                                     ("x/y", b"\x00\xff", "00ff")):
                headers = {"ce-" + name: value for name, value in event.items()}
                _, body, _ = host.request("POST", "events", body, headers | {"content-type": kind})
                self.assertEqual(json.loads(body), told | {"data": data})
            _, body, _ = host.request("POST", "events", json.dumps(event | {"data": [1]}), structured)
            self.assertEqual(json.loads(body), told | {"data": [1]})
            _, body, _ = host.request("POST", "events", json.dumps(event), structured)
            self.assertEqual(json.loads(body), told | {"data": None})
            other = json.dumps(event | {"type": "com.other"})
            self.assertEqual(host.request("POST", "events", other, structured)[0], 204)

    def test_requests_that_go_out(self):
        """Outputs that the host sends: requests, and CloudEvents"""
        with Receiver() as receiver:
            named = "".join(f"    - {{name: sends.{name}, url: \"{receiver.url('/' + name)}\"}}\n"
                            for name in ("hook", "event"))
            with self.host(top="webhooks:\n  named:\n" + named) as host:
                self.assertEqual(host.request("POST", "sends", b"")[0], 204)
                came = receiver.wait_for(4)
        first, second = sorted((one for one in came if one.path == "/hook"),
                               key=lambda one: one.headers["webhook-id"] == "7")
        self.assertEqual((json.loads(first.body), first.headers["x-some"],
                          first.headers["content-type"]),
                         ({"a": "grüße"}, "thing", "application/json"))
        self.assertEqual((second.body, second.headers["webhook-id"]), (b"\x00\xff", "7"))
        whole, bare = sorted((one for one in came if one.path == "/event"),
                             key=lambda one: one.body == b"only data")
        self.assertEqual((whole.headers["ce-type"], whole.headers["ce-shop"], json.loads(whole.body)),
                         ("org.example.sent", "7", {"b": [1.5, None]}))
        self.assertEqual((bare.body, bare.headers["ce-source"], bare.headers["ce-type"]),
                         (b"only data", "/sends", "org.example.bare"))

    def test_ends_and_mistakes(self):
        """Mistakes and sudden ends that name their place"""
        with self.host() as host:
            self.assertEqual(host.get("ends/exit")[0], 502)
            host.wait_for(r"worker w: it exited with status 3 while it ran ends \(invocation \w{32}\)")
            for how, said in (("code", "a code of its own"), ("value", "no value that can travel"),
                              ("output", "function ends has no output nowhere; declared: none")):
                self.assertEqual(host.get("ends/" + how)[0], 500)
                host.wait_for(f"ends: ISW_E_FAILED: .*{said}")
        for mistake, said in self.MISTAKES.items():
            host = Host(worker("w", [self.COMMAND[0], self.NAME], "give_up_after: 1"),
                        settled="<end>", expect=EX_UNAVAILABLE)
            host.write(self.NAME, self.BEGINNING + mistake + "\n")
            with host:
                self.assertRegex(host.lines[-2], r"exited with status 1: " + self.NAME + ": " + said +
                                 r" \(\S+/" + self.NAME + r":\d+\)$", mistake)

    def test_timers(self):
        """Timers"""
        with self.host() as host:
            host.wait_for(r"tick attempt 1 at \d{4}-\d\d-\d\dT")

    def test_warmups(self):
        """Functions that warm a process up"""
        with self.host() as host:
            self.assertTrue(json.loads(host.request("GET", "facts", None, {"x-some": "a"})[1])["warm"])

    def test_logs(self):
        """Logs with levels, fields and the invocation"""
        with self.host(arguments=["--json"], settled=None) as host:
            self.port_of(host)
            self.assertEqual(host.get("lines")[0], 204)
            line = json.loads(host.wait_for("a warning"))
            self.assertEqual((line["level"], line["order"] if "order" in line else
                              line["fields"]["order"]), ("warning", 7), line)
            self.assertIn("invocation", " ".join(line))
            self.assertNotIn("hidden by the host", host.log())

    @staticmethod
    def port_of(host):
        host.port = int(re.search(r"http://[^:]+:(\d+)", host.wait_for("Ctrl-C ends")).group(1))

    def test_health(self):
        """Health checks"""
        with self.host(more="health: {every: 20ms, failures: 1}") as host:
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(host.request("POST", "ill", b"no ink")[0], 204)
            host.wait_for("no ink")

    def test_ends(self):
        """Ends in order: by the host, and by a signal"""
        with self.host() as host:
            pid = int(host.get("nap?ms=0")[1])
            os.kill(pid, 15)
            wait_until(lambda: host.get("nap?ms=0")[1] not in ("", str(pid)))
            self.assertNotIn("starts again", host.log())

    def test_by_hand(self):
        """Started by a person (--wait-for)"""
        with self.host(arguments=["--wait-for", "w"]) as host:
            line = host.wait_for("waits for the process that you start")
            found = dict(re.findall(r"(ISOWORKER_[A-Z_]+)=(\S+)", line))
            guest = subprocess.Popen(self.COMMAND, env=dict(os.environ, **found))
            self.assertEqual(host.get("hello/Ada")[0], 200)
        self.assertEqual(guest.wait(PATIENCE_S), 0)

    def test_on_another_machine(self):
        """On another machine, by TLS with certificates on both sides"""
        with FarHost() as host:
            far = far_process(host, command=self.COMMAND)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            status, body, _ = host.request("GET", f"pour?bytes={3 * MEGABYTE}")
            self.assertEqual((status, len(body)), (200, 3 * MEGABYTE))
            status, body, _ = host.request("POST", "echo", b"x" * 3 * MEGABYTE,
                                           {"content-type": "a/b"})
            self.assertEqual((status, len(body)), (200, 3 * MEGABYTE))
            calls = [host.start("GET", "doze?ms=1") for _ in range(8)]
            self.assertEqual({call()[0] for call in calls}, {200})
            for more in {"name": "unknown"}, {"ca": "stranger"}:
                self.assertNotEqual(far_process(host, command=self.COMMAND, **more).end()[0], 0)
            self.assertEqual(far.end(15)[0], 0)
        with FarHost(remote(listen="tcp://127.0.0.1:0")) as host:
            code, said = far_process(host, command=self.COMMAND).end()
            self.assertEqual((code, "ISOWORKER_INSECURE" in said), (EX_UNAVAILABLE, True))
            far = far_process(host, command=self.COMMAND, ISOWORKER_INSECURE="true")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(far.end(15)[0], 0)

    def test_what_its_hello_names(self):
        """Heartbeats, and hellos that name what is there"""
        def talk(peer):
            self.assertEqual({name for name, _ in pairs(peer.hello, 6)} - set(CAPABILITIES),
                             {"stream", "health"})
            self.assertEqual({name for name, _ in pairs(peer.hello, 6)} & set(CAPABILITIES),
                             self.OFFERS)
            peer.send((HOST_HELLO, 0, {1: 1, 2: TOKEN[32:], 6: 10}), (STATUS_REQUEST, 5, {}))
            self.assertEqual(expect(peer, STATUS)[1], 5)
            peer.send((TERMINATE, 0, {1: 5000}))
            expect(peer, GOODBYE)
        self.assertEqual(with_worker(talk, self.COMMAND), 0)

    def test_a_host_that_is_silent(self):
        """A host that falls silent is left"""
        def talk(peer):
            peer.send((HOST_HELLO, 0, {1: 1, 2: TOKEN[32:], 6: 10}), (STATUS_REQUEST, 5, {}))
            with self.assertRaises(EOFError):
                while True:
                    peer.receive()
        self.assertEqual(with_worker(talk, self.COMMAND), EX_UNAVAILABLE)


class Python(Features, unittest.TestCase):
    NAME = "app.py"
    BEGINNING = f"import sys; sys.path.insert(0, {FOLDER + '/python'!r})\n" \
                "import isoworker; app = isoworker.App()\n"
    MISTAKES = {"raise OSError('no database')": "OSError: no database",
                "import nowhere": "ModuleNotFoundError: No module named 'nowhere'",
                "app.http('f', outputs={'o': {}})(print)": "ValueError: function f: output o has no type.*",
                "app.timer('f', schedule='@daily', nap=1)(print)": "TypeError: function f: there is no "
                                                                   "option nap; there are: .*"}
    COMMAND = [PYTHON, "-B", os.path.join(HERE, "functions.py")]
    OFFERS = set()


@unittest.skipUnless(NODE, "there is no node (Node.js): on Debian, apt-get install nodejs")
class Node(Features, unittest.TestCase):
    NAME = "app.js"
    BEGINNING = f"const {{ app }} = require({FOLDER + '/node/isoworker.js'!r});\n"
    MISTAKES = {"throw new Error('no database');": "Error: no database",
                "require('nowhere');": "Error: Cannot find module 'nowhere'.*",
                "app.http('f', { outputs: { o: {} }, handler() {} });":
                    "TypeError: function f: output o has no type.*",
                "app.timer('f', { schedule: '@daily', nap: 1, handler() {} });":
                    "TypeError: function f: there is no option nap; there are: .*"}
    COMMAND = [NODE, os.path.join(HERE, "functions.js")]
    OFFERS = set()


LANGUAGES = {"Python": Python, "Node": Node}


def table():
    """What each supports: what it is tested for, and what its hello does not name."""
    rows = [("", *LANGUAGES), ("---",) * (1 + len(LANGUAGES))]
    for name, test in vars(Features).items():
        if name.startswith("test_"):
            has = ["yes" if hasattr(one, name) else "no" for one in LANGUAGES.values()]
            rows.append((inspect.getdoc(test).splitlines()[0], *has))
    for capability, title in CAPABILITIES.items():
        rows.append((title, *("yes" if capability in one.OFFERS else "no"
                              for one in LANGUAGES.values())))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


class Page(unittest.TestCase):
    def test_the_page_has_the_table_of_these_tests(self):
        with open(os.path.join(FOLDER, "README.md")) as file:
            self.assertIn("\n" + table() + "\n", file.read())

    @unittest.skipUnless(NODE, "there is no node (Node.js): on Debian, apt-get install nodejs")
    @unittest.skipUnless(os.path.exists(BIN + "/hello"), "samples are not built")
    def test_one_host_runs_c_python_and_node_side_by_side(self):
        host = Host("")
        shutil.copytree(FOLDER, host.folder.name, dirs_exist_ok=True)
        with unittest.mock.patch.dict(os.environ, PATH="/usr/bin:" + os.environ["PATH"]), host:
            for language, path in ("C", ""), ("Python", "python/"), ("Node", "node/"):
                said = "" if language == "C" else f" from {language}"
                self.assertEqual(host.get(path + "hello/Ada"), (200, f"Hello{said}, Ada!\n"))


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        sys.stdout.write(table())
    else:
        main()
