"""
DCMTK's storescp: as a peer (+B: it writes what it gets as it is, and syncs nothing), and as the
PACS behind each gateway.  One process an association, since without --fork it serves one at a time.
"""

import os

from .process import Process, free_port
from .storage import count_files, remove_below, sync_file_system


class Storescp:
    name = "storescp"

    def __init__(self, bench, name="storescp", options=("+B",)):
        self.folder = os.path.join(bench.disk, name)
        os.makedirs(self.folder)
        self.port = free_port()
        self.process = Process(os.path.join(bench.scratch, name), "storescp",
                               ["storescp", *options, "--fork", "-od", self.folder, "-aet", "PACS", str(self.port)],
                               env={"TCP_NODELAY": "1"})
        self.process.wait_for_port(self.port)

    def stop(self):
        self.process.stop()

    def clear(self):
        remove_below(self.folder)
        sync_file_system(self.folder)

    def count(self):
        """Distinct objects: a file is named by its object's UID."""
        return count_files(self.folder)

    def verify(self, template, acknowledged):
        template.verify(acknowledged, self.folder)
