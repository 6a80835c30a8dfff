# SPDX-License-Identifier: Apache-2.0
"""`isoworker lambda package`: what it packs runs in a folder where nothing else of ours is."""
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest
import zipfile

from harness import BIN, main
from lambda_api import RuntimeApi
from lambda_harness import EVENTS, Lambda

LIBC = re.compile(r"/(ld-linux|libc\.|libm\.|libdl\.|librt\.|libpthread\.|libresolv\.)")


def unpack(file, folder):
    """As Lambda does, with modes and links."""
    with zipfile.ZipFile(file) as packed:
        for entry in packed.infolist():
            path = os.path.join(folder, entry.filename)
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                os.symlink(packed.read(entry).decode(), path)
            elif entry.is_dir():
                os.makedirs(path, exist_ok=True)
            else:
                packed.extract(entry, folder)
                os.chmod(path, stat.S_IMODE(mode))


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-package-")
        self.addCleanup(self.folder.cleanup)
        self.app = os.path.join(self.folder.name, "app")
        self.task = os.path.join(self.folder.name, "task")
        os.makedirs(self.app)
        os.makedirs(self.task)

    def write(self, name, text):
        path = os.path.join(self.app, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def package(self, *words):
        return subprocess.run([BIN + "/isoworker", "lambda", "package", self.app, *words],
                              capture_output=True, text=True, cwd=self.folder.name)

    def test_what_it_packs_runs_in_a_bare_folder(self):
        os.makedirs(self.app + "/programs")
        shutil.copy(EVENTS, self.app + "/programs/events")
        self.write("host.yaml", "workers:\n  - name: events\n    command: [programs/events]\n"
                                "    config: chains/events.yml\n")
        self.write("chains/events.yml", "middleware:\n  - error_handling\n  - compress: {}\n")
        self.write("data.txt", "more")
        done = self.package("--add", "data.txt")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r" *\d+  programs/events\n")
        self.assertRegex(done.stdout, r" *\d+  unpacked, of the 250 MiB")
        self.assertRegex(done.stdout, "function.zip, for the architecture (x86_64|arm64)\n")
        self.assertIn("data.txt", done.stdout)
        self.assertIn("lib/isoworker/compress.so", done.stdout)
        self.assertNotIn("libc.so", done.stdout)
        unpack(os.path.join(self.folder.name, "function.zip"), self.task)
        shutil.rmtree(self.app)
        with RuntimeApi() as api:
            host = Lambda(api)
            host.command = lambda: [
                "/usr/bin/env", "-i", "-C", self.task, f"LAMBDA_TASK_ROOT={self.task}",
                f"LD_LIBRARY_PATH={self.task}/lib", f"AWS_LAMBDA_RUNTIME_API={api.address}",
                self.task + "/bootstrap"]
            with host:
                told = api.ask({"any": 1}).json()
                self.assertEqual(told["trigger"], {"any": 1})
                children = f"/proc/{host.process.pid}/task/{host.process.pid}/children"
                with open(children) as file:
                    pids = [host.process.pid, *map(int, file.read().split())]
                for pid in pids:
                    self.check_libraries(pid)

    def check_libraries(self, pid):
        with open(f"/proc/{pid}/maps") as file:
            mapped = set(re.findall(r" (/\S+\.so\S*)", file.read()))
        strange = [path for path in mapped
                   if not path.startswith(self.task) and not LIBC.search(path)]
        if not os.environ.get("ISOWORKER_SANITIZE"):
            self.assertEqual(strange, [])

    def test_a_program_of_this_machine_alone_is_refused(self):
        self.write("host.yaml", f"workers:\n  - name: events\n    command: [{EVENTS}]\n")
        self.write("worker.yaml", "middleware: []\n")
        done = self.package()
        self.assertEqual(done.returncode, 78)
        self.assertIn(f'worker "events": {EVENTS} is a path of this machine', done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "function.zip")))

    def test_what_lies_outside_of_the_folder_is_refused(self):
        shutil.copy(EVENTS, self.app + "/events")
        self.write("host.yaml", "workers:\n  - name: events\n    command: [./events]\n")
        self.write("worker.yaml", "middleware: []\n")
        self.write("../secret", "x")
        done = self.package("--add", "../secret")
        self.assertEqual(done.returncode, 78)
        self.assertIn("../secret lies outside of the folder", done.stderr)

    def test_a_store_that_goes_with_the_environment_is_told(self):
        shutil.copy(EVENTS, self.app + "/events")
        self.write("host.yaml", "queues: {store: 'sqlite:/tmp/queues.db'}\n"
                                "workers:\n  - name: events\n    command: [./events]\n")
        self.write("worker.yaml", "middleware: []\n")
        done = self.package("-o", "x.zip")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("queues.store is a file under /tmp", done.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.folder.name, "x.zip")))

    def test_a_store_that_cannot_be_written_is_refused(self):
        self.write("worker.yaml", "middleware: []\n")
        shutil.copy(EVENTS, self.app + "/events")
        for store, code in (("sqlite:/var/lib/queues.db", 78), ("sqlite:/mnt/efs/queues.db", 0),
                            ("sqlite:queues.db", 0)):
            self.write("host.yaml", f"queues: {{store: '{store}'}}\n"
                                    "workers:\n  - name: events\n    command: [./events]\n")
            done = self.package()
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual("cannot be written under Lambda" in done.stderr, code == 78)

    def test_programs_of_two_machines_are_refused(self):
        self.write("worker.yaml", "middleware: []\n")
        self.write("host.yaml", "workers:\n  - name: events\n    command: [./events]\n")
        with open(EVENTS, "rb") as file:
            program = bytearray(file.read())
        here, there = ("arm64", "x86_64") if program[18] == 183 else ("x86_64", "arm64")
        program[18:20] = (62 if program[18] == 183 else 183).to_bytes(2, "little")
        with open(self.app + "/events", "wb") as file:
            file.write(program)
        os.chmod(self.app + "/events", 0o755)
        done = self.package()
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"/events is for another machine ({there}) than isoworker ({here})",
                      done.stderr)

    def test_secrets_are_not_wanted_where_nothing_is_served(self):
        shutil.copy(EVENTS, self.app + "/events")
        self.write("host.yaml", "webhooks:\n  named:\n    - {name: hook, url: 'http://a.example/', "
                                "secret: 'env:ISW_TEST_NOT_SET'}\n"
                                "workers:\n  - name: events\n    command: [./events]\n")
        self.write("worker.yaml", "middleware: []\n")
        done = self.package()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_host_yaml_that_is_wrong_is_said(self):
        self.write("host.yaml", "workers: 7\n")
        done = self.package()
        self.assertEqual(done.returncode, 78)
        self.assertIn("host.yaml:1:10: ", done.stderr)


if __name__ == "__main__":
    main()
