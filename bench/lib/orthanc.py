"""
Orthanc with orthanc-postgresql, from Debian's packages, as its documents recommend for speed and
safety ("Scalability of Orthanc" and "PostgreSQL plugins" of the Orthanc Book): the index in
PostgreSQL over a Unix socket with several connections, files in a folder and synced
(SyncStorageArea, its default), KeepAlive, TcpNoDelay, no compression, jobs not saved in the
database, headers not read for searches.  As many DICOM threads as there are senders, a job a core.
Forwarding is its Lua auto-routing: OnStoredInstance, SendToModality.
"""

import json
import os

from .cluster import Cluster
from .process import Process, free_port, wait_until
from .storage import remove_below, sync_file_system

PROGRAM = "/usr/sbin/Orthanc"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so"

ROUTE = """\
function OnStoredInstance(instanceId, tags, metadata, origin)
   SendToModality(instanceId, 'pacs')
end
"""


def available():
    return os.access(PROGRAM, os.X_OK) and os.path.exists(PLUGIN)


class Orthanc:
    name = "orthanc"

    def __init__(self, bench, pacs=None):
        self.bench, self.pacs = bench, pacs
        self.storage = os.path.join(bench.disk, "orthanc-files")
        self.port, self.http_port = free_port(), free_port()
        self.folder = os.path.join(bench.scratch, "orthanc")
        self.process = None
        os.makedirs(self.folder)
        self.cluster = Cluster(bench, "orthanc-index", "postgres")
        self.cluster.createdb("orthanc")
        self._write_files()
        self._start()

    def settings(self):
        return {
            "Name": "bench",
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": False,
            "DicomPort": self.port,
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StorageDirectory": self.storage,
            "IndexDirectory": self.storage,
            "SyncStorageArea": True,
            "StorageCompression": False,
            "StorageAccessOnFind": "Never",
            "LimitFindResults": 100,
            "LimitFindInstances": 100,
            "KeepAlive": True,
            "TcpNoDelay": True,
            "SaveJobs": False,
            "ConcurrentJobs": 0,
            "DicomThreadsCount": 16,
            "DicomModalities": {"pacs": ["PACS", "127.0.0.1", self.pacs.port]} if self.pacs else {},
            "LuaScripts": [os.path.join(self.folder, "route.lua")] if self.pacs else [],
            "Plugins": [PLUGIN],
            "PostgreSQL": {
                "EnableIndex": True,
                "EnableStorage": False,
                "ConnectionUri": f"postgresql://postgres@/orthanc?host={self.cluster.socket}",
                "IndexConnectionsCount": 1,
                "Lock": True,
            },
        }

    def _write_files(self):
        with open(os.path.join(self.folder, "orthanc.json"), "w", encoding="utf-8") as f:
            json.dump(self.settings(), f, indent=2)
        with open(os.path.join(self.folder, "route.lua"), "w", encoding="utf-8") as f:
            f.write(ROUTE)

    def _start(self):
        self.process = Process(self.folder, "orthanc", [PROGRAM, os.path.join(self.folder, "orthanc.json")],
                               env={"TCP_NODELAY": "1"})
        self.process.wait_for_port(self.port)

    def route_to(self, pacs):
        """From the next start on."""
        self.pacs = pacs
        self._write_files()

    def clear(self):
        """An empty database and an empty folder; it has no other way to forget that is as thorough."""
        self.process.stop()
        self.cluster.dropdb("orthanc")
        self.cluster.createdb("orthanc")
        remove_below(self.storage)
        self.cluster.sql("CHECKPOINT")
        sync_file_system(self.storage)
        self._start()

    def stop(self):
        self.process.stop()
        self.cluster.stop()

    def verify(self, template, acknowledged):
        template.verify(acknowledged, self.storage)
