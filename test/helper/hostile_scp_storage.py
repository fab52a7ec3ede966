#!/usr/bin/python3
"""dicomgw-scp when it cannot keep what comes, or should not (TAP output).

usage: hostile_scp_storage.py scp_driver dicomgw-scp

Full file systems, mirrors that are gone, objects that are too large or not
what their command says: each object is refused with the right words, nothing
of it is left in either place, and the association goes on.

DGW_SMALL_FS and DGW_SMALL_FS_2 name empty file systems of some 64 MB; without
them, what needs them is skipped.
"""

import contextlib
import itertools
import os
import resource
import shutil
import struct
import sys
import tempfile
import time

from dicom_wire import *

MIB = 1024 * 1024
RELEASED = 1
PROCESSING_FAILURE, OUT_OF_RESOURCES, MISMATCH = 0x0110, 0xA700, 0xA900

count = 0
failures = 0


def ok(passed, name):
    global count, failures
    count += 1
    failures += not passed
    print("%s %d - %s" % ("ok" if passed else "not ok", count, name), flush=True)


def equal(got, expected, name):
    ok(got == expected, name)
    if got != expected:
        print("# got %r, expected %r" % (got, expected), flush=True)


def skip(name, why):
    global count
    count += 1
    print("ok %d # skip %s: %s" % (count, name, why), flush=True)


def data_set(sop_class=CT_IMAGE, sop_instance="1.2.3", size=0):
    """size: of the pixel data"""
    elements = [(0x0008, 0x0005, b"CS", b"ISO_IR 100")]
    if sop_class is not None:
        elements.append((0x0008, 0x0016, b"UI", sop_class.encode()))
    if sop_instance is not None:
        elements.append((0x0008, 0x0018, b"UI", sop_instance.encode()))
    data = b"".join(struct.pack("<HH2sH", g, e, vr, len(v) + len(v) % 2) + v + bytes(len(v) % 2)
                    for g, e, vr, v in elements)
    if size:
        data += struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", size) + bytes(size)
    return data


class Sender(Peer):
    """An association, and what the receiver hears of its objects."""

    def __init__(self, port):
        super().__init__(port, timeout=60)
        self.accepted = self.associate()
        self.pid = int(driver.expect("opened").split(" ")[1])

    def __exit__(self, *unused):
        self.release()
        self.sock.close()
        equal(driver.expect("closed %d" % self.pid).split(" ")[2], str(RELEASED), "and is released")

    def keep(self, data, **options):
        """Store an object that must be kept: its path, whether it is mirrored, what is said of
        its header."""
        answer = self.store(data, **options)
        if answer != (0, ""):
            print("# answered %r" % (answer,), flush=True)
            return None, False, ""
        field = driver.expect("received %d" % self.pid).split(" ", 10)
        return field[3], field[9] == "1", field[10]


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def used(path):
    fs = os.statvfs(path)
    return (fs.f_blocks - fs.f_bfree) * fs.f_frsize


def logged(text):
    """How often something was logged so far."""
    return sum(line.startswith("log") and text in line for line in driver.lines)


def is_empty(path):
    return files_below(path) == []


def new_places(storage_at=None, mirror_at=None, needed=1):
    """Two fresh folders; where to find them, below the scratch folder unless told otherwise."""
    storage = tempfile.mkdtemp(prefix="storage.", dir=storage_at or scratch)
    mirror = tempfile.mkdtemp(prefix="mirror.", dir=mirror_at or scratch)
    driver.set(storage=storage, mirror=mirror, mirror_needed=needed)
    return storage, mirror


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def check_mirror_copies():
    storage, mirror = new_places()
    data = data_set(size=MIB)
    with Sender(port) as sender:
        path, mirrored, _ = sender.keep(data)
        ok(mirrored, "the copy at the mirror is reported")
        ok(read(storage, path).endswith(data), "the object is in the storage folder")
        equal(read(mirror, path), read(storage, path), "and the same bytes are at the mirror")
        driver.set(answer="0110")
        equal(sender.store(data), (PROCESSING_FAILURE, "by the driver"), "refused by the receiver")
        driver.set(answer="0000")
        equal(sender.store(data)[0], 0, "success, because the object is there already")
        driver.set(answer="commit")
        equal((len(files_below(storage)), len(files_below(mirror))), (1, 1),
              "of both nothing is left in either place")
    vanishes = Sender(port)
    vanishes.send_command(store_rq())
    vanishes.send_data(data, last=False)
    vanishes.sock.close()
    driver.expect("closed %d" % vanishes.pid)
    with Sender(port) as sender:
        sender.keep(data)
        equal((len(files_below(storage)), len(files_below(mirror))), (2, 2),
              "nor of an object that never ended")


def check_mirror_gone():
    storage, mirror = new_places(needed=1)
    os.rmdir(mirror)
    with Sender(port) as sender:
        for _ in range(3):
            equal(sender.store(data_set()),
                  (PROCESSING_FAILURE, "could not store the object at the mirror"),
                  "the mirror is needed and not there: refused")
        ok(is_empty(storage) and not os.path.exists(mirror), "nothing is left, nor made")
    driver.set(mirror_needed=0)
    with Sender(port) as sender:
        for _ in range(3):
            path, mirrored, _ = sender.keep(data_set())
            ok(path is not None and not mirrored, "the mirror is not needed: kept without it")
        ok(not os.path.exists(mirror), "the mirror's folder is not made")
        os.mkdir(mirror)
        started = time.monotonic()
        ok(wait_until(lambda: sender.keep(data_set())[1]), "the mirror is back: used again")
        ok(time.monotonic() - started > 5, "after a pause, so that not every object has to wait")
    equal(len(files_below(mirror)), 1, "the copy is there")
    equal(logged("could not write to the mirror: No such file"), 2, "logged once an association")
    shutil.rmtree(os.path.join(mirror, os.listdir(mirror)[0]))
    before = len(files_below(storage))
    os.chmod(mirror, 0o500)
    driver.set(mirror_needed=1)
    if os.access(mirror, os.W_OK):
        skip("the mirror may not be written to", "root may write everywhere")
    else:
        with Sender(port) as sender:
            equal(sender.store(data_set())[0], PROCESSING_FAILURE, "the mirror may not be written to")
            equal(len(files_below(storage)), before, "nothing is left in the storage folder")
    os.chmod(mirror, 0o700)


def check_gate():
    storage, mirror = new_places()
    closed = (OUT_OF_RESOURCES, "storage is 95 % full")
    with Sender(port) as sender:
        sender.send_command(store_rq())
        sender.send_data(data_set(size=MIB)[:-10], last=False)
        # The object is under way once it has a file.
        ok(wait_until(lambda: holds_file_below(sender.pid, storage)), "an object is under way")
        driver.process.stdin.write("full %s\n" % closed[1])
        driver.process.stdin.flush()
        with Sender(port) as other:
            ok(wait_until(lambda: other.store(data_set()) == closed), "the gate is closed")
            equal(other.store(data_set(size=MIB)), closed, "a large object is refused as well")
        sender.send_data(bytes(10))
        equal(sender.response(), (0, ""), "the object under way is finished")
        equal(sender.store(data_set()), closed, "the next one is refused")
        with Peer(port) as peer:
            peer.associate([(1, VERIFICATION, [IMPLICIT_LE])])
            peer.send_command(echo_rq())
            equal(peer.response(), (0, ""), "C-ECHO is answered meanwhile")
            peer.release()
        equal(len(files_below(storage)), 1, "nothing is left of what was refused")
        driver.process.stdin.write("room\n")
        driver.process.stdin.flush()
        ok(wait_until(lambda: sender.store(data_set()) == (0, "")), "the gate is open again")
        driver.expect("received %d" % sender.pid)


def holds_file_below(pid, path):
    """The process has a file in there open."""
    try:
        fds = os.listdir("/proc/%d/fd" % pid)
        return any(os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith(path + "/") for fd in fds)
    except OSError:
        return False


def check_size_limit():
    storage, mirror = new_places()
    fits = data_set(size=100000)
    refused = (OUT_OF_RESOURCES, "data set is longer than the limit of %d bytes" % len(fits))
    driver.set(max_object_size=len(fits))
    with Sender(port) as sender:
        ok(sender.keep(fits)[0] is not None, "an object as large as the limit")
        equal(sender.store(fits + b"\0\0"), refused, "one that is larger is refused")
        sender.send_command(store_rq())
        sender.send_data(fits + bytes(MIB), last=False)
        ok(wait_until(lambda: not holds_file_below(sender.pid, storage) and
                      not holds_file_below(sender.pid, mirror)), "and dropped before it ends")
        sender.send_data(bytes(2))
        equal(sender.response(), refused, "and answered when it ends")
        ok(sender.keep(fits)[0] is not None, "the next one is kept")
        equal((len(files_below(storage)), len(files_below(mirror))), (2, 2), "nothing else is left")
    driver.set(max_object_size=0)


def check_mismatch():
    storage, mirror = new_places()
    private = "1.2.826.0.1.3680043.9.7433.1.2"
    cases = [
        ("SOP Instance UID differs from the data set's", data_set(sop_instance="1.2.4")),
        ("SOP Class UID differs from the data set's", data_set(sop_class=private)),
        ("SOP Class and Instance UID differ from the data set's",
         data_set(sop_class=private, sop_instance="1.2.4")),
    ]
    same = [
        ("with padding", data_set(sop_instance="1.2.3 \0\0 ")),
        ("without SOP Class UID", data_set(sop_class=None)),
        ("without SOP Instance UID", data_set(sop_instance=None)),
        ("with empty UIDs", data_set(sop_class="", sop_instance="")),
        ("with something that is no UID", data_set(sop_instance="M\u00fcller")),
        ("that cannot be read", os.urandom(1000)),
        ("with another UID in a sequence", data_set() + struct.pack(
            "<HH2sxxIHHI", 0x0008, 0x1115, b"SQ", 22, 0xFFFE, 0xE000, 14) +
            struct.pack("<HH2sH", 0x0008, 0x0018, b"UI", 6) + b"9.9.9\0"),
        ("with a second one", data_set() + data_set(sop_instance="9.9.9")),
    ]
    with Sender(port) as sender:
        for comment, data in cases:
            equal(sender.store(data), (MISMATCH, comment), "refused: " + comment)
        ok(is_empty(storage) and is_empty(mirror), "nothing of them is left")
        for name, data in same:
            _, mirrored, error = sender.keep(data)
            ok(mirrored and "data set's" not in error, "kept: a data set " + name)
    driver.set(keep_mismatch=1)
    with Sender(port) as sender:
        for comment, data in cases:
            equal(sender.keep(data)[2], comment, "stored and flagged: " + comment)
        error = sender.keep(cases[0][1] + b"\x10\x00")[2]
        ok(error.endswith("; " + cases[0][0]), "beside what else is wrong with it: " + error)
    driver.set(keep_mismatch=0)


def check_file_too_large():
    """Not a full disk but a limit of the process: EFBIG, and SIGXFSZ if nobody minds."""
    storage, mirror = new_places()
    with Sender(port) as sender:
        resource.prlimit(sender.pid, resource.RLIMIT_FSIZE, (MIB, MIB))
        equal(sender.store(data_set(size=3 * MIB))[0], OUT_OF_RESOURCES, "a file that is too large")
        ok(is_empty(storage) and is_empty(mirror), "is not left")
        ok(sender.keep(data_set())[0] is not None, "and the next one is kept")


def fill_up(path):
    """A file that takes all the room there is."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for size in (MIB, 4096):
            with contextlib.suppress(OSError):
                while os.write(fd, bytes(size)) > 0:
                    pass
    finally:
        os.close(fd)


def check_full_disk():
    for variant in ("alone", "with a mirror"):
        storage, mirror = new_places(storage_at=small_fs)
        if variant == "alone":
            driver.set(mirror="")
        before = used(small_fs)
        with Sender(port) as sender:
            equal(sender.store(data_set(size=80 * MIB)), (OUT_OF_RESOURCES, "storage is full"),
                  "the storage is full in the middle of an object, " + variant)
            equal(used(small_fs), before, "not a byte of it is left")
            ok(is_empty(storage) and is_empty(mirror), "nor a name")
            path, mirrored, _ = sender.keep(data_set(size=MIB))
            ok(path is not None and mirrored == (variant != "alone"), "a smaller one is kept")
            fill_up(os.path.join(small_fs, "filler"))
            equal(sender.store(data_set())[0], OUT_OF_RESOURCES, "not a block is free")
            os.unlink(os.path.join(small_fs, "filler"))
            ok(sender.keep(data_set())[0] is not None, "there is room again")
            equal(len(files_below(storage)), 2, "only what was acknowledged is there")
        shutil.rmtree(storage)


def use_up_inodes(folder):
    """Empty files in there, as many as the file system takes; returns all of them."""
    with contextlib.suppress(OSError):
        for number in itertools.count(len(os.listdir(folder))):
            os.close(os.open(os.path.join(folder, str(number)), os.O_CREAT | os.O_WRONLY))
    return sorted(files_below(folder))


def check_no_inodes():
    """Full of files: what fails is making a folder, or the file itself."""
    roots = [tempfile.mkdtemp(prefix="storage.", dir=small_fs) for _ in range(6)]
    ballast = tempfile.mkdtemp(prefix="ballast.", dir=small_fs)
    statuses = []
    for free, storage in enumerate(roots):
        for name in use_up_inodes(ballast)[:free]:
            os.unlink(name)
        driver.set(storage=storage, mirror="")
        with Sender(port) as sender:
            statuses.append(sender.store(data_set())[0])
    # Year, month, day, minute, and the object.
    equal(statuses, [OUT_OF_RESOURCES] * 5 + [0], "refused until there is room for folders and file")
    equal([len(files_below(storage)) for storage in roots], [0] * 5 + [1], "nothing is left")
    for folder in roots + [ballast]:
        shutil.rmtree(folder)


def check_full_mirror():
    storage, mirror = new_places(mirror_at=small_fs, needed=1)
    with Sender(port) as sender:
        before = used(small_fs)
        equal(sender.store(data_set(size=80 * MIB)), (OUT_OF_RESOURCES, "the mirror is full"),
              "the mirror is full in the middle of an object")
        equal(used(small_fs), before, "not a byte of it is left there")
        ok(is_empty(storage) and is_empty(mirror), "nor a name in either place")
    driver.set(mirror_needed=0)
    with Sender(port) as sender:
        path, mirrored, _ = sender.keep(data_set(size=80 * MIB))
        ok(path is not None and not mirrored, "not needed: the object is kept without it")
        equal(used(small_fs), before, "not a byte is left at the mirror")
        ok(is_empty(mirror), "nor a name")
    with Sender(port) as sender:
        ok(sender.keep(data_set(size=MIB))[1], "a smaller one is mirrored")


scratch = tempfile.mkdtemp(prefix="hostile_scp_storage.")
small_fs = os.environ.get("DGW_SMALL_FS")
port = free_port()
driver = Driver(sys.argv[1], sys.argv[2], port=port, storage=scratch)
try:
    for check in (check_mirror_copies, check_mirror_gone, check_gate, check_size_limit,
                  check_mismatch, check_file_too_large):
        check()
    for check in (check_full_disk, check_no_inodes, check_full_mirror):
        if small_fs:
            check()
        else:
            skip(check.__name__, "no small file system could be mounted")
    equal(driver.quit(), 0, "the program ends in order")
finally:
    driver.process.kill()
    shutil.rmtree(scratch)
print("1..%d" % count)
sys.exit(failures != 0)
