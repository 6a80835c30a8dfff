# SPDX-License-Identifier: Apache-2.0
"""Queues: functions that messages trigger, and what functions put into them."""
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import BIN, WORKER, Host, main, wait_until, worker
from metrics import samples_of
from operators import ADMIN, ask, report, run, scrape
from start import guard_of

SANITIZED = os.environ["ISOWORKER_SANITIZE"]
MESSAGES = os.path.join(os.path.dirname(WORKER), "test_messages")
QUICK = "host: {cancel_grace: 100ms}\n"


def queues(more="", **settings):
    rows = "".join(f"  {name}: {value}\n" for name, value in settings.items())
    return QUICK + "queues:\n  max_attempts: 3\n" + rows + more


def messages(top=None, more="", **arguments):
    return Host(worker("test", [MESSAGES], "restart_delay: 1ms\n" + more), top=top or queues(),
                **arguments)


def put(host, body, output="work", **options):
    query = "&".join(f"{name}={value}" for name, value in options.items())
    status, answer, _ = host.request("POST", f"put/{output}?{query}", body)
    return status if status == 202 else (status, answer.decode())


def queue(host, *words):
    """What `isoworker queue` prints; it must succeed."""
    code, out, err = run("queue", *words, "-C", host.folder.name)
    assert code == 0, (code, out, err)
    return out


def depth(host, name, state):
    return json.loads(queue(host, "list", name, "--json"))["queues"][0][state]


def value_of(host, name):
    return samples_of(host).get("isoworker_host_" + name)


class Got:
    """Lines of the log that tell of messages, in their order."""

    LINE = re.compile(r"got <(.*?)> (\d+)/(\d+) of (\S+) key <(.*?)> id <(.*?)> type (\S+) "
                      r"error <(.*?)> in (\d+)")

    def __init__(self, host):
        self.rows = [match.groups() for match in map(self.LINE.search, list(host.lines)) if match]
        self.bodies = [row[0] for row in self.rows]

    def of(self, body):
        return [row for row in self.rows if row[0] == body]


def ended(host, body, count=1):
    return lambda: host.log().count(f"done <{body}>") >= count


class Delivery(unittest.TestCase):
    def test_a_message_that_a_function_puts_is_another_functions_to_do(self):
        with messages() as host:
            self.assertEqual(put(host, "hello"), 202)
            host.wait_for("done <hello>")
            body, attempt, most, queue, key, name, kind, error, _ = Got(host).of("hello")[0]
            self.assertEqual((attempt, most, queue, key, kind, error),
                             ("1", "3", "work", "", "string", ""))
            self.assertTrue(name)
            self.assertTrue(os.path.exists(os.path.join(host.folder.name, "queues.db")))

    def test_nothing_is_put_by_a_function_that_fails(self):
        with messages() as host:
            self.assertEqual(put(host, "lost", then="fail")[0], 500)
            self.assertEqual(put(host, "put and fail"), 202)
            self.assertEqual(put(host, "last"), 202)
            host.wait_for("done <last>")
            wait_until(lambda: "is dead after 3 attempts" in host.log())
            self.assertEqual(Got(host).of("lost") + Got(host).of("never"), [])

    def test_what_a_try_has_put_that_ended_its_process_is_not_put_by_the_next(self):
        with messages() as host:
            marker = os.path.join(host.folder.name, "marker")
            self.assertEqual(host.request("POST", f"twice?marker={marker}")[0], 202)
            self.assertEqual(put(host, "last"), 202)
            host.wait_for("done <last>")
            wait_until(ended(host, "again"))
            self.assertEqual(len(Got(host).of("again")), 1)

    def test_values_that_are_set_are_messages_one_by_one(self):
        with messages() as host:
            self.assertEqual(put(host, "first", then="set"), 202)
            wait_until(lambda: len(Got(host).rows) == 3)
            kinds = {row[0]: row[6] for row in Got(host).rows}
            self.assertEqual(kinds, {"first": "string", "set one": "string",
                                     '{"set":2}': "json"})

    def test_what_a_message_puts_comes_behind_it(self):
        with messages() as host:
            put(host, "copy one")
            host.wait_for("got <one> 1/3 of done")

    def test_a_delayed_message_waits_and_no_other_waits_for_it(self):
        with messages() as host:
            begin = time.monotonic()
            put(host, "late", delay=400)
            put(host, "early")
            host.wait_for("done <early>")
            self.assertEqual(Got(host).of("late"), [])
            host.wait_for("done <late>")
            self.assertGreaterEqual(time.monotonic() - begin, 0.4)

    def test_the_same_id_is_put_once(self):
        with messages() as host:
            self.assertEqual([put(host, f"once {i}", id="a1") for i in range(3)], [202] * 3)
            put(host, "end")
            host.wait_for("done <end>")
            self.assertEqual(len([b for b in Got(host).bodies if b.startswith("once")]), 1)

    def test_messages_of_a_key_come_one_at_a_time_in_their_order(self):
        with messages() as host:
            put(host, "later 100", key="k")
            for i in range(8):
                put(host, f"nap 5 {i}", key="k")
            wait_until(ended(host, "nap 5 7"))
            lines = [line for line in host.lines if " key <k> " in line or "done <nap" in line]
            steps = re.findall(r"(got|done) <(.*?)>", "\n".join(lines))
            self.assertEqual(steps[:2], [("got", "later 100")] * 2)
            self.assertEqual(steps[2:], [(word, f"nap 5 {i}") for i in range(8)
                                         for word in ("got", "done")])


class Failure(unittest.TestCase):
    def test_a_failure_is_tried_again_and_dead_after_its_attempts(self):
        with messages() as host:
            put(host, "fail")
            line = host.wait_for("is dead after")
            self.assertRegex(line, r"of queue work is dead after 3 attempts: no luck with it")
            rows = Got(host).of("fail")
            self.assertEqual([row[1] for row in rows], ["1", "2", "3"])
            self.assertEqual([row[7] for row in rows], ["", "no luck with it", "no luck with it"])

    def test_a_message_that_ends_its_process_is_dead_after_so_many_starts(self):
        with messages() as host:
            put(host, "crash")
            self.assertRegex(host.wait_for("is dead after"), "3 attempts: its process ended")
            rows = Got(host).of("crash")
            self.assertEqual([row[1] for row in rows], ["1", "2", "3"])
            self.assertEqual(len({row[8] for row in rows}), 3)

    def test_the_message_of_a_process_that_ended_is_anothers_at_once(self):
        with messages(more="processes: 2") as host:
            begin = time.monotonic()
            put(host, "crash once")
            host.wait_for("done <crash once>")
            self.assertLess(time.monotonic() - begin, 5)

    def test_a_handler_that_hangs_is_ended_before_its_message_runs_again(self):
        with messages() as host:
            put(host, "hang")
            host.wait_for("is dead after")
            rows = Got(host).of("hang")
            self.assertEqual(len({row[8] for row in rows}), 3)
            log = host.log()
            for row, following in zip(rows, rows[1:]):
                between = log[log.index(f"in {row[8]}"):log.index(f"in {following[8]}")]
                self.assertIn("did not stop", between)

    def test_one_that_is_ended_for_its_time_says_so(self):
        with messages() as host:
            put(host, "hang")
            self.assertIn("3 attempts: the function took longer than its 1500ms and did not stop",
                          host.wait_for("is dead after"))

    def test_what_a_function_puts_wrongly_is_its_own_failure_and_says_why(self):
        with messages() as host:
            status, answer = put(host, "never", priority=1000)
            self.assertEqual((status, "never" in answer), (500, False))
            host.wait_for("isw_queue_put: the priority 1000 is not from -100 to 100")
            put(host, "put wrongly")
            self.assertIn(r"3 attempts: what it put out to out cannot be kept: $queue.priority is "
                          "to be a number from -100 to 100", host.wait_for("is dead after"))
            self.assertEqual(Got(host).of("never"), [])

    def test_retry_later_counts_its_own_time(self):
        with messages() as host:
            put(host, "later 300")
            begin = time.monotonic()
            wait_until(ended(host, "later 300", 2))
            self.assertGreaterEqual(time.monotonic() - begin, 0.2)
            self.assertEqual([row[1] for row in Got(host).of("later 300")], ["1", "2"])

    def test_a_function_settles_its_message_itself(self):
        with messages() as host:
            put(host, "complete")
            put(host, "bury")
            self.assertRegex(host.wait_for("is dead after"), "1 attempts: it smells")
            put(host, "end")
            host.wait_for("done <end>")
            self.assertEqual([row[1] for row in Got(host).of("complete")], ["1"])

    def test_a_full_queue_refuses_and_the_caller_is_told(self):
        top = queues("  named: [{name: small, max_messages: 2}]\n")
        with messages(top) as host:
            self.assertEqual([put(host, "x", "small"), put(host, "x", "small")], [202, 202])
            status, _ = put(host, "x", "small")
            self.assertEqual(status, 503)
            host.wait_for(r"was not: queue small is full: it has 2 messages of 2 \(max_messages\)")
            self.assertIn("! queue small is full: it has 2 messages of 2 (max_messages)",
                          run("status", host.folder.name)[1])
            for words, code in ((["put", "small", "x"], 75), (["put", "1small", "x"], 65),
                                (["put", "small", "x", "--json"], 75)):
                self.assertEqual(run("queue", *words, "-C", host.folder.name)[0], code, words)

    def test_a_message_whose_output_is_refused_is_tried_again(self):
        top = queues("  named: [{name: done, max_messages: 1}]\n")
        with messages(top) as host:
            queue(host, "pause", "done")
            put(host, "copy one")
            wait_until(lambda: depth(host, "done", "ready") == 1)
            put(host, "copy two")
            host.wait_for("function work: what it put out was refused: .*done")
            queue(host, "resume", "done")
            host.wait_for("got <two> 1/5 of done")
            self.assertGreater(len(Got(host).of("copy two")), 1)


ONCE = QUICK + "queues:\n  max_attempts: 1\n"


class Bystanders(unittest.TestCase):
    """Messages that were with a process which another one has ended."""

    @unittest.skipIf(SANITIZED, "a sanitizer reports crashes itself")
    def test_what_another_ones_crash_ended_has_made_no_attempt(self):
        with messages(ONCE + "admin: {listen: 127.0.0.1:0}\n") as host:
            put(host, "nap 700")
            host.wait_for("got <nap 700>")
            put(host, "crash")
            wait_until(ended(host, "nap 700"))
            self.assertEqual([row[1] for row in Got(host).of("nap 700")], ["1", "1"])
            self.assertEqual(Got(host).of("nap 700")[1][7],
                             "another call has ended its process, 1 time in a row")
            self.assertEqual([row[1] for row in Got(host).of("crash")], ["1"])
            wait_until(lambda: depth(host, "work", "dead") == 1)
            self.assertEqual(value_of(host, 'queue_deferred_total{function="work"}'), 1)

    def test_what_another_one_hung_on_has_made_no_attempt(self):
        with messages(ONCE) as host:
            put(host, "copy nap 2500")  # to a queue whose function has more time
            host.wait_for("got <nap 2500>")
            put(host, "hang")
            wait_until(ended(host, "nap 2500"))
            self.assertEqual([row[1] for row in Got(host).of("nap 2500")], ["1", "1"])
            wait_until(lambda: depth(host, "work", "dead") == 1)

    def test_of_an_end_that_nobody_is_named_for_each_has_made_one(self):
        with messages(ONCE) as host:
            put(host, "nap 1000")
            put(host, "nap 1001")
            host.wait_for("got <nap 1000>")
            host.wait_for("got <nap 1001>")
            os.kill(int(Got(host).rows[0][8]), signal.SIGKILL)
            wait_until(lambda: depth(host, "work", "dead") == 2)

    @unittest.skipIf(SANITIZED, "a sanitizer reports crashes itself")
    def test_one_that_always_looks_on_is_dead_in_the_end(self):
        with messages(ONCE, more="give_up_after: 1000\nrestart_delay_max: 1ms\n") as host:
            put(host, "copy nap 20000")
            for count in range(1, 7):
                wait_until(lambda: len(Got(host).of("nap 20000")) == count)
                put(host, "crash")
            wait_until(lambda: depth(host, "done", "dead") == 1)
            self.assertEqual([row[1] for row in Got(host).of("nap 20000")], ["1"] * 6)
            self.assertIn("another call has ended its process, 6 times in a row",
                          queue(host, "dead", "done"))


class Batches(unittest.TestCase):
    def test_messages_that_come_together_are_one_call(self):
        with messages() as host:
            put(host, "m", "batch", count=7)
            wait_until(lambda: len(Got(host).rows) == 7)
            sizes = lambda: [int(size) for size in  # noqa: E731
                             re.findall("batch of (\\d+)", host.log())]
            wait_until(lambda: sum(sizes()) == 7)
            self.assertEqual(max(sizes()), 5)

    def test_those_that_the_result_names_are_tried_again_and_no_other(self):
        with messages() as host:
            put(host, "good", "batch", count=2)
            put(host, "bad", "batch", count=2)
            wait_until(lambda: len(Got(host).rows) == 6)
            put(host, "end", "batch")
            host.wait_for("got <end>")
            self.assertEqual(sorted(Got(host).bodies), ["bad 0"] * 2 + ["bad 1"] * 2 +
                             ["end", "good 0", "good 1"])

    def test_a_failure_and_a_result_that_names_nobody_are_all_of_it(self):
        with messages() as host:
            for word in ("nonsense", "all"):
                put(host, word, "batch", count=3)
                wait_until(lambda: len([b for b in Got(host).bodies if b.startswith(word)]) == 6)


    def test_each_of_a_batch_that_failed_is_tried_again_alone_so_that_the_bad_one_dies_alone(self):
        with messages() as host:
            queue(host, "pause", "batch")
            put(host, "poison", "batch")
            put(host, "good", "batch", count=4)
            queue(host, "resume", "batch")
            wait_until(lambda: [depth(host, "batch", state) for state in ("ready", "claimed", "dead")]
                       == [0, 0, 1])
            self.assertIn("its batch of 1 failed: all of it", queue(host, "dead", "batch"))
            self.assertIn("its batch of 5 failed: all of it", host.log())
            self.assertEqual(re.findall(r"batch of (\d+)\b(?! failed)", host.log()),
                             ["5"] + ["1"] * 6)


class Life(unittest.TestCase):
    def test_what_a_killed_host_had_is_not_anothers_while_its_workers_may_still_run(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            top = queues(store=f"sqlite:{folder}/q.db")
            with messages(top, expect=-9) as host:
                put(host, "nap 1000")
                host.wait_for("got <nap 1000> 1/3")
                guard = guard_of(host)
                held = f"/proc/{guard}/fd/*"
                wait_until(lambda: any(os.readlink(file).endswith("q.db-lock")
                                       for file in glob.glob(held)))
                os.kill(guard, signal.SIGSTOP)
                host.process.kill()
                host.process.wait()
                with messages(top) as other:
                    other.wait_for(f"q.db is another host's .pid {host.process.pid}.")
                    time.sleep(0.6)  # it tries again, several times
                    self.assertEqual(Got(other).rows, [])
                    os.kill(guard, signal.SIGCONT)
                    other.wait_for("got <nap 1000> 2/3 .*its host ended during attempt 1")

    def test_messages_outlast_the_host(self):
        with messages() as host:
            self.assertEqual(put(host, "kept", "lonely", count=3), 202)
            path = os.path.join(host.folder.name, "queues.db")
            self.assertTrue(os.path.exists(path))
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_what_is_in_hand_when_the_host_stops_is_finished(self):
        with messages() as host:
            put(host, "nap 500")
            host.wait_for("got <nap 500>")
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("done <nap 500>")

    def test_while_the_host_drains_nothing_is_taken(self):
        with messages() as host:
            put(host, "nap 300")
            host.wait_for("got <nap 300>")
            for i in range(3):
                put(host, f"late {i}", delay=2000)
            self.assertIn("drained", ask(host, "drain"))
            host.wait_for("done <nap 300>")
            wait_until(lambda: depth(host, "work", "ready") == 3)
            self.assertEqual([b for b in Got(host).bodies if b.startswith("late")], [])
            ask(host, "resume")
            for i in range(3):
                host.wait_for(f"done <late {i}>")

    def test_a_backlog_has_more_processes_started_and_they_end_behind_it(self):
        few = "worker: {concurrency: 2, max_in_flight: 2}\nmiddleware: [error_handling]\n"
        more = "processes: {min: 0, max: 4, target: 1, keep: 200ms}"
        with messages(more=more, chain=few) as host:
            put(host, "nap 200", count=24)
            wait_until(lambda: len(set(re.findall(r"done <nap 200 \d+>", host.log()))) == 24)
            self.assertEqual(len({row[8] for row in Got(host).rows}), 4)
            wait_until(lambda: {p["state"] for p in report(host)["processes"]} == {"asleep"})
            queue(host, "put", "work", "wake up")
            host.wait_for("done <wake up>")

    def test_metrics_have_how_much_waits_and_what_became_of_it(self):
        with messages(top=queues() + ADMIN) as host:
            put(host, "end")
            put(host, "bury")
            put(host, "left", "lonely", count=3)
            host.wait_for("is dead after")
            wait_until(lambda: value_of(host, 'queue_completed_total{function="work"}') == 1)
            self.assertEqual(value_of(host, 'queue_ready{queue="lonely"}'), 3)
            self.assertEqual(value_of(host, 'queue_dead{queue="work"}'), 1)
            for name, text in (("attempts", 'le="1"} 2'), ("attempts", 'le="+Inf"} 2'),
                               ("time_in_queue_seconds", 'le="+Inf"} 2')):
                self.assertIn(f'isoworker_host_queue_{name}_bucket{{queue="work",{text}\n',
                              scrape(host)[1])
            self.assertEqual(value_of(host, 'queue_attempts_sum{queue="work"}'), 2)
            self.assertEqual(value_of(host, 'queue_time_in_queue_seconds_count{queue="work"}'), 2)
            self.assertEqual(value_of(host, 'queue_given_up_total{function="work"}'), 1)
            self.assertEqual(value_of(host, 'queue_put_total{queue="lonely"}'), 3)
            self.assertEqual(value_of(host, "store_up"), 1)
            self.assertGreater(value_of(host, 'queue_oldest_seconds{queue="lonely"}'), 0)

    def test_metrics_count_what_expired_and_what_was_known(self):
        with messages(top=queues() + ADMIN) as host:
            put(host, "kept", "lonely")
            for _ in range(2):
                queue(host, "put", "lonely", "once", "--id", "same", "--expires", "1ms")
            wait_until(lambda: value_of(host, 'queue_died_total{queue="lonely"}') == 1)
            self.assertEqual(depth(host, "lonely", "died"), 1)
            self.assertEqual(value_of(host, 'queue_duplicates_total{queue="lonely"}'), 1)

    def test_metrics_tell_of_a_store_that_cannot_be_opened(self):
        host = messages(top=queues() + ADMIN)
        os.mkdir(os.path.join(host.folder.name, "queues.db-lock"))
        with host:
            wait_until(lambda: value_of(host, "store_up") == 0)

    def test_nothing_of_a_store_is_made_where_nobody_has_a_queue(self):
        with Host(worker(), top=ADMIN) as host:
            samples_of(host)
            self.assertFalse(os.path.exists(os.path.join(host.folder.name, "queues.db")))

    def test_what_is_paused_is_kept_from_functions_also_by_the_next_host(self):
        with messages() as host:
            queue(host, "pause", "work")
            self.assertEqual(put(host, "held"), 202)
            self.assertEqual(depth(host, "work", "ready"), 1)
            ask(host, "upgrade")
            self.assertEqual(depth(host, "work", "ready"), 1)
            queue(host, "resume", "work")
            host.wait_for("done <held>")
            host.process.wait(30)  # it has left its place to another, which is ended by its pid
            os.kill(report(host)["host"]["pid"], signal.SIGTERM)
            host.reader.join(30)


class Commands(unittest.TestCase):
    def test_what_is_put_is_known_by_its_id(self):
        with messages() as host:
            said = queue(host, "put", "lonely", "alone")
            self.assertRegex(said, r"^put [0-9A-HJKMNP-TV-Z]{26}\n$")
            self.assertIn("alone", queue(host, "peek", "lonely", "--id", said.split()[1]))
            self.assertEqual(queue(host, "put", "lonely", "x", "--id", "mine"), "put mine\n")
            self.assertEqual(queue(host, "put", "lonely", "x", "--id", "mine"),
                             "its id is known: nothing was put\n")
            self.assertEqual(queue(host, "purge", "lonely", "--id", "mine"), "1 message removed\n")
            queue(host, "put", "lonely", "y")
            self.assertNotIn("BYTES are", queue(host, "list"))
            code, _, err = run("queue", "purge", "lonely", "--state", "claimed", "-C",
                               host.folder.name)
            self.assertEqual(code, 65)
            self.assertIn("what a function has just now is not purged", err)
            self.assertEqual(queue(host, "purge", "lonely"),
                             "2 messages removed, of all states but claimed\n")

    def put_bytes(self, host, body):
        return subprocess.run([BIN + "/isoworker", "queue", "put", "lonely", "-", "-C",
                               host.folder.name], input=body, capture_output=True, timeout=60,
                              check=False)

    def test_what_is_put_may_be_bytes(self):
        with messages() as host:
            for body in (b"a\0b", bytes(range(256))):
                done = self.put_bytes(host, body)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                row, = json.loads(queue(host, "peek", "lonely", "--id",
                                        done.stdout.decode().split()[1],
                                        "--json").splitlines()[0])["messages"]
                self.assertEqual((row["size"], row["content_type"]),
                                 (len(body), "application/octet-stream"))
            done = self.put_bytes(host, b"x" * 524289)
            self.assertEqual((done.returncode, done.stdout), (65, b""))
            self.assertIn(b"takes up to 524288 bytes", done.stderr)

    def test_times_have_a_unit_or_are_seconds(self):
        with messages() as host:
            for delay in ("600", "600s", "10m", "600.0", "600000ms"):
                queue(host, "put", "lonely", "x", "--delay", delay)
            shown = [json.loads(line) for line in
                     queue(host, "peek", "lonely", "--json").splitlines()]
            self.assertEqual([row["due_ms"] - row["put_ms"] for line in shown
                              for row in line["messages"]], [600000] * 5)
            self.assertEqual([shown[-1][name] for name in ("messages", "done", "over")], [[], 5, True])
            self.assertEqual(queue(host, "purge", "lonely", "--older", "1h"),
                             "0 messages removed, of all states but claimed\n")
            for option in ("--delay", "--expires", "--older"):
                code, out, err = run("queue", "put", "lonely", "x", option, "5x", "-C",
                                     host.folder.name)
                self.assertEqual((code, out), (64, ""))
                self.assertIn(f"{option} takes seconds, or a whole number with a unit: 250ms, 5s, 10m, "
                              '1h; of "5x": ', err)

    def test_a_function_is_described_with_where_its_messages_come_from(self):
        with messages() as host:
            self.assertIn("  trigger  queue\n  where    queue work\n",
                          ask(host, "describe", "work"))


if __name__ == "__main__":
    main()
