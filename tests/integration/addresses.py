#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Where a host listens: several addresses, sockets at paths, and sockets from systemd."""
import os
import socket
import stat
import tempfile
import unittest

from harness import BIN, Host, main, worker
from operators import ask as run_tool
from operators import report


def ask(path, target="/api/hello/Ada"):
    """The answer to a request by the socket at that path."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(path)
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


class PassedHost(Host):
    """One that is given no port, and these listening sockets as systemd gives them."""

    def __init__(self, listeners, names="", **more):
        super().__init__(worker(), pass_fds=[one.fileno() for one in listeners], **more)
        self.names = names

    def command(self):
        # A shell keeps its pid over exec, which LISTEN_PID has to name. Two steps, so that no
        # descriptor is written over before it has moved.
        move = " ".join(f"{100 + i}<&{fd}" for i, fd in enumerate(self.pass_fds))
        move += " ".join([""] + [f"{3 + i}<&{100 + i}" for i in range(len(self.pass_fds))])
        return ["bash", "-c", f"exec {move}; LISTEN_PID=$$ LISTEN_FDS={len(self.pass_fds)} "
                f"LISTEN_FDNAMES={self.names} exec \"$@\"", "-", BIN + "/isoworker", "run",
                self.folder.name, *self.arguments]


class Addresses(unittest.TestCase):
    def test_several_addresses_lead_to_the_same_functions(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            top = f'http: {{listen: ["127.0.0.1:0", "unix:{path}"], socket_mode: "0606"}}'
            with Host(worker(), top=top) as host:
                self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
                self.assertTrue(ask(path).endswith("Hello, Ada!\n"))
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o606)
                urls = [f"http://127.0.0.1:{host.port}", f"unix:{path}"]
                self.assertEqual(report(host)["triggers"][0]["urls"], urls)
                self.assertIn("\n%s, %s: 0 in flight" % tuple(urls), run_tool(host, "status"))
                host.wait_for(f"functions at {urls[0]}, {urls[1]}, Ctrl-C ends")
            self.assertEqual(os.listdir(folder), [])

    def test_a_command_line_may_name_several(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            with Host(worker(), arguments=["--listen", "127.0.0.1:1", "--listen",
                                           f"unix:{path}"]) as host:  # --port moves the first
                self.assertEqual(host.get("hello/Ada")[0], 200)
                self.assertIn("200 OK", ask(path))

    def test_a_path_is_that_of_the_folder(self):
        host = Host(worker(), top='http: {listen: ["127.0.0.1:0", "unix:own.sock"]}')
        with host:
            self.assertIn("200 OK", ask(os.path.join(host.folder.name, "own.sock")))

    def test_sockets_alone_need_no_port(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            with PassedHost([], top=f'http: {{listen: "unix:{path}"}}') as host:
                self.assertIn("200 OK", ask(path))
                host.wait_for(rf"http://unix:{path}:/api/hello/{{name}}")
                host.wait_for(rf"functions at unix:{path}, Ctrl-C")

    def test_a_living_socket_is_refused_and_a_dead_one_replaced(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            listen = ["--listen", "127.0.0.1:0", "--listen", f"unix:{path}"]
            with Host(worker(), arguments=listen, expect=-9) as first:
                with Host(worker(), arguments=listen, expect=69, settled="<end>") as second:
                    second.wait_for(rf"unix:{path}: process {first.process.pid} \(isoworker\) "
                                    "listens at .* already; choose another http.listen or "
                                    "--listen")
                first.process.kill()
                first.process.wait()
                self.assertTrue(os.path.exists(path))
            with Host(worker(), arguments=listen):
                self.assertIn("200 OK", ask(path))

    def test_what_is_no_address_is_placed(self):
        for listen, place, text in (
                ("[127.0.0.1:0, nowhere]", 30, '"nowhere" is not an address'),
                ('["unix:a", "unix:a"]', 27, 'is there as "unix:a" already'),
                ("[]", 8, "listen names no address"),
                ('"unix:"', 8, "names no socket")):
            with self.subTest(listen), Host(worker(), top=f"http: {{listen: {listen}}}", expect=78,
                                            settled="<end>") as host:
                host.wait_for(rf"host.yaml:1:{place}: .*{text}")

    def test_permissions_are_checked(self):
        with Host(worker(), top='http: {socket_mode: "rw"}', expect=78, settled="<end>") as host:
            host.wait_for("host.yaml:1:8: socket_mode takes permissions")


class Passed(unittest.TestCase):
    def setUp(self):
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.other = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.tcp.close)
        self.addCleanup(self.other.close)

    def test_a_host_serves_at_the_sockets_that_it_is_given(self):
        with PassedHost([self.tcp, self.other], top="http: {listen: systemd}") as host:
            for one in (self.tcp, self.other):
                host.port = one.getsockname()[1]
                self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_what_came_before_the_host_is_answered_by_its_function(self):
        with socket.create_connection(self.tcp.getsockname(), 30) as client:
            client.sendall(b"GET /api/hello/Ada HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            with PassedHost([self.tcp], top="http: {listen: systemd}"):
                answer = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertTrue(answer.endswith(b"Hello, Ada!\n"), answer)

    def test_they_are_told_apart_by_their_names(self):
        with PassedHost([self.tcp, self.other], names="admin:web",
                        top="http: {listen: 'fd:web'}\n"
                            "admin: {listen: 'fd:admin', open: true}") as host:
            host.port = self.other.getsockname()[1]
            self.assertEqual(host.get("hello/Ada")[0], 200)
            host.wait_for(f"admin at http://127.0.0.1:{self.tcp.getsockname()[1]}")

    def test_what_was_not_given_is_refused(self):
        with PassedHost([self.tcp], names="web", top="http: {listen: 'fd:www'}", expect=78,
                        settled="<end>") as host:
            host.wait_for(r'host.yaml:1:8: .*"fd:www": none of the 1 socket that .* free are: web')


if __name__ == "__main__":
    main()
