# SPDX-License-Identifier: Apache-2.0
"""Functions that get the files which come into a folder: each once, whatever happens between."""
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import unittest

from harness import WORKER, Host, is_alive, main, wait_until, worker
from messages import depth, queue
from metrics import samples_of
from operators import ADMIN, ask, process_of, report, run

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "broker"))
import nats_server  # noqa: E402
import postgresql_server  # noqa: E402

FILES = os.path.join(os.path.dirname(WORKER), "test_files")
GOT = re.compile(r"got <(.*?)> of (\S+) with <(.*?)> (\d+) (\d+) (\d+) at (\S+) attempt (\d+) of (\S+)")


def files(top="", more="", **options):
    return Host(worker("test", [FILES], "restart_delay: 1ms\n" + more),
                top=ADMIN + "\nqueues:\n  max_attempts: 3\n" + top, **options)


def far(path, pattern="*", **options):
    return files(more=f'environment: {{FILES_PATH: "{path}", FILES_PATTERN: "{pattern}"}}', **options)


def place(host, name):
    return os.path.join(host.folder.name, name)


def move_in(host, name, text):
    """A file that is whole when it comes."""
    host.write("made", text)
    os.makedirs(os.path.dirname(place(host, name)), exist_ok=True)
    os.rename(place(host, "made"), place(host, name))


def got(host, name):
    rows = [match.groups() for match in map(GOT.search, list(host.lines)) if match]
    return [row for row in rows if row[0] == name]


def done(host, name, count=1):
    return lambda: host.log().count(f"done <{name}>") >= count


def is_known(host, function="inbox", count=1):
    """Whether so many files were found, and nothing is on its way."""
    return lambda: (samples_of(host)[f'isoworker_host_file_found_total{{function="{function}"}}'] >= count
                    and all(depth(host, f"file.{function}", state) == 0
                            for state in ("ready", "claimed")))


def ran(host):
    """Names of files whose content is `nap`, once for each time that this was over."""
    with open(place(host, "ran")) as file:
        return file.read().split()


def again(host, meanwhile=lambda: None, hard=False):
    """The host ends, and another one begins in its folder."""
    pid = process_of(host)["pid"]
    if hard:
        host.process.kill()
    else:
        host.process.terminate()
    host.process.wait()
    host.reader.join()
    wait_until(lambda: not is_alive(pid))
    meanwhile()
    host.lines.clear()
    host.__enter__()


def proof(host):
    """A file that comes last, behind which nothing of before is on its way any more."""
    move_in(host, "inbox/proof.txt", "proof")
    wait_until(done(host, "proof.txt"))


class Coming(unittest.TestCase):
    def test_a_file_that_is_moved_there_is_given_to_its_function(self):
        with files() as host:
            host.wait_for(r"made folder \S+/inbox")
            host.wait_for(r"files inbox/\*\.txt")
            move_in(host, "inbox/a.txt", "hello")
            wait_until(done(host, "a.txt"))
            (name, kind, text, size, modified, found, path, attempt, name_of), = got(host, "a.txt")
            status = os.stat(place(host, "inbox/a.txt"))
            self.assertEqual((kind, text, size, attempt, name_of),
                             ("map", "hello", "5", "1", "file.inbox"))
            self.assertEqual((path, int(modified)), (os.path.realpath(host.folder.name) +
                                                     "/inbox/a.txt", status.st_mtime_ns // 10**6))
            self.assertLess(abs(int(found) - time.time() * 1000), 60000)

    def test_one_that_is_written_there_comes_when_it_is_closed(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/first.txt", "it is watched")
            wait_until(done(host, "first.txt"))
            with open(place(host, "inbox/b.txt"), "w") as file:
                file.write("half ")
                file.flush()
                proof(host)
                self.assertEqual(got(host, "b.txt"), [])
                file.write("and half")
            wait_until(done(host, "b.txt"))
            self.assertEqual([row[2] for row in got(host, "b.txt")], ["half and half"])

    def test_others_than_the_pattern_says_are_left_alone(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/c.csv", "no")
            move_in(host, "inbox/.hidden.txt", "no")
            os.makedirs(place(host, "inbox/folder.txt"))
            os.symlink("c.csv", place(host, "inbox/link.txt"))
            move_in(host, "inbox/folder.txt/deep.txt", "no")
            proof(host)
            again(host)
            proof_2 = "inbox/proof2.txt"
            move_in(host, proof_2, "proof")
            wait_until(done(host, "proof2.txt"))
            self.assertNotIn("with <no>", host.log())
            self.assertTrue(os.path.exists(place(host, "inbox/c.csv")))

    def test_one_that_has_changed_is_another_one_and_one_that_was_touched_by_nobody_is_not(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/d.txt", "one")
            wait_until(done(host, "d.txt"))
            move_in(host, "inbox/d.txt", "two")
            wait_until(done(host, "d.txt", 2))
            os.chmod(place(host, "inbox/d.txt"), 0o600)
            with open(place(host, "inbox/d.txt"), "a"):
                pass  # opened, closed, and left as it was
            proof(host)
            self.assertEqual([row[2] for row in got(host, "d.txt")], ["one", "two"])

    def test_a_second_name_of_a_file_comes_too(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            host.write("outside", "linked")
            os.link(place(host, "outside"), place(host, "inbox/e.txt"))
            wait_until(done(host, "e.txt"))

    def test_many_at_once_come_once_each(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            for i in range(300):
                move_in(host, f"inbox/{i}.txt", "one of many")
            wait_until(lambda: host.log().count("done <") >= 300)
            proof(host)
            self.assertEqual(host.log().count("with <one of many>"), 300)


class Restarts(unittest.TestCase):
    def test_what_came_while_nobody_looked_is_found_and_what_was_done_is_not(self):
        with files(top="  window: 0\n") as host:  # no queue knows what it had
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/old.txt", "old")
            wait_until(done(host, "old.txt"))
            wait_until(is_known(host))

            def meanwhile():
                move_in(host, "inbox/new.txt", "new")

            again(host, meanwhile)
            wait_until(done(host, "new.txt"))
            proof(host)
            self.assertEqual(got(host, "old.txt"), [])

    def test_a_host_that_is_killed_forgets_none_and_repeats_none(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            for i in range(40):
                move_in(host, f"inbox/{i}.txt", "nap")
            wait_until(lambda: os.path.exists(place(host, "ran")))
            again(host, hard=True)
            wait_until(lambda: len(set(ran(host))) == 40)
            proof(host)
            second = [match.groups() for match in map(GOT.search, list(host.lines)) if match]
            attempts = {row[0]: row[7] for row in second}
            self.assertEqual(len(second), len(attempts))
            # Those that were with a process when it ended run again, and no others.
            twice = {name for name in ran(host) if ran(host).count(name) > 1}
            self.assertLessEqual(twice, {name for name, attempt in attempts.items()
                                         if attempt == "2"})
            self.assertLessEqual(max(map(int, attempts.values())), 2)

    def test_one_that_is_still_being_written_is_taken_when_it_is_quiet(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            stop = []

            def meanwhile():
                file = open(place(host, "inbox/slow.txt"), "w")
                stop.append(file)
                file.write("begun")
                file.flush()

            again(host, meanwhile)
            wait_until(done(host, "slow.txt"))  # nobody has closed it: quiet is over
            stop[0].write(", ended")
            stop[0].close()
            wait_until(done(host, "slow.txt", 2))
            self.assertEqual([row[2] for row in got(host, "slow.txt")], ["begun", "begun, ended"])

    def test_a_name_that_is_free_again_is_known_no_more(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/f.txt", "remove")
            wait_until(done(host, "f.txt"))
            wait_until(lambda: not os.path.exists(place(host, "inbox/f.txt")))
            move_in(host, "inbox/f.txt", "remove")
            wait_until(done(host, "f.txt", 2))

    def test_a_host_that_drains_takes_none_and_then_all(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            proof(host)
            ask(host, "drain")
            move_in(host, "inbox/g.txt", "late")
            self.assertEqual(report(host)["host"]["state"], "draining")
            self.assertEqual(got(host, "g.txt"), [])
            ask(host, "resume")
            wait_until(done(host, "g.txt"))


    def test_a_queue_that_is_full_gets_them_later(self):
        with files(top="  max_messages: 2\n") as host:
            host.wait_for("made folder .*/inbox")
            for i in range(6):
                move_in(host, f"inbox/{i}.txt", "nap")
            wait_until(lambda: len(set(ran(host))) == 6 if os.path.exists(place(host, "ran"))
                       else False)
            self.assertEqual(sorted(ran(host)), [f"{i}.txt" for i in range(6)])


class Overflow(unittest.TestCase):
    def test_what_the_kernel_could_not_tell_is_found_all_the_same(self):
        with open("/proc/sys/fs/inotify/max_queued_events") as file:
            most = int(file.read())
        with files() as host:
            proof(host)
            pid = host.process.pid
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: re.search(r"State:\sT", open(f"/proc/{pid}/status").read()))
            for i in range(most + 10):  # two names in turn: no two events are one
                os.close(os.open(place(host, f"inbox/{i % 2}"), os.O_WRONLY | os.O_CREAT))
            move_in(host, "inbox/m.txt", "nobody was told")
            os.kill(pid, signal.SIGCONT)
            wait_until(done(host, "m.txt"))


class Failures(unittest.TestCase):
    def test_one_that_fails_is_tried_again_and_is_dead_then_until_it_is_replayed(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/h.txt", "fail")
            wait_until(lambda: depth(host, "file.inbox", "dead") == 1)
            self.assertEqual([row[7] for row in got(host, "h.txt")], ["1", "2", "3"])
            dead = queue(host, "dead", "file.inbox")
            self.assertIn("no luck with it", dead)
            self.assertIn('"name":"h.txt"', dead)
            with open(place(host, "inbox/h.txt"), "r+") as file:
                file.write("mend")  # it is another one now; both come
            wait_until(done(host, "h.txt"))
            queue(host, "replay", "file.inbox")
            wait_until(done(host, "h.txt", 2))

    def test_a_process_that_ends_under_it_is_an_attempt(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            move_in(host, "inbox/i.txt", "crash once")
            wait_until(done(host, "i.txt"))
            self.assertEqual([row[7] for row in got(host, "i.txt")], ["1", "2"])

    def test_a_folder_that_is_not_there_is_said_and_found_when_it_is(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            missing = folder + "/later"
            with far(missing, settled="no files of") as host:
                host.wait_for(rf"warning +host: far: no files of {missing} come to it for now: folder {missing}: "
                              "No such file or directory")
                host.wait_for("Ctrl-C ends")
                attention = report(host)["attention"]
                self.assertIn(f"function far gets no files: folder {missing}: No such file or "
                              "directory", attention)
                os.mkdir(missing)
                host.wait_for(f"files of {missing} come to it again")
                with open(missing + "/j", "w") as file:
                    file.write("here")
                wait_until(done(host, "j"))
                self.assertEqual(report(host)["attention"], [])
                shutil.rmtree(missing)
                host.wait_for("its folder is there no more")
                os.mkdir(missing)
                with open(missing + "/k", "w") as file:
                    file.write("again")
                wait_until(done(host, "k"))

    def test_a_pattern_that_names_a_folder_is_refused(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            with far(folder, "a/*.csv") as host:
                host.wait_for('function far of worker test is not served: "pattern" is of the names of '
                              'files')

    def test_no_other_function_can_have_the_messages_of_files(self):
        with files(more="environment: {FILES_QUEUE: file.inbox}") as host:
            host.wait_for('function thief of worker test is not served: "file.inbox": queues whose '
                          'names begin with "file." have the files that come to functions; give it '
                          'another')
            move_in(host, "inbox/n.txt", "mine")
            wait_until(done(host, "n.txt"))

    def test_a_check_knows_folders_and_what_cannot_be_one(self):
        with files() as host:
            code, out, err = run("check", host.folder.name)
            self.assertEqual((code, out), (0, "the configuration is right: 1 worker, 3 functions\n"), err)
        with far("/tmp", "a/b", settled="is not served") as host:
            code, out, err = run("check", host.folder.name)
            self.assertNotEqual(code, 0)
            self.assertIn('"pattern" is of the names of files', out + err)

    def test_a_name_that_is_no_text_is_left_alone_and_said(self):
        with files() as host:
            host.wait_for("made folder .*/inbox")
            with open(os.fsencode(place(host, "inbox")) + b"/\xff.txt", "w") as file:
                file.write("odd")
            host.wait_for(r"file .*\.txt is left alone: its name is not UTF-8; rename it")
            proof(host)


class Folders(unittest.TestCase):
    def test_files_in_folders_below_come_and_are_moved_to_where_they_are_done(self):
        with files() as host:
            host.wait_for("made folder .*/tree/done")
            move_in(host, "tree/one", "one")
            move_in(host, "tree/a/b/two", "two")
            wait_until(done(host, "one"))
            wait_until(done(host, "a/b/two"))
            for name in ("one", "a/b/two"):
                wait_until(lambda: os.path.exists(place(host, "tree/done/" + name)))
                self.assertFalse(os.path.exists(place(host, "tree/" + name)))
            move_in(host, "tree/one", "one more")
            wait_until(lambda: os.path.exists(place(host, "tree/done/one.1")))
            self.assertEqual([row[2] for row in got(host, "one")], ["one", "one more"])
            self.assertEqual(got(host, "done/one"), [])

    def test_a_folder_that_is_moved_in_brings_its_files(self):
        with files() as host:
            host.wait_for("made folder .*/tree/done")
            move_in(host, "made.d/x/three", "three")
            os.rename(place(host, "made.d"), place(host, "tree/c"))
            wait_until(done(host, "c/x/three"))
            move_in(host, "tree/c/x/four", "four")
            wait_until(done(host, "c/x/four"))

    def test_one_whose_end_nobody_saw_is_moved_when_the_host_starts_again(self):
        with files() as host:
            host.wait_for("made folder .*/tree/done")
            os.rmdir(place(host, "tree/done"))
            host.write("tree/done", "in the way")
            move_in(host, "tree/five", "five")
            host.wait_for("five is done, and stays there: it cannot be moved to")
            move_in(host, "tree/six", "fail")
            wait_until(lambda: depth(host, "file.tree", "dead") == 1)

            def meanwhile():
                os.remove(place(host, "tree/done"))

            again(host, meanwhile)
            wait_until(lambda: os.path.exists(place(host, "tree/done/five")))
            self.assertTrue(os.path.exists(place(host, "tree/six")))
            self.assertEqual(got(host, "five") + got(host, "six"), [])

    def test_one_that_was_done_before_it_was_noted_is_moved_as_soon_as_it_is_found_again(self):
        with files() as host:
            host.wait_for("made folder .*/tree/done")
            os.rmdir(place(host, "tree/done"))
            host.write("tree/done", "in the way")
            move_in(host, "tree/eight", "eight")
            host.wait_for("eight is done, and stays there: it cannot be moved to")
            wait_until(is_known(host, "tree"))

            def meanwhile():
                """As if the host had been killed between the message and its record."""
                with sqlite3.connect(place(host, "queues.db")) as store:
                    self.assertEqual(store.execute("DELETE FROM record WHERE name = "
                                                   "'file/tree/eight'").rowcount, 1)
                store.close()
                os.remove(place(host, "tree/done"))

            again(host, meanwhile)
            wait_until(lambda: os.path.exists(place(host, "tree/done/eight")))
            self.assertEqual(got(host, "eight"), [])

    def test_a_folder_alone_is_enough_for_a_function(self):
        with files() as host:
            host.wait_for("made folder .*/plain")
            host.write("plain/seven", "seven")
            wait_until(done(host, "seven"))


class Shared(unittest.TestCase):
    """Two hosts that look at one folder, with one store."""

    def one_folder(self, server):
        self.addCleanup(server.remove)
        server.start()
        top = f"  store: \"{server.place}\"\n"
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            for i in range(20):
                with open(f"{folder}/{i}", "w") as file:
                    file.write("there before")
            with far(folder, top=top) as one, far(folder, top=top) as other:
                for i in range(20, 60):
                    with open(f"{folder}/{i}", "w") as file:
                        file.write("one of many")
                names = lambda: re.findall(r"done <(\d+)>", one.log() + other.log())  # noqa: E731
                wait_until(lambda: len(set(names())) == 60)
                with open(f"{folder}/last", "w") as file:
                    file.write("behind all")
                wait_until(lambda: "done <last>" in one.log() + other.log())
                self.assertEqual(sorted(map(int, names())), list(range(60)))
            with far(folder, top=top) as third:
                with open(f"{folder}/proof", "w") as file:
                    file.write("and nothing else")
                wait_until(done(third, "proof"))
                self.assertEqual(len(GOT.findall(third.log())), 1)

    @unittest.skipUnless(postgresql_server.Server.is_installed(),
                         "no server; on Debian: apt-get install postgresql")
    def test_in_postgresql_each_file_comes_to_one_of_two_hosts(self):
        self.one_folder(postgresql_server.Server())

    @unittest.skipUnless(nats_server.Server.is_installed(), "no server; on Debian: apt-get install nats-server")
    def test_on_nats_each_file_comes_to_one_of_two_hosts(self):
        self.one_folder(nats_server.Server())


class Rest(unittest.TestCase):
    def test_nothing_runs_at_rest(self):
        def turns(host):
            """How often the thread of files went on; 0 without one."""
            folder = f"/proc/{host.process.pid}/task"
            for task in os.listdir(folder):
                with open(f"{folder}/{task}/status") as file:
                    text = file.read()
                if text.startswith("Name:\tisw-files\n"):
                    return sum(int(n) for n in re.findall(r"ctxt_switches:\t(\d+)", text))
            return 0

        with files() as host:
            proof(host)
            wait_until(is_known(host))
            before = turns(host)
            self.assertGreater(before, 0)
            end = time.monotonic() + 2
            wait_until(lambda: time.monotonic() > end)
            self.assertEqual(turns(host), before)
            move_in(host, "inbox/l.txt", "it is awake")
            wait_until(done(host, "l.txt"))
            self.assertGreater(turns(host), before)


if __name__ == "__main__":
    main()
