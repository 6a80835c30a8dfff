# SPDX-License-Identifier: Apache-2.0
"""Bodies in pieces, from the client's socket to the function and back: constant memory, the pace of
the slower side, and clients that leave."""
import http.client
import os
import re
import socket
import unittest

from harness import Client, Host, main, wait_until, worker

MIB = 1 << 20
SANITIZED = bool(os.environ.get("ISOWORKER_SANITIZE"))  # slow, and it keeps freed memory
LARGE_MIB = int(os.environ.get("ISOWORKER_STREAM_MIB", "32" if SANITIZED else "256"))
GROWTH_KIB = 16 * 1024
MESSAGE_LANE = "link: {lane: message}"


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1))


class Streams(unittest.TestCase):
    def pids(self, host):
        return host.process.pid, int(host.get("pid")[1].split()[0])

    def assert_flat(self, before, pids):
        if SANITIZED:
            return # a sanitizer keeps what is freed
        for peak, pid in zip(before, pids):
            self.assertLess(peak_kib(pid) - peak, GROWTH_KIB)

    def upload(self, more):
        piece = bytes(range(256)) * 4096
        expected = 0
        factor = pow(31, MIB, 1 << 32)
        one = 0
        for byte in piece:
            one = (one * 31 + byte) & 0xffffffff
        for _ in range(LARGE_MIB):
            expected = (expected * factor + one) & 0xffffffff
        with Host(worker(more=more)) as host:
            pids = self.pids(host)
            before = [peak_kib(pid) for pid in pids]
            body = (piece for _ in range(LARGE_MIB))
            status, answer, _ = host.request("PUT", "swallow", body, {
                "content-length": str(LARGE_MIB * MIB)}, timeout=110)
            self.assertEqual((status, answer.decode()),
                             (200, f"{LARGE_MIB * MIB} {expected} {pids[1]}"))
            self.assert_flat(before, pids)

    def test_a_large_upload_takes_constant_memory(self):
        self.upload("")

    def test_a_large_upload_takes_constant_memory_on_the_message_lane(self):
        self.upload(MESSAGE_LANE)

    def download(self, more):
        kib = bytes(range(256)) * 4
        with Host(worker(more=more)) as host:
            pids = self.pids(host)
            before = [peak_kib(pid) for pid in pids]
            connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=110)
            connection.request("GET", f"/api/pour?ms={LARGE_MIB * 1024}")
            answer = connection.getresponse()
            for _ in range(LARGE_MIB):
                self.assertEqual(answer.read(MIB), kib * 1024)
            self.assertEqual(answer.read(), b"")
            connection.close()
            self.assert_flat(before, pids)

    def test_a_large_download_takes_constant_memory(self):
        self.download("")

    def test_a_large_download_takes_constant_memory_on_the_message_lane(self):
        self.download(MESSAGE_LANE)

    def test_a_large_file_takes_constant_memory_and_has_its_length(self):
        size = LARGE_MIB * MIB
        with Host(worker()) as host:
            with open(os.path.join(host.folder.name, "large.bin"), "wb") as file:
                file.truncate(size)
                file.seek(size - 3)
                file.write(b"end")
            pids = self.pids(host)
            before = [peak_kib(pid) for pid in pids]
            status, body, headers = host.request("HEAD", "file/large.bin")
            self.assertEqual((status, body, headers["Content-Length"]), (200, b"", str(size)))
            status, body, headers = host.request("GET", "file/large.bin", timeout=110)
            self.assertEqual((status, len(body), body[-3:]), (200, size, b"end"))
            self.assertEqual(headers["Content-Length"], str(size))
            large = {"range": f"bytes={size // 4}-{size // 2 - 1}"}
            status, body, headers = host.request("GET", "file/large.bin", headers=large)
            self.assertEqual((status, len(body)), (206, size // 4))
            small = {"range": "bytes=-5", "if-range": headers["etag"]}
            self.assertEqual(host.request("GET", "file/large.bin", headers=small)[:2],
                             (206, b"\0\0end"))
            known = {"if-none-match": headers["etag"]}
            self.assertEqual(host.request("HEAD", "file/large.bin", headers=known)[:2], (304, b""))
            self.assert_flat(before, pids)

    def test_pieces_written_in_an_upload_follow_it(self):
        with Host(worker()) as host:
            client = Client(host, "POST /api/converse HTTP/1.1\nHost: x\nTransfer-Encoding: chunked")
            for number in range(3):
                client.chunk(b"ping %d" % number)
                host.wait_for(f"heard ping {number}")
            client.sock.sendall(b"0\r\n\r\n")
            client.wait_for(b"\r\n0\r\n\r\n")
            for number in range(3):
                self.assertIn(b"<ping %d>" % number, client.got)
            client.close()

    def test_an_event_arrives_while_its_function_sleeps_and_a_client_that_leaves_ends_it(self):
        with Host(worker()) as host:
            client = Client(host, "GET /api/watch HTTP/1.1\nHost: x")
            client.wait_for(b"data: begins\n\n")
            self.assertIn(b"text/event-stream", client.got)
            client.close()
            host.wait_for("Function.watch: ISW_E_CANCELLED: the caller left")

    def test_a_client_that_leaves_in_its_upload_ends_the_function(self):
        with Host(worker()) as host:
            client = Client(host, "PUT /api/swallow HTTP/1.1\nHost: x\nContent-Length: 1000000")
            client.sock.sendall(b"x" * 1000)
            host.wait_for("swallowing")
            client.close()
            host.wait_for("Function.swallow: ISW_E_(IO|CANCELLED): ")
            self.assertEqual(host.get("hello/you")[0], 200)

    def test_a_client_that_sends_no_more_amid_its_upload_ends_the_answer_too(self):
        with Host(worker()) as host:
            client = Client(host, "POST /api/converse HTTP/1.1\nHost: x\nContent-Length: 1000000")
            client.sock.sendall(b"ping")
            client.wait_for(b"<ping>")
            client.sock.shutdown(socket.SHUT_WR)
            host.wait_for("Function.converse: ISW_E_(IO|CANCELLED): ")
            client.close()

    def test_a_client_that_does_not_read_holds_its_function_and_no_other(self):
        with Host(worker()) as host:
            pids = self.pids(host)
            before = [peak_kib(pid) for pid in pids]
            slow = [Client(host, f"GET /api/pour?ms={1024 * 1024} HTTP/1.1\nHost: x")
                    for _ in range(3)]
            for client in slow:
                client.wait_for(b"\r\n\r\n")
            for number in range(50):
                self.assertEqual(host.get(f"hello/{number}")[0], 200)
            self.assert_flat(before, pids) # 3 GiB wait where they are made
            for client in slow:
                client.close()
            host.wait_for("Function.pour: ISW_E_CANCELLED: the caller left")

    def test_a_function_that_fails_on_the_way_cuts_its_answer(self):
        with Host(worker()) as host:
            with self.assertRaises(http.client.IncompleteRead) as cut:
                host.request("GET", "breaks")
            self.assertEqual(cut.exception.partial, b"half of it")
            host.wait_for("Function.breaks: ISW_E_FAILED: the disk is full")

    def test_what_is_emitted_is_out_though_the_function_fails(self):
        with Host(worker()) as host:
            self.assertEqual(host.request("POST", "emits")[0], 500)
            path = os.path.join(host.folder.name, "numbers.txt")

            def lines():
                with open(path) as file:
                    return file.read()

            wait_until(lambda: os.path.exists(path) and lines() == "0\n1\n2\n")


if __name__ == "__main__":
    main()
