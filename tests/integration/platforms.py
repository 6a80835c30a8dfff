# SPDX-License-Identifier: Apache-2.0
"""The host where a platform runs containers, as Knative and Cloud Run do: PORT says where to listen,
probes when it is ready, SIGTERM that it is to end while requests are in flight; then there are none,
until the next one starts it anew."""
import contextlib
import http.client
import os
import signal
import subprocess
import threading
import unittest

from harness import BIN, NO_CHAIN, PATIENCE_S, Host, free_port, main, wait_until, worker

PROBES = "http: {probes: true}\n"
NEVER = worker("never", ["/bin/sleep", "1000"])


def ask(port, path, timeout=PATIENCE_S, headers=None):
    """Status and body; OSError where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_up(port):
    with contextlib.suppress(OSError):
        return ask(port, "/")[0] == 200
    return False


class OnPort(Host):
    """A host that is told its port by PORT alone."""

    def __init__(self, *arguments, port=None, **more):
        self.wanted = str(port or free_port())
        super().__init__(*arguments, **more, prepare=self.set_port)

    def set_port(self):
        os.environ["PORT"] = self.wanted

    def command(self):
        return [BIN + "/isoworker", "run", self.folder.name, "--listen", "0.0.0.0:7071",
                "--port-from", "PORT", *self.arguments]


class Ports(unittest.TestCase):
    def test_the_port_of_the_variable_is_listened_at(self):
        with OnPort(worker(), chain=NO_CHAIN) as host:
            self.assertEqual(ask(int(host.wanted), "/api/hello/Ada"), (200, b"Hello, Ada!\n"))

    def test_a_variable_that_is_no_port_is_refused(self):
        ran = subprocess.run([BIN + "/isoworker", "run", "--port-from", "PORT", "/"], text=True,
                             env={**os.environ, "PORT": "http"}, capture_output=True, check=False,
                             timeout=PATIENCE_S)
        self.assertEqual(ran.returncode, 64)
        self.assertIn('PORT is "http", and is to be a port', ran.stderr)

    def test_a_port_that_nothing_listens_at_is_told(self):
        class Loopback(OnPort):
            def command(self):
                return [BIN + "/isoworker", "run", self.folder.name]

        with Loopback(worker(), chain=NO_CHAIN, port=1, top="http: {listen: 127.0.0.1:0}\n") as host:
            host.wait_for("PORT is 1, and nothing listens there")


class Probes(unittest.TestCase):
    def test_they_are_answered_at_the_one_port_there_is(self):
        with Host(worker(), top=PROBES, chain=NO_CHAIN) as host:
            for name in ("health", "ready", "startup"):
                self.assertEqual(ask(host.port, f"/{name}"), (200, b"ok\n"))

    def test_without_the_setting_they_are_not_there(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            self.assertEqual(ask(host.port, "/ready")[0], 404)

    def test_a_worker_that_does_not_start_is_not_ready_and_its_host_is_well(self):
        with OnPort(worker() + NEVER, top=PROBES, chain=NO_CHAIN, settled=None) as host:
            wait_until(lambda: is_up(int(host.wanted)) and
                       ask(int(host.wanted), "/health")[0] == 200)  # it listens a moment before
            self.assertEqual([ask(int(host.wanted), f"/{name}")[0]
                              for name in ("health", "ready", "startup")], [200, 503, 503])

    def test_a_host_that_drains_is_not_ready(self):
        with Host(worker(), top=PROBES, chain=NO_CHAIN) as host:
            drain = [BIN + "/isoworker", "drain", host.folder.name]
            subprocess.run(drain, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)
            self.assertEqual(ask(host.port, "/ready"), (503, b"no\n"))
            self.assertEqual(ask(host.port, "/health")[0], 200)


class Platform:
    """Runs one container at most, which a request starts, and ends it by SIGTERM; as Knative's proxy
    it holds no more than `concurrency` requests in it, and sends a new one only to one that is ready
    and not told to end."""

    def __init__(self, concurrency):
        self.slots = threading.Semaphore(concurrency)
        self.lock = threading.Lock()
        self.running = None
        self.starts = 0

    def container(self):
        with self.lock:
            if not self.running:
                host = OnPort(worker(more="processes: 2"), top=PROBES, chain=NO_CHAIN)
                host.settled = None
                host.__enter__()
                wait_until(lambda: self.is_ready(int(host.wanted)))
                self.running = host
                self.starts += 1
            return self.running

    @staticmethod
    def is_ready(port):
        with contextlib.suppress(OSError):
            return ask(port, "/ready")[0] == 200
        return False

    def request(self, path):
        with self.slots:
            return ask(int(self.container().wanted), path)

    def scale_to_zero(self):
        """The container takes nothing new from now on; its requests go on."""
        with self.lock:
            host, self.running = self.running, None
        host.process.send_signal(signal.SIGTERM)
        return host


class Scaling(unittest.TestCase):
    def test_none_is_lost_when_it_is_scaled_to_zero_and_back(self):
        platform = Platform(concurrency=8)
        for _ in range(3):
            answers = []
            begun = platform.container()
            threads = [threading.Thread(target=lambda: answers.append(
                platform.request("/api/nap?ms=300"))) for _ in range(8)]
            for thread in threads:
                thread.start()
            begun.wait_for_naps(8)
            ending = platform.scale_to_zero()
            fresh = platform.request("/api/hello/Ada")  # which starts the next one
            for thread in threads:
                thread.join(PATIENCE_S)
            self.assertEqual([status for status, _ in answers], [200] * 8)
            self.assertEqual(fresh, (200, b"Hello, Ada!\n"))
            ending.__exit__(None, None, None)  # with status 0
        self.assertEqual(platform.starts, 4)
        platform.scale_to_zero().__exit__(None, None, None)

    def test_what_is_above_its_limit_is_told_to_come_again(self):
        limits = "queue: {limit: 1, wait: 30s}\n"
        chain = "worker: {concurrency: 1, max_in_flight: 1}\n" + NO_CHAIN
        with OnPort(worker(), top=limits, chain=chain) as host:
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(
                host.request("GET", "once?ms=1000"))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE_S)
            statuses = [status for status, _, _ in answers]
            self.assertEqual((len(statuses), set(statuses)), (8, {200, 503}))
            self.assertTrue(all("Retry-After" in headers for status, _, headers in answers
                                if status == 503))

    def test_its_requests_keep_their_names(self):
        with OnPort(worker(), chain=NO_CHAIN) as host:
            _, _, headers = host.request("GET", "hello/Ada", headers={"X-Request-Id": "of-the-edge"})
            self.assertEqual(headers["X-Request-Id"], "of-the-edge")


if __name__ == "__main__":
    main()
