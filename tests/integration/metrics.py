# SPDX-License-Identifier: Apache-2.0
"""GET /metrics: what workers have counted, over processes that come and go."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

try:
    from prometheus_client import parser
except ImportError:
    parser = None

from harness import SOURCE, WORKER, Client, Host, main, wait_until, worker
from operators import ADMIN, process_of, report, scrape

CHAIN = "middleware: [metrics, error_handling]\n"
TOTAL = 'isoworker_invocations_total{worker="test",function="%s",status="%s"}'
DURATION = 'isoworker_invocation_duration_seconds%s{worker="test",function="%s"%s}'
EVENTS = 'test_events_total{worker="test",kind="%s"}'
LEVEL = 'test_level{worker="test"}'
PY_HELLO = 'py_invocations_total{worker="py",function="py_hello"}'
CRASHES = 'isoworker_host_process_ends_total{worker="test",cause="signal"}'
UNHEARD = "isoworker_host_processes_unheard"


def start(processes=1, top=ADMIN):
    return Host(worker(more=f"processes: {processes}\ngive_up_after: 1000"), top=top, chain=CHAIN)


def samples_of(host):
    return scrape(host)[2]


def is_stopped(pid):
    """All of its threads: a stop takes effect in each when it runs again."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] != "T":
                return False
    return True


def pids_of(host):
    return [process["pid"] for process in report(host)["processes"]]


def read_by_others(test, text, *disliked):
    """What Prometheus's own programs say of it, of those that are installed. Names of the metrics
    `disliked` are not to their taste, but right."""
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True, timeout=60)
        faults = [line for line in (done.stdout + done.stderr).splitlines()
                  if not line.startswith(tuple(f"{name} non-histogram" for name in disliked))]
        test.assertEqual(faults, [])
    if parser:
        names = [family.name for family in parser.text_string_to_metric_families(text)]
        test.assertEqual(len(names), len(set(names)), names)


def broken_families(text):
    """Names that are described twice, or have samples apart from their description."""
    described, broken, current = set(), [], None  # without "_total", as OpenMetrics names them
    for line in text.splitlines():
        kind, name = (line.split()[1:3] if line[0] == "#"
                      else ("sample", re.match(r"[^ {]+", line).group()))
        if kind == "HELP":
            short = name.removesuffix("_total")
            broken += [name] if short in described else []
            described.add(short)
            current = name
        elif kind == "TYPE":
            broken += [name] if name != current else []
        elif re.sub(r"_(bucket|sum|count)$", "", name) != current and name != current:
            broken.append(name)
    return broken


class Metrics(unittest.TestCase):
    def test_all_triggers_together_describe_each_family_once(self):
        workers = "".join(worker(name, [os.path.join(os.path.dirname(WORKER), "test_" + name)])
                          for name in ("webhooks", "files", "timers"))
        with Host(workers, top=ADMIN) as host:
            text = scrape(host)[1]
            for kind in ("queue_completed", "file_found", "timer_", "webhook_", "requests_early"):
                self.assertIn(f"# HELP isoworker_host_{kind}", text)
            self.assertEqual(broken_families(text), [])
            read_by_others(self, text)

    def test_what_is_wrong_is_refused_where_it_is_described_and_the_rest_stands(self):
        wrong = ["name=t_total&type=c&a=__name__", "name=t_total&type=c&a=worker",
                 "name=t_total&type=c&a=k&b=k", "name=t_seconds_sum&type=g",
                 "name=t_seconds_count&type=c", "name=t_seconds_bucket&type=h",
                 "name=t_rest&type=h", "name=t_seconds&type=g", "name=t_seconds&type=h&a=k",
                 "name=isoworker_host_t_total&type=c", "name=t-total&type=c"]
        with start() as host:
            pids = pids_of(host)
            for query in ["name=t_seconds&type=h", "name=t_rest_sum&type=g",
                          "name=t_events_total&type=c&a=one&b=two"]:
                self.assertEqual(host.get("measure?" + query), (200, "counts"), query)
            for query in wrong:
                self.assertEqual(host.get("measure?" + query), (200, "refused"), query)
                name = re.escape(query.split("&")[0].removeprefix("name="))
                host.wait_for(f'stderr.*the metric "{name}" is refused and counts nothing: ')
            for _ in range(2):
                text, samples = scrape(host)[1:]
                read_by_others(self, text, "t_rest_sum")
                self.assertEqual(samples['t_seconds_count{worker="test"}'], 1)
                self.assertEqual(samples['t_rest_sum{worker="test"}'], 1)
                self.assertEqual(samples['t_events_total{worker="test",one="x"}'], 1)
            self.assertEqual(pids_of(host), pids)

    def test_the_text_is_what_prometheus_reads(self):
        with start() as host:
            host.get("hello/x")
            host.get("fail")
            host.get("count?kind=a%22b%5Cc%0Ad%7D+1")
            content_type, text, samples = scrape(host)
            self.assertEqual(content_type, "text/plain; version=0.0.4; charset=utf-8")
            self.assertTrue(text.endswith("\n"))
            label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
            sample = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:{{{label}(?:,{label})*}})? "
                                r"([-+.0-9e]+)")
            family, seen = None, []
            for line in text.splitlines():
                head = re.fullmatch(r"# TYPE (\S+) (counter|gauge|histogram)", line)
                if head:
                    family = head.group(1)
                    self.assertNotIn(family, seen)
                    seen.append(family)
                elif not re.fullmatch(r"# HELP \S+ .+", line):
                    found = sample.fullmatch(line)
                    self.assertTrue(found, line)
                    self.assertIn(found.group(1).removesuffix("_bucket").removesuffix("_sum")
                                  .removesuffix("_count"), (family, family.removesuffix("_count")))
            read_by_others(self, text)
            self.assertEqual(samples[TOTAL % ("hello", "ISW_OK")], 1)
            self.assertEqual(samples[TOTAL % ("fail", "ISW_E_CONFLICT")], 1)
            self.assertEqual(samples[EVENTS % 'a\\"b\\\\c\\nd} 1'], 1)
            self.assertEqual(samples['isoworker_host_requests_total{code="409"}'], 1)
            self.assertEqual(samples[DURATION % ("_bucket", "hello", ',le="+Inf"')], 1)
            self.assertEqual(samples[DURATION % ("_count", "hello", "")], 1)
            self.assertEqual(samples[DURATION % ("_bucket", "hello", ',le="10"')], 1)

    def test_processes_are_added_up_and_what_was_told_outlives_them(self):
        with start(processes=2) as host:
            pids = set()
            calls = 0
            while len(pids) < 2:
                long = host.start("GET", "once?ms=20")
                pids.add(int(host.get("count?kind=x")[1]))
                calls += 1
                long()
            samples = samples_of(host)
            self.assertEqual((samples[EVENTS % "x"], samples[LEVEL]), (calls, 10))
            for left in (5, None):
                pid = pids.pop()
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda pid=pid: pid not in pids_of(host))
                wait_until(lambda: all(process["state"] == "ready"
                                       for process in report(host)["processes"]))
                samples = samples_of(host)
                self.assertEqual((samples[EVENTS % "x"], samples.get(LEVEL)), (calls, left))
            self.assertEqual(samples['isoworker_host_worker_restarts_total{worker="test"}'], 2)
            self.assertEqual(samples['isoworker_host_worker_processes_ready{worker="test"}'], 2)
            host.get("count?kind=x")
            self.assertEqual(samples_of(host)[EVENTS % "x"], calls + 1)

    def test_a_worker_that_leaves_tells_what_nobody_has_asked_for(self):
        with start() as host:
            host.get("count?kind=x")
            os.kill(process_of(host)["pid"], signal.SIGTERM)
            wait_until(lambda: process_of(host)["restarts"] == 1)
            wait_until(lambda: process_of(host)["state"] == "ready")
            samples = samples_of(host)
            self.assertEqual((samples[EVENTS % "x"], samples.get(LEVEL)), (1, None))

    def test_a_process_that_does_not_answer_holds_nobody_up_for_long(self):
        py = worker("py", [SOURCE + "/conformance/worker.py"], "processes: 2")
        with Host(py, top=ADMIN + "\nhost: {heartbeat: 1h}") as host:
            host.get("py/hello/x")
            self.assertEqual(samples_of(host)[UNHEARD], 0)
            pids = pids_of(host)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: all(is_stopped(pid) for pid in pids))
            begin = time.monotonic()
            samples = samples_of(host)
            self.assertGreater(time.monotonic() - begin, 0.9)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertEqual((samples[UNHEARD], samples[PY_HELLO]), (2, 1))
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            wait_until(lambda: samples_of(host)[UNHEARD] == 0)
            self.assertEqual(host.get("py/hello/x")[0], 200)
            self.assertEqual(samples_of(host)[PY_HELLO], 2)

    def test_what_a_process_counts_in_memory_is_read_while_it_stands_still(self):
        with start(top=ADMIN + "\nhost: {heartbeat: 1h}") as host:
            host.get("count?kind=x")
            pid = pids_of(host)[0]
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: is_stopped(pid))
            samples = samples_of(host)
            self.assertEqual((samples[UNHEARD], samples[EVENTS % "x"], samples[LEVEL]), (0, 1, 5))
            os.kill(pid, signal.SIGCONT)

    def test_nothing_that_was_counted_is_lost_with_a_process(self):
        ends = 0
        with start(processes=2) as host:
            for end in ("kill", "crash", "kill"):
                for _ in range(20):  # and nobody looks
                    self.assertEqual(host.get("count?kind=x")[0], 200)
                    self.assertEqual(host.get("hello/x")[0], 200)
                if end == "crash":
                    self.assertEqual(host.request("POST", "crash")[0], 502)
                    ends += 1
                else:
                    for pid in pids_of(host):
                        os.kill(pid, signal.SIGKILL)
                        ends += 1
                wait_until(lambda: sum(process["restarts"]
                                       for process in report(host)["processes"]) == ends)
                wait_until(lambda: all(process["state"] == "ready"
                                       for process in report(host)["processes"]))
            samples = samples_of(host)
            self.assertEqual(samples[EVENTS % "x"], 60)
            self.assertEqual(samples[TOTAL % ("count", "ISW_OK")], 60)
            self.assertEqual(samples[TOTAL % ("hello", "ISW_OK")], 60)
            self.assertEqual(samples[DURATION % ("_count", "hello", "")], 60)
            self.assertEqual(samples[DURATION % ("_bucket", "hello", ',le="+Inf"')], 60)
            self.assertNotIn(LEVEL, samples)

    def test_a_process_that_begins_again_while_others_look_is_heard(self):
        with Host(worker(more="give_up_after: 1000\nrestart_delay_max: 100ms"), top=ADMIN,
                  chain=CHAIN) as host:
            stop = threading.Event()

            def look():
                while not stop.is_set():
                    scrape(host)

            lookers = [threading.Thread(target=look) for _ in range(4)]
            for thread in lookers:
                thread.start()
            try:
                for count in range(1, 31):
                    self.assertEqual(host.get("count?kind=x")[0], 200)
                    os.kill(process_of(host)["pid"], signal.SIGKILL)
                    wait_until(lambda count=count: process_of(host)["restarts"] == count)
                    wait_until(lambda: process_of(host)["state"] == "ready")
                    wait_until(lambda: samples_of(host)[UNHEARD] == 0)
            finally:
                stop.set()
                for thread in lookers:
                    thread.join(60)

    def test_what_is_counted_while_others_look_is_counted_once(self):
        with start(processes=2) as host:
            stop = threading.Event()

            def look():
                while not stop.is_set():
                    scrape(host)

            def load():
                for _ in range(100):
                    assert host.get("count?kind=x")[0] == 200

            lookers = [threading.Thread(target=look) for _ in range(2)]
            crowd = [threading.Thread(target=load) for _ in range(4)]
            for thread in lookers + crowd:
                thread.start()
            for thread in crowd:
                thread.join(60)
            stop.set()
            for thread in lookers:
                thread.join(60)
            samples = samples_of(host)
            self.assertEqual(samples[EVENTS % "x"], 400)
            self.assertEqual(samples[TOTAL % ("count", "ISW_OK")], 400)
            self.assertEqual(samples[DURATION % ("_count", "count", "")], 400)
            self.assertEqual(samples['isoworker_in_flight{worker="test",function="count"}'], 0)
            self.assertEqual(samples['isoworker_host_requests_total{code="200"}'], 400)

    def test_the_host_counts_how_calls_end_without_a_middleware_for_it(self):
        ended = ('isoworker_host_invocations_total{worker="test",function="%s",outcome="%s"}')
        with Host(worker(), top=ADMIN, chain="middleware: [error_handling]\n") as host:
            self.assertEqual([host.get("hello/x")[0] for _ in range(2)], [200, 200])
            self.assertEqual(host.get("fail")[0], 409)
            self.assertEqual(host.get("nap?ms=60000")[0], 504)
            client = Client(host, "GET /api/once?ms=60000 HTTP/1.1\nHost: x")
            host.wait_for_naps(2)
            client.close()
            wait_until(lambda: samples_of(host)[ended % ("once", "cancelled")] == 1)
            self.assertEqual(host.request("POST", "crash")[0], 502)
            samples = samples_of(host)
            for function, outcome, count in (("hello", "success", 2), ("hello", "failure", 0),
                                             ("fail", "failure", 1), ("nap", "timeout", 1),
                                             ("once", "success", 0), ("crash", "lost", 1)):
                self.assertEqual(samples[ended % (function, outcome)], count, (function, outcome))
            wait_until(lambda: samples_of(host)[CRASHES] == 1)
            read_by_others(self, scrape(host)[1])
            os.kill(process_of(host)["pid"], signal.SIGTERM)  # it is asked to: no crash
            wait_until(lambda: process_of(host)["restarts"] == 2)
            self.assertEqual(samples_of(host)[CRASHES], 1)

    def test_other_buckets_are_in_force_after_a_reload(self):
        with start() as host:
            host.get("hello/x")
            self.assertIn(DURATION % ("_bucket", "hello", ',le="0.0001"'), samples_of(host))
            host.write("worker.yaml", "middleware: [metrics: {buckets: [30]}]\n")
            host.wait_for("has read its configuration again")
            host.get("hello/x")
            samples = samples_of(host)
            self.assertEqual(samples[DURATION % ("_bucket", "hello", ',le="30"')], 1)
            self.assertNotIn(DURATION % ("_bucket", "hello", ',le="0.0001"'), samples)
            self.assertEqual(samples[TOTAL % ("hello", "ISW_OK")], 2)

    def test_a_worker_in_another_language_is_asked_too(self):
        with Host(worker("py", [SOURCE + "/conformance/worker.py"]), top=ADMIN) as host:
            host.get("py/hello/x")
            host.get("py/fail")
            samples = samples_of(host)
            for name in ("py_hello", "py_fail"):
                self.assertEqual(
                    samples[f'py_invocations_total{{worker="py",function="{name}"}}'], 1)

    def test_a_worker_that_lies_in_its_metrics_is_closed(self):
        liar = worker("liar", [SOURCE + "/integration/lying_worker.py"],
                      "give_up_after: 100\nrestart_delay_max: 50ms")
        with Host(liar, top=ADMIN) as host:
            for lie, why in (("unasked", "metrics that nobody asked for"),
                             ("that_fall", "metric lies_total: a counter falls"),
                             ("too_long", "metrics of 1048[0-9]{3} bytes; a frame has 1048576")):
                wait_until(lambda: host.get("lie/truth")[0] == 200)
                self.assertEqual(host.get("lie/metrics_" + lie)[0], 502, lie)
                host.wait_for(why)
            wait_until(lambda: host.get("lie/truth")[0] == 200)
            self.assertNotIn("lies_total", scrape(host)[1])

    def test_without_an_admin_address_there_are_none(self):
        with start(top="") as host:
            self.assertEqual(host.get("count?kind=x")[0], 200)
            self.assertEqual(host.request("GET", "metrics")[0], 404)

    def test_without_an_admin_address_a_worker_that_sends_some_is_told_so(self):
        liar = worker("liar", [SOURCE + "/integration/lying_worker.py"],
                      "give_up_after: 100\nrestart_delay_max: 100ms")
        with Host(liar) as host:
            self.assertEqual(host.get("lie/metrics_that_fall")[0], 502)
            host.wait_for("worker liar: metrics that nobody asked for; starts again")


if __name__ == "__main__":
    main()
