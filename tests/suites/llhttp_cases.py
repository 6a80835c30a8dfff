# SPDX-License-Identifier: Apache-2.0
"""llhttp's cases for requests, which stand in its Markdown: the bytes, and what its parser says of
them; `lenient` are those that it takes only when told to."""
import concurrent.futures
import os
import re
import subprocess

from shared import Case, exchange, host, statuses

FOLDER = "test/request"
WAIT_S = 3
HURRY = ", header_timeout: 500ms, body_timeout: 500ms, idle_timeout: 500ms"
BLOCK = re.compile(r"^#+ (?P<title>.*)$|<!-- *meta=(?P<meta>.*?) *-->|"
                   r"^```(?P<kind>http|url|log)\n(?P<text>[\s\S]*?)^```$", re.MULTILINE)


def evaluated(match):
    """`${...}` in a case is an expression of JavaScript."""
    done = subprocess.run(["node", "-p", match.group(1)], capture_output=True, text=True,
                          check=True)
    return done.stdout.removesuffix("\n")


def bytes_of(text):
    """As their test reads them: ends of lines are CR LF, one that is escaped is none."""
    text = re.sub(r"\\\n", "", text.removesuffix("\n")).replace("\n", "\r\n")
    for escape, char in (("r", "\r"), ("n", "\n"), ("t", "\t"), ("f", "\f")):
        text = text.replace("\\" + escape, char)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda hexa: chr(int(hexa.group(1), 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda octal: chr(int(octal.group(1), 8)), text)
    return re.sub(r"\$\{(.+?)\}", evaluated, text).encode("latin-1", "replace")


def blocks(path):
    """Title, meta, bytes and log of each case of a file."""
    title = meta = request = None
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for found in BLOCK.finditer(text):
        if found["title"]:
            title = found["title"]
        elif found["meta"]:
            meta = found["meta"]
        elif found["kind"] == "http":
            request = found["text"]
        elif found["kind"] == "log" and request is not None:
            yield title, meta, bytes_of(request), found["text"]
            request = None


def with_host(data):
    """llhttp does not ask for the header that RFC 9112 does."""
    if re.search(rb"(?i)\nhost *:", data):
        return data
    return re.sub(rb"(?m)^([A-Z-]+ \S+ HTTP/1\.1\r\n)", rb"\1Host: a\r\n", data)


def is_refused(codes, closed, log):
    """None but what was complete before the fault is answered well."""
    if "error code=" in log:
        whole = log.count("message complete")
    else:  # a lenient parser takes all of them
        whole = log.count("message begin") - 1
    good = [code for code in codes if code < 400]
    return len(good) <= whole and (closed or len(good) < len(codes))


def judge(port, data, log, must_refuse):
    answer, closed = exchange(port, with_host(data), WAIT_S)
    codes = statuses(answer)
    told = f"{codes or ('closed' if closed else 'waits')} for {data[:120]!r}"
    if must_refuse:
        return is_refused(codes, closed, log), told
    return (bool(codes) or "message complete" not in log) and not any(
        code in (400, 501, 505) for code in codes), told


def cases(tree, lenient):
    for name in sorted(os.listdir(os.path.join(tree, FOLDER))):
        for title, meta, data, log in blocks(os.path.join(tree, FOLDER, name)):
            if ("lenient" in meta) == lenient:
                yield f"{name.removesuffix('.md')}/{title}", data, log


def run(tree, lenient):
    found = list(cases(tree, lenient))
    with host(http=HURRY) as subject, concurrent.futures.ThreadPoolExecutor(16) as pool:
        verdicts = pool.map(
            lambda case: judge(subject.port, case[1], case[2],
                               lenient or "error code=" in case[2]), found)
        for (name, _, _), (right, told) in zip(found, verdicts):
            yield Case(name, right, told)
