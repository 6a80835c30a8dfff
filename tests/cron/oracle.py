# SPDX-License-Identifier: Apache-2.0
"""When expressions are due, against others.

    tests/cron/oracle.py                 the short form, as ctest runs it: against the rules as
                                         src/cron/next.h has them, written once more in Python, over
                                         Python's own zones
    tests/cron/oracle.py --long DIR      10 zones, 20 years, 40 expressions against cron-parser and
                                         croner of DIR/node_modules, which
                                             npm install --prefix DIR cron-parser croner
                                         puts there; prints how often they agree, and by which rule
                                         they do not, after some ten minutes. Exits with 1 where no
                                         rule says why.

`ISOWORKER_CRON_TIMES` is the program test_cron_times (build/dev/tests).
"""
import bisect
import collections
import datetime
import functools
import itertools
import json
import os
import subprocess
import sys
import unittest
import zoneinfo

HERE = os.path.dirname(os.path.abspath(__file__))
TIMES = os.environ.get("ISOWORKER_CRON_TIMES") or os.path.join(
    HERE, "..", "..", "build", "dev", "tests", "test_cron_times")
UTC = datetime.timezone.utc
DAY = 86400

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe",
         "Pacific/Apia", "Africa/Cairo", "Asia/Beirut", "Africa/Casablanca", "Asia/Kathmandu"]
YEARS = range(2007, 2027)

# What is due often is compared around jumps alone.
DENSE = ["* * * * *", "*/5 * * * *", "0 */7 * * * *", "30 0-59/10 * * * *", "0,20,40 * 2 * * *",
         "*/15 0-3 * * *", "*/10 1,2 * * *", "5 */20 2 * * Sun", "0 59 */2 * * *",
         "*/30 0 * * Fri,Sat", "@hourly", "30 * * * *", "0 */3 * * *", "15 1-5 * * *"]
SPARSE = ["0 0,12 * * *", "0 0 0 * * *", "0 30 0 * * *", "0 0 1 * * *", "0 30 1 * * *",
          "0 0 2 * * *", "0 10 2 * * *", "0 30 2 * * *", "30 45 2 * * *", "0 0 3 * * *",
          "0 30 3 * * *", "59 59 23 * * *", "30 2 * * Sun", "30 1 * * 0", "0 0 * * Mon-Fri",
          "0 0 1 * *", "0 12 31 * *", "0 12 30 * *", "0 2 29 2 *", "0 0 13 * Fri",
          "30 2 1-7 * 0", "0 4 */10 * *", "0 6 * Jan,Mar,Oct-Dec *", "0 0 31 12 *",
          "30 2 30 12 *", "@weekly"]
EXPRESSIONS = DENSE + SPARSE


# -- The rules, once more ------------------------------------------------------------------------

BOUNDS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
NAMES = [None, None, None, None, "jan feb mar apr may jun jul aug sep oct nov dec".split(),
         "sun mon tue wed thu fri sat".split()]
WORDS = {"@hourly": "0 * * * *", "@weekly": "0 0 * * 0"}


def number_of(index, text):
    names = NAMES[index] or []
    return names.index(text.lower()) + BOUNDS[index][0] if text.lower() in names else int(text)


def numbers_of(index, text):
    found = set()
    for entry in text.split(","):
        span, _, step = entry.partition("/")
        first, _, last = span.partition("-")
        low, high = BOUNDS[index]
        if first != "*":
            low = number_of(index, first)
            high = number_of(index, last) if last else high if step else low
        found |= set(range(low, high + 1, int(step or 1)))
    return found


class Rules:
    """What an expression means, and when it is due by definition."""

    def __init__(self, text):
        fields = WORDS.get(text, text).split()
        self.either = len(fields) == 5 and fields[2][0] != "*" and fields[4][0] != "*"
        fields = ["0"] * (6 - len(fields)) + fields
        self.sets = [numbers_of(index, field) for index, field in enumerate(fields)]
        self.interval = any(set(field) & set("*-/") for field in fields[:3])

    def has_day(self, date):
        by_day, by_weekday = date.day in self.sets[3], date.isoweekday() % 7 in self.sets[5]
        right = by_day or by_weekday if self.either else by_day and by_weekday
        return right and date.month in self.sets[4]

    def due(self, zone, after, until):
        return self.evenly(zone, after, until) if self.interval else self.points(zone, after, until)

    def evenly(self, zone, after, until):
        """Each instant whose local time is one."""
        seconds = sorted(self.sets[0])
        for minute in range(after // 60 * 60, until + 1, 60):
            local = datetime.datetime.fromtimestamp(minute, zone)
            if local.minute in self.sets[1] and local.hour in self.sets[2] and self.has_day(local):
                yield from (minute + s for s in seconds if after < minute + s <= until)

    def points(self, zone, after, until):
        """Each local time, as the instant that it is: the first of two; of none the one that the
        offset from before would give, which is what fold=0 says."""
        date = datetime.datetime.fromtimestamp(after, UTC).date() - datetime.timedelta(3)
        found = set()
        while date <= datetime.datetime.fromtimestamp(until, UTC).date() + datetime.timedelta(3):
            if self.has_day(date):
                for hour, minute, second in itertools.product(*(self.sets[i] for i in (2, 1, 0))):
                    local = datetime.datetime(date.year, date.month, date.day, hour, minute, second,
                                              tzinfo=zone)
                    found.add(int(local.timestamp()))
            date += datetime.timedelta(1)
        yield from sorted(at for at in found if after < at <= until)


# -- Jumps ---------------------------------------------------------------------------------------


def stamp(year, month=1, day=1):
    return int(datetime.datetime(year, month, day, tzinfo=UTC).timestamp())


def offset_of(zone, at):
    return int(datetime.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())


@functools.lru_cache(None)
def jumps_of(name, first, last):
    """(instant, offset before, offset behind) in these years."""
    zone, found = zoneinfo.ZoneInfo(name), []
    for at in range(stamp(first), stamp(last + 1), DAY):
        before, behind = offset_of(zone, at), offset_of(zone, at + DAY)
        if before != behind:
            jump = bisect.bisect_left(range(at, at + DAY + 1), True,
                                      key=lambda s: offset_of(zone, s) != before) + at
            found.append((jump, before, behind))
    return found


# -- Ours ----------------------------------------------------------------------------------------


def ours(jobs):
    """For each of (zone, expression, after, until) the instants."""
    text = "".join(f"{zone}\t{expression}\t{after}\t{until}\t{10**9}\n"
                   for zone, expression, after, until in jobs)
    done = subprocess.run([TIMES], input=text, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(jobs), done.stderr
    return [[int(word) for word in line.split() if word != "never"] for line in lines]


class Oracle(unittest.TestCase):
    def setUp(self):
        try:
            zoneinfo.ZoneInfo("Europe/Berlin")
        except zoneinfo.ZoneInfoNotFoundError:
            sys.exit(77)

    def agree(self, jobs):
        for (name, expression, after, until), got in zip(jobs, ours(jobs)):
            expected = list(Rules(expression).due(zoneinfo.ZoneInfo(name), after, until))
            self.assertEqual(got, expected, f"{name} {expression!r} after {after}")

    def test_times_around_jumps_are_those_of_the_rules(self):
        jobs = []
        for name in ZONES:
            for year in (2011, 2014, 2024):
                for at, _, _ in jumps_of(name, year, year)[:2]:
                    jobs += [(name, expression, at - DAY, at + DAY) for expression in EXPRESSIONS]
        self.assertGreater(len(jobs), 1000)
        self.agree(jobs)

    def test_times_of_years_are_those_of_the_rules(self):
        points = [e for e in SPARSE if not Rules(e).interval]
        self.agree([(name, expression, stamp(2010), stamp(2014)) for name in
                    ("America/New_York", "Pacific/Apia", "Africa/Cairo") for expression in points])

    def test_times_behind_the_tables_are_those_of_the_rules(self):
        jobs = [(name, expression, at - DAY, at + DAY) for name in ("Europe/Berlin", "Asia/Beirut")
                for at, _, _ in jumps_of(name, 2061, 2061) for expression in EXPRESSIONS]
        self.assertEqual(len(jobs), 160)
        self.agree(jobs)


# -- Theirs, the long form -----------------------------------------------------------------------

# Reads jobs, a line each, and writes their instants.
SCRIPT = """
import { createRequire } from 'module';
import { createInterface } from 'readline';
const require = createRequire(process.argv[1] + '/');
const { Cron } = require('croner');
const { CronExpressionParser } = require('cron-parser');
const makers = {
    croner: (zone, text) => {
        const cron = new Cron(text, { timezone: zone, fixedTimeRule: 'no-wildcard' });
        return at => cron.nextRun(new Date(at * 1000));
    },
    'cron-parser': (zone, text, after) => {
        const times = CronExpressionParser.parse(text, {
            currentDate: new Date(after * 1000), tz: zone,
        });
        return () => times.next().toDate();
    },
};
for await (const line of createInterface({ input: process.stdin })) {
    const [library, zone, text, after, until] = JSON.parse(line);
    const next = makers[library](zone, text, after), found = [];
    for (let at = after; ; found.push(at)) {
        let date;
        try { date = next(at); } catch (fault) { found.push('gave up'); break; }
        if (date === null) break;
        const due = date.getTime() / 1000;
        if (due <= at) { found.push('stuck'); break; }
        at = due;
        if (at > until) break;
    }
    console.log(JSON.stringify(found));
}
"""


def theirs(folder, library, jobs):
    text = "".join(json.dumps([library, *job]) + "\n" for job in jobs)
    command = ["node", "--input-type=module", "-e", SCRIPT, "--", os.path.abspath(folder)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{library}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def rule_of(jumps, at):
    """Which rule an instant is a matter of: that of a jump near it, or none."""
    for jump, before, behind in jumps:
        size = behind - before
        if size > 0 and jump <= at < jump + size:
            return "an hour left out"
        if size < 0 and jump + size <= at < jump - size:
            return "an hour that comes twice"
        if 0 < size < 3600 and jump + size <= at < jump + size + 3600:
            return "an hour left out in part, of which theirs leaves out all"
    return None


def long_jobs():
    for name in ZONES:
        jumps = jumps_of(name, YEARS[0], YEARS[-1])
        for expression in SPARSE:
            yield name, expression, stamp(YEARS[0]), stamp(YEARS[-1] + 1)
        for expression in DENSE:
            places = [at for at, _, _ in jumps] or [stamp(year, 7) for year in YEARS]
            yield from ((name, expression, at - DAY, at + DAY) for at in places)


def compare_with(folder, library, jobs, expected):
    score, faults = collections.Counter(), []
    for (name, expression, _, _), mine, other in zip(jobs, expected, theirs(folder, library, jobs)):
        jumps = jumps_of(name, YEARS[0] - 1, YEARS[-1] + 1)
        if other and other[-1] == "gave up": # its search is bounded by less than a gap of this one
            score[f"theirs gave up: {expression!r}"] += 1
            other.pop()
            mine = [at for at in mine if other and at <= other[-1]]
        score["agree"] += len(set(mine) & set(other))
        for at in set(mine) ^ set(other):
            rule = None if at == "stuck" else rule_of(jumps, at)
            kind = "interval" if Rules(expression).interval else "point in time"
            score[f"{rule}, {kind}: {'ours' if at in mine else 'theirs'} alone"] += 1
            if rule is None:
                faults.append(f"{library}: {name} {expression!r} at {at}, "
                              f"{'ours' if at in mine else 'theirs'} alone")
    print(f"\n{library}: {len(jobs)} searches", flush=True)
    for what, count in sorted(score.items()):
        print(f"{count:>10}  {what}")
    return faults


def long_form(folder):
    jobs = list(long_jobs())
    expected = ours(jobs)
    faults = [fault for library in ("croner", "cron-parser")
              for fault in compare_with(folder, library, jobs, expected)]
    print("\n" + "\n".join(faults[:40]) if faults else "\nno difference without a rule")
    return 1 if faults else 0


if __name__ == "__main__":
    if "--long" in sys.argv:
        sys.exit(long_form(sys.argv[sys.argv.index("--long") + 1]))
    unittest.main()
