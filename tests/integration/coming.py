# SPDX-License-Identifier: Apache-2.0
"""Workers that host.yaml adds, leaves out and renames while the host runs: those that were there all
the time answer all the time, and those that go finish what they have."""
import http.client
import json
import os
import signal
import threading
import unittest

from harness import WORKER, Client, Host, main, wait_until, worker
from inprocess import MODULE, Inside, inside, place
from load import Load
from metrics import samples_of
from operators import ADMIN, Visitor, ask, process_of, report, run
from renewal import HOLDS, ONE, attention, pids, say

OTHER = worker("other", [os.path.dirname(WORKER) + "/test_other"])
RELOADS = 100


def workers_of(host):
    return {p["worker"] for p in report(host)["processes"]}


def functions_of(host):
    return {f["name"] for f in report(host)["functions"]}


def ready_of(host):
    """The status and the body of /ready."""
    url = report(host)["host"]["admin_url"]
    connection = http.client.HTTPConnection(url.split("//")[1], timeout=30)
    connection.request("GET", "/ready")
    answer = connection.getresponse()
    status, body = answer.status, answer.read().decode()
    connection.close()
    return status, body


class Added(unittest.TestCase):
    def test_its_first_request_waits_for_it_and_is_served(self):
        with Host(worker()) as host:
            self.assertEqual(host.get("hallo/Ada")[0], 404)
            before = pids(host)
            say(host, worker() + OTHER)
            host.wait_for(HOLDS + "worker other is added$")
            self.assertEqual(host.get("hallo/Ada"), (200, "Hallo, Ada!\n"))
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertLess(before, pids(host))
            self.assertEqual(workers_of(host), {"test", "other"})
            self.assertEqual(host.get("nothing/there")[0], 404)
            self.assertIn("other", ask(host, "restart", "other"))

    def test_several_come_at_once_and_each_as_the_file_says(self):
        with Host(worker()) as host:
            say(host, worker("first", more="processes: 2\nqueue: {limit: 3}") + OTHER + worker())
            host.wait_for(HOLDS + "worker first is added, worker other is added$")
            wait_until(lambda: sorted(p["process"] for p in report(host)["processes"]
                                      if p["state"] == "ready") ==
                       ["first[0]", "first[1]", "other", "test"])
            self.assertEqual({q["worker"]: q["limit"] for q in report(host)["queues"]},
                             {"test": 1000, "first": 3, "other": 1000})

    def test_one_that_cannot_serve_leaves_the_host_as_ready_as_it_was(self):
        with Host(worker(), top=ADMIN) as host:
            ill = worker("ill", ["/bin/false"], "restart_delay: 1h\nrestart_delay_max: 1h")
            say(host, worker() + ill, ADMIN)
            host.wait_for("worker ill: it exited with status 1")
            status, body = ready_of(host)
            self.assertEqual(status, 200)
            self.assertIn("worker ill, which host.yaml has added, is not ready yet", body)
            self.assertIn("worker ill, which host.yaml has added", attention(host))
            self.assertEqual(host.get("hello/Ada")[0], 200)
            say(host, worker(), ADMIN)
            host.wait_for("worker ill is gone, as host.yaml says")
            self.assertEqual(attention(host), "")
            self.assertEqual(host.get("nothing/there")[0], 404)

    def test_there_is_room_for_a_bounded_number_of_them(self):
        with Host(worker()) as host:
            many = "".join(worker(f"w{i}", ["/bin/true"]) for i in range(257))
            say(host, worker(more="processes: 2") + many)
            host.wait_for("is wrong, and the host goes on as it was: worker w256: this host has had "
                          "workers of 257 names")
            self.assertEqual(workers_of(host), {"test"})
            self.assertEqual(len(pids(host)), 1)
            say(host, worker() + OTHER)
            host.wait_for(HOLDS + "worker other is added$")
            self.assertEqual(host.get("hallo/Ada")[0], 200)

    @unittest.skipUnless(os.path.exists(MODULE), "no worker inside the host here")
    def test_one_with_processes_comes_to_a_host_that_had_none(self):
        with Inside() as host:
            say(host, inside() + OTHER)
            host.wait_for(HOLDS + "worker other is added$")
            self.assertEqual(host.get("hallo/Ada")[0], 200)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            say(host, OTHER)
            line = host.wait_for("needs a restart of the host: ")
            self.assertRegex(line, r"host.yaml:\d+:\d+: worker test, which is left out and runs "
                                   "inside the host")
            self.assertEqual(host.get("hello/Ada")[0], 200)

    @unittest.skipUnless(os.path.exists(MODULE), "no worker inside the host here")
    def test_one_inside_the_host_may_come(self):
        with Host(OTHER) as host:
            place(host.folder.name)
            say(host, OTHER + inside())
            host.wait_for(HOLDS + "worker test is added$")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(host.get("hallo/Ada")[0], 200)


class LeftOut(unittest.TestCase):
    def test_it_finishes_what_it_has_and_its_functions_are_gone_at_once(self):
        with Host(worker() + OTHER, top=ADMIN) as host:
            stream = Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                  "Transfer-Encoding: chunked")
            stream.chunk(b"one")
            host.wait_for("heard one")
            pid = process_of(host)["pid"]
            say(host, OTHER, ADMIN)
            host.wait_for(HOLDS + "worker test is left out$")
            host.wait_for(f"worker test: pid {pid} gets no more calls: host.yaml does not name its "
                          "worker any more")
            self.assertEqual(host.get("hello/Ada")[0], 404)
            self.assertEqual(host.get("hallo/Ada")[0], 200)
            self.assertEqual(process_of(host)["state"], "leaving")
            self.assertEqual(ready_of(host)[0], 200)
            code, _, err = run("restart", host.folder.name, "test")
            self.assertNotEqual(code, 0)
            self.assertIn("host.yaml does not name it", err)
            stream.chunk(b"two")
            stream.chunk(b"")
            stream.wait_for(b"<two>")
            host.wait_for("worker test is gone, as host.yaml says")
            self.assertEqual(workers_of(host), {"other"})
            self.assertEqual(functions_of(host), {"fresh", "hello", "nap"})
            self.assertNotIn('worker="test"', "".join(
                row for row in samples_of(host) if row.startswith("isoworker_host_worker")))
            stream.close()

    def test_what_waits_for_it_is_answered(self):
        with Host(worker() + OTHER, chain=ONE) as host:
            first = host.start("GET", "once?ms=2000")
            host.wait_for_naps(1)
            second = host.start("GET", "once?ms=1")
            wait_until(lambda: report(host)["host"]["waiting"] == 1)
            say(host, OTHER)
            self.assertEqual(second()[0], 404)
            self.assertEqual(first()[0], 200)

    def test_it_may_come_back_while_it_goes_and_after_it_went(self):
        with Host(worker() + OTHER) as host:
            stream = Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                  "Transfer-Encoding: chunked")
            stream.chunk(b"one")
            host.wait_for("heard one")
            say(host, OTHER)
            host.wait_for(HOLDS + "worker test is left out$")
            say(host, OTHER + worker(more="processes: 2"))
            host.wait_for(HOLDS + "worker test is added$")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            stream.chunk(b"")
            stream.wait_for(b"<one>")
            stream.close()
            say(host, OTHER)
            host.wait_for("worker test is gone")
            self.assertEqual(host.get("hello/Ada")[0], 404)
            say(host, OTHER + worker())
            wait_until(lambda: "test" in workers_of(host))
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_an_ill_one_goes(self):
        with Host(worker() + worker("ill", ["/bin/false"], "give_up_after: 1"),
                  settled="worker ill: given up") as host:
            host.wait_for("Ctrl-C ends")
            say(host, worker())
            host.wait_for("worker ill is gone")
            self.assertEqual(workers_of(host), {"test"})


class Renamed(unittest.TestCase):
    def test_it_serves_all_the_time(self):
        with Host(worker()) as host, Load(host) as load:
            for count in range(1, 7):
                name = f"test{count % 3}"
                say(host, worker(name))
                host.wait_for(HOLDS + f"worker {name} is added, worker .* is left out")
                wait_until(lambda name=name: workers_of(host) == {name})
                total = load.total
                wait_until(lambda total=total: load.total > total + 20)
        self.assertEqual(load.failures, [])

    def test_what_waits_for_it_is_served_under_its_new_name(self):
        with Host(worker(), chain=ONE) as host:
            first = host.start("GET", "once?ms=600")
            host.wait_for_naps(1)
            second = host.start("GET", "once?ms=1")
            upload = Client(host, "PUT /api/swallow HTTP/1.1\nHost: x\nTransfer-Encoding: chunked")
            wait_until(lambda: report(host)["host"]["waiting"] == 2)
            say(host, worker("neu"))
            upload.chunk(b"abc")
            upload.chunk(b"")
            upload.wait_for(b"HTTP/1.1 200")
            upload.close()
            self.assertEqual(second()[0], 200)
            self.assertEqual(first()[0], 200)
            wait_until(lambda: workers_of(host) == {"neu"})
            self.assertEqual(report(host)["host"]["waiting"], 0)

    def test_its_status_may_be_asked_all_the_while(self):
        asked, over = [], threading.Event()

        def ask_for_it():
            while not over.is_set():
                asked.append(json.loads(Visitor(host, b'{"command":"status"}\n').rest()))

        with Host(worker()) as host:
            threads = [threading.Thread(target=ask_for_it) for _ in range(3)]
            for thread in threads:
                thread.start()
            try:
                for name in (f"test{count}" for count in range(20)):
                    say(host, worker(name))
                    host.wait_for(HOLDS + f"worker {name} is added, worker .* is left out")
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            self.assertEqual(host.get("hello/Ada")[0], 200)
        self.assertGreater(len(asked), 20)


class Often(unittest.TestCase):
    def test_what_stays_never_fails_while_another_comes_and_goes_a_hundred_times(self):
        with Host(worker(), top=ADMIN) as host, Load(host) as load:
            for count in range(1, RELOADS + 1):
                comes = count % 2 == 1
                say(host, worker() + (OTHER if comes else ""),
                    ADMIN + ("\nhttp: {body_limit: 1MiB, connections: 500}" if comes else ""))
                host.process.send_signal(signal.SIGHUP)
                wait_until(lambda comes=comes: ("fresh" in functions_of(host)) == comes)
                self.assertEqual(host.get("fresh")[0], 200 if comes else 404)
            self.assertEqual(load.failures, [])
            self.assertGreater(load.total, RELOADS)
            wait_until(lambda: host.log().count("worker other is added") == RELOADS // 2)
            self.assertEqual(process_of(host)["restarts"], 0)


if __name__ == "__main__":
    main()
