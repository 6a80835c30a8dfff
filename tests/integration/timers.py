# SPDX-License-Identifier: Apache-2.0
"""Timers under a host that runs: by the clock, and by `isoworker timer`."""
import datetime
import glob
import http.client
import json
import os
import re
import signal
import subprocess
import unittest
import zoneinfo

from harness import BIN, PATIENCE_S, Host, is_alive, main, wait_until, worker

TIMERS = os.path.join(os.path.dirname(os.environ["ISOWORKER_TEST_WORKER"]), "test_timers")
UTC = datetime.timezone.utc
CHAIN = "middleware:\n  - error_handling\n"


def timers(top="", expect=0, more=""):
    return Host(worker(command=[TIMERS], more=more), top=top, chain=CHAIN, expect=expect)


def instant(stamp):
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))


def ask(host, *words):
    done = subprocess.run([BIN + "/isoworker", "timer", words[0], host.folder.name, *words[1:]],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def listed(host, name):
    code, out, err = ask(host, "list", "--json")
    assert code == 0, err
    return next(one for one in json.loads(out)["timers"] if one["function"] == name)


def again(host, pause_s=0):
    """The host is killed, and another one begins in its folder."""
    worker_pids = [int(pid) for pid in subprocess.run(
        ["pgrep", "-P", str(host.process.pid)], capture_output=True, text=True).stdout.split()]
    host.process.kill()
    host.process.wait()
    host.reader.join()
    wait_until(lambda: not any(is_alive(pid) for pid in worker_pids))
    end = datetime.datetime.now() + datetime.timedelta(seconds=pause_s)
    wait_until(lambda: datetime.datetime.now() > end)
    host.lines.clear()
    host.__enter__()


def admin(host, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", host.admin, timeout=30)
    connection.request(method, path, headers={"Host": f"127.0.0.1:{host.admin}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def with_admin():
    host = timers(top="admin: { listen: 127.0.0.1:0 }\n")
    host.__enter__()
    line = host.wait_for("admin at http")
    host.admin = int(re.search(r"admin at http://127.0.0.1:(\d+)", line)[1])
    return host


class Timers(unittest.TestCase):
    def test_a_function_runs_when_it_is_time_and_is_told_so(self):
        pattern = re.compile(r"second: told (\{.*\}), as metadata (\S+) attempt 1, retry 0 of 4")
        with timers() as host:
            with host.changed:
                host.changed.wait_for(lambda: len(pattern.findall(host.log())) >= 3, PATIENCE_S)
            found = pattern.findall(host.log())
            self.assertGreaterEqual(len(found), 3, host.log())
            told = [json.loads(text) for text, _ in found]
            due = [instant(one["scheduled_for"]) for one in told]
            self.assertTrue(all(a < b for a, b in zip(due, due[1:])), due)
            self.assertEqual([one["scheduled_for"] for one in told], [text for _, text in found])
            self.assertTrue(all(one["attempt"] == 1 for one in told), told)
            self.assertIsNone(told[0]["last"])
            self.assertEqual(told[1]["last"], told[0]["scheduled_for"])
            self.assertGreater(instant(told[0]["next"]), due[0])

    def test_the_list_has_the_next_five_times_in_the_zone_of_each(self):
        with timers() as host:
            one = listed(host, "morning")
            self.assertEqual((one["schedule"], one["zone"], one["state"]),
                             ("0 30 9 * * Mon-Fri", "Europe/Berlin", "waiting"))
            zone = zoneinfo.ZoneInfo("Europe/Berlin")
            day = datetime.datetime.now(zone).replace(hour=9, minute=30, second=0, microsecond=0)
            expected = []
            while len(expected) < 5:
                if day > datetime.datetime.now(zone) and day.weekday() < 5:
                    expected.append(day.isoformat())
                day += datetime.timedelta(days=1)
            self.assertEqual(one["next"], expected)
            code, out, _ = ask(host, "list")
            self.assertEqual(code, 0)
            self.assertIn('morning  "0 30 9 * * Mon-Fri" Europe/Berlin  waiting\n', out)
            self.assertIn(f"  next     {expected[0]}\n           {expected[1]}\n", out)

    def test_a_timer_runs_when_somebody_wants_it(self):
        with timers() as host:
            before = listed(host, "year")["next"]
            code, out, _ = ask(host, "run", "year")
            self.assertEqual((code, out), (0, f"year ran, due again at {before[0]}\n"))
            host.wait_for(r"year: told \{.*\}, as metadata .* attempt 1")
            one = listed(host, "year")
            self.assertEqual((one["outcome"], one["runs"], one["next"]), ("success", 1, before))

    def test_a_run_that_fails_is_told(self):
        with timers() as host:
            code, _, err = ask(host, "run", "fails")
            self.assertEqual(code, 70)
            self.assertIn("fails failed: ", err)
            self.assertIn("no paper", err)
            one = listed(host, "fails")
            self.assertEqual((one["outcome"], one["runs"], one["failures"]), ("failed", 1, 1))

    def test_two_runs_of_one_timer_are_never_at_once(self):
        with timers() as host:
            code, _, err = ask(host, "run", "waits", "--wait", "0")
            self.assertEqual(code, 75, err)
            host.wait_for("waits at the gate")
            self.assertEqual(listed(host, "waits")["state"], "running")
            code, _, err = ask(host, "run", "waits")
            self.assertEqual(code, 65)
            self.assertIn('timer "waits" runs', err)
            open(os.path.join(host.folder.name, "gate"), "w").close()
            wait_until(lambda: listed(host, "waits")["state"] == "waiting")
            self.assertEqual(listed(host, "waits")["runs"], 1)

    def test_a_host_that_stops_waits_for_the_run(self):
        with timers() as host:
            ask(host, "run", "waits", "--wait", "0")
            host.wait_for("waits at the gate")
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("waiting for 1 invocation in flight")
            open(os.path.join(host.folder.name, "gate"), "w").close()
            host.wait_for("stopped")

    def test_a_run_whose_worker_dies_is_begun_again(self):
        with timers(more="restart_delay: 1ms") as host:
            code, _, err = ask(host, "run", "dies")
            self.assertEqual(code, 0, err)
            host.wait_for(r"dies: told .* attempt 2, retry 1 of 4")
            host.wait_for("dies: its worker ended under it; it is begun again, attempt 2 of 5")
            one = listed(host, "dies")
            self.assertEqual((one["outcome"], one["attempt"], one["runs"]), ("success", 2, 1))

    @unittest.skipIf(os.environ["ISOWORKER_SANITIZE"], "a sanitizer reports crashes itself")
    def test_a_run_whose_process_another_call_has_ended_has_made_no_attempt(self):
        with timers() as host:
            runs = subprocess.Popen([BIN + "/isoworker", "timer", "run", host.folder.name, "waits"])
            host.wait_for("waits at the gate")
            subprocess.run([BIN + "/isoworker", "invoke", "-C", host.folder.name, "crashes"],
                           capture_output=True, timeout=PATIENCE_S)
            host.wait_for("waits: another call has ended its process; it is begun again")
            host.write("gate", "")
            self.assertEqual(runs.wait(PATIENCE_S), 0)
            self.assertEqual(listed(host, "waits")["attempt"], 1)

    def test_a_paused_timer_does_not_run(self):
        with timers() as host:
            host.wait_for("second: told")
            code, out, _ = ask(host, "pause", "second")
            self.assertEqual(code, 0)
            self.assertIn("  paused\n", out)
            wait_until(lambda: listed(host, "second")["state"] == "paused")
            runs, now = listed(host, "second")["runs"], datetime.datetime.now()
            wait_until(lambda: (datetime.datetime.now() - now).total_seconds() > 2.1)
            self.assertEqual(listed(host, "second")["runs"], runs)
            self.assertEqual(ask(host, "resume", "second")[0], 0)
            wait_until(lambda: listed(host, "second")["runs"] > runs)

    def test_a_host_that_drains_begins_no_run(self):
        with timers() as host:
            host.wait_for("second: told")
            subprocess.run([BIN + "/isoworker", "drain", host.folder.name], check=True,
                           capture_output=True)
            runs, now = listed(host, "second")["runs"], datetime.datetime.now()
            wait_until(lambda: (datetime.datetime.now() - now).total_seconds() > 2.1)
            self.assertEqual(listed(host, "second")["runs"], runs)
            self.assertEqual(ask(host, "run", "year")[0], 75)
            subprocess.run([BIN + "/isoworker", "resume", host.folder.name], check=True,
                           capture_output=True)
            wait_until(lambda: listed(host, "second")["runs"] > runs)

    def test_nothing_is_polled(self):
        with timers() as host:
            self.assertEqual(ask(host, "pause", "second")[0], 0)
            found = []
            for path in glob.glob(f"/proc/{host.process.pid}/fdinfo/*"):
                with open(path, encoding="ascii") as file:
                    text = file.read()
                if "clockid: 0" in text:
                    found.append(text)
            found = [text for text in found if "it_value: (0, 0)" not in text]
            self.assertEqual(len(found), 1, found)
            left = int(re.search(r"it_value: \((\d+),", found[0])[1])
            now = datetime.datetime.now(UTC)
            due = min(instant(listed(host, name)["next"][0]) for name in ("morning", "year"))
            self.assertAlmostEqual(left, (due - now).total_seconds(), delta=30)
            self.assertIn("settime flags: 03", found[0])

    def test_a_run_whose_host_was_killed_is_begun_again_with_the_same_time(self):
        with timers() as host:
            ask(host, "run", "waits", "--wait", "0")
            host.wait_for("waits at the gate")
            before = listed(host, "waits")
            self.assertEqual(before["attempt"], 1)
            again(host)
            host.wait_for(rf"waits: its run of {before['last']} was begun and has no end; it is "
                          "begun again, attempt 2 of 5")
            host.wait_for("waits at the gate")
            after = listed(host, "waits")
            self.assertEqual((after["last"], after["attempt"]), (before["last"], 2))
            open(os.path.join(host.folder.name, "gate"), "w").close()
            wait_until(lambda: listed(host, "waits").get("outcome") == "success")

    def test_what_was_missed_while_no_host_was_there_is_one_run(self):
        with timers() as host:
            host.wait_for("second: told")
            again(host, pause_s=2.5)
            found = host.wait_for(r"second: told")
            told = json.loads(re.search(r"told (\{.*\}), as", found)[1])
            self.assertIs(told["is_past_due"], True, found)
            self.assertGreater(instant(told["scheduled_for"]) - instant(told["last"]),
                               datetime.timedelta(seconds=1))
            self.assertGreaterEqual(listed(host, "second")["missed"], 1)

    def test_a_host_that_takes_the_place_runs_each_time_once(self):
        with timers() as host:
            host.wait_for("second: told")
            more = subprocess.Popen([BIN + "/isoworker", "run", host.folder.name, "--port", "0",
                                     "--replace"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True)
            lines = []
            while sum("second: told" in line for line in lines) < 3:
                lines.append(more.stdout.readline())
                self.assertTrue(lines[-1], "".join(lines))
            more.send_signal(signal.SIGTERM)
            lines += more.stdout.readlines()
            self.assertEqual(more.wait(), 0)
            host.process.wait(PATIENCE_S)
            due = re.findall(r'second: told \{"scheduled_for":"([^"]*)"', host.log() + "".join(lines))
            self.assertEqual(due, sorted(set(due)))
            self.assertGreaterEqual(len(due), 4)

    def test_a_pause_outlasts_the_host(self):
        with timers() as host:
            self.assertEqual(ask(host, "pause", "year")[0], 0)
            again(host)
            wait_until(lambda: listed(host, "year")["state"] == "paused")

    def test_a_store_that_is_anothers_is_told_and_no_timer_runs(self):
        with timers() as host:
            host.wait_for("second: told")
            place = f"queues: {{ store: 'sqlite:{host.folder.name}/queues.db' }}\n"
            with timers(top=place) as other:
                other.wait_for("its state cannot be read, so that it does not run: .*queues.db is "
                               "another host's")
                self.assertNotIn("second: told", other.log())
                status = subprocess.run([BIN + "/isoworker", "status", other.folder.name],
                                        capture_output=True, text=True)
                self.assertIn("timers do not run, as their state cannot be kept", status.stdout)

    def test_a_name_that_is_none_is_told(self):
        with timers() as host:
            code, _, err = ask(host, "run", "yaer")
            self.assertEqual(code, 65)
            self.assertIn('this host has no timer "yaer"; did you mean "year"?', err)
            for words in (["run"], ["list", "year", "x"], ["stop"], []):
                done = subprocess.run([BIN + "/isoworker", "timer", *words], capture_output=True,
                                      text=True)
                self.assertEqual(done.returncode, 64, done.stderr)

    def test_a_schedule_that_is_wrong_is_told_and_the_others_are_served(self):
        for schedule, zone, why in (
                ("0 61 * * * *", "UTC",
                 'schedule "0 61 * * * *": minute "61" at character 3 is none'),
                ("0 0 30 2 *", "UTC", 'schedule "0 0 30 2 *" never comes'),
                ("@daily", "Europe/Berln", 'zone: there is no time zone "Europe/Berln"; is '
                                           '"Europe/Berlin" meant?')):
            more = f"environment: {{ TIMERS_WRONG: '{schedule}', TIMERS_ZONE: {zone} }}"
            with timers(more=more) as host:
                host.wait_for(re.escape(f"function wrong of worker test is not served: {why}"))
                self.assertEqual(ask(host, "run", "year")[0], 0)
                checked = subprocess.run([BIN + "/isoworker", "check", host.folder.name],
                                         capture_output=True, text=True)
                self.assertNotEqual(checked.returncode, 0)
                self.assertIn(f"function wrong of worker test is not served: {why}",
                              checked.stdout + checked.stderr)

    def test_the_admin_endpoints_do_the_same(self):
        host = with_admin()
        try:
            status, body = admin(host, "GET", "/timers")
            self.assertEqual(status, 200)
            self.assertEqual({one["function"] for one in json.loads(body)["timers"]},
                             {"second", "year", "morning", "fails", "waits", "dies"})
            status, body = admin(host, "POST", "/timers/run?name=year")
            self.assertEqual((status, json.loads(body)["timers"][0]["outcome"]), (200, "success"))
            status, body = admin(host, "POST", "/timers/pause?name=year")
            self.assertEqual((status, json.loads(body)["timers"][0]["state"]), (200, "paused"))
            status, body = admin(host, "POST", "/timers/resume?name=year")
            self.assertEqual((status, json.loads(body)["timers"][0]["state"]), (200, "waiting"))
            self.assertEqual(admin(host, "POST", "/timers/run?name=none")[0], 404)
            self.assertEqual(admin(host, "POST", "/timers/run")[0], 400)
            _, metrics = admin(host, "GET", "/metrics")
            self.assertIn('isoworker_host_timer_runs_total{function="year"} 1\n', metrics)
            self.assertRegex(metrics, r'host_timer_next_seconds\{function="year"\} \d{10}')
            self.assertIn('isoworker_host_timer_last_success{function="year"} 1\n', metrics)
        finally:
            host.__exit__(None, None, None)


class NoHost(unittest.TestCase):
    """`isoworker timer list` where none runs."""

    def test_times_to_come_are_shown_as_the_programs_tell_of_them(self):
        host = timers()
        self.addCleanup(host.folder.cleanup)
        code, out, err = ask(host, "list", "--json")
        self.assertEqual((code, err), (0, ""))
        rows = {row["function"]: row for row in json.loads(out)["timers"]}
        self.assertEqual(set(rows), {"second", "year", "morning", "fails", "waits", "dies"})
        morning = rows["morning"]
        self.assertEqual((morning["worker"], morning["schedule"], morning["zone"], morning["state"]),
                         ("test", "0 30 9 * * Mon-Fri", "Europe/Berlin", "no host"))
        times = [instant(stamp) for stamp in morning["next"]]
        self.assertEqual(len(times), 5)
        self.assertTrue(all(a < b for a, b in zip(times, times[1:])))
        self.assertGreater(times[0], datetime.datetime.now(UTC) - datetime.timedelta(minutes=5))
        self.assertTrue(all("T09:30:00" in stamp for stamp in morning["next"]))
        code, out, err = ask(host, "list")
        self.assertEqual(code, 0)
        self.assertIn('morning  "0 30 9 * * Mon-Fri" Europe/Berlin  no host\n  next     ', out)
        self.assertIn("no host runs in", err)
        self.assertEqual(ask(host, "run", "morning")[0], 69)

    def test_what_cannot_be_asked_is_told(self):
        host = timers(more="environment: {TIMERS_WRONG: 61 * * * *, TIMERS_ZONE: UTC}")
        self.addCleanup(host.folder.cleanup)
        code, out, err = ask(host, "list")
        self.assertEqual(code, 78)
        self.assertIn("function wrong of worker test: ", err)
        self.assertIn("morning  ", out)
        host = Host(worker(command=["/nonexistent"]))
        self.addCleanup(host.folder.cleanup)
        code, out, err = ask(host, "list")
        self.assertEqual((code, out), (78, ""))
        self.assertIn("/nonexistent", err)


if __name__ == "__main__":
    main()
