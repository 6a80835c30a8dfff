#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real server of PostgreSQL for one test, in a folder of its own, on a socket there or on a free
port. `server.py PROGRAM ARGUMENT...` runs a program with ISW_BROKER_PLACE saying where it is, and
ends with its status; with 77 where no server is installed."""
import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIP = 77
PR_SET_PDEATHSIG = 1


def folder_of_programs():
    """Where Debian's package has them; None: nowhere."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return os.path.dirname(found[-1]) if found else None


def user():
    """Who runs it: the server refuses to be root's."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return 65534


def ends_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """Begun by start(), ended by stop() or kill(), any number of times; gone with remove()."""

    def __init__(self, *options, primary=None, folder=None):
        """With another one as `primary` it follows that, which then acknowledges nothing that this
        one has not received; it serves readers until promote(). In `folder`, which it makes and
        removes; None: one of its own."""
        self.programs = folder_of_programs()
        self.folder = folder or tempfile.mkdtemp(prefix="isw-pg-")
        os.makedirs(self.folder, exist_ok=True)
        self.data = os.path.join(self.folder, "data")
        self.options = options
        self.user = user()
        self.process = None
        self.port = 5432
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
            os.chmod(self.folder, 0o755)
        if primary:
            self.follow(primary)
        else:
            self.run("initdb", "-D", self.data, "-U", "isw", "-A", "trust", "-E", "UTF8",
                     "--no-locale", "--no-sync")

    def follow(self, primary):
        self.run("pg_basebackup", "-D", self.data, "-R", "-h", primary.folder, "-p",
                 str(primary.port), "-U", "isw", "-c", "fast", "--no-sync")
        self.start()
        primary.asks("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.asks("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while primary.asks("SELECT sync_state FROM pg_stat_replication") != "sync":
            if time.monotonic() > deadline:
                raise RuntimeError("the server does not follow the other")
            time.sleep(0.02)

    def promote(self):
        self.asks("ALTER SYSTEM RESET synchronous_standby_names")
        self.asks("SELECT pg_promote()")

    def run(self, program, *arguments):
        subprocess.run([os.path.join(self.programs, program), *arguments], check=True,
                       stdout=subprocess.DEVNULL, user=self.user, cwd=self.folder)

    @property
    def place(self):
        return f"postgresql://isw@/postgres?host={self.folder}&port={self.port}"

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.programs, "postgres"), "-D", self.data, "-p", str(self.port),
                 "-c", f"unix_socket_directories={self.folder}", "-c", "listen_addresses=",
                 *self.options], stdout=log, stderr=log, user=self.user, cwd=self.folder,
                preexec_fn=ends_with_us)
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                    raise RuntimeError("the server does not run: " + log.read()[-2000:])
            time.sleep(0.02)

    def answers(self):
        """A request for TLS, which each server answers with one letter once it is there."""
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(5)
            try:
                end.connect(os.path.join(self.folder, f".s.PGSQL.{self.port}"))
                end.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
                end.recv(1)
            except OSError:
                return False
        return self.asks("SELECT 1") == "1"

    def asks(self, text):
        """What psql prints; None where the server does not answer."""
        done = subprocess.run(["psql", "-qAt", "-h", self.folder, "-p", str(self.port), "-U", "isw",
                               "postgres", "-c", text], capture_output=True, text=True,
                              check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def end(self, how):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def stop(self):
        self.end(signal.SIGINT)

    def kill(self):
        """All of it at once: its children see that their parent is gone."""
        self.end(signal.SIGKILL)
        pid_file = os.path.join(self.data, "postmaster.pid")
        deadline = time.monotonic() + 30
        while self.has_children() and time.monotonic() < deadline:
            time.sleep(0.02)
        if os.path.exists(pid_file):
            os.remove(pid_file)

    def has_children(self):
        for name in glob.glob("/proc/[0-9]*/cwd"):
            try:
                if os.readlink(name) == self.data:
                    return True
            except OSError:
                continue
        return False

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    if not folder_of_programs() or not shutil.which("psql"):
        print("no server of PostgreSQL is installed; on Debian: apt-get install postgresql")
        return SKIP
    server = Server("-c", "fsync=off")
    try:
        server.start()
        return subprocess.run(sys.argv[1:], check=False,
                              env={**os.environ, "ISW_BROKER_PLACE": server.place}).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
