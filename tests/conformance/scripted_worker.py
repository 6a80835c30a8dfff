#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A worker that does what its script says: scripted_worker.py FILE

FILE is JSON: `functions`, the bodies of [Function] (keys as text), and `play`, for each function's
name the frames that answer its invocation, as [kind, id, body]. Of an id, "id" stands for the
invocation's. A member {"hex": ...} stands for bytes, {"zeros": N} for N of them, and {"param": P}
in the place of frames for those of `play` that the route parameter P names; ["exit", STATUS] ends
the process. What else happens is that of worker.py. Invocations and cancels are told on the
standard error.

Besides: `first`, frames before its hello; `stranger`, true for a token that is none; `without`,
names of functions that it tells of and cannot load; `cancelled`, frames that answer a cancel;
`slow`, seconds that a load takes, after which it tells whether it was asked for its status
meanwhile; `probe`, true to tell what it was started with; `exit`, its status at the end.
"""
import json
import os
import select
import sys
import time

import worker
from peer import CANCEL, E_NOT_FOUND, FIRST_EXTENSION, LOADED, field, members, pairs

with open(sys.argv[1]) as script:
    SCRIPT = json.load(script)


def body_of(value):
    """A body of the script as it is sent."""
    if isinstance(value, list):
        return [body_of(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "hex" in value:
        return bytes.fromhex(value["hex"])
    if "zeros" in value:
        return bytes(value["zeros"])
    return {int(key): body_of(member) for key, member in value.items()}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Scripted(worker.Worker):
    def hello(self, token):
        if "first" in SCRIPT:
            self.peer.send(*self.play(SCRIPT["first"], 0))
        greeted = super().hello(bytes(64) if "stranger" in SCRIPT else token)
        if not greeted:
            say("the host refused the hello")
        return greeted

    def metadata(self, joined, _body):
        say("asked for metadata")
        return [(worker.METADATA, joined, {2: body_of(SCRIPT["functions"])})]

    def load(self, joined, body):
        name, number = field(body, 2, str), field(body, 1, int)
        if name in SCRIPT.get("without", []):
            return [(LOADED, joined, {1: number, 2: {1: E_NOT_FOUND, 2: f"{name} is no more"}})]
        if SCRIPT.get("slow"):
            time.sleep(SCRIPT["slow"])
            heard = select.select([self.peer.sock], [], [], 0)[0] or self.peer.arrived
            say("heard before it was ready" if heard else "left alone until it was ready")
        worker.FUNCTIONS = {name: None}
        return super().load(joined, body)

    def invoke(self, joined, body):
        frames = SCRIPT["play"][self.functions[field(body, 1, int)]]
        if isinstance(frames, dict):
            request = members(body[3][1])
            frames = SCRIPT["play"][dict(pairs(request, 5))[frames["param"]]]
        say(f"invoked: {json.dumps(told(body))}")
        return self.play(frames, joined)

    def play(self, frames, joined):
        if frames and frames[-1][0] == "exit":
            self.peer.send(*self.play(frames[:-1], joined) or [(FIRST_EXTENSION, 0, {})])
            os._exit(frames[-1][1])
        return [(kind, joined if number == "id" else number, body_of(sent))
                for kind, number, sent in frames]

    def stream(self, kind, joined, body):
        if kind != CANCEL:
            return []
        say(f"cancelled: reason {field(body, 1, int, 0)}, {field(body, 2, int, 0)} ms")
        return self.play(SCRIPT.get("cancelled", []), joined)


def told(body):
    """What an invocation brought, for the test to read."""
    request = members(body[3][1]) if body.get(3, [0])[0] == 7 else {}
    return {"inputs": len(body.get(4, [])), "metadata": len(body.get(5, [])),
            "method": request.get(1), "url": request.get(2), "headers": pairs(request, 3),
            "query": pairs(request, 4), "params": pairs(request, 5),
            "body": len(request.get(6, b"")), "follows": body.get(9, False),
            "status": request.get(8)}


def probe():
    """What a process has at its start."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {"folder": os.getcwd(), "input": os.readlink("/proc/self/fd/0"),
            "leads": os.getpgid(0) == os.getpid(), "blocked": int(status["SigBlk"], 16),
            "open": [number for number in range(64) if os.path.exists(f"/dev/fd/{number}")],
            "ours": {name: value for name, value in os.environ.items()
                     if name.startswith("ISOWORKER_")}}


worker.Worker = Scripted
if SCRIPT.get("probe"):
    say(f"probe: {json.dumps(probe())}")
code = worker.main()
sys.exit(SCRIPT.get("exit", code))
