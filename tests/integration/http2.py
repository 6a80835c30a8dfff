# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with prior knowledge: what a client of a library does, what one by hand may do, and what
none may (RFC 9113)."""
import contextlib
import hashlib
import subprocess
import time
import unittest

import frames
from frames import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, NO_ERROR, PING,
                    PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS,
                    WINDOW_UPDATE, Frames, block, data, frame, headers, line, settings, window)
from harness import Host, main, worker
from streams import GROWTH_KIB, LARGE_MIB, MIB, SANITIZED, peak_kib

HURRY = "http: {header_timeout: 300ms, body_timeout: 300ms, idle_timeout: 300ms}"
POUR = "/api/pour?ms=%d"


@contextlib.contextmanager
def connected(top=""):
    with Host(worker(), top=top) as host, Frames(host.port) as client:
        yield host, client


def curl(host, path, *words, body=None, stdin=None):
    given = {"stdin": stdin} if stdin else {"input": body}
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "100", *words,
                           f"http://127.0.0.1:{host.port}/api/{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **given)
    return done.stdout if done.returncode == 0 else done.stderr


class Exchanges(unittest.TestCase):
    def test_a_client_of_a_library_gets_what_it_gets_by_http_1(self):
        with Host(worker()) as host:
            self.assertEqual(curl(host, "hello/Ada"), b"Hello, Ada!\n")
            self.assertIn(b"HTTP/2 204", curl(host, "nothing", "-i"))
            self.assertIn(b"HTTP/2 404", curl(host, "nowhere", "-i"))
            head = curl(host, "hello/Ada", "-I")
            self.assertTrue(head.startswith(b"HTTP/2 200"))
            self.assertIn(b"content-length: 12\r\n", head)
            body = bytes(range(256)) * 8192
            self.assertEqual(curl(host, "echo", "--data-binary", "@-", body=body), body)

    def test_bodies_stream_both_ways(self):
        with Host(worker()) as host:
            told = curl(host, "swallow", "-T", "-", body=b"z" * 3000000)
            self.assertEqual(told.split()[0], b"3000000")
            self.assertEqual(hashlib.sha1(curl(host, "pour?ms=3000")).hexdigest(),
                             hashlib.sha1(bytes(range(256)) * 12000).hexdigest())
            self.assertEqual(curl(host, "converse", "-d", "abc"), b"<abc>")

    def test_what_differs_with_each_answer_has_no_place_in_the_table_of_fields(self):
        with connected() as (_, client):
            ids = {client.ask(number).fields["x-request-id"] for number in (1, 3, 5)}
            kept = [str(entry[0]) for entry in client.decoder.header_table.dynamic_entries]
            self.assertEqual(len(ids), 3)
            self.assertIn("date", str(kept))
            self.assertNotIn("x-request-id", str(kept))

    def test_large_bodies_take_constant_memory_both_ways(self):
        with Host(worker()) as host, subprocess.Popen(
                ["head", "-c", str(LARGE_MIB * MIB), "/dev/zero"], stdout=subprocess.PIPE) as zeros:
            pids = host.process.pid, int(host.get("pid")[1].split()[0])
            before = [peak_kib(pid) for pid in pids]
            size = curl(host, f"pour?ms={LARGE_MIB * 1024}", "-o", "/dev/null", "-w",
                        "%{size_download}")
            self.assertEqual(size, b"%d" % (LARGE_MIB * MIB))
            told = curl(host, "swallow", "-T", "-", stdin=zeros.stdout)
            self.assertEqual(told.split()[0], b"%d" % (LARGE_MIB * MIB))
            if not SANITIZED:
                for peak, pid in zip(before, pids):
                    self.assertLess(peak_kib(pid) - peak, GROWTH_KIB)

    def test_answers_come_in_the_order_in_which_they_are_ready(self):
        with connected() as (host, client):
            client.send(headers(1, line(path="/api/nap?ms=60000")))
            host.wait_for_naps(1)
            self.assertEqual(client.ask(3).body, b"Hello, Ada!\n")
            self.assertFalse(client.stream(1).ended)

    def test_a_converse_is_heard_piece_by_piece(self):
        with connected() as (_, client):
            stream = client.stream(1)
            client.send(headers(1, line("POST", "/api/converse"), END_HEADERS), data(1, b"a", 0))
            self.assertTrue(client.wait(lambda: stream.body == b"<a>"))
            client.send(data(1, b"b"))
            self.assertEqual(client.answer(1).body, b"<a><b>")

    def test_a_stream_that_is_reset_cancels_its_call(self):
        with connected() as (host, client):
            client.send(headers(1, line(path="/api/watch")))
            self.assertTrue(client.wait(lambda: client.stream(1).body))
            client.send(frame(RST_STREAM, 0, 1, b"\0\0\0\x08"))
            host.wait_for("Function.watch: ISW_E_CANCELLED: the caller left")
            self.assertEqual(client.ask(3).status, 200)

    def test_a_connection_that_is_closed_cancels_its_calls(self):
        with connected() as (host, client):
            client.send(headers(1, line(path="/api/watch")))
            self.assertTrue(client.wait(lambda: client.stream(1).body))
            client.sock.close()
            host.wait_for("Function.watch: ISW_E_CANCELLED: the caller left")

    def test_an_answer_that_breaks_off_is_reset(self):
        with connected() as (_, client):
            stream = client.ask(1, path="/api/breaks")
            self.assertEqual((stream.status, stream.body, stream.error),
                             (200, b"half of it", frames.INTERNAL_ERROR))

    def test_a_body_keeps_to_the_windows_of_its_client(self):
        with connected() as (_, client):
            client.send(settings(window=10))
            client.wait(lambda: client.acks == 2)
            client.send(headers(1, line(path=POUR % 1)))
            stream = client.stream(1)
            self.assertTrue(client.wait(lambda: len(stream.body) == 10))
            self.assertEqual(client.ask(3, path="/api/nothing").status, 204)
            self.assertEqual(len(stream.body), 10)
            client.send(settings(window=1000))
            self.assertTrue(client.wait(lambda: len(stream.body) == 1000))
            client.send(window(1, 24))
            self.assertEqual(len(client.answer(1).body), 1024)

    def test_a_body_waits_with_its_client_while_nobody_reads_it(self):
        with connected() as (host, client):
            stream = client.stream(1)
            client.send(headers(1, line("POST", "/api/converse"), END_HEADERS), data(1, b"x", 0))
            host.wait_for("heard x")  # it has begun: a fault of the client's would forestall it
            self.assertTrue(client.wait(lambda: stream.body == b"<x>"))
            piece = b"y" * 16384
            for _ in range(16):
                client.send(data(1, piece, 0))
            client.send(data(1, b"y", 0))  # one byte too many before a window is widened
            self.assertTrue(client.wait(lambda: stream.error is not None or len(stream.body) > 3))
            self.assertEqual(client.settings[4], 256 * 1024)
            self.assertIsNone(client.goaway)

    def test_bodies_that_are_gathered_have_one_limit_together(self):
        with connected("http: {body_limit: 300KiB}") as (_, client):
            first = b"x" * 256 * 1024
            self.assertTrue(client.wait(lambda: client.settings))
            for number in (1, 3, 5):
                client.send(headers(number, line("POST", "/api/echo"), END_HEADERS),
                            *(data(number, first[at:at + 16384], 0)
                              for at in range(0, len(first), 16384)))
            client.send(frame(PING, 0, 0, b"\0" * 8))
            self.assertTrue(client.wait(lambda: client.pings))
            self.assertEqual([client.windows.get(number, 0) >= len(first) // 2
                              for number in (1, 3, 5)], [True, False, False])
            client.send(data(1, b"y"))
            self.assertTrue(client.wait(lambda: client.windows.get(3)))
            self.assertNotIn(5, client.windows)
            client.send(data(3, b"y"))
            self.assertTrue(client.wait(lambda: client.windows.get(5)))
            client.send(window(0, 1 << 20), *(window(number, 1 << 20) for number in (1, 3, 5)),
                        data(5, b"y"))
            for number in (1, 3, 5):
                self.assertEqual(client.answer(number).body, first + b"y")

    def test_a_body_that_finds_no_room_is_refused(self):
        with connected("http: {body_limit: 64KiB, body_memory: 64KiB}") as (host, client):
            piece = b"x" * 16384
            for number in (1, 3):
                client.send(headers(number, line("POST", "/api/echo"), END_HEADERS),
                            *(data(number, piece, 0) for _ in range(3)))
            stream = client.answer(3)
            self.assertEqual((stream.status, stream.fields["retry-after"]), (503, "1"))
            self.assertEqual(client.ask(5).body, b"Hello, Ada!\n")
            client.send(data(1, b"y"))
            self.assertEqual(client.answer(1).body, piece * 3 + b"y")
            self.assertEqual(curl(host, "echo", "--data-binary", "@-", body=piece * 4), piece * 4)

    def test_a_body_that_streams_goes_on_while_there_is_room_for_no_other(self):
        with connected("http: {body_limit: 64KiB, body_memory: 64KiB}") as (_, client):
            piece = b"x" * 16384
            talk = client.stream(3)
            client.send(headers(1, line("POST", "/api/echo"), END_HEADERS),
                        headers(3, line("POST", "/api/converse"), END_HEADERS))
            self.assertTrue(client.wait(lambda: talk.heads))
            client.send(*(data(1, piece, 0) for _ in range(3)), data(3, b"a", 0))
            self.assertTrue(client.wait(lambda: talk.body == b"<a>" or talk.error is not None))
            client.send(data(3, b"b"), data(1, b"y"))
            self.assertEqual(client.answer(3).body, b"<a><b>")
            self.assertEqual(client.answer(1).body, piece * 3 + b"y")

    def test_the_answer_that_has_waited_longest_makes_room_for_others(self):
        with connected("http: {answer_memory: 6MiB}") as (host, client):
            client.send(headers(1, line(path="/api/large?mib=4")))
            self.assertTrue(client.wait(lambda: client.stream(1).body))
            client.send(headers(3, line(path="/api/large?mib=4")))
            self.assertTrue(client.wait(lambda: client.stream(1).error is not None))
            self.assertEqual(client.stream(1).error, frames.ENHANCE_YOUR_CALM)
            client.send(window(0, 8 << 20), window(3, 8 << 20))
            self.assertEqual(len(client.answer(3).body), 4 << 20)
            host.wait_for("HTTP: answers that their clients do not take fill answer_memory")

    def test_windows_of_a_byte_each_do_not_keep_an_answer(self):
        with connected(HURRY) as (_, client):
            client.send(settings(window=0), headers(1, line(path=POUR % 64)))
            stream = client.stream(1)
            self.assertTrue(client.wait(lambda: stream.heads))
            for _ in range(3000):
                client.send(window(1, 1))
                size = len(stream.body)
                client.wait(lambda: len(stream.body) > size or stream.error is not None)
                if stream.error is not None:
                    break
                time.sleep(0.001)
            self.assertEqual(stream.error, CANCEL)

    def test_a_body_that_has_not_begun_may_be_the_one_that_others_wait_for(self):
        with connected("http: {body_limit: 300KiB}") as (host, client):
            piece = b"x" * 200 * 1024
            self.assertTrue(client.wait(lambda: client.settings))
            for number in (1, 3, 5):
                client.send(headers(number, line("POST", "/api/echo"), END_HEADERS))
                if number > 1:
                    client.send(*(data(number, piece[at:at + 16384], 0)
                                  for at in range(0, len(piece), 16384)))
            client.send(headers(7, line("POST", "/api/echo"), END_HEADERS),
                        frame(PING, 0, 0, b"\0" * 8))
            self.assertTrue(client.wait(lambda: client.pings))
            self.assertNotIn(5, client.windows)
            self.assertEqual(host.get("hello/you")[0], 200)
            client.send(frame(RST_STREAM, 0, 1, b"\0\0\0\x08"))
            self.assertTrue(client.wait(lambda: client.windows.get(3)))
            client.send(data(3, b""))
            self.assertTrue(client.wait(lambda: client.windows.get(5)))

    def test_an_early_answer_has_the_client_send_no_more(self):
        with connected() as (_, client):
            client.send(headers(1, line("POST", "/api/nowhere"), END_HEADERS))
            stream = client.answer(1)
            client.wait(lambda: stream.error is not None)
            self.assertEqual((stream.status, stream.error), (404, NO_ERROR))
            self.assertEqual(client.ask(3).status, 200)

    def test_the_body_that_is_held_back_is_asked_for(self):
        with connected() as (_, client):
            client.send(headers(1, line("POST", "/api/echo") + [("expect", "100-continue")],
                                END_HEADERS))
            self.assertTrue(client.wait(lambda: client.stream(1).heads))
            self.assertEqual(client.stream(1).status, 100)
            client.send(data(1, b"abc"))
            self.assertEqual((client.answer(1).status, client.stream(1).body), (200, b"abc"))

    def test_a_chain_may_refuse_what_streams_before_its_body_is_asked_for(self):
        digest = hashlib.sha256(b"00112233445566778899aabbccddeeff" + b"sesame").hexdigest()
        chain = ("middleware:\n  - auth:\n      keys:\n        - name: me\n          hash: sha256:"
                 f"00112233445566778899aabbccddeeff:{digest}\n")
        sent = line("PUT", "/api/swallow") + [("expect", "100-continue")]
        with Host(worker(), chain=chain) as host, Frames(host.port) as client:
            client.send(headers(1, sent, END_HEADERS))
            self.assertEqual(client.answer(1).status, 401)
            self.assertEqual(len(client.stream(1).heads), 1)
            client.send(headers(3, sent + [("x-functions-key", "sesame")], END_HEADERS))
            self.assertTrue(client.wait(lambda: client.stream(3).heads))
            self.assertEqual(client.stream(3).status, 100)
            client.send(data(3, b"12345"))
            self.assertEqual(client.answer(3).status, 200)

    def test_trailers_are_taken_and_dropped(self):
        with connected() as (_, client):
            client.send(headers(1, line("POST", "/api/echo"), END_HEADERS), data(1, b"abc", 0),
                        headers(1, [("x-sum", "1")]))
            self.assertEqual((client.answer(1).status, client.stream(1).body), (200, b"abc"))

    def test_cookies_are_one_field_again(self):
        with connected() as (_, client):
            sent = [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]
            self.assertEqual(client.ask(1, *sent, path="/api/header/cookie").body,
                             b"a=1; b=2; c=3")
            self.assertEqual(client.ask(3, *sent, path="/api/header/x").body, b"y")

    def test_the_authority_is_the_host(self):
        with connected() as (_, client):
            self.assertEqual(client.ask(1, path="/api/header/host", authority="a:80").body, b"a:80")
            self.assertEqual(client.ask(3, ("host", "b"), path="/api/header/host",
                                        authority=None).body, b"b")

    def test_options_may_be_asked_of_the_server_as_a_whole(self):
        with connected() as (_, client):
            self.assertEqual(client.ask(1, method="OPTIONS", path="*").status, 204)

    def test_a_body_over_the_limit_is_413(self):
        with connected("http: {body_limit: 1KiB}") as (_, client):
            client.send(headers(1, line("POST", "/api/echo"), END_HEADERS), data(1, b"x" * 1025, 0))
            self.assertEqual(client.answer(1).status, 413)
            self.assertEqual(client.ask(3, ("content-length", "1025"), method="POST",
                                        path="/api/echo").error, PROTOCOL_ERROR)
            client.send(headers(5, line("POST", "/api/echo") + [("content-length", "1025")],
                                END_HEADERS))
            self.assertEqual(client.answer(5).status, 413)

    def test_a_host_that_stops_answers_what_it_has(self):
        with connected() as (host, client):
            client.send(headers(1, line(path="/api/once?ms=700")))
            host.wait_for_naps(1)
            host.process.terminate()
            self.assertTrue(client.wait(lambda: client.goaway))
            self.assertEqual(client.goaway, (1, NO_ERROR))
            self.assertEqual(client.answer(1).status, 200)
            self.assertEqual(client.end(), NO_ERROR)

    def test_a_host_that_stops_tells_those_who_wait_for_nothing(self):
        with connected() as (host, client), Frames(host.port) as other:
            self.assertEqual(client.ask(1).status, 200)
            other.send(headers(1, line(path="/api/once?ms=700")))  # it does not end before that
            host.wait_for_naps(1)
            host.process.terminate()
            self.assertEqual(client.end(), NO_ERROR)
            self.assertFalse(other.stream(1).heads)
            self.assertEqual(other.answer(1).status, 200)

    def test_it_can_be_switched_off(self):
        with Host(worker(), top="http: {http2: false}") as host, Frames(host.port) as client:
            client.wait(lambda: b"\r\n\r\n" in client.got)
            self.assertIn(b"HTTP/1.1 400", client.got)
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))

    def test_http_1_is_spoken_at_the_same_address(self):
        with Host(worker()) as host:
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
            with Frames(host.port, b"PUT /api/hello/Ada HTTP/1.1\r\nHost: a\r\n\r\n") as client:
                client.wait(lambda: b"405" in client.got)
                self.assertIn(b"HTTP/1.1 405", client.got)


class Heads(unittest.TestCase):
    """As strict as with HTTP/1.1: answered with a problem, or reset where nghttp2 sees it first,
    which depends on its version."""

    CASES = [
        (400, line(path="api")),
        (400, line(path="/a b")),
        (400, line(path="/a#b")),
        (400, line(path="/%4")),
        (400, line(path="/\xc3\xa9")),
        (400, line(path="*")),
        (400, line(path="/api/hello/x?a=%ff")),
        (400, line(method="G(T")),
        (400, line(scheme="ftp")),
        (400, line(authority="a:80:90")),
        (400, line(authority="u@a")),
        (400, line() + [("host", "b")]),
        (400, line() + [("x y", "z")]),
        (400, line() + [("x", "a\x01b")]),
        (400, line() + [("x", " a")]),
        (417, line() + [("expect", "more")]),
        (431, line() + [("x", "y" * 16384)]),
        (431, line() + [("x", "y")] * 600),
        (501, line(method="CONNECT", path=None, scheme=None)),
        (200, line(authority=None) + [("host", "a:80")]),
        (200, line() + [("host", "A")]),
        (200, line() + [("x", "\xfc"), ("te", "trailers")]),
        (PROTOCOL_ERROR, line(path=None)),
        (PROTOCOL_ERROR, line(path="")),
        (PROTOCOL_ERROR, line(method=None)),
        (PROTOCOL_ERROR, line(scheme=None)),
        (PROTOCOL_ERROR, line(authority=None)),
        (PROTOCOL_ERROR, line() + [(":path", "/")]),
        (PROTOCOL_ERROR, line() + [(":status", "200")]),
        (PROTOCOL_ERROR, [("x", "y")] + line()),
        (PROTOCOL_ERROR, line() + [("connection", "close")]),
        (PROTOCOL_ERROR, line() + [("transfer-encoding", "chunked")]),
        (PROTOCOL_ERROR, line() + [("te", "gzip")]),
        (PROTOCOL_ERROR, line() + [("content-length", "1")]),
        (PROTOCOL_ERROR, line() + [("content-length", "0"), ("content-length", "0")]),
        (PROTOCOL_ERROR, line() + [("content-length", "+0")]),
    ]

    def test_what_is_no_head_is_refused(self):
        with Host(worker()) as host:
            for wanted, fields in self.CASES:
                with self.subTest(fields=[(name, value[:40]) for name, value in fields[:6]]), \
                        Frames(host.port) as client:
                    client.send(headers(1, fields))
                    stream = client.answer(1)
                    told = stream.status or stream.error
                    self.assertIn(told, (400, PROTOCOL_ERROR) if wanted == 400 else (wanted,))

    def test_names_are_small(self):
        with connected() as (_, client):
            stream = client.ask(1, ("X-Y", "z"))
            self.assertIn(stream.status or stream.error, (400, PROTOCOL_ERROR))


def push(stream):
    return frame(PUSH_PROMISE, END_HEADERS, stream, b"\0\0\0\x02" + block(line()))


OPEN = headers(1, line("POST", "/api/converse"), END_HEADERS)
HALF = frame(HEADERS, END_STREAM, 1, block(line()))


class Faults(unittest.TestCase):
    """What breaks the protocol ends the connection, or the stream, with the error of RFC 9113."""

    CONNECTION = {
        "the preface goes on otherwise": (PROTOCOL_ERROR, None),
        "data on no stream": (PROTOCOL_ERROR, data(0, b"x")),
        "a priority of no stream": (PROTOCOL_ERROR, frame(PRIORITY, 0, 0, b"\0\0\0\0\x10")),
        "a head on no stream": (PROTOCOL_ERROR, headers(0, line())),
        "a head on a stream of the host's": (PROTOCOL_ERROR, headers(2, line())),
        "data on a stream that was not opened": (PROTOCOL_ERROR, data(1, b"x")),
        "a window of a stream that was not opened": (PROTOCOL_ERROR, window(1, 1)),
        "a reset of a stream that was not opened": (PROTOCOL_ERROR,
                                                    frame(RST_STREAM, 0, 1, b"\0\0\0\x08")),
        "a reset of no stream": (PROTOCOL_ERROR, frame(RST_STREAM, 0, 0, b"\0\0\0\x08")),
        "a reset that is too short": (6, OPEN + frame(RST_STREAM, 0, 1, b"\0\0\0")),
        "a frame that is too large": (6, OPEN + data(1, b"x" * 16385)),
        "settings of a stream": (PROTOCOL_ERROR, frame(SETTINGS, 0, 1)),
        "settings that end amid one": (6, frame(SETTINGS, 0, 0, b"\0\1\0\0\0")),
        "settings that are acknowledged at length": (6, frame(SETTINGS, 1, 0, b"\0" * 6)),
        "a window beyond its most": (3, settings(window=1 << 31)),
        "frames that may be too small": (PROTOCOL_ERROR, settings(frame=16383)),
        "push neither on nor off": (PROTOCOL_ERROR, settings(push=2)),
        "a push from a client": (PROTOCOL_ERROR, OPEN + push(1)),
        "a ping of a stream": (PROTOCOL_ERROR, frame(PING, 0, 1, b"\0" * 8)),
        "a ping of seven bytes": (6, frame(PING, 0, 0, b"\0" * 7)),
        "a window widened by nothing": (PROTOCOL_ERROR, window(0, 0)),
        "a stream's window widened by nothing": (PROTOCOL_ERROR, OPEN + window(1, 0)),
        "data behind the end": (5, headers(1, line(path="/api/once?ms=60000")) + data(1, b"x")),
        "a window widened beyond its most": (3, window(0, 0x7fffffff)),
        "a window of three bytes": (6, frame(WINDOW_UPDATE, 0, 0, b"\0\0\1")),
        "a continuation of nothing": (PROTOCOL_ERROR, frame(CONTINUATION, END_HEADERS, 1)),
        "a ping amid a head": (PROTOCOL_ERROR, HALF + frame(PING, 0, 0, b"\0" * 8)),
        "the head goes on on another stream": (PROTOCOL_ERROR,
                                               HALF + frame(CONTINUATION, END_HEADERS, 3)),
        "a head that is no HPACK": (9, frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff" * 9)),
        "a table larger than agreed": (9, frame(HEADERS, 5, 1, b"\x3f\xe1\xff\x03" + block(line()))),
        "padding larger than the frame": (PROTOCOL_ERROR, OPEN + frame(DATA, 9, 1, b"\x09ab")),
    }

    STREAM = {
        "a window widened beyond its most": (3, OPEN + window(1, 0x7fffffff)),
        "less than was announced": (PROTOCOL_ERROR,
                                    headers(1, line("POST", "/api/echo") + [("content-length", "3")],
                                            END_HEADERS) + data(1, b"ab")),
        "more than was announced": (PROTOCOL_ERROR,
                                    headers(1, line("POST", "/api/echo") + [("content-length", "1")],
                                            END_HEADERS) + data(1, b"ab", 0)),
        "a second head without an end": (PROTOCOL_ERROR, OPEN + headers(1, [("x", "y")], END_HEADERS)),
        "a pseudo field in a trailer": (PROTOCOL_ERROR, OPEN + headers(1, [(":path", "/")])),
    }

    def test_what_comes_on_a_closed_stream_ends_the_connection(self):
        with Host(worker()) as host:
            for sent in data(1, b"x"), headers(1, line()):
                with Frames(host.port) as client:
                    self.assertEqual(client.ask(1).status, 200)
                    client.send(sent)
                    self.assertEqual(client.end(), frames.STREAM_CLOSED)

    def test_faults_of_the_connection_end_it(self):
        with Host(worker()) as host:
            for name, (error, sent) in self.CONNECTION.items():
                first = PREFACE + frame(SETTINGS) + sent if sent else PREFACE[:-2] + b"xx" + sent_rest()
                with self.subTest(name), Frames(host.port, first) as client:
                    told = client.end()
                    self.assertTrue(client.closed)
                    self.assertIn(told, (error,) if sent else (error, None))
            with Frames(host.port) as client:
                self.assertEqual(client.ask(1).status, 200)

    def test_faults_of_a_stream_end_it_alone(self):
        with Host(worker()) as host:
            for name, (error, sent) in self.STREAM.items():
                with self.subTest(name), Frames(host.port) as client:
                    client.send(sent)
                    client.wait(lambda: client.stream(1).error is not None)  # noqa: B023
                    self.assertEqual(client.stream(1).error, error)
                    self.assertEqual(client.ask(3).status, 200)

    def test_what_nobody_knows_is_passed_by(self):
        with connected() as (_, client):
            client.send(frame(0xfa, 0xff, 0, b"x" * 9), frame(0xfa, 0, 1),
                        frame(SETTINGS, 0, 0, b"\xff\xfe\0\0\0\1"),
                        frame(PRIORITY, 0, 1, b"\0\0\0\0\x10"), frame(PING, 0xfe, 0, b"\0" * 8))
            self.assertEqual(client.ask(1).status, 200)
            self.assertTrue(client.wait(lambda: client.pings == 1))

    def test_streams_beyond_the_most_are_refused(self):
        with connected("host: {shutdown_grace: 1s}") as (_, client):
            client.wait(lambda: client.acks)
            most = client.settings[3]
            client.send(*(headers(1 + 2 * n, line("POST", "/api/echo"), END_HEADERS)
                          for n in range(most + 1)))
            client.wait(lambda: client.goaway or client.stream(1 + 2 * most).error is not None)
            self.assertTrue(client.goaway or client.stream(1 + 2 * most).error == 7)


def sent_rest():
    return frame(SETTINGS)


class Calm(unittest.TestCase):
    """What costs the host and gives the client nothing has a budget."""

    def assert_calmed(self, flood, count, first=b"", reads=True):
        with Host(worker()) as host:
            with Frames(host.port) as client:
                client.send(first)
                for at in range(count):
                    client.send(flood(at))
                    if reads and at % 64 == 63:
                        client.sock.setblocking(False)
                        with contextlib.suppress(BlockingIOError):
                            client.read()
                        client.sock.setblocking(True)
                        client.sock.settimeout(frames.PATIENCE_S)
                    if client.closed:
                        break
                told = client.end()
                self.assertTrue(client.closed)
            with Frames(host.port) as client:
                self.assertEqual(client.ask(1).status, 200)
        return told

    def test_requests_that_are_taken_back_at_once(self):
        def flood(at):
            return headers(2 * at + 1, line()) + frame(RST_STREAM, 0, 2 * at + 1, b"\0\0\0\x08")
        self.assertEqual(self.assert_calmed(flood, 2000), frames.ENHANCE_YOUR_CALM)

    def test_requests_that_the_host_is_made_to_reset(self):
        with connected() as (_, client):
            for number in range(1, 2000, 2):
                client.send(headers(number, line("POST", "/api/echo"), END_HEADERS),
                            window(number, 0x7fffffff))
                if not client.wait(lambda: client.goaway or client.stream(number).error):  # noqa: B023
                    break
            self.assertEqual(client.end(), frames.ENHANCE_YOUR_CALM)
            self.assertGreater(len(client.streams), 200)

    def test_pings(self):
        self.assertEqual(self.assert_calmed(lambda at: frame(PING, 0, 0, b"\0" * 8), 5000),
                         frames.ENHANCE_YOUR_CALM)

    def test_settings(self):
        self.assertEqual(self.assert_calmed(lambda at: frame(SETTINGS), 5000),
                         frames.ENHANCE_YOUR_CALM)

    def test_windows_of_one_byte(self):
        self.assertEqual(self.assert_calmed(lambda at: window(0, 1), 5000),
                         frames.ENHANCE_YOUR_CALM)

    def test_data_without_any(self):
        self.assertEqual(self.assert_calmed(lambda at: data(1, b"", 0), 5000, OPEN),
                         frames.ENHANCE_YOUR_CALM)

    def test_a_head_without_an_end(self):
        self.assertIn(self.assert_calmed(lambda at: frame(CONTINUATION, 0, 1), 5000, HALF),
                      (frames.ENHANCE_YOUR_CALM, None))



class Times(unittest.TestCase):
    def test_a_client_that_says_nothing_is_left(self):
        with connected(HURRY) as (_, client):
            self.assertEqual(client.end(), NO_ERROR)
        with connected(HURRY) as (_, client):
            self.assertEqual(client.ask(1).status, 200)
            self.assertEqual(client.end(), NO_ERROR)

    def test_a_head_that_does_not_end_is_cut(self):
        with connected(HURRY) as (_, client):
            client.send(HALF)
            client.end()
            self.assertTrue(client.closed)

    def test_a_body_that_does_not_come_is_408(self):
        with connected(HURRY) as (_, client):
            client.send(headers(1, line("POST", "/api/echo"), END_HEADERS), data(1, b"x", 0))
            self.assertEqual(client.answer(1).status, 408)

    def test_an_answer_that_is_not_taken_is_cut(self):
        with connected(HURRY) as (_, client):
            client.send(settings(window=0))
            client.wait(lambda: client.acks == 2)
            self.assertEqual(client.ask(1).error, CANCEL)


if __name__ == "__main__":
    main()
