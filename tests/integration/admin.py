# SPDX-License-Identifier: Apache-2.0
"""The admin endpoints of queues and of functions that are called by hand."""
import json
import unittest

from harness import Host, main, wait_until, worker
from messages import Got, depth, messages, put, queue, queues
from operators import ADMIN, Visitor, admin
from timers import timers


def host_with_queues(more=""):
    return messages(top=queues(f"{ADMIN}\n{more}"))




class Queues(unittest.TestCase):
    def ask(self, host, method, path, expected, **more):
        status, body = admin(host, method, path, **more)
        self.assertEqual(status, expected, body)
        return body

    def test_they_are_shown_as_the_command_shows_them(self):
        with host_with_queues() as host:
            names = [one["name"] for one in self.ask(host, "GET", "/queues", 200)["queues"]]
            self.assertLessEqual({"work", "batch", "done", "small"}, set(names))
            one = self.ask(host, "GET", "/queues/work", 200)["queues"]
            self.assertEqual([row["name"] for row in one], ["work"])
            self.assertEqual(self.ask(host, "GET", "/queues/nothing", 404)["detail"],
                             "no queue nothing was declared")

    def test_messages_are_put_shown_and_purged(self):
        with host_with_queues() as host:
            self.ask(host, "POST", "/queues/work/pause", 200)
            for i in range(3):
                self.assertEqual(self.ask(host, "POST", f"/queues/work/messages?id=m{i}&key=k&delay=0",
                                          201, body=f"text {i}")["done"], 1)
            self.assertEqual(self.ask(host, "POST", "/queues/work/messages?id=m0", 201,
                                      body="again")["duplicates"], 1)
            self.ask(host, "POST", "/queues/work/messages", 201, body=b"\0\xff",
                     headers={"Content-Type": "image/x"})
            shown = self.ask(host, "GET", "/queues/work/messages", 200)
            self.assertEqual([one.get("body") for one in shown["messages"]],
                             ["text 0", "text 1", "text 2", None])
            self.assertEqual((shown["messages"][3]["body_bytes"],
                              shown["messages"][3]["content_type"]), ("AP8=", "image/x"))
            self.assertEqual((shown["messages"][0]["key"], shown["messages"][0]["content_type"]),
                             ("k", "text/plain"))
            self.assertTrue(shown["over"])
            shown = self.ask(host, "GET", "/queues/work/messages?id=m1", 200)
            self.assertEqual([one["id"] for one in shown["messages"]], ["m1"])
            self.assertEqual(len(self.ask(host, "GET", "/queues/work/messages?limit=2",
                                          200)["messages"]), 2)
            self.assertEqual(self.ask(host, "POST", "/queues/work/purge?key=k", 200)["done"], 3)
            self.assertEqual(depth(host, "work", "ready"), 1)
            self.ask(host, "POST", "/queues/work/resume", 200)
            host.wait_for("got <.*> 1/3 of work")

    def test_a_full_queue_is_the_hosts_own_bound_and_503(self):
        with messages(top=queues("  named: [{name: small, max_bytes: 3}]\n") + ADMIN) as host:
            self.ask(host, "POST", "/queues/small/messages", 201, body="abc")
            self.assertEqual(self.ask(host, "POST", "/queues/small/messages", 503,
                                      body="d")["detail"],
                             "queue small is full: it has 3 bytes of 3 (max_bytes)")

    def test_more_than_one_operation_does_is_purged(self):
        with host_with_queues() as host:
            queue(host, "pause", "work")
            for i in range(101):
                self.assertEqual(put(host, str(i)), 202)
            self.assertEqual(self.ask(host, "POST", "/queues/work/purge", 200),
                             {"queues": [], "messages": [], "done": 101, "duplicates": 0,
                              "over": True})

    def test_dead_ones_live_again(self):
        with host_with_queues() as host:
            put(host, "fail 1")
            host.wait_for("is dead after")
            dead = self.ask(host, "GET", "/queues/work/messages?state=dead", 200)["messages"]
            self.assertEqual([(one["body"], one["last_error"]) for one in dead],
                             [("fail 1", "no luck with it")])
            self.assertEqual(self.ask(host, "POST", "/queues/work/replay?older=1h", 200)["done"], 0)
            self.assertEqual(self.ask(host, "POST", f"/queues/work/replay?id={dead[0]['id']}",
                                      200)["done"], 1)
            host.wait_for("got <fail 1> 1/3")

    def test_who_leaves_in_the_middle_has_put_what_he_said(self):
        text = "x" * 50000
        line = json.dumps({"command": "queue", "messages": {"action": "put", "queue": "work",
                                                            "body": text}}) + "\n"
        with host_with_queues() as host:
            queue(host, "pause", "work")
            for _ in range(50):
                Visitor(host, line.encode()).sock.close()
            wait_until(lambda: depth(host, "work", "ready") == 50)
            shown = self.ask(host, "GET", "/queues/work/messages?limit=100", 200)["messages"]
            self.assertEqual({one["body"] for one in shown}, {text})

    def test_what_is_put_is_done(self):
        with host_with_queues() as host:
            put = self.ask(host, "POST", "/queues/work/messages", 201, body="from outside")
            host.wait_for(f"got <from outside> .*id <{put['id']}>")
            host.wait_for("done <from outside>")

    def test_a_plain_number_is_one_of_seconds(self):
        with host_with_queues() as host:
            for delay in ("600", "600s", "10m"):
                self.ask(host, "POST", f"/queues/done/messages?delay={delay}", 201, body=delay)
            path = "/queues/done/messages?state=delayed&older=0.001"
            wait_until(lambda: len(self.ask(host, "GET", path, 200)["messages"]) == 3)
            rows = self.ask(host, "GET", path, 200)["messages"]
            self.assertEqual({row["due_ms"] - row["put_ms"] for row in rows}, {600000})

    def test_words_that_are_not_understood_change_nothing(self):
        with host_with_queues() as host:
            for path, why in (("messages?stat=dead", 'no property "stat"; did you mean "state"?'),
                              ("messages?state=dying", "state is one of ready, delayed, claimed, dead"),
                              ("messages?limit=101", "limit is 100 at most"),
                              ("messages?older=3x", "older takes seconds, or")):
                detail = self.ask(host, "GET", "/queues/work/" + path, 400)["detail"]
                self.assertIn(why, detail)
            self.assertIn("delay", self.ask(host, "POST", "/queues/work/messages?delay=x", 400,
                                            body="x")["detail"])
            self.assertEqual(Got(host).rows, [])

    def test_a_page_of_a_browser_may_not_ask(self):
        with host_with_queues() as host:
            for path in ("/queues/work/purge", "/invoke/put"):
                self.ask(host, "POST", path, 403, headers={"Origin": "http://evil.example"})
            for path in ("/queues", "/queues/work/messages"):
                self.ask(host, "GET", path, 403, headers={"Host": "evil.example"})

    def test_what_messages_say_is_for_this_machine_also_where_reading_is_open(self):
        with messages(top=queues('admin: {listen: "127.0.0.1:0", open: true}\n')) as host:
            self.ask(host, "GET", "/queues", 200, headers={"Host": "evil.example"})
            self.ask(host, "GET", "/queues/work/messages", 403, headers={"Host": "evil.example"})
            self.ask(host, "GET", "/queues/work/messages", 200)


class Invoke(unittest.TestCase):
    def ask(self, host, path, expected, body=None, **headers):
        status, answer = admin(host, "POST", "/invoke/" + path, body=body,
                               headers={name.replace("_", "-"): text for name, text in headers.items()})
        self.assertEqual(status, expected, answer)
        return answer

    def test_a_function_is_called_with_the_words_of_the_command(self):
        with Host(worker(), top=ADMIN) as host:
            answer = self.ask(host, "hello?param=name%3DAda%20L.", 200)
            self.assertEqual(answer["result"]["http"]["body"], {"string": "Hello, Ada L.!\n"})
            answer = self.ask(host, "header?param=name=x-one&header=X-One=1=2", 200)
            self.assertEqual(answer["result"]["http"]["body"], {"string": "1=2"})
            answer = self.ask(host, "echo", 200, body=b"\0\xff", Content_Type="a/b")
            self.assertEqual(answer["result"]["http"]["body"], {"bytes": "AP8="})
            answer = self.ask(host, "odd?method=HEAD&param=how=none&query=a=b", 200)
            self.assertEqual(answer["outcome"], "success")

    def test_a_failure_has_the_status_of_one(self):
        with Host(worker(), top=ADMIN) as host:
            answer = self.ask(host, "fail", 500)
            self.assertEqual((answer["outcome"], answer["status"]), ("failed", "ISW_E_CONFLICT"))
            answer = self.ask(host, "again?query=ms=60000&wait=0", 500)
            self.assertTrue(answer["late"])

    def test_what_cannot_be_is_refused_by_its_kind(self):
        with Host(worker(), top=ADMIN) as host:
            self.assertIn('is "hello" meant?', self.ask(host, "helo", 404)["detail"])
            self.assertIn("the parameter name", self.ask(host, "hello", 400)["detail"])
            self.assertIn('no word "parm"; did you mean "param"?',
                          self.ask(host, "hello?parm=name=x", 400)["detail"])
            self.assertIn("param takes NAME=VALUE", self.ask(host, "hello?param=x", 400)["detail"])
            self.assertIn("wait takes seconds", self.ask(host, "hello?wait=x", 400)["detail"])

    def test_a_message_is_kept_by_nobody(self):
        with host_with_queues() as host:
            self.ask(host, "work", 200, body="by hand", Content_Type="text/plain")
            host.wait_for("got <by hand> 1/3 of work key <> id <invoked>")
            self.assertEqual(self.ask(host, "work", 500, body="fail")["message"], "no luck with it")
            self.assertEqual(depth(host, "work", "dead"), 0)

    def test_a_timer_is_run(self):
        with timers(top=ADMIN) as host:
            self.assertEqual(self.ask(host, "year", 200)["timers"][0]["outcome"], "success")


if __name__ == "__main__":
    main()
