# SPDX-License-Identifier: Apache-2.0
"""`isoworker invoke`: a function of a host that runs, called by hand."""
import json
import os
import re
import subprocess
import unittest

from harness import BIN, PATIENCE_S, WORKER, Host, Terminal, main, wait_until, worker
from messages import depth, messages, queue
from operators import Visitor, function_of
from timers import timers

BY_NAME = os.path.join(os.path.dirname(WORKER), "test_library_worker")
DONE, USAGE, REFUSED, NO_FILE, NOBODY, FAILED, LATE = 0, 64, 65, 66, 69, 70, 75


def invoke(host, *words, data=None):
    """Exit status, standard output as bytes, and standard error."""
    done = subprocess.run([BIN + "/isoworker", "invoke", "-C", host.folder.name, *words],
                          input=data, capture_output=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr.decode()


def by_name():
    """A host with functions that nothing but their name calls."""
    return Host(worker("w", [BY_NAME]))


class Requests(unittest.TestCase):
    def test_a_request_of_these_words_is_answered(self):
        with Host(worker()) as host:
            code, out, err = invoke(host, "hello", "--param", "name=Ada L.")
            self.assertEqual((code, out), (DONE, b"HTTP 200\ncontent-type: text/plain\n\n"
                                                 b"Hello, Ada L.!\n"))
            self.assertRegex(err, r"^success after \d+ us\n$")
            code, out, _ = invoke(host, "header", "--param", "name=x-one", "--header", "X-One=1 2")
            self.assertEqual((code, out.splitlines()[-1]), (DONE, b"1 2"))
            code, out, _ = invoke(host, "echo", "--data", "-", "--type", "a/b", data=b"\0\xff\n")
            self.assertEqual((code, out), (DONE, b"HTTP 200\ncontent-type: a/b\n\n\0\xff\n"))
            self.assertEqual(function_of(host, "echo")["invocations"], 1)

    def test_it_says_the_same_as_the_program_itself(self):
        words = ["hello", "--param", "name=Ada"]
        with Host(worker()) as host:
            alone = subprocess.run([WORKER, "--config", host.folder.name + "/worker.yaml", "invoke",
                                    *words], capture_output=True, timeout=PATIENCE_S)
            code, out, err = invoke(host, *words)
            self.assertEqual((alone.returncode, alone.stdout), (code, out))
            self.assertEqual(re.sub(r"\d+ us", "", alone.stderr.decode()),
                             re.sub(r"\d+ us", "", err))

    def test_at_a_terminal_its_result_ends_a_line(self):
        with Host(worker()) as host:
            words = ["invoke", "-C", host.folder.name, "echo", "--data", "no end"]
            self.assertTrue(invoke(host, *words[3:])[1].endswith(b"no end"))
            terminal = Terminal(*words)
            terminal.wait_for(r"no end\nsuccess after")
            self.assertEqual(terminal.end(), DONE)

    def test_data_may_lie_in_a_file(self):
        with Host(worker()) as host:
            host.write("data.txt", "what it has")
            code, out, _ = invoke(host, "echo", "--data", f"@{host.folder.name}/data.txt", "--type",
                                  "text/plain")
            self.assertEqual((code, out.rpartition(b"\n")[2]), (DONE, b"what it has"))
            code, out, err = invoke(host, "echo", "--data", f"@{host.folder.name}/none")
            self.assertEqual((code, out), (NO_FILE, b""))
            self.assertRegex(err, "--data: .*/none cannot be read: No such file")

    def test_an_answer_in_pieces_is_printed_whole(self):
        with Host(worker()) as host:
            code, out, _ = invoke(host, "pour", "--query", "ms=3000")
            self.assertEqual((code, len(out.partition(b"\n\n")[2])), (DONE, 3000 * 1024))

    def test_what_leads_to_no_function_is_refused_with_what_would(self):
        with Host(worker()) as host:
            for words, why in ((["helo"], 'no worker has a function "helo"; is "hello" meant?'),
                               (["quite_another"], 'no worker has a function "quite_another"\n'),
                               (["hello"], r'the route of hello is "hello/\{name\}": say what '
                                           "stands there with the parameter name"),
                               (["hello", "--param", "nme=x"], 'has no parameter "nme"; did you '
                                                               'mean "name"?'),
                               (["hello", "--param", "name=A", "--method", "PUT"],
                                "function hello takes GET, and not the method PUT"),
                               (["pid", "--header", "a b=c"], 'no request can have the header "a b"')):
                code, out, err = invoke(host, *words)
                self.assertEqual((code, out), (REFUSED, b""), words)
                self.assertRegex(err, why)
            self.assertEqual(invoke(host)[0], USAGE)
            self.assertEqual(invoke(host, "hello", "--param", "name")[0], USAGE)
        self.assertEqual(subprocess.run([BIN + "/isoworker", "invoke", "hello", "-C", "/"],
                                        capture_output=True).returncode, NOBODY)

    def test_too_much_data_is_refused_before_it_is_sent(self):
        with Host(worker()) as host:
            code, _, err = invoke(host, "echo", "--data", "-", data=b"x" * (1 << 20))
            self.assertEqual(code, REFUSED)
            self.assertIn("more than a host takes in this way", err)


class Ends(unittest.TestCase):
    def test_a_failure_is_told_with_its_reason(self):
        with Host(worker()) as host:
            code, out, err = invoke(host, "fail")
            self.assertEqual(code, FAILED)
            self.assertIn(b"HTTP 409\n", out)
            self.assertRegex(err, r"^ISW_E_CONFLICT: this is for the operator\nfailed after \d+ us\n$")
            code, out, err = invoke(host, "fail", "--json")
            line = json.loads(out)
            self.assertEqual((code, err, line["outcome"], line["status"]),
                             (FAILED, "", "failed", "ISW_E_CONFLICT"))
            self.assertEqual(line["result"]["http"]["status"], 409)
            self.assertEqual(len(line["invocation_id"]), 32)

    def test_a_process_that_ends_under_it_is_told(self):
        with Host(worker(more="restart_delay: 1ms")) as host:
            code, _, err = invoke(host, "crash")
            self.assertEqual(code, FAILED)
            self.assertIn("ISW_E_WORKER_LOST: ", err)

    def test_what_takes_too_long_is_cancelled(self):
        with Host(worker()) as host:
            code, _, err = invoke(host, "again", "--query", "ms=60000", "--wait", "1")
            self.assertEqual(code, LATE)
            self.assertIn("ISW_E_TIMEOUT", err)
            wait_until(lambda: function_of(host, "again")["in_flight"] == 0)

    def test_who_leaves_has_it_cancelled(self):
        with Host(worker()) as host:
            visitor = Visitor(host, b'{"command":"invoke","name":"once","wait_ms":60000,'
                                    b'"event":{"query":[["ms","60000"]]}}\n')
            host.wait_for("napping in")
            visitor.sock.close()
            wait_until(lambda: function_of(host, "once")["in_flight"] == 0)

    def test_a_host_that_drains_begins_nothing(self):
        with Host(worker()) as host:
            subprocess.run([BIN + "/isoworker", "drain", host.folder.name], check=True,
                           capture_output=True)
            code, _, err = invoke(host, "pid")
            self.assertEqual(code, LATE)
            self.assertIn("the host drains", err)

    def test_a_host_that_starts_is_waited_for(self):
        slow = worker(command=["/bin/sh", "-c", f"while [ ! -e go ]; do sleep 0.02; done; "
                                                f"exec {WORKER} run"])
        with Host(slow, settled="") as host:
            wait_until(lambda: invoke(host, "pid", "--wait", "0")[0] == LATE)
            asker = subprocess.Popen([BIN + "/isoworker", "invoke", "-C", host.folder.name, "hello",
                                      "--param", "name=Ada"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            host.write("go", "")
            out, err = asker.communicate(timeout=PATIENCE_S)
            self.assertEqual(asker.returncode, DONE, err)
            self.assertIn(b"Hello, Ada!", out)


class Others(unittest.TestCase):
    def test_a_function_that_is_called_by_name_gets_the_value_with_its_type(self):
        with by_name() as host:
            for words, typed in ((["--data", "a"], {"string": "a"}),
                                 (["--data", "[1]", "--type", "application/json"], {"json": "[1]"}),
                                 (["--data", "{}", "--type", "a/b+json; x=y"], {"json": "{}"})):
                code, out, _ = invoke(host, "echo", "--json", *words)
                self.assertEqual((code, json.loads(out)["result"]), (DONE, typed))
            code, out, _ = invoke(host, "echo", "--data", "-", data=b"\0\xff")
            self.assertEqual((code, out), (DONE, b"\0\xff"))
            code, _, err = invoke(host, "echo", "--method", "GET")
            self.assertEqual(code, REFUSED)
            self.assertIn('function echo has the trigger "call": only requests have a method', err)

    def test_any_value_may_be_sent_to_the_socket(self):
        value = '{"map":{"a":{"array":[{"int":1},{"double":0.5},{"bool":true},{"bytes":"AP8="}]}}}'
        with by_name() as host:
            line = Visitor(host, b'{"command":"invoke","name":"echo","wait_ms":9000,"event":{"data":'
                           + value.encode() + b"}}\n").rest()
            self.assertEqual(json.loads(line)["result"], json.loads(value))
            line = Visitor(host, b'{"command":"invoke","name":"echo","event":{"data":7}}\n').rest()
            self.assertRegex(line, "error.*event.data: expected an object with one member")

    def test_a_message_of_ones_own_is_kept_by_nobody(self):
        with messages() as host:
            code, out, _ = invoke(host, "work", "--data", "by hand")
            self.assertEqual((code, out), (DONE, b""))
            host.wait_for(r"got <by hand> 1/3 of work key <> id <invoked> type string error <>")
            code, _, err = invoke(host, "work", "--data", "fail by hand")
            self.assertEqual(code, FAILED)
            self.assertIn("ISW_E_FAILED: no luck with it", err)
            self.assertEqual(invoke(host, "work", "--data", "settle by hand")[0], DONE)
            for state in ("ready", "delayed", "claimed", "dead"):
                self.assertEqual(depth(host, "work", state), 0)
            self.assertNotIn("did not declare", host.log())
            code, out, _ = invoke(host, "work", "--data", "copy it")
            host.wait_for("got <it> 1/3 of done")  # what it puts is another's

    def test_a_batch_gets_one_message(self):
        with messages() as host:
            code, out, _ = invoke(host, "batch", "--data", "one", "--type", "text/plain")
            self.assertEqual((code, out), (DONE, b'{"batchItemFailures":[]}'))
            host.wait_for("batch of 1")

    def test_a_queue_that_is_paused_is_no_obstacle(self):
        with messages() as host:
            queue(host, "pause", "work")
            self.assertEqual(invoke(host, "work", "--data", "alone")[0], DONE)
            host.wait_for("done <alone>")

    def test_a_timer_runs_as_by_its_own_command(self):
        with timers() as host:
            code, out, _ = invoke(host, "year")
            self.assertEqual(code, DONE)
            self.assertRegex(out.decode(), r"^year ran, due again at \d+-01-01T00:00:00Z\n$")
            code, _, err = invoke(host, "fails")
            self.assertEqual((code, err), (FAILED, "isoworker: fails failed: no paper\n"))
            self.assertEqual(json.loads(invoke(host, "year", "--json")[1])["timers"][0]["runs"], 2)
            code, _, err = invoke(host, "year", "--data", "x")
            self.assertEqual(code, REFUSED)
            self.assertIn('function year is run by its trigger "timer", which has nothing to give', err)


if __name__ == "__main__":
    main()
