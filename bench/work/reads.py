"""
People look while objects come in: everything runs at full speed, and ten pages are open, each of
which reads something over HTTP (PostgREST, a connection each) once a second.  How long they wait,
and what receiving loses by it, in turns with nobody looking.
"""

import http.client
import json
import os
import random
import socket
import threading
import time

from lib.process import Process, wait_until
from lib.result import percentile

SENDERS = 4
PAGES, EVERY = 10, 1.0  # seconds
PASSWORD = "four plain words, joined"
# What the pages of the UI ask for; those that the API has.
WANTED = ("/totals", "/worker", "/job_summary", "/destination_status", "/alert", "/association?order=id.desc&limit=50",
          "/study?order=id.desc&limit=50", "/series?order=id.desc&limit=50", "/instance?order=id.desc&limit=50")


def run(bench):
    with bench.storescp("pacs") as pacs, bench.gateway() as gateway:
        gateway.forward_to(pacs)
        api = Api(bench, gateway)
        try:
            paths = api.known(WANTED)
            bench.result.note("reads", " ".join(paths))
            bench.send_through(gateway, pacs, "small", SENDERS)  # something to look at
            for _ in range(bench.plan.runs):
                measure(bench, gateway, pacs, "nobody")
                with Pages(api, paths) as pages:
                    measure(bench, gateway, pacs, "ten pages")
                bench.add("reads/p50", "ms", percentile(pages.times, 50) * 1000, "lower")
                bench.add("reads/p99", "ms", percentile(pages.times, 99) * 1000, "lower")
        finally:
            api.stop()


def measure(bench, gateway, pacs, name):
    """Nothing is forgotten between the runs: lists should be as long as they are."""
    pacs.clear()
    gateway.sql("CHECKPOINT")
    seconds = max(bench.plan.seconds, 2 * EVERY)
    sent, arrived = bench.send_through(gateway, pacs, "small", SENDERS, ("-t", seconds))
    pacs.verify(bench.templates["small"], sent.numbers)
    bench.add(f"reads/{name}/received", "objects/s", sent.rate)
    bench.add(f"reads/{name}/arrived", "objects/s", arrived)


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, kept open."""

    def __init__(self, path):
        super().__init__("gateway.example")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Api:
    """PostgREST as it is shipped, and an admin's session in it."""

    def __init__(self, bench, gateway):
        folder = os.path.join(bench.scratch, "postgrest")
        self.socket, self.token = os.path.join(folder, "socket"), None
        gateway.sql("SELECT dicomgw.create_roles()")
        once = gateway.value("SELECT dicomgw.create_first_admin()")
        self.process = Process(folder, "postgrest", [os.environ["DGW_POSTGREST"], os.path.join(bench.scratch, "tree/deploy/postgrest.conf")], {
            "PGRST_DB_URI": f"postgres:///dicomgw?host={gateway.cluster.socket}&user=dicomgw_authenticator",
            "PGRST_SERVER_UNIX_SOCKET": self.socket,
            "PGRST_ADMIN_SERVER_PORT": "0"})
        wait_until(self.lives, f"PostgREST answers; see {self.process.log}")
        self.token = self.login(once)
        self.request(Connection(self.socket), "POST", "/rpc/change_password", {"old": once, "new": PASSWORD})
        self.token = self.login(PASSWORD)

    def login(self, password):
        self.token = None
        return self.request(Connection(self.socket), "POST", "/rpc/login", {"username": "admin", "password": password})["token"]

    def lives(self):
        self.process.running()
        try:
            return self.request(Connection(self.socket), "GET", "/rpc/live") is not None
        except (OSError, RuntimeError):
            return False

    def request(self, connection, method, path, arguments=None):
        headers = {"X-Real-IP": "192.0.2.1", "Content-Type": "application/json", "User-Agent": "bench"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, json.dumps(arguments) if arguments is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else ""

    def known(self, paths):
        offered = self.request(Connection(self.socket), "GET", "/")["paths"]
        return [path for path in paths if path.split("?")[0] in offered]

    def stop(self):
        self.process.stop()


class Pages:
    """Reads in the background; times are the seconds that each took."""

    def __init__(self, api, paths):
        self.api, self.paths, self.times, self.error = api, paths, [], None
        self.closed = threading.Event()
        self.threads = [threading.Thread(target=self._read, args=(number,)) for number in range(PAGES)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.closed.set()
        for thread in self.threads:
            thread.join()
        if self.error:
            raise self.error

    def _read(self, number):
        connection, turn = Connection(self.api.socket), number
        self.closed.wait(random.random() * EVERY)
        while not self.closed.is_set():
            start = time.monotonic()
            try:
                self.api.request(connection, "GET", self.paths[turn % len(self.paths)])
            except Exception as error:
                self.error = error
                return
            self.times.append(time.monotonic() - start)
            turn += 1
            self.closed.wait(EVERY)
