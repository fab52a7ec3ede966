"""
Memory: what all workers and helper programs have to themselves when nothing happens, after having
worked; and what an open association costs, idle after one object of each size.
"""

import subprocess

from lib import memory
from lib.process import wait_until


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway:
        gateway.forward_to(pacs)
        for _ in range(bench.plan.runs):
            gateway.clear()
            pacs.clear()
            bench.send_through(gateway, pacs, "ct", 4)
            wait_until(lambda: gateway.queue() == 0, "the queue is empty")
            wait_until(lambda: not senders_of(gateway), "the senders have left", 120)
            idle(bench, gateway)
            for size in bench.plan.sizes:
                associations(bench, gateway, size)


def workers_of(gateway):
    return [int(pid) for pid in gateway.sql("SELECT pid FROM dicomgw.status WHERE pid IS NOT NULL")] + [
        int(pid) for pid in gateway.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'dicomgw launcher'")]


def senders_of(gateway):
    return [pid for pid in everything(gateway) if "dicomgw-scu" in memory.command(pid)]


def everything(gateway):
    return sorted({pid for worker in workers_of(gateway) for pid in memory.below(worker)})


def idle(bench, gateway):
    figures = [memory.private_and_share(pid) for pid in everything(gateway)]
    bench.add("memory/idle/private", "MB", sum(private for private, _ in figures), "lower")
    bench.add("memory/idle/pss", "MB", sum(share for _, share in figures), "lower")


def associations(bench, gateway, size):
    before = set(everything(gateway))
    count = bench.plan.associations
    command = bench.sender_command(gateway.port, size, count, ("-n", "1", "-w"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=bench.scratch) as sender:
        for _ in range(count):
            if not sender.stdout.readline().startswith("sent"):
                raise RuntimeError("an association did not get its object through")
        new = [pid for pid in everything(gateway) if pid not in before and "dicomgw-scp" in memory.command(pid)]
        if len(new) != count:
            raise RuntimeError(f"{count} associations are open and {len(new)} processes are new")
        figures = [memory.private_and_share(pid) for pid in new]
        sender.stdin.close()
        sender.stdout.read()
    bench.add(f"memory/association/{size}/private", "MB", sum(private for private, _ in figures) / count, "lower")
    bench.add(f"memory/association/{size}/pss", "MB", sum(share for _, share in figures) / count, "lower")
