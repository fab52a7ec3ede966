"""
A sender that leaves Nagle's algorithm on, as stock storescu does without TCP_NODELAY in its
environment: a real storescu, because its pattern of writes is what counts, one association, small
objects with a UID each (+II).  A receiver that delays its ACKs then waits 40 ms twice an object.
"""

import os
import subprocess
import time

from lib.storage import count_files, remove_below
from lib.template import DIGITS, Lost, SOP, dataset_of, files_below


def run(bench):
    environment = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
    with bench.gateway() as gateway, bench.orthanc() as orthanc, bench.storescp() as storescp:
        gateway.switch_routing(False)
        for _ in range(bench.plan.runs):
            for peer in (gateway, orthanc, storescp):
                if peer:
                    peer.clear()
                    rate = measure(bench, peer, environment)
                    bench.add(f"nagle/small/1/{peer.name}", "objects/s", rate)


def measure(bench, peer, environment):
    """As many objects as take about the time of a run."""
    template = bench.templates["small"]
    count, seconds = 20, 0
    while seconds < bench.plan.seconds / 2:
        peer.clear()
        start = time.monotonic()
        done = subprocess.run(["storescu", "+II", "--repeat", str(count), "-aec", "DICOMGW", "127.0.0.1", str(peer.port), template.path],
                              env=environment, cwd=bench.scratch, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - start
        if done.returncode != 0:
            raise RuntimeError(f"storescu failed: {done.stderr}")
        verify(template, peer, count)
        count, sent = count * 4, count
    return sent / seconds


def verify(template, peer, count):
    """Its UIDs are its own, of any length; the rest has to be what is in the file."""
    folder = getattr(peer, "storage", None) or peer.folder
    expected = without_uid(template.dataset)
    uids = set()
    for path in files_below(folder):
        with open(path, "rb") as f:
            dataset = dataset_of(f.read())
        if dataset and without_uid(dataset) == expected:
            uids.add(uid_of(dataset))
    if len(uids) < count:
        raise Lost(f"{count} objects were acknowledged by {peer.name}, {len(uids)} are there as they were sent")


SOP_INSTANCE_UID = b"\x08\x00\x18\x00UI"


def uid_of(dataset):
    at = dataset.index(SOP_INSTANCE_UID)
    return dataset[at + 8:at + 8 + int.from_bytes(dataset[at + 6:at + 8], "little")]


def without_uid(dataset):
    at, uid = dataset.index(SOP_INSTANCE_UID), uid_of(dataset)
    return dataset[:at] + dataset[at + 8 + len(uid):]
