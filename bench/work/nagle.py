"""
A sender that leaves Nagle's algorithm on, as stock storescu does without TCP_NODELAY in its
environment: a real storescu, because its pattern of writes is what counts, one association, small
objects from a folder.  With a receiver that delays its ACKs each of them waits 40 ms, or twice that.
"""

import os
import subprocess
import time

from lib.storage import remove_below


def run(bench):
    environment = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
    with bench.gateway() as gateway, bench.orthanc() as orthanc, bench.storescp() as storescp:
        gateway.switch_routing(False)
        for _ in range(bench.plan.runs):
            for peer in (gateway, orthanc, storescp):
                if peer:
                    bench.add(f"nagle/small/1/{peer.name}", "objects/s", measure(bench, peer, environment))


def measure(bench, peer, environment):
    """As many objects as take at least the time of a run: storescu itself needs a moment to start."""
    count = 20
    while True:
        peer.clear()
        folder, numbers = write_files(bench, count)
        start = time.monotonic()
        done = subprocess.run(["storescu", "--scan-directories", "-aec", "DICOMGW", "127.0.0.1", str(peer.port), folder],
                              env=environment, cwd=bench.scratch, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - start
        if done.returncode != 0:
            raise RuntimeError(f"storescu failed: {done.stderr}")
        peer.verify(bench.templates["small"], numbers)
        if seconds > bench.plan.seconds:
            return count / seconds
        count = int(count * min(20, max(1.5, 1.2 * bench.plan.seconds / seconds)))


def write_files(bench, count):
    folder = os.path.join(bench.scratch, "modality")
    os.makedirs(folder, exist_ok=True)
    remove_below(folder)
    numbers = range(1, count + 1)
    for number in numbers:
        bench.templates["small"].write_file(os.path.join(folder, str(number)), number)
    return folder, numbers
