"""
dicomgw, as it is measured: the staged extension in a private server.
"""

import os

from .cluster import Cluster
from .process import free_port, wait_until
from .storage import remove_below, sync_file_system
from .template import Lost

KEPT = """dicomgw.ingest, dicomgw.instance, dicomgw.series, dicomgw.study, dicomgw.instance_header, dicomgw.routing_decision,
          dicomgw.forward_job, dicomgw.dead_letter, dicomgw.forward_history, dicomgw.forward_attempt, dicomgw.completion"""


class Gateway:
    name = "dicomgw"

    def __init__(self, bench, settings=""):
        self.storage = os.path.join(bench.disk, "storage")
        self.port = free_port()
        self.cluster = Cluster(bench, "gateway", "dicomgw", f"include '{bench.scratch}/dicomgw.conf'\n"
                               f"dicomgw.storage_path = '{self.storage}'\n{settings}")
        self.sql, self.value = self.cluster.sql, self.cluster.value
        self.sql("CREATE EXTENSION dicomgw")
        self.sql(f"UPDATE dicomgw.listener SET bind_address = '127.0.0.1', port = {self.port}")
        self.wait_for("receiver", "listening on 1 of 1")

    def stop(self):
        self.cluster.stop()

    def last_action(self, worker):
        return self.value(f"SELECT last_action FROM dicomgw.status WHERE worker = '{worker}'") or ""

    def wait_for(self, worker, text):
        wait_until(lambda: text in self.last_action(worker), f"the {worker} says '{text}'")

    def set(self, name, value):
        self.sql(f"ALTER SYSTEM SET {name} = {value}")
        self.sql("SELECT pg_reload_conf()")

    def switch_routing(self, on):
        self.set("dicomgw.routing", "on" if on else "off")
        self.wait_for("router", "waits for received objects" if on else "routing is off")

    def forward_to(self, pacs, name="pacs"):
        """Everything goes to this PACS."""
        self.sql(f"""INSERT INTO dicomgw.destination (name, host, port, ae_title, max_associations)
                     VALUES ('{name}', '127.0.0.1', {pacs.port}, 'PACS', 4)""")
        self.sql(f"INSERT INTO dicomgw.route (name, destination) VALUES ('{name}', '{name}')")

    def forward_nothing(self):
        self.clear()
        self.sql("DELETE FROM dicomgw.route; DELETE FROM dicomgw.destination")

    def queue(self):
        """Objects that wait for the router, and jobs that are not done."""
        return int(self.value("""SELECT (SELECT count(*) FROM dicomgw.ingest) + (SELECT count(*) FROM dicomgw.forward_job)"""))

    def clear(self):
        """Forget what was received, so that every run starts alike."""
        self.sql(f"TRUNCATE {KEPT} CASCADE")
        remove_below(self.storage)
        self.sql("CHECKPOINT")
        sync_file_system(self.storage)

    def verify(self, template, acknowledged):
        """Each has a row with the digest of what was sent, and a file with the bytes."""
        paths, known = [], {}
        for line in self.sql("""SELECT sop_instance_uid, file_path, encode(sha256, 'hex') FROM dicomgw.ingest UNION ALL
                                SELECT sop_instance_uid, file_path, encode(sha256, 'hex') FROM dicomgw.instance"""):
            uid, path, digest = line.split("\t")
            known[int(uid[6:])] = digest
            paths.append(os.path.join(self.storage, path))
        for number in acknowledged:
            if known.get(number) != template.sha256(number):
                raise Lost(f"object {number} was acknowledged and has no row, or one with another digest")
        template.verify(acknowledged, self.storage, only=paths)

    def verify_sent(self, count):
        """The history says of so many objects that they were sent, and nothing waits."""
        sent = int(self.value("SELECT count(DISTINCT instance_id) FROM dicomgw.forward_history WHERE outcome = 'sent'"))
        failed = int(self.value("SELECT count(*) FROM dicomgw.dead_letter"))
        if sent < count or failed:
            raise Lost(f"{count} objects were to be sent: {sent} were, {failed} failed")
