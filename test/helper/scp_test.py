"""What the tests of dicomgw-scp have in common: TAP, the program, and its end.

A test makes one ScpTest, asks for checks to be run, and exits with its result.
"""

import os
import resource
import shutil
import sys
import tempfile

from dicom_wire import *

# DgwCloseReason
RELEASED, PEER_ABORTED, PEER_GONE, TIMEOUT, REJECTED, PROTOCOL, FAILURE, TLS, TOLD = range(1, 10)


class ScpTest:
    """dicomgw-scp, as the command line says, with a storage folder of its own."""

    def __init__(self, program=None, **settings):
        # Thousands of connections are nothing out of the ordinary here.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.count = self.failures = 0
        self.scratch = tempfile.mkdtemp(prefix="hostile_scp.")
        self.storage = os.path.join(self.scratch, "storage")
        os.mkdir(self.storage)
        self.port = free_port()
        self.driver = Driver(sys.argv[1], program or sys.argv[2], port=self.port, storage=self.storage,
                             **settings)

    def ok(self, passed, name):
        self.count += 1
        self.failures += not passed
        print("%s %d - %s" % ("ok" if passed else "not ok", self.count, name), flush=True)

    def closed(self):
        """Why the next association to end has ended: (reason, message)."""
        line = self.driver.expect("closed")
        if line is None:
            return None, ""
        fields = line.split(" ", 5)
        return int(fields[2]), fields[5] if len(fields) > 5 else ""

    def closed_with(self, reason):
        """The next association to end ends for this reason."""
        got = self.closed()
        if got[0] != reason:
            print("# closed for %s: %s" % got)
        return got[0] == reason

    def end(self, peer):
        """Release, and hear of it, lest the next check takes that for its own."""
        released = peer.release()
        return self.closed_with(RELEASED) and released

    def still_serves(self, **options):
        with Peer(self.port, **options) as peer:
            good = peer.associate([(1, VERIFICATION, [IMPLICIT_LE])]) == {1: (0, IMPLICIT_LE)}
            if good:
                peer.send_command(echo_rq())
                good = peer.response() == (0, "") and peer.release()
        return self.closed_with(RELEASED) and good

    def pid(self, what="opened"):
        """Of the association process that says so next."""
        return int(self.driver.expect(what + " ").split(" ")[1])

    def stop(self):
        self.driver.process.kill()
        self.driver.process.wait()
        shutil.rmtree(self.scratch)

    def run(self, *checks):
        try:
            for check in checks:
                check()
        finally:
            self.stop()
        print("1..%d" % self.count)
        sys.exit(self.failures != 0)
