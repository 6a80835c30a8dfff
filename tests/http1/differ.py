#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Holds the readers of src/http1 against node's parser (llhttp): requests, and what becomes of them
by one change at each of their bytes, are given to both. Where both take a request they must read the
same; where one refuses it, that must be meant, which the tables below say. Left out where there is
no node, or one without that parser."""
import base64
import collections
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = 77
LLHTTP = 9  # since when it is strict unless told otherwise

# Ours refuses, node does not: what begins our sentence, and why it is meant.
STRICTER = {
    "A line ends with a line feed": "llhttp skips one before a request, and ends HTTP/0.9 by it",
    "A carriage return has no": "llhttp skips one before a request",
    "There is no Host field": "RFC 9112, section 3.2; node's server asks for it behind its parser",
    "There is more than one Host": "likewise",
    "The Host field is not": "likewise; a host and a port are all that it may be",
    "The Transfer-Encoding": "chunked is the only coding, and alone",
    "The coding chunked has no": "RFC 9112, section 7.1",
    "HTTP/1.0 has no Transfer-Encoding": "RFC 9112, section 6.1: its framing is faulty",
    "The Content-Length has more than": "node takes leading zeros without end",
    "The protocol version is neither": "llhttp knows 0.9 and 2.0, too",
    "The request line has no version": "HTTP/0.9 is not spoken",
    "The request line does not end": "llhttp knows RTSP and ICE for some methods",
    "The request target has a '%'": "RFC 3986, section 2.1; llhttp does not look",
    "The request target holds a char": "a fragment, or a byte beyond ASCII; llhttp takes them",
    "The request target begins with": "a scheme of another protocol",
    "The host in the request target": "a user's name, or no host",
    "The request target * is for": "RFC 9112, section 3.2.4",
    "Something stands behind *": "likewise",
    "The method CONNECT": "a host of functions is no proxy",
    "Something other than 100-continue": "RFC 9110, section 10.1.1; llhttp does not look",
    "The chunks are beyond": "the size of a chunk that is none; node waits for its payload",
    "A trailer field belongs into": "RFC 9110, section 6.5.1",
    "A chunk's extension": "llhttp is laxer in what an extension is made of",
}

# Node refuses, ours does not, or both take it and differ in one thing: node's code or that thing,
# what such a case has in it, and why it is meant.
LAXER = {
    "HPE_INVALID_METHOD": (rb"", "any token is a method (RFC 9110, section 9.1)"),
    "HPE_CLOSED_CONNECTION": (rb"(?i)close|1\.0", "ours reads no further on what is to be closed"),
    "HPE_INVALID_CHUNK_SIZE": (rb"\n0A[ \t];", "white space in an extension is taken (RFC 9112, "
                               "section 7.1.1)"),
    "HPE_STRICT": (rb";[ \t]|=[ \t]|[ \t];|[ \t]=", "the same"),
    "HPE_INVALID_CONTENT_LENGTH": (rb"\t\r\n", "a tab behind a value is none of it, as a space is"),
    "HPE_INVALID_TRANSFER_ENCODING": (rb"\t\r\n", "the same"),
    "keep": (rb"(close|alive)\t\r\n", "the same; node does not know \"close\" with it"),
}

SEEDS = [
    b"GET /a?b=%20c HTTP/1.1\r\nHost: a:80\r\nX-Y: \t z \t\r\nEmpty:\r\n\r\n",
    b"\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]\r\nConnection: keep-alive\r\n\r\n",
    b"GET http://a:80/b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhi\r\n0A;b=c;d=\"e\\\" f\"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 000000000000000000002\r\n\r\nhi",
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"1\r\n!\r\n0\r\n\r\n",
]
LAST = b"GET /last HTTP/1.1\r\nHost: z\r\n\r\n"
BYTES = [b"\0", b"\x01", b"\t", b"\n", b"\r", b"\r\n", b" ", b"\"", b"#", b"%", b",", b"/", b"0", b"1",
         b"2", b":", b";", b"=", b"?", b"@", b"G", b"[", b"\\", b"a", b"\x7f", b"\x80", b"\xff",
         b"\r\n ", b"\r\nX", b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked",
         b"\r\nHost: b"]


def cases():
    for seed in SEEDS:
        yield seed + LAST
        for at in range(len(seed) + 1):
            yield seed[:at] + seed[at + 1:] + LAST
            for piece in BYTES:
                yield seed[:at] + piece + seed[at:] + LAST
                yield seed[:at] + piece + seed[at + 1:] + LAST


def ours(reader, found):
    """A list of (requests, sentence) for the cases."""
    data = b"".join(b"%d\n%s" % (len(case), case) for case in found)
    out = subprocess.run([reader], input=data, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in found:
        end = out.index(b"\n", at)
        size = int(out[at:end])
        yield parse(out[end + 1:end + 1 + size])
        at = end + 1 + size


def parse(text):
    """A transcript; a body may have any bytes but is followed by one of three lines."""
    whole = []
    refusal = ""
    while text:
        begin = re.match(rb"head \d+ 1\.(\d) \d \d (\w+)[^\n]*\n", text)
        if not begin:
            refusal = text.decode("latin-1")
            break
        text = text[begin.end():]
        request = {"minor": int(begin[1]), "keep": begin[2] == b"keep", "fields": []}
        while not text.startswith(b"body "):
            line, _, text = text.partition(b"\n")
            name, _, value = line.partition(b" ")
            if name in (b"name", b"value"):
                request["fields"].append(value.decode("latin-1"))
            else:
                request[name.decode()] = value.decode("latin-1")
        ends = re.match(rb"body ([\s\S]*?)\n(done|more|refused [^\n]*)\n(?=head |more|refused |$)",
                        text)
        request["body"] = ends[1].decode("latin-1")
        text = text[ends.end():]
        if ends[2] == b"done":
            whole.append(request)
        else:
            refusal = ends[2].decode()
    return whole, refusal


def theirs(node, found):
    version = subprocess.run([node, "-p", "process.versions.llhttp"], capture_output=True, text=True,
                             check=False).stdout
    if int(version.partition(".")[0] or 0) < LLHTTP:
        return None
    lines = b"".join(base64.b64encode(case) + b"\n" for case in found)
    done = subprocess.run([node, "--no-deprecation", os.path.join(HERE, "peer.js")], input=lines,
                          stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else None


def latin(text):
    """Values come as UTF-8 from ours where they were not."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def fault_of_request(one, other):
    """What both read otherwise, or ""."""
    names = [name.lower() for name in other["fields"][::2]]
    if one["fields"][::2] != names:
        return "names"
    absolute = re.match(r"(?i)https?://", one["target"])
    for name, mine, value in zip(names, one["fields"][1::2], other["fields"][1::2]):
        if latin(mine) != latin(value.strip(" \t")) and not (absolute and name == "host"):
            return f"the value of {name}"
    pairs = (("method", "method"), ("target", "url"), ("minor", "minor"), ("body", "body"),
             ("keep", "keep"))
    return next((key for key, its in pairs if one[key] != other[its]), "")


def is_meant(case, what, tally):
    pattern, _ = LAXER.get(what, (None, None))
    if pattern is None or not re.search(pattern, case):
        return False
    tally[what] += 1
    return True


def fault_of(case, mine, other, tally):
    """Why the readings of a case are not as the tables say, or ""."""
    whole, refusal = mine
    for one, two in zip(whole, other["whole"]):
        fault = fault_of_request(one, two)
        if fault:
            return "" if is_meant(case, fault, tally) else f"both take it and differ in {fault}"
    refused = refusal.removeprefix("refused ")[4:] if refusal.startswith("refused") else ""
    if len(other["whole"]) > len(whole) or (refused and not other["error"]):
        reason = next((text for text in STRICTER if refused.startswith(text)), None)
        if not reason:
            return f"node takes it; ours: {refusal or 'done'}"
        tally[reason] += 1
    elif other["error"] and not refused and not is_meant(case, other["error"], tally):
        return f"ours takes it; node: {other['error']}"
    return ""


def main():
    node = shutil.which("node")
    found = list(cases())
    answers = theirs(node, found) if node else None
    if answers is None:
        print(f"no node with llhttp {LLHTTP}: left out")
        return LEFT_OUT
    tally = collections.Counter()
    faults = []
    for case, mine, other in zip(found, ours(sys.argv[1], found), answers):
        fault = fault_of(case, mine, other, tally)
        if fault:
            faults.append(f"{case!r}: {fault}")
    print(f"{len(found)} cases; meant differences: {sum(tally.values())}")
    for reason, count in tally.most_common():
        print(f"{count:7} {reason}: {STRICTER.get(reason) or LAXER[reason][1]}")
    unused = [text for text in list(STRICTER) + list(LAXER) if text not in tally]
    if unused:
        print("no case of:", "; ".join(unused))
    print("\n".join(faults[:40]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
