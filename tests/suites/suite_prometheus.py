# SPDX-License-Identifier: Apache-2.0
"""/metrics as Prometheus reads it: its own promtool and its client for Python look at what is
served after a worker has measured something, sound or not. What is not sound must not be served,
and must never cost what others measure."""
import os
import re
import subprocess
import sys
import urllib.parse

from shared import Case, Suite, host, request

SUITE = Suite("prometheus", "prometheus/client_python", "Apache-2.0",
              "/metrics to promtool and to the client's parser", needs=("prometheus_client",),
              commands=(("promtool", "prometheus"),))
CHAIN = "middleware: [metrics, error_handling]\n"
ADMIN = 'admin: { listen: "127.0.0.1:0" }\n'
SOUND = {
    "nothing measured": {},
    "a counter": {"name": "a_total"},
    "a gauge below zero": {"name": "b_celsius", "type": "gauge", "amount": "-7.5"},
    "a histogram": {"name": "c_seconds", "type": "histogram", "labels": "kind", "value": "x"},
    "quotes in a label": {"name": "d_total", "labels": "kind", "value": 'say "no"'},
    "a backslash in a label": {"name": "e_total", "labels": "kind", "value": "C:\\new\\"},
    "a line feed in a label": {"name": "f_total", "labels": "kind", "value": "a\nb"},
    "braces and commas in a label": {"name": "g_total", "labels": "kind", "value": '},{a="b" 1'},
    "letters of all the world in a label": {"name": "h_total", "labels": "kind",
                                            "value": "\u00fc\u0436\u6f22\U0001f600"},
    "an empty label": {"name": "i_total", "labels": "kind", "value": ""},
    "a very large amount": {"name": "j_total", "amount": "1e300"},
    "a very small amount": {"name": "k_total", "amount": "1e-300"},
    "an amount with many digits": {"name": "l_total", "amount": "0.1"},
    "three labels": {"name": "m_total", "labels": "a,b,c", "value": "v"},
    "a colon in a name": {"name": "n:rate_total"},
}
UNSOUND = {
    "a label named __name__": {"name": "o_total", "labels": "__name__", "value": "up"},
    "a label that is reserved": {"name": "p_total", "labels": "__x", "value": "v"},
    "a label twice": {"name": "q_total", "labels": "kind,kind", "value": "v"},
    "a gauge named like a histogram's sum": {"name": "c_seconds_sum", "type": "gauge"},
    "a gauge named like a histogram's buckets": {"name": "c_seconds_bucket", "type": "gauge",
                                                 "labels": "kind", "value": "x"},
    "a counter named like a histogram's count": {"name": "c_seconds_count"},
    "a histogram around a gauge's name": {"name": "b", "type": "histogram"},
    "another type under the same name": {"name": "a_total", "type": "gauge"},
    "other labels under the same name": {"name": "m_total", "labels": "z", "value": "v"},
    "the host's own name": {"name": "isoworker_host_requests_total", "labels": "code"},
    "a metric of the middleware": {"name": "isoworker_invocations_total", "labels": "kind"},
    "a dash in a name": {"name": "r-total"},
    "a digit first": {"name": "9_total"},
    "no name": {"name": ""},
    "a name of 200": {"name": "s" * 194 + "_total"},
    "a label with a dash": {"name": "t_total", "labels": "a-b", "value": "v"},
    "a label named le": {"name": "u_total", "labels": "le", "value": "1"},
    "a label named worker": {"name": "v_total", "labels": "worker", "value": "other"},
}


def parser(tree):
    sys.path.insert(0, tree)
    try:
        from prometheus_client.parser import text_string_to_metric_families
    finally:
        sys.path.remove(tree)
    return text_string_to_metric_families


def faults(text, families):
    """What is wrong with a scrape, as a list of sentences."""
    found = []
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, check=False)
    told = (done.stderr + done.stdout).splitlines()
    if done.returncode == 3:  # advice: on names that we chose ourselves it counts
        told = [line for line in told if line.startswith("isoworker_")]
    found += [f"promtool: {line}" for line in told if done.returncode != 0]
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    found += [f"the family {name} comes twice" for name in set(names) if names.count(name) > 1]
    seen = set()
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            if key in seen:
                found.append(f"{key} comes twice")
            seen.add(key)
    return found


def full(labels):
    """An empty label is none to Prometheus."""
    return {name: value for name, value in labels.items() if value}


def is_served(families, what):
    """Whether the sample is there with its labels and amount."""
    if not what:
        return True
    labels = {name: what["value"] for name in what.get("labels", "").split(",") if name}
    labels = full(labels | {"worker": "suites"})
    name = what["name"] + ("_count" if what.get("type") == "histogram" else "")
    amount = float(what.get("amount", 1))
    return any(sample.name == name and full(sample.labels) == labels and sample.value == amount
               for family in families for sample in family.samples)


def measure(subject, what):
    status, _, _ = request(subject.port, "GET", "/measure?" + urllib.parse.urlencode(what))
    return status


def scrape(subject, parse):
    line = subject.wait_for("admin at http")
    port = int(re.search(r"admin at http://127.0.0.1:(\d+)", line).group(1))
    status, _, body = request(port, "GET", "/metrics")
    if status != 200:
        return "", [], [f"/metrics answers {status}"]
    text = body.decode()
    try:
        families = list(parse(text))
        return text, families, faults(text, families)
    except ValueError as fault:
        return text, [], [f"the client's parser: {fault}"]


def judge(subject, parse, what, sound):
    if what:
        measure(subject, what)
    _, families, found = scrape(subject, parse)
    if sound and not is_served(families, what):
        found.append("its sample is not there")
    if not is_served(families, SOUND["a counter"]) and what not in ({}, SOUND["a counter"]):
        found.append("what was measured before is gone")
    return not found, "; ".join(found)[:300]


def run(tree):
    parse = parser(tree)
    with host(chain=CHAIN, top=ADMIN) as subject:
        for cases, sound in ((SOUND, True), (UNSOUND, False)):
            for name, what in cases.items():
                yield Case(name, *judge(subject, parse, what, sound))
        left = [line for line in subject.lines if re.search(r"ended|closed|lost", line)]
        yield Case("no process was ended for what it measured", not left, "; ".join(left)[:300])
