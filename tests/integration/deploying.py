# SPDX-License-Identifier: Apache-2.0
"""What samples/platforms has for platforms, used as they would use it: probes are asked at the paths,
commands run in the words, and queries made in the text that stand there."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

from harness import BIN, PATIENCE_S, SOURCE, Host, free_port, main, wait_until, worker
from messages import MESSAGES, put
from platforms import ask

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "broker"))
import postgresql_server  # noqa: E402

TOP = os.path.dirname(SOURCE)
PLATFORMS = os.path.join(TOP, "samples/platforms")
MOST_MIB = 15


def documents(name):
    with open(os.path.join(PLATFORMS, name), encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def seconds(text):
    return float(re.fullmatch(r"(\d+)s", text).group(1))


class App(Host):
    """samples/platforms/host.yaml as it is, with a worker that can take its time."""

    def __init__(self):
        super().__init__(worker("hello"), settled=None)
        with open(os.path.join(PLATFORMS, "host.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.settings = yaml.safe_load(text)
        self.write("host.yaml", text.replace("[hello]", "[" + os.environ["ISOWORKER_TEST_WORKER"] +
                                             "]"))
        self.write("worker.yaml", "middleware: []\n")
        self.port = free_port()

    def command(self):
        return ["/usr/bin/env", f"PORT={self.port}", BIN + "/isoworker", "run", self.folder.name]

    def probe(self, probe):
        """As kubelet does: until it is 2xx or has failed too often."""
        for _ in range(20 * probe.get("failureThreshold", 3)):
            with contextlib.suppress(OSError):
                if 200 <= ask(self.port, probe["httpGet"]["path"])[0] < 400:
                    return True
            time.sleep(probe["periodSeconds"] / 20)
        return False


class Manifests(unittest.TestCase):
    def test_the_probes_of_knative_find_a_host_that_starts(self):
        (service,) = documents("knative.yaml")
        (container,) = service["spec"]["template"]["spec"]["containers"]
        self.assertEqual(len(container["ports"]), 1)
        with App() as app:
            for name in ("startupProbe", "readinessProbe", "livenessProbe"):
                self.assertTrue(app.probe(container[name]), name)
            self.assertEqual(ask(app.port, "/api/hello/Ada"), (200, b"Hello, Ada!\n"))

    def test_kubernetes_loses_no_request_when_a_pod_ends(self):
        deployment = documents("kubernetes.yaml")[0]
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        command = container["lifecycle"]["preStop"]["exec"]["command"]
        with App() as app:
            for name in ("startupProbe", "readinessProbe", "livenessProbe"):
                self.assertTrue(app.probe(container[name]), name)
            begun = app.start("GET", "once?ms=6000")  # longer than the command sleeps
            app.wait_for_naps(1)
            stop = subprocess.Popen([word.replace("/srv/app", app.folder.name) for word in command],
                                    env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                                    stdout=subprocess.DEVNULL)
            late = ask(app.port, "/api/hello/Ada")  # by a proxy that has not heard yet
            self.assertEqual(stop.wait(PATIENCE_S), 0)
            app.process.send_signal(signal.SIGTERM)
            self.assertEqual((begun()[0], late), (200, (200, b"Hello, Ada!\n")))

    def test_the_grace_of_kubernetes_is_long_enough(self):
        pod = documents("kubernetes.yaml")[0]["spec"]["template"]["spec"]
        command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1]
        own = App().settings["host"]
        least = (sum(float(number) for number in re.findall(r"(?:sleep|--wait) (\d+)", command)) +
                 seconds(own["shutdown_grace"]) + seconds(own["cancel_grace"]))
        self.assertGreater(pod["terminationGracePeriodSeconds"], least)

    @unittest.skipUnless(postgresql_server.Server.is_installed(),
                         "no server; on Debian: apt-get install postgresql")
    def test_the_query_of_keda_counts_what_waits(self):
        (scaled,) = documents("keda.yaml")
        (trigger,) = scaled["spec"]["triggers"]
        server = postgresql_server.Server()
        self.addCleanup(server.remove)
        server.start()
        query = trigger["metadata"]["query"].replace("'orders'", "'work'")
        top = f"queues:\n  store: {server.place}\n"
        with Host(worker("test", [MESSAGES]), top=top) as host:
            subprocess.run([BIN + "/isoworker", "queue", "pause", "work", "-C", host.folder.name],
                           check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL)
            for number in range(3):
                self.assertEqual(put(host, f"message {number}"), 202)
            wait_until(lambda: server.asks(query).strip() == "3")


class Lean(unittest.TestCase):
    """The image of samples/platforms/Containerfile, of what was built here."""

    def tree(self, folder, *programs):
        subprocess.run([TOP + "/cmake/runtime-tree", folder, *programs], check=True,
                       timeout=PATIENCE_S)
        return folder

    @unittest.skipIf(os.environ["ISOWORKER_SANITIZE"], "a sanitizer makes programs large")
    def test_what_runs_is_small(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            self.tree(folder, BIN + "/isoworker", BIN + "/hello")
            sizes = {name: os.path.getsize(os.path.join(root, name))
                     for root, _, names in os.walk(folder) for name in names}
            beside = sum(size for name, size in sizes.items()
                         if not re.match(r"(libc|libm|ld-linux.*)\.so", name))
            self.assertLess(beside / 2**20, MOST_MIB, sizes)

    @unittest.skipUnless(os.geteuid() == 0, "a root is entered as root")
    def test_it_runs_with_nothing_beside_it(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            os.chmod(folder, 0o755)
            self.tree(folder, BIN + "/isoworker", BIN + "/hello")
            os.makedirs(folder + "/srv/app")
            os.makedirs(folder + "/tmp")
            os.makedirs(folder + "/proc")
            os.makedirs(folder + "/dev")
            os.chmod(folder + "/tmp", 0o1777)
            with open(folder + "/srv/app/host.yaml", "w", encoding="utf-8") as file:
                file.write(f"http: {{probes: true}}\nworkers:\n  - name: hello\n"
                           f"    command: [{BIN}/hello]\n")
            port = free_port()
            script = (f"mount -t proc proc {folder}/proc && mount --rbind /dev {folder}/dev && "
                      "exec chroot --userspec=65532:65532 "
                      f"{folder} {BIN}/isoworker run /srv/app --listen 0.0.0.0:7071 "
                      "--port-from PORT")
            host = subprocess.Popen(["unshare", "--mount", "/bin/sh", "-c", script],
                                    env={**os.environ, "PORT": str(port)}, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                wait_until(lambda: self.answers(port) or host.poll() is not None)
                self.assertEqual(ask(port, "/ready")[0], 200)
                self.assertEqual(ask(port, "/api/hello/Ada"), (200, b"Hello, Ada!\n"))
            finally:
                host.send_signal(signal.SIGTERM)
                text = host.communicate(timeout=PATIENCE_S)[0]
            self.assertEqual(host.returncode, 0, text)

    @staticmethod
    def answers(port):
        with contextlib.suppress(OSError):
            return ask(port, "/ready")[0] == 200
        return False


if __name__ == "__main__":
    main()
