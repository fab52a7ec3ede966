"""What the tests of dicomgw-scu have in common: TAP, the driver, stored objects, peers.

A test calls run() or compare() any number of times and run_tests() in the end.  The
command line is that of every test: DRIVER (scu_driver) and PROGRAM (dicomgw-scu).
"""
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

from dicom_peer import Peer

DRIVER, PROGRAM = sys.argv[1:3]
STORE = tempfile.TemporaryDirectory(prefix='dicomgw-scu-')
CT, MR = '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.4'
IMPLICIT, EXPLICIT = '1.2.840.10008.1.2', '1.2.840.10008.1.2.1'
RESPONSE, NO_CONTEXT, FILE_MISSING, FILE_DAMAGED, NO_CONVERSION = '1', '2', '3', '4', '5'
CONNECT, REJECTED, ABORTED, TIMEOUT, PROTOCOL = '1', '2', '3', '4', '5'

# A sanitizer or valgrind makes everything slower, but not by more than this.
PATIENCE = float(os.environ.get('SCU_TEST_PATIENCE', '4'))

tests_run = 0
failures = 0

# DCMTK 3.6.7 loses a list of an A-ASSOCIATE-AC that it cannot parse; the program ends anyway.
with open(os.path.join(STORE.name, 'leaks'), 'w') as suppressions:
    suppressions.write('leak:LST_Create\n')
os.environ.setdefault('LSAN_OPTIONS', 'print_suppressions=0:suppressions=' + suppressions.name)


def check(name, good, detail=''):
    global tests_run, failures
    tests_run += 1
    print('%sok %d - %s' % ('' if good else 'not ', tests_run, name), flush=True)
    if not good:
        failures += 1
        for line in str(detail).splitlines():
            print('# ' + line)


def job(data=b'\x08\0\x05\0\x0a\0\0\0ISO_IR 100', sop_class=CT, transfer_syntax=IMPLICIT,
        name=None, write=True, path=None, size=None, damage=False):
    """A line for the driver, and the stored object it speaks of."""
    job.number += 1
    name = name or 'object%d.dcm' % job.number
    if write:
        meta = b'\x02\0\x10\0UI' + struct.pack('<H', len(IMPLICIT) + 1) + IMPLICIT.encode() + b'\0'
        head = bytes(128) + b'DICM\x02\0\0\0UL\x04\0' + struct.pack('<I', len(meta)) + meta
        stored = bytearray(data)
        if damage:
            stored[-1] ^= 1
        with open(os.path.join(STORE.name, name), 'wb') as file:
            file.write(head + stored)
    return '\t'.join([path or name, sop_class, '1.2.3.%d' % job.number, transfer_syntax,
                      str(len(data) if size is None else size), hashlib.sha256(data).hexdigest()])


job.number = 0


def drive(port, script, *options, host='127.0.0.1'):
    start = time.monotonic()
    done = subprocess.run([DRIVER, *options, PROGRAM, host, str(port), STORE.name],
                          input='\n'.join(script) + '\n', capture_output=True, text=True,
                          timeout=120)
    heard = [line.split('\t') for line in done.stdout.splitlines()]
    drive.output = done.stdout + done.stderr
    drive.seconds = time.monotonic() - start
    return heard


def run(name, behaviours, script, expected, *options, quick=None, seen=None, host=None, **how):
    """expected: a pattern for each line but HELLO; seen: patterns for the peer's log."""
    peer = Peer(*behaviours, **how)
    if host is None:
        host = '::1' if 'family' in how else '127.0.0.1'
    heard = drive(peer.port, script, *options, host=host)
    peer.close()
    compare(name, heard, expected, peer, quick, seen)


def compare(name, heard, expected, peer=None, quick=None, seen=None):
    lines = ['\t'.join(fields) for fields in heard if fields[0] != 'HELLO']
    good = len(lines) == len(expected) and all(
        re.match(pattern, line) for pattern, line in zip(expected, lines))
    if peer is not None:
        good = good and not peer.errors
        if seen is not None:
            good = good and peer.log == seen
    if quick is not None:
        good = good and drive.seconds < quick
    check(name, good, '%s\nexpected %s\npeer saw %s %s\n%.1f s' % (
        drive.output, expected, peer and peer.log, peer and peer.errors, drive.seconds))


OPEN = 'ASSOCIATED\t'
END = 'EXIT\t0'


def result(number, outcome=RESPONSE, status='0000', comment=''):
    return 'RESULT\t%d\t%s\t%s\t%s' % (number, outcome, status, comment)


def failed(kind, during=0, message='', rejection='0,0,0'):
    return 'FAILED\t%s\t%d\t%s\t.*%s' % (kind, during, rejection, message)


def good(association):
    association.accept()
    association.serve()


def answering(**fields):
    def behave(association):
        association.accept()
        association.serve(**fields)
    return behave


def saying(data):
    """Answer the association request with these bytes."""
    def behave(association):
        association.read_request()
        association.send(data)
        association.await_end()
    return behave


def after_request(action):
    """Accept, read one C-STORE-RQ, then do this instead of responding."""
    def behave(association):
        association.accept()
        association.read_message()
        action(association)
        association.await_end()
    return behave


def drip(data, pause=0.2):
    def behave(association):
        for byte in data(association):
            association.send(bytes([byte]))
            time.sleep(pause)
    return behave


def run_tests(tests):
    """All functions in this namespace that are called test_something, and the end of the program."""
    for test in [value for name, value in list(tests.items()) if name.startswith('test_')]:
        test()
    print('1..%d' % tests_run)
    sys.exit(1 if failures else 0)
