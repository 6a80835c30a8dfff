# SPDX-License-Identifier: Apache-2.0
"""Functions of one name that two workers of a host have: what lies by that name is one's alone."""
import re
import unittest

from files import FILES, done, move_in
from harness import Host, main, wait_until, worker
from messages import MESSAGES, put
from invoke import DONE, FAILED, REFUSED, invoke
from operators import ADMIN, admin, report, run
from receiver import Receiver
from timers import TIMERS
from webhooks import WEBHOOKS, settings

REMEDY = "give one of the two another name in its program"


def two(program, more=""):
    return worker("one", [program]) + worker("two", [program], more)


def other(name):
    return "two" if name == "one" else "one"


class Triggers(unittest.TestCase):
    def refused(self, host, function, why):
        """The worker whose function is not served, as the start, /ready and the status have it."""
        line = host.wait_for(f"function {function} of worker .* is not served")
        sentence = line[line.index(f"function {function} of"):].strip()
        found = re.match(rf"function {function} of worker (\w+) is not served beside function "
                         rf"{function} of worker (\w+): {why}; {REMEDY}$", sentence)
        self.assertIsNotNone(found, sentence)
        self.assertEqual(found.group(2), other(found.group(1)))
        status, body = admin(host, "GET", "/ready")
        self.assertEqual(status, 503)
        self.assertIn(sentence, body["reasons"])
        functions = report(host)["functions"]
        served = sum(1 for row in functions if not row.get("refused"))
        host.wait_for(rf"host: {served} functions? at http")
        rows = {row["worker"]: row.get("refused") for row in functions if row["name"] == function}
        self.assertEqual(rows, {found.group(1): "another worker's function has its name",
                                found.group(2): None})
        return found.group(1)

    def test_a_timer_of_another_workers_name_is_refused(self):
        with Host(two(TIMERS), top=ADMIN) as host:
            worker_name = self.refused(host, "year", "the times of timers are kept by their names")
            code, out, err = invoke(host, "year")
            self.assertEqual(code, DONE, err)
            self.assertRegex(out.decode(), "^year ran")
            code, _, err = invoke(host, f"{worker_name}/year")
            self.assertEqual(code, REFUSED)
            self.assertIn(REMEDY, err)
            self.assertEqual(invoke(host, f"{other(worker_name)}/year")[0], DONE)

    def test_files_go_to_the_one_whose_queue_it_is(self):
        with Host(two(FILES), top=ADMIN) as host:
            self.refused(host, "inbox", "both would take files from the queue file.NAME of their one "
                         "name")
            move_in(host, "inbox/a.txt", "hello")
            wait_until(done(host, "a.txt"))

    def test_messages_of_one_queue_go_to_one_function(self):
        why = ('both take from the queue "work", and it would be chance which of them gets a message; '
               "give one of them a queue of its own")
        with Host(two(MESSAGES), top=ADMIN) as host:
            found = re.search(rf"function work of worker (\w+) is not served beside function work of "
                              rf"worker (\w+): {why}$", host.wait_for("function work .* not served"))
            self.assertEqual(found.group(2), other(found.group(1)))
            put(host, "m")
            host.wait_for("got <m>")
            code, _, err = run("check", host.folder.name)
            self.assertEqual(code, 78)
            self.assertIn("function work of worker two is not served beside function work of worker "
                          f"one: {why}", err)

    def test_the_check_tells_it_before(self):
        with Host(two(TIMERS)) as host:
            code, _, err = run("check", host.folder.name)
            self.assertEqual(code, 78)
            self.assertIn("function year of worker two is not served beside function year of "
                          f"worker one: the times of timers are kept by their names; {REMEDY}", err)


class Outputs(unittest.TestCase):
    def host(self, receiver):
        return Host(two(WEBHOOKS, "environment: {WEBHOOKS_ROUTE: 'other/{output}'}"),
                    top=settings(receiver, top=ADMIN))

    def test_requests_of_one_are_never_sent_as_the_others(self):
        why = (r"function send of worker (\w+) has an output of that name, and both would lie in "
               f"one queue; {REMEDY}, and start the host again")
        with Receiver() as receiver, self.host(receiver) as host:
            line = host.wait_for(f"output hook of function send of worker .* goes nowhere: {why}")
            first = re.search(why, line).group(1)
            paths = {"one": "send/hook", "two": "other/hook"}
            self.assertEqual(host.request("POST", paths[other(first)], "lost")[0], 409)
            self.assertRegex(host.wait_for("output hook of send: "), why)
            self.assertEqual(host.request("POST", paths[first], "right")[0], 202)
            self.assertEqual([one.body for one in receiver.wait_for(1)], [b"right"])
            code, _, err = run("check", host.folder.name)
            self.assertEqual(code, 78)
            self.assertRegex(err, "output hook of function send of worker two goes nowhere: " + why)

    def test_who_means_one_of_two_says_which(self):
        with Receiver() as receiver, self.host(receiver) as host:
            code, _, err = invoke(host, "send", "--param", "output=twice")
            self.assertEqual(code, REFUSED)
            self.assertIn('workers one and two both have a function "send"; say which one: '
                          "one/send or two/send", err.replace("two and one", "one and two").replace(
                              "two/send or one/send", "one/send or two/send"))
            codes = sorted(invoke(host, f"{name}/send", "--param", "output=hook", "--data", "x")[0]
                           for name in ("one", "two"))
            self.assertEqual(codes, [DONE, FAILED])
            self.assertEqual(admin(host, "POST", "/invoke/send", body="x")[0], 409)
            self.assertEqual(admin(host, "POST", "/invoke/one/send?param=output%3Dwork",
                                   body="x")[0], 200)


if __name__ == "__main__":
    main()
