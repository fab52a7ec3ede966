"""
The same rates on a gateway that has a past: a million instances, ten million rows of history, made
by SQL.  Before and after on one gateway, of which nothing is removed in between.
"""

import os

from lib.process import wait_until

HISTORY = os.path.join(os.path.dirname(__file__), "..", "history.sql")
SENDERS = 4


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway("autovacuum = off\n") as gateway:
        gateway.forward_to(pacs)
        measure(bench, gateway, pacs, "young")
        gateway.cluster.script(HISTORY, instances=bench.plan.instances, history=bench.plan.history)
        bench.say(f"{bench.plan.instances} instances, {bench.plan.history} rows of history")
        measure(bench, gateway, pacs, "grown")


def measure(bench, gateway, pacs, name):
    for run_number in range(bench.plan.runs + 1):
        pacs.clear()
        gateway.sql("CHECKPOINT")
        gateway.switch_routing(False)
        alone = bench.send(gateway.port, "small", SENDERS)
        gateway.switch_routing(True)
        wait_until(lambda: gateway.queue() == 0, "the queue is empty", 600)
        pacs.clear()
        sent, arrived = bench.send_through(gateway, pacs, "small", SENDERS)
        wait_until(lambda: gateway.queue() == 0, "the queue is empty")
        pacs.verify(bench.templates["small"], sent.numbers)
        # the first is to warm up
        if run_number > 0:
            bench.add(f"growth/{name}/received alone", "objects/s", alone.rate)
            bench.add(f"growth/{name}/arrived", "objects/s", arrived)
