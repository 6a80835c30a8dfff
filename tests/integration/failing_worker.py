#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A worker in another language with one function, GET fails/{how}, that fails; of some it tells."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))
import worker  # noqa: E402
from peer import LOG, RESPONSE, members, pairs  # noqa: E402

INFO, WARNING, ERROR = 2, 3, 4
UNAVAILABLE, CANCELLED = 13, 9


SECRETS = ["header", "X-Odd", "field", "nick"]
CORS = {1: ["https://*.a.example"], 2: "GET", 4: "x-count", 5: True, 6: 60}


class Failing(worker.Worker):
    def metadata(self, joined, body):
        """With what middleware of ours would tell (PROTOCOL.md, section 5)."""
        [(kind, joined, told)] = super().metadata(joined, body)
        for function in told[2]:
            function.update({12: SECRETS, 13: CORS})
        return [(kind, joined, told)]

    def invoke(self, joined, body):
        how = dict(pairs(members(body[3][1]), 5))["how"]
        level = {"murmurs": INFO, "warns": WARNING, "complains": ERROR}.get(how)
        frames = [(LOG, joined, {1: level, 2: "Own", 3: how + " by itself"})] if level else []
        status = {1: UNAVAILABLE, 2: how + " at last", 3: "Sorry", 4: "f.py:7", 5: True}
        response = {1: worker.FAILED, 2: status}
        if how == "logged":
            response[7] = True
        elif how == "bare":
            response = {}
        elif how == "later":
            response = {1: 3, 2: {1: UNAVAILABLE, 2: how + " at last"}, 5: 1000}
        elif how == "replies":
            response[3] = [7, {6: b"sorry", 8: 503}]
        return frames + [(RESPONSE, joined, response)]


worker.FUNCTIONS = {"fails": (None, "GET", "fails/{how}")}
worker.Worker = Failing
sys.exit(worker.main())
