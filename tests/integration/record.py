# SPDX-License-Identifier: Apache-2.0
"""Invocations that are recorded, and run again from their files."""
import glob
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from harness import BIN, CHAIN, NO_CHAIN, SOURCE, WORKER, Host, main, wait_until, worker

HELLO_PY = SOURCE + "/conformance/worker.py"
SECRET = "hush-hush-7391"
DIFFERS, EX_CONFIG, EX_IOERR = 1, 78, 74


class Record(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix="isw-record-")
        self.folder = os.path.join(self.top.name, "records")

    def tearDown(self):
        self.top.cleanup()

    def host(self, top="", chain=CHAIN):
        return Host(worker(), top=top, chain=chain, arguments=["--record", self.folder])

    def files(self):
        return sorted(glob.glob(self.folder + "/*.json"))

    def only(self, function):
        found = glob.glob(f"{self.folder}/*-{function}-*.json")
        self.assertEqual(len(found), 1)
        return found[0]

    def replay(self, path, chain=CHAIN, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(chain)
            config.flush()
            return subprocess.run([WORKER, "--config", config.name, "invoke", "--replay", path,
                                   *words], env=dict(os.environ, PATH=BIN), capture_output=True,
                                  timeout=60, check=False)

    def test_what_was_recorded_gives_the_same_again(self):
        with self.host() as host:
            self.assertEqual(host.get("hello/Ada?x=1")[0], 200)
            self.assertEqual(host.request("POST", "echo", bytes(range(256)))[0], 200)
            self.assertEqual(host.get("fail")[0], 409)
            self.assertEqual(host.get("later")[0], 503)
            self.assertEqual(host.get("text")[0], 200)
            self.assertEqual(host.get("nothing")[0], 204)
            self.assertEqual(host.request("POST", "tell", b"x")[0], 200)
        self.assertEqual(len(self.files()), 7)
        host.wait_for("7 invocations recorded in .*, 0 dropped")
        self.assertEqual(stat.S_IMODE(os.stat(self.folder).st_mode), 0o700)
        for path in self.files():
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            done = self.replay(path)
            self.assertEqual(done.returncode, 0, (path, done.stderr))
            self.assertIn(b"replay: the same as recorded", done.stderr)

    def test_a_file_says_what_came_and_what_went(self):
        with self.host() as host:
            host.request("GET", "hello/Ada", headers={
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "baggage": f"tier=gold,session={SECRET}"})
            host.get("fail")
        with open(self.only("hello")) as file:
            record = json.load(file)
        self.assertEqual((record["isoworker_record"], record["worker"]), (1, "test"))
        self.assertEqual(record["outcome"], "success")
        self.assertEqual(record["trigger"]["http"]["params"], [["name", "Ada"]])
        self.assertEqual(record["result"]["http"]["body"], {"string": "Hello, Ada!\n"})
        self.assertTrue(record["trace"]["parent"].startswith("00-0af76519"))
        self.assertEqual(record["trace"]["baggage"],
                         [["tier", "gold"], ["session", "[redacted]"]])
        with open(self.only("fail")) as file:
            record = json.load(file)
        self.assertEqual(record["failure"], {"status": "ISW_E_CONFLICT",
                                             "message": "this is for the operator"})

    def test_no_secret_reaches_the_disk(self):
        top = "record: {redact: ['x-mine*']}"
        with self.host(top=top) as host:
            headers = {"Authorization": "Bearer " + SECRET, "Cookie": "session=" + SECRET,
                       "X-Functions-Key": SECRET, "X-Mine-Too": SECRET,
                       "Baggage": f"tier=gold, code={SECRET};ttl=1"}
            host.request("GET", f"hello/Ada?code={SECRET}&%74oken={SECRET}", headers=headers)
            body = json.dumps({"user": "ada", "login": {"password": SECRET, "pin": [SECRET]}})
            host.request("POST", "echo", body, {"Content-Type": "application/json"})
            host.request("POST", "echo", f"a=1&client_secret={SECRET}",
                         {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(len(self.files()), 3)
        for path in self.files():
            with open(path) as file:
                self.assertNotIn(SECRET, file.read())
            self.assertEqual(self.replay(path).returncode, 0)

    def test_what_a_chain_takes_for_a_secret_is_one(self):
        chain = CHAIN + ("  - auth: {key_header: X-Shop, key_query: k, keys: [{name: t, "
                         "hash: 'sha256:%s:%s'}]}\n" % ("0" * 32, "0" * 64))
        with self.host(chain=chain) as host:
            host.request("GET", f"hello/Ada?k={SECRET}&id=1", headers={
                "X-Shop": SECRET, "X-Other": "seen", "Referer": f"http://a.example/?k={SECRET}"})
            host.request("POST", "echo", json.dumps({"x-shop": SECRET}),
                         {"Content-Type": "application/json", "X-Shop": SECRET})
            host.write("worker.yaml", chain.replace("X-Shop", "X-Store"))
            host.wait_for("has read its configuration again")
            host.request("GET", "hello/Eve", headers={"X-Store": SECRET, "X-Shop": SECRET})
        for path in self.files():
            with open(path) as file:
                text = file.read()
            self.assertNotIn(SECRET, text)
        self.assertEqual(len(self.files()), 3)

    def test_what_one_function_takes_for_a_secret_is_one_in_the_records_of_all(self):
        chain = CHAIN + ("  - auth: {key_header: X-My-Cred, key_query: mycred, keys: [{name: t, "
                         "hash: 'sha256:%s:%s'}], when: {functions: ['echo*']}}\n"
                         % ("0" * 32, "0" * 64))
        workers = worker() + worker("python", [HELLO_PY])
        with Host(workers, chain=chain, arguments=["--record", self.folder]) as host:
            for path in ("hello/Ada", "py/hello/Eve"):
                self.assertEqual(host.get(f"{path}?mycred={SECRET}&id=1")[0], 200)
                self.assertEqual(host.request("GET", path, headers={"X-My-Cred": SECRET})[0], 200)
            for query in (f"a=1;mycred={SECRET}", f"+mycred={SECRET}", f"%20my%63red={SECRET}"):
                host.request("GET", "hello/Ada?" + query, headers={
                    "Location": f"/#mycred={SECRET}", "Referer": f"http://u:{SECRET}@x/"})
        self.assertEqual(len(self.files()), 7)
        for path in self.files():
            with open(path) as file:
                self.assertNotIn(SECRET, file.read())

    def test_a_form_of_parts_is_searched_for_secrets(self):
        with self.host() as host:
            form = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                           for name, value in (("user", "ada"), ("password", SECRET))) + "--b--\r\n"
            host.request("POST", "echo", form, {"Content-Type": "multipart/form-data; boundary=b"})
        with open(self.only("echo")) as file:
            text = file.read()
        self.assertNotIn(SECRET, text)
        self.assertIn("ada", text)

    def test_what_cannot_be_written_is_told_and_counted(self):
        with self.host() as host:
            host.get("hello/Ada")
            wait_until(self.files)
            shutil.rmtree(self.folder)
            host.get("hello/Eve")
            host.get("hello/Eve")
            host.wait_for("nothing can be recorded in .*: No such file or directory")
        host.wait_for("1 invocation recorded in .*, 2 dropped")

    def test_a_changed_function_shows_what_differs(self):
        with self.host() as host:
            host.get("hello/Ada")
        path = self.only("hello")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("Hello, Ada!", "Hello, Eve!"))
        done = self.replay(path)
        self.assertEqual(done.returncode, DIFFERS)
        self.assertIn(b"replay: not as recorded:\nresult was  ", done.stderr)
        self.assertIn(b"Hello, Eve!", done.stderr)

    def test_what_a_limit_ended_is_told_from_what_has_changed(self):
        with self.host() as host:
            self.assertEqual(host.get("nap?ms=1500")[0], 504)  # it is given 500
        done = self.replay(self.only("nap"))
        self.assertEqual(done.returncode, DIFFERS)
        self.assertIn(b"replay: when it was recorded its time ran out", done.stderr)

    def test_middleware_that_needs_a_secret_can_be_left_out(self):
        chain = ("middleware:\n  - error_handling\n"
                 "  - auth: {keys: [{name: t, hash: 'sha256:%s:%s'}]}\n" % (
                     "0" * 32, "02d1fa4bbc4ab0ff4f1ee7d0bd2be8ac65fcf1ac5cb0ea9e4b5d29e1d1e5a2f8"))
        with self.host() as host:
            host.get("hello/Ada")
        path = self.only("hello")
        self.assertEqual(self.replay(path, chain).returncode, DIFFERS)
        self.assertEqual(self.replay(path, chain, "--without", "auth").returncode, 0)

    def test_a_crash_is_recorded_and_can_be_had_again(self):
        if os.environ["ISOWORKER_SANITIZE"]:
            self.skipTest("a sanitizer reports crashes itself")
        with self.host() as host:
            host.request("POST", "fault/segv")
            wait_until(lambda: host.get("hello/Ada")[0] == 200)
        with open(self.only("fault")) as file:
            self.assertEqual(json.load(file)["failure"]["status"], "ISW_E_WORKER_LOST")
        done = self.replay(self.only("fault"))
        self.assertEqual(done.returncode, -11)
        self.assertIn(b"SIGSEGV at address 0x8 in function fault", done.stderr)

    def again(self, program, path):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(CHAIN)
            config.flush()
            done = subprocess.run([program, "--config", config.name, "invoke", "--replay", path],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (path, done.stderr))
        self.assertIn("replay: the same as recorded", done.stderr)
        return done.stderr

    def beside(self, name):
        return os.path.join(os.path.dirname(WORKER), name)

    def record(self, function):
        wait_until(lambda: glob.glob(f"{self.folder}/*-{function}-*.json"))
        with open(sorted(glob.glob(f"{self.folder}/*-{function}-*.json"))[0]) as file:
            return json.load(file)

    def test_messages_are_recorded_with_what_is_known_of_them_and_what_was_put(self):
        program = self.beside("test_messages")
        with Host(worker("test", [program]), arguments=["--record", self.folder]) as host:
            self.assertEqual(host.request("POST", "put/work?count=3&then=set", b"copy it")[0], 202)
            host.wait_for("done <copy it 0>")
            self.assertEqual(host.request("POST", "put/batch?count=3", b"one")[0], 202)
            self.assertEqual(self.record("work")["trigger_metadata"]["dequeue_count"], {"int": 1})
            self.record("done")
            self.record("batch")
        put = self.record("put")["outputs"]["work"]["array"]
        self.assertEqual(len(put), 4)  # the answer has both of the last
        self.assertEqual(put[0]["map"]["body"], {"string": "copy it 0"})
        self.assertEqual(self.record("work")["outputs"]["out"]["map"]["body"], {"string": "it 0"})
        for path in self.files():
            self.again(program, path)

    def test_outputs_that_are_too_many_are_left_out(self):
        program = self.beside("test_messages")
        with Host(worker("test", [program]), arguments=["--record", self.folder]) as host:
            body = b"x" * 700000
            self.assertEqual(host.request("POST", "put/small?count=2", body)[0], 202)
        self.assertTrue(self.record("put")["outputs_cut"])
        self.assertIn("replay: not all outputs were recorded", self.again(program, self.only("put")))

    def test_another_attempt_is_replayed_as_one(self):
        program = self.beside("test_messages")
        with Host(worker("test", [program]), arguments=["--record", self.folder]) as host:
            self.assertEqual(host.request("POST", "put/work", b"later 1")[0], 202)
            host.wait_for("got <later 1> 2/")
            wait_until(lambda: len(glob.glob(self.folder + "/*-work-*.json")) == 2)
        second = sorted(glob.glob(self.folder + "/*-work-*.json"))[1]
        with open(second) as file:
            self.assertEqual(json.load(file)["retry"]["count"], 1)
        self.assertIn("got <later 1> 2/", self.again(program, second))

    def test_events_are_recorded_with_their_attributes(self):
        program = self.beside("test_cloudevents")
        with Host(worker("test", [program]), arguments=["--record", self.folder]) as host:
            event = {"specversion": "1.0", "id": "7", "source": "/s", "type": "com.example.paid",
                     "password": SECRET, "data": {"item": "tea"}}
            host.request("POST", "orders", json.dumps(event),
                         {"content-type": "application/cloudevents+json"})
            host.wait_for('event {"id":"7"')
        path = self.only("take")
        with open(path) as file:
            self.assertNotIn(SECRET, file.read())
        self.assertIn('event {"id":"7","source":"/s"', self.again(program, path))

    def test_a_timers_turn_is_replayed_with_its_time(self):
        program = self.beside("test_timers")
        with Host(worker("test", [program]), arguments=["--record", self.folder]) as host:
            host.wait_for("told {")
            due = self.record("second")["trigger_metadata"]["scheduled_for"]["string"]
        path = sorted(glob.glob(self.folder + "/*-second-*.json"))[0]
        self.assertIn(f"as metadata {due} attempt 1", self.again(program, path))

    def test_the_oldest_goes_and_large_bodies_are_left_out(self):
        with self.host(top="record: {keep: 3, body_limit: 1KiB}") as host:
            for i in range(8):
                host.request("POST", "echo", b"x" * (2000 if i == 7 else i))
        self.assertEqual(len(self.files()), 3)
        with open(self.files()[-1]) as file:
            record = json.load(file)
        self.assertTrue(record["body_cut"] and record["result_cut"])
        self.assertEqual(record["trigger"]["http"]["body"], {"string": ""})
        self.assertIn(b"the body was not recorded", self.replay(self.files()[-1]).stderr)

    def test_streams_are_recorded_without_their_bodies(self):
        with self.host() as host:
            host.request("PUT", "swallow", b"x" * 100000)
            host.get("pour?bytes=100000")
        with open(self.only("swallow")) as file:
            self.assertTrue(json.load(file)["body_cut"])
        with open(self.only("pour")) as file:
            self.assertTrue(json.load(file)["result_cut"])

    def test_files_that_are_none_are_refused_with_their_place(self):
        def refused(text):
            path = os.path.join(self.top.name, "bad.json")
            with open(path, "w") as file:
                file.write(text)
            done = self.replay(path, NO_CHAIN)
            self.assertNotIn(done.returncode, (0, DIFFERS))
            return done.stderr.decode()

        self.assertRegex(refused("{"), r"bad\.json: .*line 1")
        self.assertIn("isoworker_record", refused("{}"))
        head = '{"isoworker_record": 1, "function": "%s", "invocation_id": "1", "outcome": "success"'
        self.assertIn('this worker has no function "nix"', refused(head % "nix" + "}"))
        self.assertIn("trigger: expected", refused(head % "hello" + ', "trigger": {"http": 7}}'))
        self.assertIn("isoworker_record", refused((head % "hello").replace("1", "2", 1) + "}"))
        self.assertIn("cannot be read", self.replay("/none/x.json").stderr.decode())

    def test_a_folder_that_cannot_be_written_is_told_at_the_start(self):
        done = subprocess.run([BIN + "/isoworker", "run", self.top.name, "--record", "/proc/none"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    main()
