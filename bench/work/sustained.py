"""
Everything running, at full speed, for minutes: what is received a second, and how long the queue
is meanwhile.  If it grew, the last third of the time would have a longer one than the one before.
Objects that have arrived are removed from the PACS while it runs (it is not what is measured, and
the disk has an end); each of them is compared with what was sent first.
"""

import os
import subprocess
import time

from lib.bench import Sent
from lib.process import wait_until
from lib.result import median
from lib.template import Lost

SENDERS = 4
STEP = 2  # seconds


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway:
        gateway.forward_to(pacs)
        command = bench.sender_command(gateway.port, "small", SENDERS, ("-t", bench.plan.sustained_seconds))
        sampled, arrived = [], set()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=bench.scratch) as sender:
            start = time.monotonic()
            while sender.poll() is None:
                time.sleep(STEP)
                sampled.append((time.monotonic() - start, gateway.queue()))
                arrived |= take_away(bench, pacs)
            sent = Sent(sender.stdout.read())
            if sender.returncode != 0:
                raise RuntimeError("a sender failed")
        wait_until(lambda: gateway.queue() == 0, "the queue is empty", 600)
        elapsed = time.monotonic() - start
        gateway.verify(bench.templates["small"], sent.numbers)
        gateway.verify_sent(len(sent.numbers))
        lost = set(sent.numbers) - arrived - take_away(bench, pacs)
        if lost:
            raise Lost(f"{len(lost)} acknowledged objects did not arrive, as {min(lost)}")
        report(bench, sent, elapsed, sampled)


def take_away(bench, pacs):
    """The numbers of the objects that are with the PACS, complete, and now removed."""
    numbers = set()
    for entry in list(os.scandir(pacs.folder)):
        with open(entry.path, "rb") as f:
            number = bench.templates["small"].number_of(f.read())
        if number is not None:
            os.unlink(entry.path)
            numbers.add(number)
    return numbers


def report(bench, sent, elapsed, sampled):
    third = len(sampled) // 3
    lengths = [length for _, length in sampled]
    bench.result.series("sustained/queue", "objects", [[round(at, 1), length] for at, length in sampled])
    bench.add("sustained/received", "objects/s", sent.rate)
    bench.add("sustained/arrived", "objects/s", len(sent.numbers) / elapsed)
    bench.add("sustained/queue/middle third", "objects", median(lengths[third:2 * third] or [0]), "lower")
    bench.add("sustained/queue/last third", "objects", median(lengths[2 * third:] or [0]), "lower")
