# SPDX-License-Identifier: Apache-2.0
"""summerwind's h2spec: what breaks HTTP/2 and what does not, by raw frames, its strict cases
included. It is a program in Go, which is built from the checkout with Debian's packages of what it
needs (golang-golang-x-net-dev, golang-github-fatih-color-dev, golang-github-spf13-cobra-dev)."""
import os
import subprocess
import tempfile
import xml.etree.ElementTree as tree_of

from shared import Case, Suite, host

SUITE = Suite("h2spec", "summerwind/h2spec", "MIT", "HTTP/2 as RFC 9113 and RFC 7541 have it",
              needs=("cmd/h2spec",), commands=(("go", "golang-go"),))
PACKAGES = "/usr/share/gocode"
SECONDS = 300


def build(tree, folder):
    """The path of the program."""
    own = os.path.join(folder, "src", "github.com", "summerwind", "h2spec")
    program = os.path.join(folder, "h2spec")
    os.makedirs(os.path.dirname(own))
    os.symlink(os.path.abspath(tree), own)
    environment = dict(os.environ, GO111MODULE="off", GOPATH=f"{folder}:{PACKAGES}",
                       GOCACHE=os.path.join(folder, "cache"))
    subprocess.run(["go", "build", "-o", program, "./cmd/h2spec"], cwd=own, env=environment,
                   check=True, timeout=SECONDS)
    return program


def run(tree):
    with tempfile.TemporaryDirectory(prefix="isw-") as folder, host() as subject:
        report = os.path.join(folder, "report.xml")
        subprocess.run([build(tree, folder), "--strict", "--port", str(subject.port), "--path",
                        "/text", "--junit-report", report], stdout=subprocess.DEVNULL,
                       timeout=SECONDS, check=False)
        for case in tree_of.parse(report).getroot().iter("testcase"):
            faults = [child for child in case if child.tag in ("failure", "error")]
            told = " ".join(" ".join(fault.itertext()) for fault in faults)
            yield Case(f"{case.get('package')} {case.get('classname')}", not faults, told)
