# SPDX-License-Identifier: Apache-2.0
"""Health, readiness, drain and resume, over HTTP and by the commands."""
import os
import signal
import subprocess
import threading
import unittest

from harness import BIN, PATIENCE_S, WORKER, Host, main, wait_until, worker
from operators import ADMIN, ILL, admin, ask, process_of, report, run


class Drain(unittest.TestCase):
    def test_health_and_ready_say_different_things(self):
        with Host(worker() + worker("ill", ["false"], ILL), top=ADMIN) as host:
            host.wait_for("worker ill: .*starts again in [1-9]")
            self.assertEqual(admin(host, "GET", "/health"), (200, {"healthy": True}))
            status, said = admin(host, "GET", "/ready")
            self.assertEqual((status, said["ready"], len(said["reasons"])), (503, False, 1))
            self.assertRegex(said["reasons"][0], "^worker ill: its process is restarting: it "
                                                 "exited with status 1; starts again in")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_startup_is_200_once_a_worker_has_served_and_stays_so(self):
        command = ["sh", "-c", f"test -e open || exit 1; exec {WORKER}"]
        more = "restart_delay: 10ms\nrestart_delay_max: 200ms\ngive_up_after: 1000"
        with Host(worker(command=command, more=more), top=ADMIN) as host:
            status, said = admin(host, "GET", "/startup")
            self.assertEqual((status, said["started"], len(said["reasons"])), (503, False, 1))
            self.assertRegex(said["reasons"][0], "^worker test: its process is ")
            host.write("open", "")
            wait_until(lambda: admin(host, "GET", "/startup") ==
                       (200, {"started": True, "reasons": []}))
            self.assertEqual(admin(host, "GET", "/ready")[0], 200)
            os.remove(os.path.join(host.folder.name, "open"))
            os.kill(process_of(host)["pid"], signal.SIGKILL)
            wait_until(lambda: admin(host, "GET", "/ready")[0] == 503)
            self.assertEqual(admin(host, "GET", "/startup")[0], 200)

    def test_ready_follows_a_drain_and_a_resume(self):
        with Host(worker(), top=ADMIN) as host:
            self.assertEqual(admin(host, "GET", "/ready"), (200, {"ready": True, "reasons": [], "warnings": []}))
            self.assertEqual(admin(host, "POST", "/drain"),
                             (200, {"state": "draining", "in_flight": 0}))
            self.assertEqual(admin(host, "GET", "/health")[0], 200)
            self.assertEqual(admin(host, "GET", "/ready"),
                             (503, {"ready": False, "reasons": ["the host is draining"],
                                    "warnings": []}))
            self.assertEqual(admin(host, "GET", "/status")[1]["host"]["state"], "draining")
            status, _, headers = host.request("GET", "hello/x")
            self.assertEqual((status, headers["Retry-After"], headers["Connection"]),
                             (503, "1", "close"))
            self.assertEqual(admin(host, "POST", "/resume")[1]["state"], "serving")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_drain_waits_for_what_is_in_flight(self):
        with Host(worker(), arguments=["--debug"], top=ADMIN) as host:
            long = host.start("GET", "once?ms=600000")
            host.wait_for_naps(1)
            code, _, err = run("drain", host.folder.name, "--wait", "0")
            self.assertEqual(code, 75)
            self.assertIn("1 still in flight after 0 seconds; the host drains on", err)
            self.assertEqual(admin(host, "POST", "/drain?wait=0"),
                             (202, {"state": "draining", "in_flight": 1}))
            waiting = subprocess.Popen([BIN + "/isoworker", "drain", host.folder.name],
                                       stdout=subprocess.PIPE, text=True)
            self.assertEqual(host.get("hello/x")[0], 503)
            os.kill(process_of(host)["pid"], 9)
            self.assertEqual(long()[0], 502)
            out, _ = waiting.communicate(timeout=PATIENCE_S)
            self.assertEqual(out, "drained: nothing is in flight, new requests get 503 until "
                                  "`isoworker resume`\n")
            self.assertEqual(ask(host, "resume"), "resumed: the host takes requests again\n")

    def test_a_resume_ends_the_wait_for_a_drain(self):
        with Host(worker(), arguments=["--debug"]) as host:
            host.start("GET", "once?ms=600000")
            host.wait_for_naps(1)
            waiting = subprocess.Popen([BIN + "/isoworker", "drain", host.folder.name],
                                       stderr=subprocess.PIPE, text=True)
            host.wait_for("draining, as it was asked to")
            ask(host, "resume")
            _, err = waiting.communicate(timeout=PATIENCE_S)
            self.assertEqual((waiting.returncode, "somebody else has ended the drain" in err),
                             (75, True))
            os.kill(process_of(host)["pid"], 9)

    def test_a_drain_under_load_loses_no_request(self):
        with Host(worker(more="processes: 2")) as host:
            answers, stop = [], threading.Event()

            def load():
                while not stop.is_set():
                    status, body, headers = host.request("POST", "echo", b"x" * 20000)
                    assert status == 200 and len(body) == 20000 or \
                        status == 503 and "Retry-After" in headers, (status, body)
                    answers.append(status)

            crowd = [threading.Thread(target=load) for _ in range(8)]
            for one in crowd:
                one.start()
            for _ in range(3):
                seen = answers.count(200)
                wait_until(lambda seen=seen: answers.count(200) > seen + 20)
                ask(host, "drain")
                self.assertEqual(report(host)["host"]["in_flight"], 0)
                done = answers.count(503)
                wait_until(lambda done=done: answers.count(503) > done + 20)
                ask(host, "resume")
            stop.set()
            for one in crowd:
                one.join(PATIENCE_S)
            served = report(host)["host"]
            self.assertEqual((served["failures"], served["invocations"]), (0, answers.count(200)))

    def test_an_admin_address_for_others_needs_consent(self):
        top = 'admin: {listen: "0.0.0.0:0"}'
        with Host(worker(), top=top, expect=78, settled="<end>") as host:
            self.assertIn('host.yaml:1:9: other machines could reach "0.0.0.0:0", where nobody is '
                          'asked for a password', host.log())
        with Host(worker(), top="admin: {listen: here}", expect=78, settled="<end>") as host:
            self.assertIn('admin.listen: "here" is not an address', host.log())
        with Host(worker(), top='admin: {listen: "0.0.0.0:0", open: true}') as host:
            elsewhere = {"Host": "host.example:7072"}
            self.assertEqual(admin(host, "GET", "/ready", elsewhere)[0], 200)
            self.assertEqual(admin(host, "POST", "/drain", elsewhere)[0], 403)
            self.assertEqual(admin(host, "POST", "/drain")[0], 200)


if __name__ == "__main__":
    main()
