"""
A thousand routes: end to end, with one route that takes everything, and with all the others
beside it, each with a predicate that is evaluated for every object and does not hold.  In turns.
"""

import os

from lib.process import wait_until

ROUTES = os.path.join(os.path.dirname(__file__), "..", "routes.sql")
SENDERS = 4


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway:
        gateway.forward_to(pacs)
        gateway.cluster.script(ROUTES, routes=bench.plan.routes - 1)
        for _ in range(bench.plan.runs):
            for enabled, count in ((False, 1), (True, bench.plan.routes)):
                gateway.sql(f"UPDATE dicomgw.route SET enabled = {enabled} WHERE name LIKE 'route %'")
                wait_until(lambda: gateway.queue() == 0, "the queue is empty")
                measure(bench, gateway, pacs, f"routes/{'many' if enabled else 'one'}")


def measure(bench, gateway, pacs, name):
    gateway.clear()
    pacs.clear()
    # the first objects after a change compile the routes
    bench.send_through(gateway, pacs, "small", options=("-n", 10))
    gateway.clear()
    pacs.clear()
    sent, arrived = bench.send_through(gateway, pacs, "small", SENDERS)
    gateway.verify(bench.templates["small"], sent.numbers)
    gateway.verify_sent(len(sent.numbers))
    pacs.verify(bench.templates["small"], sent.numbers)
    bench.add(f"{name}/arrived", "objects/s", arrived)
    bench.add(f"{name}/received", "objects/s", sent.rate)
