# SPDX-License-Identifier: Apache-2.0
"""One trial: producers, faults that its seed chooses, and the wait until all is done with."""
import collections
import json
import os
import random
import shutil
import signal
import tempfile
import threading
import time

import apart
import host
import judge

PRODUCERS = 3
MESSAGES = 40  # of each producer
KINDS = ["ok"] * 80 + ["late"] * 10 + ["crash"] * 4 + ["fail"] * 4 + ["hang", "poison"]
LATE_MS = 100
PROBES = 1000000  # numbers of messages that a fault puts itself
CLOCK_S = 300     # so far it is set, either way


class Trial:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="faults-")
        self.log = os.path.join(self.folder, "witness")
        self.acknowledged, self.kinds, self.wrong = set(), {}, []
        self.faults, self.refused = collections.Counter(), collections.Counter()
        self.lock = threading.Lock()
        self.disk = self.clock = None
        self.is_behind, self.probes = False, 0
        if options.clock:
            self.clock = apart.Clock(options.clock, os.path.join(self.folder, "clock"))
        if "disk" in options.kinds:
            self.disk = apart.Disk(os.path.join(self.folder, "1", "disk"), 16)
        self.hosts = [self.host_of(i) for i in range(2 if options.shared else 1)]

    def host_of(self, index):
        store = self.options.store or f"sqlite:{'disk/' if self.disk else ''}queues.db"
        way = ["env", *(self.clock.environment() if self.clock else [])]
        if self.options.shared:
            store = self.options.shared.store(self.seed, index)
            way = self.options.shared.way(index) + way
        return host.Host(os.path.join(self.folder, str(index + 1)), self.options.bin + "/isoworker",
                         self.options.worker, store.replace("SEED", str(self.seed)), self.log, way)

    def start(self, of):
        # Times that it was given are ahead of it.
        self.is_behind |= bool(self.clock and self.clock.offset_s < self.clock.highest_s)
        of.start()

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
        return sorted(pids)

    # -- Producers --

    def put(self, of, number, kind):
        """The status of the answer."""
        with self.lock:
            self.kinds[number] = kind
        # What was not acknowledged may be there all the same, and is not put again.
        status = of.post(f"/api/put?delay={LATE_MS if kind == 'late' else 0}", f"{number} {kind}")
        with self.lock:
            if status == 202:
                self.acknowledged.add(number)
            else:
                self.refused[status] += 1
        return status

    def produce(self, index, kinds):
        for number, kind in enumerate(kinds, index * 1000):
            if self.put(self.hosts[index % len(self.hosts)], number, kind) != 202:
                time.sleep(0.05)

    def probe(self, of):
        self.probes += 1
        return self.put(of, PROBES + self.probes, "ok")

    # -- Faults --

    def pause(self, least_s, most_s):
        time.sleep(self.random.uniform(least_s, most_s))

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
            self.pause(0.01, 0.4)
            self.kill(pid, signal.SIGCONT)

    def host_killed(self):
        of = self.random.choice(self.hosts)
        of.kill()
        self.start(of)

    def host_ended(self):
        of = self.random.choice(self.hosts)
        of.end()
        self.start(of)

    def host_stopped(self):
        of = self.random.choice(self.hosts)
        of.signal(signal.SIGSTOP)
        self.pause(0.01, 0.2)
        of.signal(signal.SIGCONT)

    def restarted(self):
        of = self.random.choice(self.hosts)
        of.run("restart", of.folder)

    def clock_set(self):
        for of in self.hosts:  # which know the time by now
            self.wait_until(lambda of=of: self.probe(of) == 202, "nothing is taken before the clock "
                            "is set")
        self.clock.set(self.random.uniform(-CLOCK_S, CLOCK_S))

    def disk_filled(self):
        """That of the store. A put is refused, unless it has its room already; the host goes on, but
        for one that ends for another fault, and puts are taken again when there is room."""
        of = self.hosts[0]
        other = self.random.choice([None, None, self.worker_killed, self.host_killed,
                                    self.host_ended])
        self.wait_until(lambda: self.probe(of) == 202, "nothing is taken before the disk is full")
        self.disk.fill()
        status = self.probe(of)
        if status != 202 and not 500 <= status <= 599:
            self.wrong.append(f"a put on a full disk was answered {status}")
        self.pause(0.05, 0.3)
        if not of.is_up():
            self.wrong.append("the host ended as its disk was full")
        if other:
            other()
            self.pause(0.05, 0.3)
        self.disk.empty()
        self.wait_until(lambda: self.probe(of) == 202, "nothing is taken on the disk with room")

    def server_killed(self):
        self.options.shared.kill()

    def server_stopped(self):
        self.options.shared.stop()
        self.pause(0.01, 0.5)
        self.options.shared.go_on()

    def server_disk_filled(self):
        """Its operator makes room, and begins it again."""
        self.options.shared.disk.fill()
        self.pause(0.05, 1)
        self.options.shared.disk.empty()
        self.options.shared.kill()

    def link_cut(self):
        self.options.shared.cut()
        self.pause(0.01, 0.5)
        self.options.shared.mend()

    def network_cut(self):
        machines = self.options.shared.machines
        index = self.random.randrange(len(self.hosts))
        at_server = self.random.random() < 0.5
        machines.set(index, "down", at_server)
        if self.random.random() < 0.1:
            self.pause(21, 24)  # a server of PostgreSQL gives the machine up after 20
        else:
            self.pause(0.5, 5)
        machines.set(index, "up", at_server)

    def kinds_of_fault(self):
        faults = [self.worker_killed, self.worker_stopped, self.host_killed, self.host_ended,
                  self.host_stopped, self.restarted]
        if self.clock:
            faults.append(self.clock_set)
        if self.disk:
            faults.append(self.disk_filled)
        if self.options.shared:
            faults += [self.server_killed, self.server_stopped]
            faults.append(self.network_cut if self.options.shared.machines else self.link_cut)
            faults += [self.server_disk_filled] if self.options.shared.disk else []
        only = self.options.only.split(",") if self.options.only else []
        return [fault for fault in faults if not only or fault.__name__ in only]

    def chaos(self, end):
        faults = self.kinds_of_fault()
        while any(thread.is_alive() for thread in end):
            self.pause(0.02, 0.25)
            fault = self.random.choice(faults)
            begun_s = time.time()
            fault()
            self.faults[fault.__name__] += 1
            with open(os.path.join(self.folder, "faults"), "a", encoding="utf-8") as file:
                file.write(f"{fault.__name__}: from {begun_s:.3f} to {time.time():.3f}\n")

    # -- The whole --

    def wait_until(self, condition, what):
        end = time.monotonic() + host.PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(what)
            for of in self.hosts:
                if not of.is_up():
                    self.start(of)
            time.sleep(0.02)

    def settled(self):
        asked = self.hosts[0].queue("list")
        if asked.returncode:
            return False
        rows = json.loads(asked.stdout)["queues"]
        return not any(row["ready"] + row["delayed"] + row["claimed"] for row in rows)

    def await_end(self):
        """All is done with, whatever was done to the clock. But what a host that began behind its time
        finds in the store waits for its time to come, which is now."""
        if self.is_behind:
            self.clock.set(self.clock.highest_s)
        self.wait_until(self.settled, "messages are left after a minute")

    def dead(self):
        return [json.loads(line)["messages"][0] for line in
                self.hosts[0].queue("dead", "jobs", "--limit", "0").stdout.splitlines()
                if '"messages":[{' in line]

    def run(self):
        open(self.log, "a", encoding="utf-8").close()
        for of in self.hosts:
            self.start(of)
        self.wait_until(lambda: all(os.path.exists(os.path.join(of.folder, "http.sock"))
                                    for of in self.hosts), "no host")
        threads = [threading.Thread(target=self.produce, args=(
                       i, [self.random.choice(KINDS) for _ in range(MESSAGES)]))
                   for i in range(PRODUCERS)]
        for thread in threads:
            thread.start()
        self.chaos(threads)
        for thread in threads:
            thread.join()
        self.await_end()
        dead = self.dead()
        for of in self.hosts:
            of.end()
        return judge.judge(self, dead)

    def end(self, keep):
        for of in self.hosts:
            of.kill()
        if self.disk:
            if keep:
                shutil.copytree(self.disk.folder, self.disk.folder + "-kept")
            self.disk.remove()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
