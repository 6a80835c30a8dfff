# SPDX-License-Identifier: Apache-2.0
"""NCrontab's own cases: what expressions mean, when they are due, and which are refused."""
import datetime
import os
import re
import subprocess

from shared import BUILD, Case, Suite

TESTS = "NCrontab.Tests/CrontabScheduleTests.cs"
SUITE = Suite("ncrontab", "atifaziz/NCrontab", "Apache-2.0",
              "six and five fields as Azure's timers have them: next times, ranges, refusals",
              needs=(TESTS,))
TIMES = os.path.join(BUILD, "tests", "test_cron_times")
LAST = datetime.datetime(9990, 1, 1)
METHODS = re.compile(r"((?:^ +(?:\[|new\[\]|\"|//).*\n|^ *\n)+) +public void (\w+)\(", re.MULTILINE)
CASES = re.compile(r"\[TestCase\((.*?)\)\]", re.DOTALL)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def instant(text):
    for form in ("%d/%m/%Y %H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(text)


def seconds(at):
    return int(at.replace(tzinfo=datetime.timezone.utc).timestamp())


def ask(expression, after, until, most):
    line = f"UTC\t{expression}\t{seconds(after)}\t{seconds(until)}\t{most}\n"
    done = subprocess.run([TIMES], input=line, capture_output=True, text=True, check=True)
    answer = done.stdout.strip()
    if answer.startswith("error:"):
        return answer
    zero = datetime.datetime(1970, 1, 1)
    return [zero + datetime.timedelta(seconds=int(word)) for word in answer.split()
            if word != "never"]


def formatted(texts, _):
    begin = datetime.datetime(2026, 1, 1)
    got = [ask(text, begin, LAST, 1000) for text in texts]
    return got[0] == got[1], got[1] if isinstance(got[1], str) else "other times"


def evaluated(texts, _):
    got = ask(texts[1], instant(texts[0]), LAST, 1)
    return got == [instant(texts[2])], got


def finite(texts, _):
    begin = instant(texts[1]) if len(texts) > 1 else datetime.datetime(2001, 1, 1)
    end = instant(texts[2]) if len(texts) > 1 else datetime.datetime(2010, 1, 1)
    got = ask(texts[0], begin, end - datetime.timedelta(seconds=1), 1)
    return got == [], got


def next_or_end(texts, _):
    end = instant(texts[2])
    got = ask(texts[0], instant(texts[1]), end - datetime.timedelta(seconds=1), 1)
    return (got if isinstance(got, str) else (got or [end])[0]) == instant(texts[3]), got


def merged(texts, case):
    expressions, times = (STRING.findall(part) for part in re.findall(r"new\[\] \{(.*?)\}", case,
                                                                      re.DOTALL))
    got = set()
    for expression in expressions:
        got.update(ask(expression, datetime.datetime(2003, 1, 1), instant(times[-1]), 100))
    return sorted(got) == sorted(instant(text) for text in times), sorted(got)


def refused(texts, _):
    got = ask(texts[0], datetime.datetime(2026, 1, 1), LAST, 1)
    return isinstance(got, str), got


HOW = {"Formatting": formatted, "Evaluations": evaluated, "FiniteOccurrences": finite,
       "DontLoopIndefinitely": finite, "GetNextOccurrence": next_or_end,
       "NextOccurrencesFromMultipleSchedules": merged}


def run(tree):
    with open(os.path.join(tree, TESTS), encoding="utf-8-sig") as file:
        source = file.read().replace("\r\n", "\n")
    found = 0
    for attributes, method in METHODS.findall(source):
        for case in CASES.findall(attributes):
            found += 1
            texts = STRING.findall(case)
            right, got = HOW.get(method, refused)(texts, case)
            yield Case(f"{method} {' | '.join(texts)}", right, str(got))
    expected = source.count("[TestCase(")
    yield Case("all cases were found", found == expected, f"{found} of {expected}")
