# SPDX-License-Identifier: Apache-2.0
"""`isoworker check`: whether a host would serve, or all that is wrong, without one that runs."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import BIN, CHAIN, PATIENCE_S, SOURCE, WORKER, Host, main, worker
from operators import ADMIN, admin

RIGHT, USAGE, WRONG = 0, 64, 78
CLASHING = os.path.join(os.path.dirname(WORKER), "test_clashing")
CONFORMING = os.path.join(os.path.dirname(WORKER), "test_conforming")
PYTHON = worker("python", [SOURCE + "/conformance/worker.py"])


class Check(unittest.TestCase):
    def check(self, workers, top="", words=(), **files):
        """Exit status, what is said on standard output, and the lines of standard error."""
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            files = {"worker.yaml": CHAIN, "host.yaml": top + "\nworkers:\n" + workers, **files}
            for name, text in files.items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            done = subprocess.run([BIN + "/isoworker", "check", *(words or [folder])], text=True,
                                  capture_output=True, timeout=PATIENCE_S)
            told = done.stderr.replace(os.path.realpath(folder) + "/", "").splitlines()
            return done.returncode, done.stdout, told

    def test_what_is_right_is_said_to_be(self):
        code, said, told = self.check(worker(command=[WORKER, "run"]))
        self.assertEqual((code, told), (RIGHT, []))
        self.assertRegex(said, r"^the configuration is right: 1 worker, \d+ functions\n$")

    def test_each_worker_tells_all_that_is_wrong_with_its_yaml(self):
        code, said, told = self.check(
            worker("one") + worker("two", more="config: two.yaml") + worker("args", [WORKER, "-x"]),
            **{"two.yaml": "worker: {concurency: 1}\nmiddleware: [nix]\n"})
        self.assertEqual((code, said), (WRONG, ""))
        self.assertRegex(told[0], r'^isoworker: worker two: \S+: two.yaml:1:10: .*"concurency"')
        self.assertRegex(told[1], r'^isoworker: worker two: \S+: two.yaml:2:14: .*"nix"')
        self.assertRegex(told[2], r'^isoworker: worker args: \S+: "-x" is not understood')
        self.assertEqual(len(told), 3)

    def test_all_that_is_wrong_with_host_yaml_is_told(self):
        code, said, told = self.check(worker(command=["./none"]) + worker(more="processes: 0"),
                                      top="http: {listen: x}\nnix: 1")
        self.assertEqual((code, said), (WRONG, ""))
        places = [line.split(": ")[1] for line in told]
        self.assertEqual(places, ["host.yaml:2:1", "host.yaml:8:16"])
        code, said, told = self.check(worker(command=["./none"]) + worker(),
                                      top="http: {listen: x}")
        self.assertEqual([line.split(": ")[1] for line in told],
                         ["host.yaml:1:8", "host.yaml:4:5", "host.yaml:5:5"])
        code, said, told = self.check(
            worker(), top="http:\n  body_limit: 2MiB\n  body_memory: 1MiB")
        self.assertEqual(code, WRONG)
        self.assertRegex(told[0], "host.yaml:3:(3|16): body_memory, .* is less than body_limit")
        for text in ("", "# nothing\n"):
            code, said, told = self.check("", **{"host.yaml": text})
            self.assertEqual(code, WRONG)
            self.assertIn("host.yaml:1:1: the document is empty", told[0])

    def test_each_entry_of_a_list_that_is_wrong_is_told(self):
        top = ("http:\n  listen: ['unix:none/a.sock', 'https://127.0.0.1:0', 'unix:there/none/b.sock']\n"
               "  trusted_proxies: [10.0.0.0/8, nowhere, 10.0.0.0/99]\n"
               "  access_log: {form: json}\n"
               "  tls:\n    certificate: none.pem\n    key: none.key\n"
               "    others:\n      - {certificate: a.pem, key: a.key}\n"
               "      - {certificate: b.pem, key: b.key}\n")
        code, said, told = self.check(worker(command=[WORKER, "run"]), top=top)
        self.assertEqual((code, said), (WRONG, ""))
        self.assertEqual([line.split(": ")[1] for line in told],
                         ["host.yaml:2:12", "host.yaml:2:55", "host.yaml:3:33", "host.yaml:3:42",
                          "host.yaml:4:3", "host.yaml:6:5", "host.yaml:7:5", "host.yaml:9:10",
                          "host.yaml:9:30", "host.yaml:10:10", "host.yaml:10:30"])
        self.assertRegex(told[0], 'no socket can be made in .*none for "unix:none/a.sock": No such '
                         "file or directory; make the folder, or name another")
        self.assertIn("access_log does not say where to; write to: stderr, or to: and the path of a "
                      "file, or leave access_log out", told[4])

    def test_workers_are_held_against_each_other(self):
        code, said, told = self.check(worker("one") + worker("two"))
        self.assertEqual((code, said), (WRONG, ""))
        self.assertIn("isoworker: function hello of worker two is not served beside function hello "
                      "of worker one: routes \"GET hello/{name}\" and \"GET hello/{name}\" match "
                      "the same requests; change the path or the methods of one of them", told)

    def test_triggers_are_held_to_what_the_host_has(self):
        """Its functions have the trigger, and one of them the property, that it is told."""
        def check(kind):
            return self.check(worker("w", [CONFORMING], more="environment: {CONFORMING_TYPE: "
                                     f"{kind}, CONFORMING_WRONG: rout}}"))
        code, said, told = check("http")
        self.assertEqual((code, said), (WRONG, ""))
        self.assertEqual(told, ["isoworker: function wrong of worker w is not served: its trigger "
                                '"http": no property "rout"; did you mean "route"? it takes '
                                "methods, route"])
        code, said, told = check("htpp")
        self.assertEqual((code, len(told)), (RIGHT, 5))
        self.assertRegex("\n".join(told),
                         "(?m)^isoworker: note: function echo of worker w is not served: this host has "
                         'no trigger of the type "htpp"; did you mean "http"\\? it has http, call, queue')

    CANNOT = (r'functions one and two cannot both be served: routes "GET orders/\{id\}" and ',
              r'function open cannot be served: route "x/\{id": "\{id" mixes a parameter with text',
              r'function small cannot be served: route "small": "get" is not a method',
              r'function narrow: body.count: no value is at least 5 and at most 3$')

    def test_functions_that_no_host_could_serve_are_wrong_to_every_check(self):
        done = subprocess.run([CLASHING, "--check", "--config", "/dev/null"], text=True,
                              capture_output=True, timeout=PATIENCE_S)
        lines = done.stderr.splitlines()
        self.assertEqual((done.returncode, done.stdout, len(lines)), (WRONG, "", 5))
        for words, line in zip(self.CANNOT + ("/dev/null: cannot be read",), lines):
            self.assertRegex(line, "^test_clashing: " + words)
        code, said, told = self.check(worker("w", [CLASHING]))
        self.assertEqual((code, said, len(told)), (WRONG, "", 4))
        for words, line in zip(self.CANNOT, told):
            self.assertRegex(line, "^isoworker: worker w: test_clashing: " + words)

    def test_functions_that_no_host_could_serve_keep_their_worker_from_starting(self):
        with Host(worker("w", [CLASHING]), settled="<end>", expect=WRONG) as host:
            self.assertRegex(host.lines[-2], "worker w: it refused its configuration .*" +
                             self.CANNOT[0])
        with Host(worker("w", [CLASHING]) + PYTHON, top=ADMIN) as host:
            status, body = admin(host, "GET", "/ready")
            self.assertEqual(status, 503)
            self.assertRegex(body["reasons"][0], "worker w: its process is given up: .*" +
                             self.CANNOT[0])
            self.assertEqual(host.get("py/hello/x")[0], 200)

    def outputs(self, *outputs, trigger=None, top=""):
        """What is told of a function with these, each a type and its properties, below its name."""
        bindings = [{"name": f"out{i}", "type": kind, "direction": "out", "properties": properties}
                    for i, (kind, properties) in enumerate(outputs)]
        functions = [{"name": "f", "trigger": trigger or {"type": "http", "methods": "", "route": "f"},
                      "bindings": bindings}]
        code, said, told = self.check(worker("w", ["sh", "-c", "cat told.json"]), top=top,
                                      **{"told.json": json.dumps({"isoworker": "1",
                                                                  "functions": functions})})
        return code, [re.sub(r"^isoworker: output (\S+) of function f of worker w goes nowhere: ",
                             r"\1: ", line) for line in told]

    def test_an_output_that_would_go_nowhere_is_refused_with_what_it_takes(self):
        code, told = self.outputs(
            ("file", {"path": "ok"}), ("file", {"pth": "x"}), ("file", {}), ("file", {"path": "../x"}),
            ("log", {}), ("log", {"level": "x"}), ("queue", {"queue": "ok"}),
            ("queue", {"queue": "1 2"}), ("queue", {"queue": "a", "durable": "yes"}),
            ("http", {"url": "https://a.example/x"}), ("http", {"url": "ftp://a"}), ("http", {}))
        self.assertEqual(code, WRONG)
        self.assertEqual(told[:6], [
            'out1: no property "pth"; did you mean "path"? it takes path',
            'out2: property "path" is missing: a file below the application\'s folder',
            "out3: its path leaves the application's folder",
            'out5: no property "level"; it takes none',
            'out7: "1 2" cannot be the name of a queue: that is a letter, then letters, digits, \'_\', '
            "'-' and '.', up to 127 bytes",
            'out8: no property "durable"; it takes queue'])
        self.assertEqual([line.split(":")[0] for line in told[6:]], ["out10", "out11"])

    def test_an_output_that_another_host_may_have_is_noted(self):
        code, told = self.outputs(("blob", {"path": "x"}))
        self.assertEqual((code, len(told)), (RIGHT, 1))
        self.assertRegex(told[0], "^isoworker: note: output out0 of function f of worker w goes "
                                  'nowhere: this host has no output of the type "blob"; ')

    def test_an_output_whose_type_is_near_to_one_of_this_host_is_wrong(self):
        code, told = self.outputs(("qeue", {"queue": "x"}))
        self.assertEqual((code, len(told)), (WRONG, 1))
        self.assertRegex(told[0], '^out0: this host has no output of the type "qeue"; did you mean '
                                  r'"queue"\? it has file, log, ')

    def test_properties_of_a_queue_are_held_to_what_it_takes(self):
        def told(queue, **properties):
            return self.outputs(trigger={"type": "queue", "queue": queue,
                                         "properties": properties})
        self.assertEqual(told("orders", batch_size="10", retry="fixed"), (RIGHT, []))
        for properties, why in (({"batchsize": "10"}, 'no property "batchsize"; did you mean '
                                                      '"batch_size"?'),
                                ({"batch_size": "0"}, 'property "batch_size" must be'),
                                ({"retry": "never"}, 'property "retry" must be'),
                                ({"retry_delay": "3"}, 'property "retry_delay" must be')):
            code, lines = told("orders", **properties)
            self.assertEqual(code, WRONG)
            self.assertIn('function f of worker w is not served: its trigger "queue": ' + why,
                          lines[0])
        code, lines = told("no name")
        self.assertEqual(code, WRONG)
        self.assertIn('"no name" cannot be the name of a queue', lines[0])

    def test_what_another_language_declares_for_nothing_is_told(self):
        """A program of the library does not start with most of it."""
        def of(*bindings, **trigger):
            return [{"name": f"f{i}", "trigger": trigger, "bindings": list(bindings) if i else []}
                    for i in range(2)]

        def out(name="x", **more):
            return {"name": name, "type": "log", "direction": "out", **more}

        http = {"type": "http", "methods": ""}
        for functions, status, why in (
                (of(type="queue", queue="q"), WRONG, 'function f1 .* beside function f0 .*queue "q"'),
                (of(type="file", path="in", properties={"done": "done"}), WRONG,
                 'function f1 .* beside function f0 .*"done"'),
                (of(type="http", methods="GTE", route="r"), WRONG, r'"GTE" is no method .*"GET"\?'),
                (of(out(), out(), **http), WRONG, "output x .*another one of that name"),
                (of(out("a b"), **http), WRONG, 'output a b .*is no name for a binding'),
                (of(out(direction="in"), **http), WRONG, "input x .*declare it as an output"),
                (of(out(direction="in", type="blob"), **http), RIGHT,
                 'note: input x .* stays empty: this host has no inputs of the type "blob"')):
            code, _, told = self.check(worker("w", ["sh", "-c", "cat told.json"]),
                                       **{"told.json": json.dumps({"isoworker": "1",
                                                                   "functions": functions})})
            self.assertEqual(code, status, told)
            self.assertRegex(told[0], why)

    def test_settings_of_queues_are_refused_at_their_place(self):
        for top, place, why in (
                ("queues: {max_attempt: 3}", "1:10", '"max_attempt"'),
                ("queues:\n  store: redis://x\n", "2:3", '"redis://x" is no place for messages'),
                ("queues:\n  store: 'sqlite:'\n", "2:3", "sqlite"),
                ("queues:\n  store: sqlite:/tmp\n", "2:3", '"sqlite:/tmp" is a folder'),
                ("queues:\n  store: sqlite:host.yaml\n", "2:3", "none of SQLite's"),
                ("queues:\n  store: sqlite:/proc/x/q.db\n", "2:3", "cannot be made in /proc: "),
                ("queues:\n  store: postgresql://u@h:99999/jobs\n", "2:3", '"99999" is no port'),
                ("queues:\n  named: [{name: a*}, {name: 'a b'}]\n", "2:24", '"a b" matches no queue'),
                ("queues:\n  named:\n    - {name: a, keep_dead: x}\n", "3:28", "keep_dead")):
            code, said, told = self.check(worker(), top=top)
            self.assertEqual(code, WRONG, top)
            self.assertRegex(told[0], f"^isoworker: host.yaml:{place}: .*{re.escape(why)}")

    def test_settings_of_functions_that_match_nothing_are_refused(self):
        code, said, told = self.check(worker(), top="functions: [{name: hello}, {name: helo}]")
        self.assertEqual(code, WRONG)
        self.assertEqual(told, ["isoworker: host.yaml:1:29: no function of any worker matches "
                                '"helo"; did you mean "hello"?'])

    def test_a_program_that_cannot_start_is_told_with_its_reason(self):
        code, said, told = self.check(worker(command=["sh", "-c", "echo libx.so >&2; exit 127"]))
        self.assertEqual((code, told), (WRONG, ["isoworker: worker test: libx.so"]))
        code, said, told = self.check(worker(command=["sh", "-c", "exit 78"]))
        self.assertEqual((code, told), (WRONG, ["isoworker: worker test: it ends with status 78"]))

    def test_a_worker_in_another_language_that_fails_before_it_serves_is_told(self):
        shell = worker("shell", ["sh", "-c", "kill -SEGV $$$$"])
        raises = "def f():\n    raise RuntimeError('no beans')\nf()\n"
        code, said, told = self.check(worker("python", ["python3", "w.py"]) + shell,
                                      **{"w.py": raises})
        self.assertEqual((code, said), (WRONG, ""))
        self.assertEqual(told, ["isoworker: worker python: it ends with status 1 before it serves: "
                                "RuntimeError: no beans",
                                "isoworker: worker shell: it is ended by signal 11 before it serves"])
        parses = "import argparse\nargparse.ArgumentParser().parse_args()\n"
        code, said, told = self.check(worker("w", ["python3", "w.py"]), **{"w.py": parses})
        self.assertEqual(code, RIGHT, told)  # which knows no such words, and may serve without them

    def test_a_worker_in_another_language_is_noted(self):
        stuck = worker("stuck", ["sh", "-c", "exec sleep 1000"], "start_timeout: 100ms")
        code, said, told = self.check(PYTHON + stuck)
        self.assertEqual(code, RIGHT)
        self.assertEqual(len(told), 2)
        for name, line in zip(("python", "stuck"), told):
            self.assertIn(f"isoworker: note: worker {name} does not answer --describe --json", line)

    def test_what_can_hardly_be_meant_is_noted(self):
        code, said, told = self.check(worker(), **{"worker.yaml": "middleware: [metrics, metrics]"})
        self.assertEqual(code, RIGHT)
        self.assertRegex(told[0], r"worker.yaml:1:23: warning: metrics stands inside of metrics")

    def test_words_that_are_not_understood_are_refused(self):
        for words in (["."] * 2, ["--json"], [".", "-x"]):
            self.assertEqual(self.check(worker(), words=words)[0], USAGE)
        code, said, told = self.check(worker(), words=["/nonexistent"])
        self.assertEqual((code, told),
                         (WRONG, ["isoworker: /nonexistent: No such file or directory"]))
        for command in (["version", "x"], ["help", "x"], ["--version", "x"], ["explain", "a", "b"],
                        ["status", ".", "x"], ["logs", ".", "x"], ["drain", ".", "x"],
                        ["resume", ".", "x"], ["run", ".", "x"], ["describe", "--json"],
                        ["resume", "--wait", "1"], ["symbolize", "x"]):
            done = subprocess.run([BIN + "/isoworker", *command], capture_output=True, text=True,
                                  timeout=PATIENCE_S)
            self.assertEqual(done.returncode, USAGE, command)
            self.assertNotEqual(done.stderr, "", command)

    def test_an_option_that_there_is_not_is_told_with_where_they_stand(self):
        for command in ("run", "check", "status", "describe", "logs", "drain", "resume", "restart",
                        "upgrade", "invoke", "queue", "timer", "azure", "lambda", "lambda package"):
            done = subprocess.run([BIN + "/isoworker", *command.split(), "--nosuch"], text=True,
                                  capture_output=True, timeout=PATIENCE_S)
            self.assertEqual((done.returncode, done.stdout), (USAGE, ""), command)
            self.assertEqual(done.stderr, f"isoworker: {command}: unrecognized option '--nosuch'\n"
                                          f"isoworker: `isoworker {command} --help` has its options\n")


if __name__ == "__main__":
    main()
