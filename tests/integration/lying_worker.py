#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A worker with one function, GET lie/{how}, that breaks the protocol in the way it is asked to."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))
import worker  # noqa: E402
from peer import CANCEL, CREDIT, HOST_HELLO, METRICS, RESPONSE, members, pairs  # noqa: E402


def family(help_size, value):
    return {1: [{1: "lies_total", 3: "x" * help_size, 6: [{2: [5, value]}]}]}


class Liar(worker.Worker):
    def invoke(self, joined, body):
        how = dict(pairs(members(body[3][1]), 5))["how"]
        truth = (RESPONSE, joined, worker.reply(200, "text/plain", b"truth"))
        if how in ("garbage", "truth_after_a_lie"):
            self.peer.sock.sendall(b"\x01" + struct.pack(">Q", 5) + b"\xc1\xc1\xc1\xc1\xc1")
        elif how == "huge_length":
            self.peer.sock.sendall(b"\x01" + struct.pack(">Q", 1 << 60))
        frames = {
            "unknown_id": [(RESPONSE, joined + 65536, truth[2])],
            "twice": [truth, truth],
            "wrong_kind": [(HOST_HELLO, 0, {1: 1, 2: bytes(32)})],
            "credit_of_nonsense": [(CREDIT, 0, {1: 1 << 40})],
            "metrics_unasked": [(METRICS, 99, {})],
            "metrics_that_fall": [(METRICS, 0, family(4, -1.0))],
            "metrics_too_long": [(METRICS, 0, family(1 << 20, 1.0))],
            "truth": [truth],
            "truth_after_a_lie": [truth],
        }
        return frames.get(how, [])

    def stream(self, kind, joined, body):
        """Whatever was not answered obeys a cancel, and says no more than that."""
        return [(RESPONSE, joined, {1: worker.CANCELLED})] if kind == CANCEL else []


worker.FUNCTIONS = {"lie": (None, "GET", "lie/{how}")}
worker.Worker = Liar
sys.exit(worker.main())
