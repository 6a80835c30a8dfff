# SPDX-License-Identifier: Apache-2.0
"""Processes that give way to others while calls come: those that are sent away by hand, and those
that `isoworker restart` replaces."""
import http.client
import json
import os
import re
import shutil
import signal
import unittest

from harness import BIN, WORKER, Client, Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, process_of, report, run


class Leaving(unittest.TestCase):
    def test_nobody_fails_while_processes_are_sent_away(self):
        with Host(worker(more="processes: 2"), top=ADMIN) as host:
            with Load(host) as load:
                for count in range(1, 11):
                    pids = {p["pid"] for p in report(host)["processes"] if p["state"] == "ready"}
                    os.kill(max(pids), signal.SIGTERM)
                    wait_until(lambda: [p["state"] for p in report(host)["processes"]] ==
                               ["ready", "ready"] and
                               max(pids) not in {p["pid"] for p in report(host)["processes"]})
                    wait_until(lambda count=count: load.total > 20 * count)
            self.assertEqual(load.failures, [])
            self.assertEqual(samples_of(host)['isoworker_host_worker_restarts_total{worker="test"}'],
                             10)

    def test_a_successor_starts_while_the_last_call_goes_on(self):
        with Host(worker()) as host:
            stream = Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                  "Transfer-Encoding: chunked")
            stream.chunk(b"one")
            host.wait_for("heard one")
            before = process_of(host)["pid"]
            os.kill(before, signal.SIGTERM)
            wait_until(lambda: len(report(host)["processes"]) == 2)
            self.assertNotEqual(int(host.get("pid")[1].split()[0]), before)
            rows = {p["state"]: p for p in report(host)["processes"]}
            self.assertEqual((rows["leaving"]["pid"], rows["leaving"]["in_flight"]), (before, 1))
            self.assertEqual(rows["leaving"]["detail"], "it leaves by itself")
            self.assertEqual((rows["ready"]["process"], rows["ready"]["restarts"]), ("test", 1))
            stream.chunk(b"two")
            stream.chunk(b"")
            stream.wait_for(b"<one>")
            stream.wait_for(b"<two>")
            wait_until(lambda: len(report(host)["processes"]) == 1)
            host.wait_for(f"worker test: pid {before} gets no more calls: it leaves by itself")
            self.assertNotIn("error    ", host.log())
            stream.close()

    def test_one_that_does_not_finish_makes_room_when_it_is_needed(self):
        graces = "host: {function_timeout: 0, shutdown_grace: 300ms, cancel_grace: 200ms}"
        with Host(worker(), top=graces) as host:
            streams = []
            for count in range(1, 7):
                streams.append(Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                            "Transfer-Encoding: chunked"))
                streams[-1].chunk(b"n%d" % count)
                host.wait_for(f"heard n{count}")
                os.kill(next(p["pid"] for p in report(host)["processes"]
                             if p["state"] == "ready"), signal.SIGTERM)
                wait_until(lambda: [p["state"] for p in report(host)["processes"]
                                    ].count("ready") == 1)
                self.assertEqual(host.get("hello/x")[0], 200)
            host.wait_for("pid [0-9]+ has not finished since it was to end .*: 1 invocation is "
                          "cancelled")
            self.assertLessEqual(len(report(host)["processes"]), 5)
            for stream in streams:
                stream.close()


class Program:
    """A program in the folder of a host, which is put there anew, whole, each time."""

    def __init__(self, host):
        self.folder = host.folder.name

    def put(self, source, mode=0o755):
        path = os.path.join(self.folder, "program")
        shutil.copy(source, path + ".new")
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)

    def script(self, text):
        path = os.path.join(self.folder, "script")
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + text)
        self.put(path)


def own_program(more="", **options):
    host = Host(worker("test", ["./program"], more), **options)
    program = Program(host)
    program.put(WORKER)
    return host, program


OTHER = BIN + "/../tests/workers/test_other"


class Restart(unittest.TestCase):
    def test_nobody_fails_while_all_processes_are_replaced_again_and_again(self):
        with Host(worker(more="processes: 2"), top=ADMIN) as host:
            with Load(host) as load:
                for count in range(1, 11):
                    out = ask(host, "restart")
                    self.assertEqual(len(re.findall(r"^test\[[01]\]: pid \d+ took over from pid",
                                                    out, re.M)), 2, out)
                    wait_until(lambda count=count: load.total > 20 * count)
            self.assertEqual(load.failures, [])
            self.assertGreater(len(load.pids), 10)
            self.assertEqual(samples_of(host)['isoworker_host_worker_restarts_total{worker="test"}'],
                             20)
            wait_until(lambda: len(report(host)["processes"]) == 2)

    def test_a_program_that_does_not_serve_changes_nothing_and_says_why(self):
        host, program = own_program()
        with host:
            before = process_of(host)["pid"]
            program.script("echo 'no more beans' >&2; exit 3\n")
            code, _, err = run("restart", host.folder.name, "test")
            self.assertEqual(code, 70)
            self.assertRegex(err, r"worker test was not restarted, 0 of 1 .* the one before it goes "
                                  r"on: it exited with status 3: no more beans")
            self.assertEqual(int(host.get("pid")[1].split()[0]), before)
            self.assertRegex(" ".join(report(host)["attention"]),
                             "worker test was not restarted: .*no more beans")
            program.put(WORKER)
            ask(host, "restart", "test")
            self.assertNotEqual(int(host.get("pid")[1].split()[0]), before)
            self.assertEqual(report(host)["attention"], [])

    def test_a_program_that_never_says_hello_ends_the_restart_with_its_last_words(self):
        host, program = own_program("start_timeout: 300ms")
        with host:
            program.script("echo 'looking for beans' >&2; exec sleep 60\n")
            code, _, err = run("restart", host.folder.name)
            self.assertEqual(code, 70)
            self.assertRegex(err, "did not say hello within 300 ms.*; its last words: looking for "
                                  "beans")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_worker_that_was_given_up_is_brought_back(self):
        host, program = own_program("give_up_after: 2\nrestart_delay: 10ms")
        host.write("host.yaml", open(os.path.join(host.folder.name, "host.yaml")).read() +
                   worker("stays", [BIN + "/../tests/workers/test_other"]))
        with host:
            program.script("exit 4\n")
            os.kill(process_of(host)["pid"], signal.SIGKILL)
            host.wait_for("worker test: given up")
            code, _, err = run("restart", host.folder.name, "test")
            self.assertEqual((code, "exited with status 4" in err), (70, True), err)
            program.put(WORKER)
            self.assertIn("worker test: restarted", ask(host, "restart", "test"))
            self.assertEqual(host.get("pid")[0], 200)

    def test_functions_of_a_new_program_are_served_at_once(self):
        host, program = own_program()
        with host:
            self.assertEqual(host.get("hello/x"), (200, "Hello, x!\n"))
            program.put(OTHER)
            ask(host, "restart")
            host.wait_for(r"worker test has other functions than before; added: fresh \(GET http.*/"
                          r"api/fresh\); changed: hello \(GET http.*/api/hallo/{name}\), nap "
                          r"\(GET HEAD .*\); removed: ")
            self.assertEqual((host.get("fresh"), host.get("hallo/x")),
                             ((200, "fresh"), (200, "Hallo, x!\n")))
            self.assertEqual((host.get("hello/x")[0], host.get("pid")[0]), (404, 404))
            self.assertEqual({f["name"] for f in report(host)["functions"]},
                             {"fresh", "hello", "nap"})
            self.assertEqual(report(host)["processes"][0]["functions"], 3)

    def test_a_program_that_is_taken_after_a_crash_has_its_own_routes(self):
        host, program = own_program("processes: 2")
        with host:
            program.put(OTHER)
            os.kill(report(host)["processes"][0]["pid"], signal.SIGKILL)
            host.wait_for("worker test has other functions than before")
            host.wait_for("worker test: its processes were replaced, 1 in")
            self.assertEqual((host.get("fresh")[0], host.get("hello/x")[0]), (200, 404))

    def test_calls_of_a_function_that_is_gone_end_with_the_last_process_that_has_it(self):
        host, program = own_program()
        with host:
            busy = host.start("GET", "once?ms=600")
            host.wait_for_naps(1)
            program.put(OTHER)
            ask(host, "restart")
            self.assertEqual(host.get("once?ms=1")[0], 404)
            self.assertEqual(busy()[0], 200)

    def test_a_call_that_waits_goes_to_its_function_of_the_new_program(self):
        host, program = own_program(chain="worker: {concurrency: 1, max_in_flight: 1}\n")
        with host:
            busy = host.start("GET", "once?ms=2000")
            host.wait_for_naps(1)
            changed, gone = host.start("GET", "nap?ms=1"), host.start("GET", "again?ms=1")
            left = Client(host, "GET /api/nap HTTP/1.1\nHost: x")
            wait_until(lambda: report(host)["host"]["waiting"] == 3)
            left.close()
            wait_until(lambda: report(host)["host"]["waiting"] == 2)
            program.put(OTHER)
            ask(host, "restart")
            status, body, seconds = changed()
            self.assertEqual((status, body), (200, "rested"))
            self.assertLess(seconds, 2)
            self.assertEqual(gone()[0], 404)
            self.assertEqual(busy()[0], 200)
            self.assertEqual(report(host)["host"]["waiting"], 0)

    def test_the_admin_endpoint_restarts(self):
        with Host(worker(), top=ADMIN) as host:
            port = int(re.search(r"admin at http://127.0.0.1:(\d+)", host.log()).group(1))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            before = process_of(host)["pid"]
            connection.request("POST", "/restart?worker=test")
            answer = connection.getresponse()
            told = json.loads(answer.read())
            self.assertEqual((answer.status, told["state"]), (200, "done"))
            self.assertEqual((told["workers"][0]["replaced"], told["workers"][0]["total"]), (1, 1))
            self.assertNotIn(before, [row["pid"] for row in report(host)["processes"]
                                      if row["state"] == "ready"])  # it may be leaving still
            connection.request("POST", "/restart?worker=tset")
            answer = connection.getresponse()
            self.assertEqual(answer.status, 404)
            self.assertIn('did you mean \\"test\\"?', answer.read().decode())
            connection.close()


class Watch(unittest.TestCase):
    def test_a_program_that_changes_is_taken_when_it_is_there_as_a_whole(self):
        host, program = own_program(arguments=["--watch"])
        with host:
            self.assertEqual(host.get("hello/x")[0], 200)
            path = os.path.join(host.folder.name, "program")
            with open(OTHER, "rb") as file:
                image = file.read()
            os.unlink(path)
            with open(path, "wb") as file:  # as a linker that takes its time
                for at in range(0, len(image), len(image) // 5 + 1):
                    file.write(image[at:at + len(image) // 5 + 1])
                    file.flush()
                    self.assertEqual(host.get("hello/x")[0], 200)
            os.chmod(path, 0o755)
            host.wait_for("worker test: .*/program has changed")
            host.wait_for("worker test: its processes were replaced, 1 in")
            self.assertEqual((host.get("fresh")[0], host.get("hello/x")[0]), (200, 404))
            self.assertEqual(host.log().count("its processes are replaced"), 1)
            self.assertNotIn("restart has failed", host.log())

    def test_one_that_cannot_serve_leaves_what_was_there(self):
        host, program = own_program(arguments=["--watch"])
        with host:
            program.script("echo 'no beans today' >&2; exit 1\n")
            host.wait_for("worker test: its restart has failed: .*no beans today")
            self.assertEqual(host.get("hello/x")[0], 200)
            program.put(OTHER)
            host.wait_for("worker test: its processes were replaced, 1 in")
            self.assertEqual(host.get("fresh")[0], 200)

    def test_without_it_nothing_is_restarted_and_the_status_says_so(self):
        host, program = own_program()
        with host:
            before = process_of(host)["pid"]
            program.put(OTHER)
            self.assertRegex(" ".join(report(host)["attention"]),
                             "worker test runs what .*/program was before it changed; "
                             "`isoworker restart` replaces it")
            self.assertEqual(process_of(host)["pid"], before)


if __name__ == "__main__":
    main()
