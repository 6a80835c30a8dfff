#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Queues under faults: trials, each from a seed, judged by Jepsen's total-queue rule.

    run.py BIN WORKER [--trials N] [--seconds S] [--seed S] [--store PLACE | --server KIND] [--keep]

Producers put numbered messages into a queue over HTTP while its host and its workers are killed, stopped
and continued, and while some messages crash, hang and fail by themselves. What was acknowledged must be
completed or, if it is poison, be among the dead exactly once; none runs twice at the same time; only
what was in hand at a fault runs again; each message that is done with has put exactly one output. A
trial that fails prints its seed and leaves its folder. With --server, nats or postgresql, messages lie
on a server that is begun for it, and is killed, stopped and cut off, too. SEED in PLACE is that of the
trial, so that each has a store of its own: "postgresql://USER@HOST/NAME?schema=trial_SEED".
"""
import argparse
import collections
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import servers

ATTEMPTS = 12
IN_COMPANY = 5  # in a row, as src/host/queue/verdict.c has it
PATIENCE_S = 60
PRODUCERS = 3
MESSAGES = 40  # of each producer
KINDS = ["ok"] * 90 + ["crash"] * 4 + ["fail"] * 4 + ["hang", "poison"]

HOST = """host: {{cancel_grace: 50ms, shutdown_grace: 500ms}}
http: {{listen: "unix:http.sock"}}
queues: {{store: "{store}", max_attempts: {attempts}, lease: 1s}}
workers:
  - name: witness
    command: ["{worker}"]
    processes: 2
    restart_delay: 1ms
    restart_delay_max: 5ms
    give_up_after: 1000
    environment: {{FAULTS_LOG: "{log}"}}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class Trial:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="faults-")
        self.log = os.path.join(self.folder, "witness")
        self.acknowledged, self.kinds = set(), {}
        self.faults = collections.Counter()
        self.lock = threading.Lock()
        self.host = None
        self.write("host.yaml", HOST.format(store=self.store(),
                                            attempts=ATTEMPTS,
                                            worker=options.worker, log=self.log))
        self.write("worker.yaml", "middleware: [error_handling]\n")

    def store(self):
        if self.options.shared:
            return self.options.shared.store(self.seed)
        return self.options.store.replace("SEED", str(self.seed))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    # -- The host --

    def start(self):
        open(self.log, "a").close()
        with open(os.path.join(self.folder, "host.log"), "a") as log:
            self.host = subprocess.Popen([self.options.bin + "/isoworker", "run", self.folder],
                                         stdout=log, stderr=log)

    def queue(self, *words):
        return subprocess.run([self.options.bin + "/isoworker", "queue", *words, "-C", self.folder,
                               "--json"], capture_output=True, text=True, timeout=PATIENCE_S)

    def workers(self):
        """Pids of the worker's processes, by what /proc says of who started them."""
        pids = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    found = ("FAULTS_LOG=" + self.log).encode() + b"\0" in file.read()
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    found = found and file.read().split(b"\0")[0].decode() == self.options.worker
            except OSError:
                continue
            if found:
                pids.append(int(name))
        return pids

    # -- Producers --

    def post(self, text):
        connection = UnixConnection(os.path.join(self.folder, "http.sock"))
        try:
            connection.request("POST", "/api/put", text)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def produce(self, first, kinds):
        for number, kind in enumerate(kinds, first):
            with self.lock:
                self.kinds[number] = kind
            # What was not acknowledged may be there all the same, and is not put again.
            if self.post(f"{number} {kind}") == 202:
                with self.lock:
                    self.acknowledged.add(number)
            else:
                time.sleep(0.05)

    # -- Faults --

    def kill(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def worker_killed(self):
        pids = self.workers()
        if pids:
            self.kill(self.random.choice(pids), signal.SIGKILL)

    def worker_stopped(self):
        pids = self.workers()
        if pids:
            pid = self.random.choice(pids)
            self.kill(pid, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.01, 0.4))
            self.kill(pid, signal.SIGCONT)

    def host_killed(self):
        self.host.kill()
        self.host.wait()
        self.start()

    def host_ended(self):
        self.host.terminate()
        self.host.wait(PATIENCE_S)
        self.start()

    def host_stopped(self):
        self.kill(self.host.pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.01, 0.2))
        self.kill(self.host.pid, signal.SIGCONT)

    def restarted(self):
        subprocess.run([self.options.bin + "/isoworker", "restart", self.folder],
                       capture_output=True, timeout=PATIENCE_S)

    def server_killed(self):
        self.options.shared.kill()

    def server_stopped(self):
        self.options.shared.stop()
        time.sleep(self.random.uniform(0.01, 0.5))
        self.options.shared.go_on()

    def link_cut(self):
        self.options.shared.cut()
        time.sleep(self.random.uniform(0.01, 0.5))
        self.options.shared.mend()

    def chaos(self, end):
        faults = [self.worker_killed, self.worker_stopped, self.host_killed, self.host_ended,
                  self.host_stopped, self.restarted]
        if self.options.shared:
            faults += [self.server_killed, self.server_stopped, self.link_cut]
        while any(thread.is_alive() for thread in end):
            time.sleep(self.random.uniform(0.02, 0.25))
            fault = self.random.choice(faults)
            fault()
            self.faults[fault.__name__] += 1

    # -- A trial --

    def settled(self):
        asked = self.queue("list")
        if asked.returncode:
            return False
        rows = json.loads(asked.stdout)["queues"]
        return not any(row["ready"] + row["delayed"] + row["claimed"] for row in rows)

    def wait_until(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(what)
            if self.host.poll() is not None:
                self.start()
            time.sleep(0.02)

    def run(self):
        self.start()
        self.wait_until(lambda: os.path.exists(os.path.join(self.folder, "http.sock")), "no host")
        threads = []
        for i in range(PRODUCERS):
            kinds = [self.random.choice(KINDS) for _ in range(MESSAGES)]
            threads.append(threading.Thread(target=self.produce, args=(i * 1000, kinds)))
        for thread in threads:
            thread.start()
        self.chaos(threads)
        for thread in threads:
            thread.join()
        self.wait_until(self.settled, "messages are left after a minute: " +
                        self.queue("list").stdout)
        dead = [json.loads(line)["messages"][0] for line in
                self.queue("dead", "jobs", "--limit", "0").stdout.splitlines()
                if '"messages":[{' in line]
        self.host.terminate()
        self.host.wait(PATIENCE_S)
        return self.judge(dead)

    def tries_wrong(self, tries):
        """Of poison, how often each of its attempts was begun: once, and so often again as it was
        beside another message that ended their process. A server of NATS that is killed may forget
        deliveries, and settlements, of the moment."""
        forgets = self.options.server == "nats"
        most = (1 + IN_COMPANY) * (1 + (self.faults["server_killed"] if forgets else 0))
        return any(attempt > ATTEMPTS or count > most for attempt, count in tries.items())

    def judge(self, dead):
        begun, ended = collections.Counter(), collections.Counter()
        tries = collections.defaultdict(collections.Counter)
        outputs, wrong = collections.defaultdict(set), []
        with open(self.log) as file:
            for line in file:
                word, number, *rest = line.split()
                number = int(number)
                if word == "x":
                    wrong.append(f"message {number} ran twice at the same time")
                if word == "b":
                    begun[number] += 1
                    tries[number][int(rest[0])] += 1
                ended[number] += word == "e"
                if word == "o":
                    outputs[number].add(rest[0])
        buried = collections.Counter(int(message["body"].split()[0]) for message in dead)
        attempts = {int(message["body"].split()[0]): message["attempts"] for message in dead}
        bystanders = 0
        for number in sorted(self.acknowledged):
            poison = self.kinds[number] == "poison"
            beside = attempts.get(number, 0) == ATTEMPTS and buried[number] == 1
            if not poison and not ended[number] and beside:
                bystanders += 1  # each of its attempts was ended by another message, or a fault
            elif not poison and not ended[number]:
                wrong.append(f"message {number} ({self.kinds[number]}) was acknowledged and is "
                             f"{'dead' if buried[number] else 'lost'}, {begun[number]} runs")
            if poison and buried[number] != 1:
                wrong.append(f"poison {number} is {buried[number]} times among the dead")
            if poison and self.tries_wrong(tries[number]):
                wrong.append(f"poison {number} was begun so often in each attempt: "
                             f"{dict(tries[number])}")
            if not poison and ended[number] and len(outputs[number]) != 1:
                wrong.append(f"message {number} was completed and has {len(outputs[number])} outputs")
        again = sum(count - 1 for number, count in begun.items()
                    if count > 1 and self.kinds[number] == "ok")
        in_hand = 2 * 64 * sum(self.faults.values())  # processes, and calls that each may have
        if again > in_hand:
            wrong.append(f"{again} runs were made again, and {in_hand} can have been in hand")
        self.figures = {"messages": len(self.acknowledged), "again": again,
                        "dead": sum(buried.values()), "bystanders": bystanders}
        return wrong


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=os.path.abspath)
    parser.add_argument("worker", type=os.path.abspath)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--store", default="sqlite:queues.db")
    parser.add_argument("--server", choices=sorted(servers.KINDS))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args(words)
    options.shared = servers.Shared(options.server) if options.server else None
    return options


def show(total, faults, trials, seconds, failed):
    print(f"\n{'trials':<26}{trials:>10}\n{'failed':<26}{failed:>10}\n"
          f"{'acknowledged messages':<26}{total['messages']:>10}\n"
          f"{'runs made again':<26}{total['again']:>10}\n{'dead':<26}{total['dead']:>10}\n"
          f"{'of these by mere company':<26}{total['bystanders']:>10}")
    for name, count in sorted(faults.items()):
        print(f"{'fault: ' + name.replace('_', ' '):<26}{count:>10}")
    print(f"{'seconds':<26}{seconds:>10.0f}")


def run_trials(options, seed, total, faults, begin):
    failed = trials = 0
    while trials < options.trials and time.monotonic() - begin < options.seconds:
        trial = Trial(options, seed + trials)
        try:
            wrong = trial.run()
            total.update(trial.figures)
        except (AssertionError, subprocess.TimeoutExpired) as fault:
            wrong = [str(fault)]
        finally:
            if trial.host and trial.host.poll() is None:
                trial.host.kill()
                trial.host.wait()
        trials += 1
        faults.update(trial.faults)
        if wrong:
            failed += 1
            print(f"seed {trial.seed}, in {trial.folder}:\n  " + "\n  ".join(wrong[:20]), flush=True)
        elif not options.keep:
            shutil.rmtree(trial.folder, ignore_errors=True)
        if sys.stderr.isatty():
            print(f"\r{trials} trials, {failed} failed", end="", file=sys.stderr, flush=True)
    return failed, trials


def main(words):
    options = parse(words)
    begin = time.monotonic()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    total, faults = collections.Counter(), collections.Counter()
    try:
        failed, trials = run_trials(options, seed, total, faults, begin)
    finally:
        if options.shared:
            options.shared.remove()
    show(total, faults, trials, time.monotonic() - begin, failed)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
