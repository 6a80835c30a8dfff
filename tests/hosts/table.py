#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""One worker, N hosts: whatever a case asks, each host gives the answer that `isoworker run` gives,
or one that hosts.EXPLAINED explains. As a program with the argument `table` it prints who gave what."""
import sys
import unittest

import cases
import hosts


def message_of(host, body):
    return host.deliver(body) if hasattr(host, "deliver") else None


def gather(kind):
    """All answers of a host, by the name of the case."""
    found = {}
    with kind() as host:
        for case in cases.CASES:
            found[case.name] = host.ask(case)
        for name, body, _ in cases.MESSAGES:
            found[name] = message_of(host, body)
        if hasattr(host, "fire"):
            host.fire()
            found["a timer that is run"] = (True, [])
    return found


def expected():
    """What the others are compared with."""
    found = gather(hosts.Ours)
    for name, _, ends in cases.MESSAGES:
        assert found[name] == ends, (name, found[name], ends)
    return found


BY_HOST = {case.name for case in cases.CASES if case.by_host}


def difference(name, answer, reference):
    """"" where they are the same; None where the host has none such."""
    if answer is None:
        return None
    if name in BY_HOST:
        return "" if answer.status == reference.status else f"{answer.status} for {reference.status}"
    if isinstance(answer, cases.Answer):
        return answer.difference(reference)
    return "" if answer == reference else f"{answer} for {reference}"


class One(unittest.TestCase):
    maxDiff = None

    def agrees(self, kind):
        reference = expected()
        found = gather(kind)
        wrong = {}
        for name, answer in reference.items():
            said = difference(name, found.get(name), answer)
            explained = hosts.EXPLAINED.get((kind.__name__, name))
            if said and not explained:
                wrong[name] = said
            elif said == "" and explained:
                wrong[name] = "it is the same, and hosts.EXPLAINED says that it is not"
        self.assertEqual(wrong, {})

    def test_its_answers_are_the_same_each_time(self):
        self.agrees(hosts.Ours)

    def test_it_answers_the_same_on_the_message_lane(self):
        self.agrees(hosts.Messages)

    def test_it_answers_the_same_with_several_processes(self):
        self.agrees(hosts.Several)

    def test_it_answers_the_same_under_a_host_in_python(self):
        self.agrees(hosts.InPython)

    def test_it_answers_the_same_on_a_platform(self):
        self.agrees(hosts.Platform)

    def test_it_answers_the_same_as_a_custom_handler_of_azure(self):
        self.agrees(hosts.Custom)

    def test_it_answers_the_same_where_azure_forwards_requests(self):
        self.agrees(hosts.Forwarding)

    @unittest.skipUnless(hosts.azure_rpc, "python3-grpcio and python3-protobuf are not installed")
    def test_it_answers_the_same_as_a_language_worker_of_azure(self):
        self.agrees(hosts.Worker)

    @unittest.skipUnless(hosts.azure_rpc, "python3-grpcio and python3-protobuf are not installed")
    def test_it_answers_the_same_as_one_that_azure_forwards_requests_to(self):
        self.agrees(hosts.Forwarded)

    def test_it_answers_the_same_on_lambda(self):
        self.agrees(hosts.Function)


def print_table():
    found = {kind: gather(kind) for kind in hosts.HOSTS}
    reference = found[hosts.Ours]
    rows = [["", *(kind.title for kind in hosts.HOSTS)]]
    notes = []
    for name, answer in reference.items():
        row = [name, f"{answer.status}, {len(answer.body)} bytes"
               if isinstance(answer, cases.Answer) else "done" if answer[0] else "failed"]
        for kind in hosts.HOSTS[1:]:
            said = difference(name, found[kind].get(name), answer)
            if said:
                why = hosts.EXPLAINED.get((kind.__name__, name), f"NOT EXPLAINED: {said}")
                notes += [why] if why not in notes else []
                said = f"{found[kind][name].status} ({notes.index(why) + 1})"
            row.append("-" if said is None else said or "the same")
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    for number, note in enumerate(notes, 1):
        print(f"({number}) {note}")


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        print_table()
    else:
        unittest.main(verbosity=2)
