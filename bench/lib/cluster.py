"""
A private PostgreSQL server on the disk of the benchmark, with every sync on: the gateway is in
one, Orthanc has its index in another of the same settings.
"""

import os
import subprocess

SETTINGS = """\
listen_addresses = ''
shared_buffers = 256MB
max_wal_size = 8GB
"""


class Cluster:
    def __init__(self, bench, name, database, settings=""):
        self.bench, self.database = bench, database
        self.socket = os.path.join(bench.scratch, name)
        self.data = os.path.join(bench.disk, name)
        self.psql = None
        os.makedirs(self.socket)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.write(f"{settings}{SETTINGS}unix_socket_directories = '{self.socket}'\n")
        self._run("pg_ctl", "-D", self.data, "-l", os.path.join(self.socket, "log"), "-w", "start")
        if database != "postgres":
            self.createdb(database)

    def _run(self, program, *arguments):
        subprocess.run([os.path.join(self.bench.bindir, program), *arguments], check=True, cwd=self.bench.scratch,
                       stdout=subprocess.DEVNULL)

    def createdb(self, database):
        self._run("createdb", "-h", self.socket, "-U", "postgres", database)

    def dropdb(self, database):
        self._run("dropdb", "-h", self.socket, "-U", "postgres", "--force", database)

    def stop(self):
        if self.psql:
            self.psql.close()
        self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def sql(self, query):
        """Its answer's lines; columns are separated by a tab.  By one session that stays: to start one each time
        would take time from what is measured."""
        if not self.psql:
            self.psql = Psql(self)
        return self.psql.ask(query)

    def value(self, query):
        lines = self.sql(query)
        return lines[0] if lines else None

    def script(self, path, **variables):
        """A file, by a session of its own."""
        sets = [f"--set={name}={value}" for name, value in variables.items()]
        subprocess.run([*self.psql_command(), *sets, "-f", path], check=True, cwd=self.bench.scratch,
                       stdout=subprocess.DEVNULL)

    def psql_command(self):
        return [os.path.join(self.bench.bindir, "psql"), "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                "-h", self.socket, "-U", "postgres", "-d", f"dbname={self.database} options='-c client_min_messages=warning'"]


class Psql:
    END = "-- end of the answer"

    def __init__(self, cluster):
        self.child = subprocess.Popen(cluster.psql_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, cwd=cluster.bench.scratch)

    def ask(self, query):
        lines = []
        self.child.stdin.write(f"{query}\n;\n\\echo {self.END}\n")
        self.child.stdin.flush()
        for line in self.child.stdout:
            line = line.rstrip("\n")
            if line == self.END:
                return lines
            lines.append(line)
        raise RuntimeError(f"psql gave up on: {query}")

    def close(self):
        self.child.stdin.close()
        self.child.wait()
