# SPDX-License-Identifier: Apache-2.0
"""A host of a trial, in a folder of its own, and what it is asked."""
import http.client
import os
import socket
import subprocess

ATTEMPTS = 12
PATIENCE_S = 60

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
    environment: {{FAULTS_LOG: "{log}", FAULTS_HOST: "{name}"}}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class Host:
    """`way`: the words that the program is begun by, before its own."""

    def __init__(self, folder, program, worker, store, log, way):
        self.folder, self.program, self.way = folder, program, way
        self.process = None
        os.makedirs(folder, exist_ok=True)
        self.write("host.yaml", HOST.format(store=store, attempts=ATTEMPTS, worker=worker,
                                            log=log, name=os.path.basename(folder)))
        self.write("worker.yaml", "middleware: [error_handling]\n")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        with open(os.path.join(self.folder, "host.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([*self.way, self.program, "run", self.folder],
                                            stdout=log, stderr=log)

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_up():
            self.process.kill()
            self.process.wait()

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    def signal(self, number):
        if self.is_up():
            self.process.send_signal(number)

    def run(self, *words):
        return subprocess.run([self.program, *words], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    def queue(self, *words):
        return self.run("queue", *words, "-C", self.folder, "--json")

    def post(self, path, text):
        """The status; 0: there was no answer."""
        connection = UnixConnection(os.path.join(self.folder, "http.sock"))
        try:
            connection.request("POST", path, text)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
