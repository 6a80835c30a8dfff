# SPDX-License-Identifier: Apache-2.0
"""What became of the messages of a trial, by Jepsen's total-queue rule."""
import collections

import host

IN_COMPANY = 5  # in a row, as src/host/queue/verdict.c has it


def read(path):
    """What the witness says: begun runs, ended ones, begun ones by attempt, outputs, and runs that were
    begun beside another one of the message, with the hosts of both."""
    begun, ended = collections.Counter(), collections.Counter()
    tries = collections.defaultdict(collections.Counter)
    outputs, beside = collections.defaultdict(set), []
    with open(path, encoding="utf-8") as file:
        for line in file:
            word, number, *rest = line.split()
            number = int(number)
            if word == "x":
                beside.append((number, *rest))
            if word == "b":
                begun[number] += 1
                tries[number][int(rest[0])] += 1
            ended[number] += word == "e"
            if word == "o":
                outputs[number].add(rest[0])
    return begun, ended, tries, outputs, beside


def tries_wrong(trial, tries):
    """Of poison, how often each of its attempts was begun: once, and so often again as it was
    beside another message that ended their process. A server of NATS that is killed may forget
    deliveries, and settlements, of the moment."""
    forgets = trial.options.server == "nats"
    kills = trial.faults["server_killed"] + trial.faults["server_disk_filled"]
    most = (1 + IN_COMPANY) * (1 + (kills if forgets else 0))
    return any(attempt > host.ATTEMPTS or count > most for attempt, count in tries.items())


def twice_wrong(trial, beside):
    """None runs twice at the same time; but NATS does not see whether a host is there, and gives to
    another what it does not renew, be it that the machine is too busy, or what the server forgot when
    it was killed."""
    lends = trial.options.server == "nats"
    return [f"message {number} ran twice at the same time, on hosts {here} and {there}"
            for number, here, there in beside if here == there or not lends]


def judge(trial, dead):
    """Faults as sentences, and figures; `dead` are the messages among the dead."""
    begun, ended, tries, outputs, twice = read(trial.log)
    found, wrong = collections.Counter(), trial.wrong + twice_wrong(trial, twice)
    buried = collections.Counter(int(message["body"].split()[0]) for message in dead)
    attempts = {int(message["body"].split()[0]): message["attempts"] for message in dead}
    for number in sorted(trial.acknowledged):
        poison = trial.kinds[number] == "poison"
        beside = attempts.get(number, 0) == host.ATTEMPTS and buried[number] == 1
        if not poison and not ended[number] and beside:
            found["bystanders"] += 1  # each attempt was ended by another message, or a fault
        elif not poison and not ended[number]:
            found["lost"] += not buried[number]
            wrong.append(f"message {number} ({trial.kinds[number]}) was acknowledged and is "
                         f"{'dead' if buried[number] else 'lost'}, {begun[number]} runs")
        if poison and buried[number] != 1:
            found["lost"] += not buried[number]
            wrong.append(f"poison {number} is {buried[number]} times among the dead")
        if poison and tries_wrong(trial, tries[number]):
            wrong.append(f"poison {number} was begun so often in each attempt: "
                         f"{dict(tries[number])}")
        if not poison and ended[number] and len(outputs[number]) != 1:
            found["doubled"] += len(outputs[number]) > 1
            wrong.append(f"message {number} was completed and has {len(outputs[number])} outputs")
    found["again"] = sum(count - 1 for number, count in begun.items()
                         if count > 1 and trial.kinds[number] in ("ok", "late"))
    in_hand = 2 * 64 * sum(trial.faults.values())  # processes, and calls that each may have
    if found["again"] > in_hand:
        wrong.append(f"{found['again']} runs were made again, and {in_hand} can have been in hand")
    found["twice"] = len(twice_wrong(trial, twice))
    found["lent"] = len(twice) - found["twice"]
    found["messages"], found["dead"] = len(trial.acknowledged), sum(buried.values())
    return wrong, found
