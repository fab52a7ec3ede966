"""
The benchmark as its works see it: where everything is, how long and how often is measured, the
senders, and where figures go.
"""

import contextlib
import os
import subprocess
import sys
import time

from . import machine, orthanc
from .gateway import Gateway
from .process import wait_until
from .result import Result
from .storescp import Storescp
from .template import SIZES, Template


class Sent:
    """What the senders say of a run."""

    def __init__(self, text):
        self.seconds, self.numbers, self.objects = None, [], []
        for line in text.splitlines():
            kind, *values = line.split()
            if kind == "sent":
                first, count = map(int, values)
                self.numbers.extend(range(first, first + count))
            elif kind == "object":
                self.objects.append(tuple(map(int, values)))
            elif kind == "seconds":
                self.seconds = float(values[0])

    @property
    def rate(self):
        return len(self.numbers) / self.seconds


class Bench:
    def __init__(self, plan):
        self.plan = plan
        self.scratch, self.disk = os.environ["SCRATCH"], os.environ["DISK"]
        self.bindir, self.sender = os.environ["BINDIR"], os.environ["SENDER"]
        self.result = Result()
        self.result.data["machine"] = machine.describe(self)
        self.result.data["settings"] = vars(plan)
        self.templates = {size: Template(self.scratch, size) for size in SIZES}
        self.next_number = 1
        if os.environ.get("BENCH_WARNING"):
            self.result.warn(os.environ["BENCH_WARNING"])
        if not machine.journaled(self.disk):
            self.result.warn("the file system has no journal, or hides it: creating files is another matter there")

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    # ---------- peers: started when they are first needed, and kept ----------

    @contextlib.contextmanager
    def gateway(self, settings=""):
        """A gateway that nobody else has used."""
        gateway = Gateway(self, settings)
        try:
            yield gateway
        finally:
            gateway.stop()
            subprocess.run(["rm", "-rf", gateway.storage, gateway.cluster.data, gateway.cluster.socket], check=True)

    @contextlib.contextmanager
    def storescp(self, name="storescp"):
        peer = Storescp(self, name)
        try:
            yield peer
        finally:
            peer.stop()
            subprocess.run(["rm", "-rf", peer.folder], check=True)

    @contextlib.contextmanager
    def orthanc(self, pacs=None):
        """None, with a warning in the result, if it is not installed."""
        if not orthanc.available():
            self.result.warn("Orthanc or its PostgreSQL plugin is not installed: it was not measured")
            yield None
            return
        peer = orthanc.Orthanc(self, pacs)
        try:
            yield peer
        finally:
            peer.stop()
            subprocess.run(["rm", "-rf", peer.storage, peer.cluster.data, peer.cluster.socket, peer.folder], check=True)

    # ---------- senders ----------

    def sender_command(self, port, size, senders=1, options=()):
        """The numbers of objects are never used twice, whatever the peers have forgotten."""
        first, self.next_number = self.next_number, self.next_number + 10_000_000
        return [self.sender, "-s", str(senders), "-f", str(first), *map(str, options), str(port), self.templates[size].path]

    def send(self, port, size, senders=1, options=None):
        """Send for the time of the plan, or as the options say."""
        command = self.sender_command(port, size, senders, options or ("-t", self.plan.seconds))
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.scratch, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"a sender failed: {done.stderr.strip()}")
        return Sent(done.stdout)

    def send_through(self, peer, pacs, size, senders=1, options=None):
        """The same, and wait until the PACS has all of it; objects a second that were received, and that arrived."""
        start = time.monotonic()
        sent = self.send(peer.port, size, senders, options)
        wait_until(lambda: pacs.count() >= len(sent.numbers), f"{len(sent.numbers)} objects are with the PACS", 600, 0.02)
        return sent, len(sent.numbers) / (time.monotonic() - start)

    # ---------- figures ----------

    def add(self, name, unit, value, better="higher"):
        self.result.add(name, unit, value, better)
        self.say(f"{name:48} {value:12,.1f} {unit}")
