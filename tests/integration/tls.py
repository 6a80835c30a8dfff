# SPDX-License-Identifier: Apache-2.0
"""HTTPS as clients of other makers speak it: curl, openssl, and Python's ssl."""
import filecmp
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import types
import unittest

from harness import BIN, PATIENCE_S, Host, main, wait_until, worker
from metrics import samples_of
from operators import ADMIN, admin, ask
from streams import LARGE_MIB, MIB, SANITIZED, peak_kib

CERTIFICATES = os.environ["ISOWORKER_CERTIFICATES"]
GROWTH_KIB = 16 * 1024
SUBJECT = "CN=Jürgen\\, the first,O=Example"
NAMES = "URI:spiffe://example/orders DNS:a.example email:j@example IP:10.0.0.7"


def file(name):
    return os.path.join(CERTIFICATES, name)


def settings(more="", tls="", name="server", listen='"https://127.0.0.1:0"'):
    """The groups of host.yaml; the files lie beside it, and may be replaced."""
    return (f"http:\n  listen: [{listen}]\n{more}  tls:\n    certificate: {name}.pem\n"
            f"    key: {name}.key\n{tls}logging: {{level: debug}}\n")


ASKED = f"    client_ca: {file('ca.pem')}\n"


class SecureHost(Host):
    """One that listens at an https address, whose certificate lies in its folder."""

    def __init__(self, top=None, chain="middleware: [error_handling]\n", names=("server",), **more):
        super().__init__(worker(), settings() if top is None else top, chain, **more)
        for name in names:
            self.put(name, name)

    def put(self, name, target="server"):
        """A pair of files, each in one go, as tools do that renew."""
        for end in ("pem", "key"):
            path = os.path.join(self.folder.name, f"{target}.{end}")
            shutil.copy(file(f"{name}.{end}"), path + ".new")
            os.rename(path + ".new", path)

    def __enter__(self):
        super().__enter__()
        if self.settled:
            line = self.wait_for("Ctrl-C ends")
            self.port = int(re.search(r"https://[^:]+:(\d+)", line).group(1))
        return self

    def connect(self, how=None, name="localhost", session=None):
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        return (how or client()).wrap_socket(raw, server_hostname=name, session=session)

    def ask(self, path, how=None, **more):
        """A request on a connection of its own: status, body."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.sock = self.connect(how, **more)
        connection.request("GET", "/api/" + path)
        answer = connection.getresponse()
        result = answer.status, answer.read().decode()
        connection.close()
        return result

    def curl(self, path, *words):
        """Its exit status, and what it prints."""
        run = subprocess.run(
            ["curl", "-sS", "--cacert", file("ca.pem"), "--resolve",
             f"localhost:{self.port}:127.0.0.1", *words,
             f"https://localhost:{self.port}/api/{path}"],
            capture_output=True, text=True, timeout=PATIENCE_S)
        return run.returncode, run.stdout


def client(shows=None, version=None, protocols=None, authority="ca"):
    how = ssl.create_default_context(cafile=file(authority + ".pem"))
    if shows:
        how.load_cert_chain(file(shows + ".pem"), file(shows + ".key"))
    if version:
        how.minimum_version = how.maximum_version = version
    if protocols:
        how.set_alpn_protocols(protocols)
    return how


def subject_of(sock):
    return dict(part[0] for part in sock.getpeercert()["subject"])["commonName"]


def request_on(sock, path="hello/Ada"):
    """One on a connection that stays open."""
    sock.sendall(f"GET /api/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.read().decode()


class Https(unittest.TestCase):
    def test_curl_speaks_each_version_and_checks_who_answers(self):
        with SecureHost() as host:
            for version in ("--tls-max", "1.2"), ("--tlsv1.3",):
                self.assertEqual(host.curl("hello/Ada", *version), (0, "Hello, Ada!\n"))
            self.assertEqual(host.curl("hello/Ada", "--cacert", file("stranger.pem"))[0], 60)
            host.wait_for("no TLS with the client 127.0.0.1: .*unknown ca")
            self.assertEqual(host.ask("caller"), (200, "https nobody"))

    def test_the_least_version_can_be_1_3(self):
        with SecureHost(settings(tls='    min_version: "1.3"\n')) as host:
            self.assertEqual(host.ask("caller"), (200, "https nobody"))
            with self.assertRaises(ssl.SSLError):
                host.ask("caller", client(version=ssl.TLSVersion.TLSv1_2))
            host.wait_for("no TLS with the client 127.0.0.1: unsupported protocol")

    def test_plain_and_secure_addresses_stand_side_by_side(self):
        top = settings(listen='"127.0.0.1:0", "https://127.0.0.1:0", "unix:plain.sock"')
        with SecureHost(top) as host:
            self.assertEqual(host.ask("caller"), (200, "https nobody"))
            line = host.wait_for("Ctrl-C ends")
            host.port = int(re.search(r"http://[^:]+:(\d+)", line).group(1))
            self.assertEqual(host.get("caller"), (200, "http nobody"))

    def test_a_request_in_plain_hears_what_to_write(self):
        with SecureHost() as host:
            sock = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
            sock.sendall(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            self.assertEqual(answer.status, 400)
            self.assertIn(b"write https:// instead of http://", answer.read())
            self.assertEqual(sock.recv(1), b"")
            self.assertEqual(host.ask("hello/Ada"), (200, "Hello, Ada!\n"))

    def test_the_protocol_is_agreed_on_and_what_is_not_there_is_refused(self):
        with SecureHost() as host:
            for offered, chosen in ((["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"),
                                    (["ftp", "http/1.1"], "http/1.1")):
                sock = host.connect(client(protocols=offered))
                self.assertEqual(sock.selected_alpn_protocol(), chosen)
                sock.close()
            self.assertIsNone(host.connect().selected_alpn_protocol())
            with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                host.connect(client(protocols=["ftp"]))

    def test_http_2_is_not_offered_where_it_is_switched_off(self):
        with SecureHost(settings(more="  http2: false\n")) as host:
            sock = host.connect(client(protocols=["h2", "http/1.1"]))
            self.assertEqual(sock.selected_alpn_protocol(), "http/1.1")
            sock.close()

    def test_curl_speaks_http_2(self):
        with SecureHost(settings(tls=ASKED)) as host:
            for version in "1.2", "1.3":
                code, text = host.curl(
                    "caller", "--http2", "--tls-max", version, "-w", " %{http_version}", "--cert",
                    file("client.pem"), "--key", file("client.key"))
                self.assertEqual((code, text.split()[0], text.split()[-1]), (0, "https", "2"))
                self.assertIn(SUBJECT, text)

    def test_many_streams_of_one_connection_carry_large_bodies(self):
        body = os.path.join(tempfile.gettempdir(), f"isw-body-{os.getpid()}")
        self.addCleanup(os.remove, body)
        with open(body, "wb") as out:
            out.write(random.Random(1).randbytes(2 * MIB))
        with SecureHost() as host, tempfile.TemporaryDirectory() as folder:
            url = f"https://localhost:{host.port}/api/echo"
            words = []
            for at in range(8):
                words += ["-o", f"{folder}/{at}", url]
            run = subprocess.run(
                ["curl", "-sS", "--http2", "-Z", "--cacert", file("ca.pem"), "--resolve",
                 f"localhost:{host.port}:127.0.0.1", "-w", "%{http_version} %{num_connects}\n",
                 "--data-binary", f"@{body}", *words], capture_output=True, text=True,
                timeout=PATIENCE_S)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual([line.split()[0] for line in run.stdout.splitlines()], ["2"] * 8)
            for at in range(8):
                self.assertTrue(filecmp.cmp(f"{folder}/{at}", body, shallow=False))

    def test_what_agrees_on_http_2_and_speaks_another_is_refused(self):
        with SecureHost() as host:
            sock = host.connect(client(protocols=["h2"]))
            sock.sendall(b"GET /api/hello/Ada HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while part := sock.recv(65536):
                got += part
            self.assertNotIn(b"HTTP/1.1", got)

    def test_what_agrees_on_http_1_and_begins_http_2_is_refused(self):
        with SecureHost() as host:
            for how in client(protocols=["http/1.1"]), client():
                sock = host.connect(how)
                sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
                answer = http.client.HTTPResponse(sock)
                answer.begin()
                self.assertEqual(answer.status, 400)
                sock.close()

    def test_a_connection_serves_one_request_after_the_other(self):
        with SecureHost() as host:
            sock = host.connect()
            for _ in range(50):
                self.assertEqual(request_on(sock), (200, "Hello, Ada!\n"))
            # Several in one record, of which the last comes in two.
            one = b"GET /api/hello/Ada HTTP/1.1\r\nHost: localhost\r\n\r\n"
            sock.sendall(one * 20 + one[:30])
            sock.sendall(one[30:])
            got = b""
            while got.count(b"Hello, Ada!") < 21:
                got += sock.recv(65536)
            self.assertEqual(got.count(b"HTTP/1.1 200 OK"), 21)
            sock.close()

    def test_a_client_that_has_said_all_gets_its_answer(self):
        with SecureHost() as host:
            raw = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            one = client().wrap_bio(incoming, outgoing, server_hostname="localhost")

            def until_it_is_done(what):
                while True:
                    try:
                        return what()
                    except ssl.SSLWantReadError:
                        raw.sendall(outgoing.read())
                        incoming.write(raw.recv(65536))

            until_it_is_done(one.do_handshake)
            one.write(b"GET /api/hello/Ada HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with self.assertRaises(ssl.SSLWantReadError):
                one.unwrap()  # says that nothing more comes
            self.assertIn(b"Hello, Ada!", until_it_is_done(lambda: one.read(65536)))
            raw.close()

    def test_a_proxy_says_first_whose_connection_it_is(self):
        more = "  trusted_proxies: 127.0.0.1\n  proxy_protocol: true\n"
        with SecureHost(settings(more)) as host:
            raw = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
            raw.sendall(b"PROXY TCP4 192.0.2.1 ")
            raw.sendall(b"10.0.0.1 4711 443\r\n")
            with client().wrap_socket(raw, server_hostname="localhost") as secure:
                secure.sendall(b"GET /api/forwarded HTTP/1.1\r\nHost: a\r\n"
                               b"Connection: close\r\n\r\n")
                answer = b"".join(iter(lambda: secure.recv(65536), b"")).decode()
            self.assertIn("client=192.0.2.1\nhost=a\nx-forwarded-proto=https\n", answer)
            with socket.create_connection(("127.0.0.1", host.port), PATIENCE_S) as both:
                both.sendall(b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n" + capture_hello())
                self.assertEqual(both.recv(3), b"\x16\x03\x03")  # its hello was not lost
            with socket.create_connection(("127.0.0.1", host.port), PATIENCE_S) as other:
                other.sendall(b"\x16\x03\x01\x02\0\x01")  # TLS at once
                answer = b"".join(iter(lambda: other.recv(65536), b"")).decode()
            self.assertIn("does not begin with the PROXY protocol", answer)

    def test_a_session_is_resumed(self):
        with SecureHost() as host:
            how = client(version=ssl.TLSVersion.TLSv1_2)
            first = host.connect(how)
            self.assertEqual(request_on(first), (200, "Hello, Ada!\n"))
            second = host.connect(how, session=first.session)
            self.assertTrue(second.session_reused)
            self.assertEqual(request_on(second), (200, "Hello, Ada!\n"))

    def test_hands_are_shaken_once(self):
        with SecureHost() as host:
            run = subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{host.port}", "-tls1_2"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            shown = b""
            while b"Verify return code" not in shown:
                shown += os.read(run.stdout.fileno(), 65536)
            self.assertIn(b"Secure Renegotiation IS supported", shown)
            self.assertIn(b"Compression: NONE", shown)
            run.stdin.write(b"R\n")
            run.stdin.flush()
            rest = run.communicate(timeout=PATIENCE_S)[0]
            self.assertRegex(rest, b"(?i)no renegotiation")


class Clients(unittest.TestCase):
    def assert_refused(self, host, how, why):
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.BadStatusLine)):
            host.ask("caller", how)
        host.wait_for("no TLS with the client 127.0.0.1: " + why)

    def test_a_client_must_have_a_certificate_that_somebody_vouches_for(self):
        with SecureHost(settings(tls=ASKED)) as host:
            expected = f"https <{SUBJECT}> <CN=ca> {NAMES} 64 1 "
            for version in None, ssl.TLSVersion.TLSv1_2:
                self.assertEqual(host.ask("caller", client("client", version)), (200, expected))
            self.assert_refused(host, client(), "peer did not return a certificate")
            self.assert_refused(host, client("unknown"), "unable to get local issuer certificate")
            self.assert_refused(host, client("expired"), "certificate has expired")

    def test_a_client_may_have_one(self):
        with SecureHost(settings(tls=ASKED + "    client: request\n")) as host:
            self.assertEqual(host.ask("caller"), (200, "https nobody"))
            self.assertIn(SUBJECT, host.ask("caller", client("client"))[1])
            self.assert_refused(host, client("unknown"), "unable to get local issuer certificate")

    def test_each_request_of_a_connection_is_its_clients(self):
        with SecureHost(settings(tls=ASKED)) as host:
            sock = host.connect(client("client"))
            for _ in range(3):
                self.assertIn(SUBJECT, request_on(sock, "caller")[1])
                self.assertEqual(request_on(sock), (200, "Hello, Ada!\n"))

    def test_auth_lets_in_whom_its_list_names(self):
        chain = ("middleware:\n  - error_handling\n  - auth:\n      certificates:\n"
                 "        - {name: 'URI:spiffe://example/orders', functions: [caller]}\n")
        with SecureHost(settings(tls=ASKED + "    client: request\n"), chain) as host:
            self.assertEqual(host.ask("caller")[0], 401)
            status, text = host.ask("caller", client("client"))
            self.assertEqual((status, text.split()[-1]), (200, "certificate"))
            self.assertEqual(host.ask("hello/Ada", client("client"))[0], 403)
            self.assertEqual(host.ask("caller", client("nameless"))[0], 403)

    def test_the_access_log_names_the_client(self):
        more = "  access_log: {to: access.log, form: json}\n"
        with SecureHost(settings(more, ASKED + "    client: request\n")) as host:
            for shown in "client", "nameless", None:
                host.ask("hello/Ada", client(shown))
            path = os.path.join(host.folder.name, "access.log")
            wait_until(lambda: os.path.exists(path) and len(open(path).readlines()) == 3)
            with open(path) as lines:
                self.assertEqual([json.loads(line).get("principal") for line in lines],
                                 [SUBJECT, "URI:spiffe://example/nobody", None])

    def test_a_client_gets_the_certificate_of_the_name_that_it_asks_for(self):
        others = "    others: [{certificate: other.pem, key: other.key}]\n"
        with SecureHost(settings(tls=others), names=("server", "other")) as host:
            for name, subject in (("localhost", "localhost"), ("other.example", "other.example"),
                                  ("b.wild.example", "other.example")):
                self.assertEqual(subject_of(host.connect(name=name)), subject)


class Files(unittest.TestCase):
    def test_tls_comes_and_changes_and_goes_with_host_yaml(self):
        class AsWritten(Host):
            def command(self):
                return [BIN + "/isoworker", "run", self.folder.name]

        def say(text):
            host.write("host.yaml.new", text + "\nworkers:\n" + worker())
            os.replace(host.folder.name + "/host.yaml.new", host.folder.name + "/host.yaml")

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        plain = '"127.0.0.1:0"'
        both = plain + f', "https://127.0.0.1:{port}"'
        with AsWritten(worker(), top=f"http: {{listen: {plain}}}") as host:
            for name in ("server", "other"):
                SecureHost.put(host, name, name)
            say(settings(listen=both))
            host.wait_for(f"http: it listens at http://127.0.0.1:{host.port}, "
                          f"https://127.0.0.1:{port} now")
            there = types.SimpleNamespace(port=port)
            with SecureHost.connect(there) as first:
                first_subject = subject_of(first)
                self.assertEqual(request_on(first), (200, "Hello, Ada!\n"))
                say(settings(listen=both, name="other", tls="    min_version: \"1.3\"\n",
                             more="  http2: false\n"))
                host.wait_for("holds from now on: http.tls, http.http2 true -> false")
                self.assertEqual(request_on(first), (200, "Hello, Ada!\n"))
                with SecureHost.connect(there, client(protocols=["h2", "http/1.1"]),
                                        name="other.example") as second:
                    self.assertNotEqual(subject_of(second), first_subject)
                    self.assertEqual((second.version(), second.selected_alpn_protocol()),
                                     ("TLSv1.3", "http/1.1"))
                say(settings(listen=both, name="missing"))
                host.wait_for("is wrong, and the host goes on as it was: .*missing.pem")
                say(f"http: {{listen: [{plain}]}}")
                host.wait_for(f"http: it listens at http://127.0.0.1:{host.port} now")
                self.assertEqual(request_on(first), (200, "Hello, Ada!\n"))
                with self.assertRaises(ConnectionRefusedError):
                    SecureHost.connect(there)
                self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_new_files_are_for_new_connections(self):
        with SecureHost() as host:
            open_one = host.connect()
            self.assertEqual(request_on(open_one), (200, "Hello, Ada!\n"))
            host.put("renewed")
            host.wait_for("http.tls: certificates were read again")
            self.assertEqual(subject_of(host.connect()), "renewed")
            self.assertEqual(request_on(open_one), (200, "Hello, Ada!\n"))

    def test_bad_new_files_change_nothing_and_are_told(self):
        with SecureHost() as host:
            shutil.copy(file("renewed.key"), os.path.join(host.folder.name, "server.key"))
            host.wait_for("http.tls: .*/server.key is not the key of the certificate in "
                          ".*/server.pem; new connections get the certificates as they were before")
            self.assertEqual(subject_of(host.connect()), "localhost")
            shutil.copy(file("renewed.pem"), os.path.join(host.folder.name, "server.pem"))
            host.wait_for("http.tls: certificates were read again")
            self.assertEqual(subject_of(host.connect()), "renewed")

    def test_what_is_wrong_with_them_stands_in_status_ready_and_metrics_until_it_is_mended(self):
        with SecureHost(settings() + ADMIN) as host:
            shutil.copy(file("renewed.key"), os.path.join(host.folder.name, "server.key"))
            host.wait_for("new connections get the certificates as they were before")
            said = (r"http.tls: \S+/server.key is not the key of the certificate in \S+/server.pem; "
                    "new connections get the certificates as they were before")
            self.assertRegex(ask(host, "status"), "(?m)^! " + said)
            status, told = admin(host, "GET", "/ready")
            self.assertEqual((status, told["ready"], told["reasons"]), (200, True, []))
            self.assertRegex(told["warnings"][0], said)
            self.assertEqual(samples_of(host)["isoworker_host_tls_reload_failures_total"], 1)
            shutil.copy(file("renewed.pem"), os.path.join(host.folder.name, "server.pem"))
            host.wait_for("http.tls: certificates were read again")
            self.assertNotIn("! ", ask(host, "status"))
            self.assertEqual(admin(host, "GET", "/ready")[1]["warnings"], [])

    def test_what_is_over_is_shown_with_its_date(self):
        with SecureHost(settings(name=file("expired")) + ADMIN, names=()) as host:
            self.assertRegex(ask(host, "status"), r"(?m)^! http.tls: \S+/expired.pem has expired on "
                             "2001-01-01: clients refuse it until it is renewed")
            left = [value for name, value in samples_of(host).items()
                    if name.startswith('isoworker_host_tls_certificate_expires_seconds{file="') and
                    name.endswith('/expired.pem"}')]
            self.assertEqual(len(left), 1)
            self.assertLess(left[0], -20 * 365 * 24 * 3600)

    def test_a_signal_has_them_read_at_once(self):
        with SecureHost() as host:
            host.put("renewed")
            host.process.send_signal(signal.SIGHUP)
            host.wait_for("http.tls: certificates were read again")
            self.assertEqual(subject_of(host.connect()), "renewed")

    def test_files_are_read_again_while_clients_come_on_several_threads(self):
        with SecureHost(settings("  threads: 3\n")) as host:
            seen, turn = set(), 0
            end = time.monotonic() + PATIENCE_S
            while turn < 60 or (len(seen) < 2 and time.monotonic() < end):
                turn += 1
                if turn % 3 == 0:
                    host.put("renewed" if turn % 2 else "server")
                    host.process.send_signal(signal.SIGHUP)
                with host.connect() as sock:
                    self.assertEqual(request_on(sock), (200, "Hello, Ada!\n"))
                    seen.add(subject_of(sock))
            self.assertEqual(seen, {"localhost", "renewed"})

    def test_what_clients_will_not_like_is_said_at_the_start(self):
        with SecureHost(settings(name="expired"), names=("expired",)) as host:
            host.wait_for("warning .*http.tls: .*/expired.pem has expired on 2001-01-01: clients")
            os.chmod(os.path.join(host.folder.name, "expired.key"), 0o644)
            host.process.send_signal(signal.SIGHUP)
            host.wait_for("warning .*http.tls: .*/expired.key can be read by every user")


class Load(unittest.TestCase):
    def test_a_handshake_has_the_time_of_a_head(self):
        with SecureHost(settings("  header_timeout: 500ms\n")) as host:
            hello = capture_hello()
            socks = [socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
                     for _ in range(3)]
            socks[1].sendall(hello[:len(hello) // 2])
            socks[2].sendall(hello)
            begin = time.monotonic()
            for sock in socks:
                while sock.recv(65536):
                    pass
            self.assertLess(time.monotonic() - begin, PATIENCE_S / 2)
            self.assertEqual(host.ask("hello/Ada"), (200, "Hello, Ada!\n"))

    def test_a_thousand_connections_are_served(self):
        with SecureHost() as host:
            how = client()
            socks = [host.connect(how) for _ in range(200 if SANITIZED else 1000)]
            for _ in range(2):
                for sock in socks:
                    sock.sendall(b"GET /api/hello/Ada HTTP/1.1\r\nHost: localhost\r\n\r\n")
                for sock in socks:
                    answer = http.client.HTTPResponse(sock)
                    answer.begin()
                    self.assertEqual((answer.status, answer.read()), (200, b"Hello, Ada!\n"))
            for sock in socks:
                sock.close()

    def test_one_connection_too_many_hears_that(self):
        with SecureHost(settings("  connections: 2\n")) as host:
            kept = [host.connect(), host.connect()]
            for sock in kept:
                self.assertEqual(request_on(sock)[0], 200)
            sock = host.connect()
            status, text = request_on(sock)
            self.assertEqual(status, 503)
            self.assertIn("as many connections as it takes", text)

    def test_garbage_harms_nobody(self):
        seed = random.randrange(1 << 32)
        noise = random.Random(seed)
        hello = capture_hello()
        with SecureHost() as host, self.subTest(seed=seed):
            kept = host.connect()
            for turn in range(60 if SANITIZED else 300):
                sock = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
                if turn % 3 == 0:
                    bytes_ = noise.randbytes(noise.randrange(1, 3000))
                else: # a hello that was changed somewhere
                    changed = bytearray(hello)
                    for _ in range(noise.randrange(1, 8)):
                        changed[noise.randrange(len(changed))] = noise.randrange(256)
                    bytes_ = bytes(changed[:noise.randrange(1, len(changed) + 1)])
                try:
                    sock.sendall(bytes_)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass
                except ConnectionError:
                    pass
                sock.close()
            self.assertEqual(request_on(kept), (200, "Hello, Ada!\n"))
            self.assertEqual(host.ask("hello/Ada"), (200, "Hello, Ada!\n"))

    def test_garbage_behind_the_handshake_harms_nobody(self):
        noise = random.Random(7)
        with SecureHost() as host:
            for _ in range(30):
                raw = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
                sock = client().wrap_socket(raw, server_hostname="localhost")
                raw = socket.socket(fileno=sock.detach())
                raw.settimeout(PATIENCE_S)
                try:
                    raw.sendall(bytes([noise.choice([20, 21, 22, 23]), 3, 3]) +
                                noise.randbytes(noise.randrange(1, 500)))
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(65536):
                        pass
                except ConnectionError:
                    pass
                raw.close()
            self.assertEqual(host.ask("hello/Ada"), (200, "Hello, Ada!\n"))


class Bodies(unittest.TestCase):
    def test_a_body_of_any_size_comes_back(self):
        with SecureHost() as host:
            sock = host.connect()
            for size in 1, 16383, 16384, 16385, 65536, 1000000, 8 * MIB:
                body = random.Random(size).randbytes(size)
                sock.sendall(b"POST /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\n"
                             b"Content-Length: %d\r\n\r\n" % size)
                sock.sendall(body)
                answer = http.client.HTTPResponse(sock)
                answer.begin()
                self.assertEqual(answer.read(), body)

    def test_large_bodies_up_and_down_take_constant_memory(self):
        piece = bytes(range(256)) * 4096
        count = LARGE_MIB // 4
        with SecureHost() as host:
            before = peak_kib(host.process.pid)
            connection = http.client.HTTPSConnection("localhost", host.port, timeout=110)
            connection.sock = host.connect()
            connection.request("PUT", "/api/swallow", (piece for _ in range(count)),
                               {"content-length": str(count * MIB)})
            answer = connection.getresponse()
            self.assertRegex(answer.read(), b"^%d " % (count * MIB))
            connection.request("GET", f"/api/pour?ms={count * 1024}")
            answer = connection.getresponse()
            for _ in range(count):
                self.assertEqual(answer.read(MIB), piece)
            self.assertEqual(answer.read(), b"")
            if not SANITIZED:
                self.assertLess(peak_kib(host.process.pid) - before, GROWTH_KIB)

    def test_a_client_that_takes_nothing_and_one_that_takes_little_are_waited_for(self):
        with SecureHost() as host:
            sock = host.connect()
            sock.sendall(b"GET /api/pour?ms=4096 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(host.ask("hello/Ada"), (200, "Hello, Ada!\n"))
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            total = 0
            while True:
                part = answer.read(1000)
                if not part:
                    break
                total += len(part)
            self.assertEqual(total, 4 * MIB)

    def test_a_conversation_goes_both_ways_at_once(self):
        with SecureHost() as host:
            sock = host.connect()
            sock.sendall(b"POST /api/converse HTTP/1.1\r\nHost: localhost\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
            got = b""
            for word in b"one", b"two", b"three":
                sock.sendall(b"%x\r\n%s\r\n" % (len(word), word))
                while word not in got:
                    part = sock.recv(65536)
                    self.assertTrue(part, got)
                    got += part
            sock.sendall(b"0\r\n\r\n")
            while not got.endswith(b"0\r\n\r\n"):
                part = sock.recv(65536)
                self.assertTrue(part, got)
                got += part


class Settings(unittest.TestCase):
    def refuse(self, top, *parts, names=("server",), command="check"):
        host = SecureHost(top, names=names)
        run = subprocess.run([BIN + "/isoworker", command, host.folder.name], capture_output=True,
                             text=True, timeout=PATIENCE_S)
        host.folder.cleanup()
        self.assertNotEqual(run.returncode, 0)
        for part in parts:
            self.assertIn(part, run.stdout + run.stderr)

    def test_files_that_cannot_be_used_are_told_at_their_place(self):
        self.refuse(settings(), ":4:5: ", "/server.pem cannot be read: No such file", names=())
        self.refuse(settings().replace("server.key", "other.key"), "host.yaml:5:5: ",
                    "/other.key is not the key of the certificate in ", names=("server", "other"))
        self.refuse(settings(tls="    client_ca: server.key\n"), "host.yaml:6:5: ",
                    "/server.key has no certificates in PEM form")
        self.refuse(settings(tls="    others:\n      - certificate: other.pem\n"
                                 "        key: server.key\n"), "host.yaml:8:9: ",
                    "/server.key is not the key of the certificate in ", names=("server", "other"))

    def test_settings_that_cannot_be_meant_are_refused(self):
        self.refuse('http: {listen: "https://127.0.0.1:0"}\n', "host.yaml:1:8: ",
                    '"https://127.0.0.1:0" needs a certificate; give http a tls: ')
        self.refuse(settings(listen='"127.0.0.1:0"'), "host.yaml:3:3: ",
                    "tls is for addresses that begin with https://, and listen names none")
        self.refuse(settings(tls="    client: request\n"), "host.yaml:6:5: ",
                    "where client_ca says who vouches for them")
        self.refuse(settings(tls='    min_version: "1.1"\n'), "host.yaml:6:", '"1.1"')
        self.refuse('admin: {listen: "https://127.0.0.1:0"}\n' + settings(), "host.yaml:1:9: ",
                    "admin.listen has no TLS")
        self.refuse(settings(listen='"https://127.0.0.1:8443", "127.0.0.1:8443"'),
                    '"127.0.0.1:8443" is there as "https://127.0.0.1:8443" already')

    def test_an_address_of_a_command_needs_a_certificate_too(self):
        host = SecureHost('http: {listen: "127.0.0.1:0"}\n')
        run = subprocess.run([BIN + "/isoworker", "run", host.folder.name, "--listen",
                              "https://127.0.0.1:0"], capture_output=True, text=True,
                             timeout=PATIENCE_S)
        host.folder.cleanup()
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("https://127.0.0.1:0 needs a certificate, which http.tls of host.yaml names",
                      run.stdout + run.stderr)

    def test_failures_are_counted(self):
        top = settings() + 'admin: {listen: "127.0.0.1:0"}\n'
        with SecureHost(top) as host:
            socket.create_connection(("127.0.0.1", host.port), PATIENCE_S).close()  # no failure
            with self.assertRaises(ssl.SSLError):
                host.ask("hello/Ada", client(authority="stranger"))
            host.wait_for("no TLS with the client")
            line = host.wait_for(r"admin .*http://[^:]+:\d+|http://[^ ]*/metrics")
            port = int(re.findall(r"http://[^:]+:(\d+)", line)[-1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", "/metrics")
            self.assertIn(b"isoworker_host_tls_failures_total 1\n",
                          connection.getresponse().read())


def capture_hello():
    """The first flight of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        one.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


if __name__ == "__main__":
    main()
