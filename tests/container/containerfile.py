# SPDX-License-Identifier: Apache-2.0
"""Reads the part of a Containerfile that ours use, as Containerfile(5) and Docker's reference have
it: FROM, ARG before it, and in a stage COPY, RUN in its shell form, ENV, WORKDIR, USER, and what only
stands in an image's description. Anything else is refused, not skipped."""
import json
import re

ACTS = {"COPY", "RUN", "ENV", "WORKDIR", "USER"}
LISTS = {"ENTRYPOINT", "CMD"}  # in their form of a JSON list
NOTES = {"EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}


class Fault(Exception):
    pass


class Stage:
    """`base` is an image or an earlier stage, `steps` are (instruction, rest) in their order."""

    def __init__(self, base, name):
        self.base, self.name = base, name
        self.steps = []
        self.said = {}  # LISTS and NOTES; the last one counts


def instructions(text):
    """(line, instruction, rest) with continued lines put together, as a shell would read them."""
    rest, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not rest):
            continue
        begin = begin if rest else number
        rest += line
        if rest.endswith("\\"):
            rest = rest[:-1]
            continue
        word, _, more = rest.strip().partition(" ")
        yield begin, word.upper(), more.strip()
        rest = ""
    if rest:
        raise Fault(f"line {begin}: it is continued by nothing")


def fill(text, variables):
    return re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], text)


def read_from(number, rest, variables, stages):
    try:
        found = re.fullmatch(r"(\S+)(?: +AS +(\S+))?", fill(rest, variables), re.IGNORECASE)
    except KeyError as missing:
        raise Fault(f"line {number}: no ARG before it names {missing}") from None
    if not found:
        raise Fault(f"line {number}: FROM {rest}")
    stages.append(Stage(found[1], found[2] or ""))


def read(text, **arguments):
    """Its stages in their order."""
    variables, stages = {}, []
    for number, word, rest in instructions(text):
        if word == "ARG" and not stages and "=" in rest:
            name, _, value = rest.partition("=")
            variables[name] = arguments.get(name, value)
        elif word == "FROM":
            read_from(number, rest, variables, stages)
        elif not stages:
            raise Fault(f"line {number}: {word} before the first FROM")
        elif word in ACTS and rest and not rest.startswith("["):
            stages[-1].steps.append((word, rest))
        elif word in LISTS and rest.startswith("["):
            stages[-1].said[word] = json.loads(rest)
        elif word in NOTES:
            stages[-1].said[word] = rest
        else:
            raise Fault(f"line {number}: {word} {rest}: not understood here")
    return stages
