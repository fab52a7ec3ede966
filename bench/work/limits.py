"""
What the machine can do without any of the programs that are measured: files written and synced a
second, each with its directory, by as many processes as there are senders, and bytes a second
over the loopback.
"""

import os
import socket
import subprocess
import threading
import time

from lib.storage import sync_file_system

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "synced_files")


def run(bench):
    for _ in range(bench.plan.runs):
        for size in bench.plan.sizes:
            for writers in bench.plan.senders:
                bench.add(f"limits/{size}/{writers}/synced files", "files/s", synced_files(bench, size, writers))
        bench.add("limits/loopback", "MB/s", loopback(bench.plan.seconds))


def synced_files(bench, size, writers):
    folder = os.path.join(bench.disk, "limit")
    sync_file_system(bench.disk)
    done = subprocess.run([PROGRAM, folder, bench.templates[size].path, str(writers), str(bench.plan.seconds)],
                          stdout=subprocess.PIPE, text=True, check=True)
    subprocess.run(["rm", "-rf", folder], check=True)
    return float(done.stdout)


def loopback(seconds):
    """One connection, blocks of 256 KB; millions of bytes a second."""
    block = bytes(256 * 1024)
    total = 0

    def send(address):
        with socket.create_connection(address) as s:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                s.sendall(block)

    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = threading.Thread(target=send, args=(server.getsockname(),))
        start = time.monotonic()
        sender.start()
        connection, _ = server.accept()
        with connection:
            buffer = bytearray(len(block))
            while count := connection.recv_into(buffer):
                total += count
        sender.join()
    return total / (time.monotonic() - start) / 1e6
