"""
Processes that a benchmark starts: each with its own log, in the scratch folder (where whatever
is left is found and ended by bench/run), and ended with the benchmark.
"""

import os
import signal
import socket
import subprocess
import time


class TimedOut(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=120, pause=0.05):
    """Asks until the condition holds; what it returned then."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Process:
    def __init__(self, folder, name, command, env=None):
        os.makedirs(folder, exist_ok=True)
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def wait_for_port(self, port):
        wait_until(lambda: self.running() and listens(port), f"port {port}; see {self.log}")

    def running(self):
        if self.child.poll() is not None:
            raise RuntimeError(f"{self.child.args[0]} ended with status {self.child.returncode}; see {self.log}")
        return True

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            os.killpg(self.pid, how)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.child.wait()
