#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Invokes the functions of worker.py through host.py, and provokes worker.py a little.

    agree.py [STREAMING_SAMPLE]

With the path of the sample "streaming", host.py invokes its functions, too.
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile

from peer import (CREDIT, ERROR, HOST_HELLO, METADATA_REQUEST, WORKER_HELLO, Peer, field, members)

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(HERE, "worker.py")
TOKEN = bytes(range(64))


def invoke(*arguments, worker=WORKER):
    command = [os.path.join(HERE, "host.py"), *arguments, "--", worker]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True)
    return json.loads(done.stdout)


def functions_answer():
    hello = invoke("--param", "name=Ada", "--reload", "A=1", "py_hello", "GET", "/py/hello/Ada")
    assert hello["outcome"] == 1 and hello["result"] == {
        "status": 200, "headers": {"content-type": "text/plain"},
        "body": "Hello from Python, Ada!\n"}, hello
    assert [line["category"] for line in hello["logs"]] == ["Function.py_hello"], hello
    echo = invoke("--header", "content-type=text/x", "--body", "grüße", "py_echo", "POST",
                  "/py/echo?a=b")
    assert echo["outcome"] == 1 and echo["result"]["body"] == "grüße", echo
    assert echo["result"]["headers"] == {"content-type": "text/x"}, echo
    fail = invoke("py_fail", "GET", "/py/fail")
    assert fail["outcome"] == 0 and fail["status"]["code"] == 6 and fail["result"] is None, fail
    assert fail["status"]["message"], fail


def bodies_travel_in_pieces():
    """Far more than a window, both ways."""
    text = "0123456789" * 1000
    whole = hashlib.sha256(text.encode() * 300).hexdigest()
    echo = invoke("--body", text, "--repeat", "300", "py_stream", "POST", "/py/stream")
    assert echo["outcome"] == 1 and echo["result"] == {
        "status": 200, "headers": {"content-type": "application/octet-stream"},
        "body": f"3000000 bytes, sha256 {whole}"}, echo


def what_was_counted_is_told():
    """When the host asks, else before goodbye; once."""
    for how in ([], ["--unasked"]):
        hello = invoke(*how, "py_hello", "GET", "/py/hello")
        assert hello["metrics"] == {"py_invocations_total py_hello": 1}, hello


def the_sample_counts(sample):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("middleware: [metrics]\n")
        file.flush()
        os.environ["ISOWORKER_CONFIG"] = file.name
        for how in ([], ["--unasked"]):
            counted = invoke(*how, "--header", "last-event-id=4", "ticks", "GET", "/api/ticks",
                             worker=sample)["metrics"]
            duration = "isoworker_invocation_duration_seconds ticks"
            assert counted.pop(duration) > 0, counted
            assert counted == {duration + " count": 1, "isoworker_in_flight ticks": 0,
                               "isoworker_invocations_total ticks ISW_OK": 1}, counted
        del os.environ["ISOWORKER_CONFIG"]


def the_sample_streams(sample):
    upload = invoke("--body", "x" * 1000, "--repeat", "3000", "upload", "PUT", "/api/upload",
                    worker=sample)
    assert upload["outcome"] == 1, upload
    assert upload["result"]["body"].startswith("3000000 bytes, checksum "), upload
    ticks = invoke("--header", "last-event-id=4", "ticks", "GET", "/api/ticks", worker=sample)
    assert ticks["result"] == {
        "status": 200, "headers": {"cache-control": "no-store",
                                   "content-type": "text/event-stream"},
        "body": "id: 5\ndata: tick 5\n\n"}, ticks


def with_worker(talk, command=(WORKER,), ring=None, **variables):
    """Runs `talk` as the host of a fresh worker, whose hello has been read: on the socket, or on
    the RingPeer. Its exit status."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(folder, "w"))
        listener.listen(1)
        reader, writer = os.pipe()
        os.write(writer, TOKEN)
        os.close(writer)
        environment = dict(os.environ, ISOWORKER_URL=f"ipc://{folder}/w",
                           ISOWORKER_TOKEN_FD=str(reader), **variables,
                           **(ring.variables if ring else {}))
        with subprocess.Popen(command, env=environment,
                              pass_fds=[reader, *(ring.fds if ring else [])]) as worker:
            os.close(reader)
            listener.settimeout(20)
            with listener.accept()[0] as sock:
                sock.settimeout(20)
                peer = ring.connected(sock) if ring else Peer(sock)
                peer.pid = worker.pid
                kind, _, peer.hello = peer.receive()
                assert kind == WORKER_HELLO and field(peer.hello, 3, bytes) == TOKEN[:32]
                talk(peer)
            return worker.wait(20)


def expect_error(*frames):
    def talk(peer):
        peer.send(*frames)
        kind, _, body = peer.receive()
        assert kind == ERROR and field(members(body[1]), 1, int) == 17, (kind, body)
    assert with_worker(talk) != 0


def violations_end_the_session():
    hello = (HOST_HELLO, 0, {1: 1, 2: TOKEN[32:]})
    expect_error((HOST_HELLO, 0, {1: 1, 2: TOKEN[:32]}))    # no proof
    expect_error((METADATA_REQUEST, 1, {}))                 # no hello
    expect_error((HOST_HELLO, 0, {1: 2, 2: TOKEN[32:]}))    # a version that was not offered
    expect_error(hello, (CREDIT, 0, {1: 1}))                # a frame of workers
    expect_error(hello, (63, 0, {}))                        # an unknown kind
    expect_error(hello, (METADATA_REQUEST, 1, {64: 0}))     # a key out of range
    expect_error(hello, (64, 0, {"x": 1}), hello)           # an extension, then a second hello
    assert with_worker(lambda peer: peer.send(hello)) != 0  # the host closes without terminate


if __name__ == "__main__":
    functions_answer()
    bodies_travel_in_pieces()
    what_was_counted_is_told()
    for path in sys.argv[1:]:
        the_sample_streams(path)
        the_sample_counts(path)
    violations_end_the_session()
    sys.exit(0)
