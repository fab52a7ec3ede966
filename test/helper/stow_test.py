"""What the tests of dicomgw-stow have in common: TAP, stored objects, the program.

    hostile_stow*.py DRIVER PROGRAM

A test runs the program against a scripted server, with a script for the driver, and
says what the driver must have heard in the end.
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
from http_peer import HttpConnection

DRIVER, PROGRAM = sys.argv[1:3]
STORE = tempfile.TemporaryDirectory(prefix='dicomgw-stow-')
EXPLICIT = '1.2.840.10008.1.2.1'
RESPONSE, FILE_MISSING, FILE_DAMAGED, REFUSED, DEFERRED = '1', '3', '4', '6', '7'
CONNECT, REJECTED, ABORTED, TIMEOUT, PROTOCOL = '1', '2', '3', '4', '5'

# A sanitizer makes everything slower, but not by more than this.
PATIENCE = float(os.environ.get('STOW_TEST_PATIENCE', '5'))

ASSOCIATED = 'ASSOCIATED\t1\t1\t'
END = 'EXIT\t0'

# The driver's, for settings of a destination.
OPTION = {'username': '-U', 'password': '-P', 'bearer_token': '-B', 'proxy': '-p', 'tls': '-t', 'tls_ca': '-A',
          'tls_certificate': '-C', 'tls_key': '-K', 'tls_server_name': '-N'}

state = {'run': 0, 'failed': 0, 'job': 0}


def check(name, good, detail=''):
    state['run'] += 1
    print('%sok %d - %s' % ('' if good else 'not ', state['run'], name), flush=True)
    if not good:
        state['failed'] += 1
        for line in str(detail).splitlines():
            print('# ' + line)


def done():
    print('1..%d' % state['run'])
    sys.exit(1 if state['failed'] else 0)


def run_all(names):
    for test in [value for name, value in list(names.items()) if name.startswith('test_')]:
        test()
    done()


def stored_file(data):
    """The bytes of a stored file with this dataset."""
    meta = b'\x02\0\x10\0UI' + struct.pack('<H', len(EXPLICIT) + 1) + EXPLICIT.encode() + b'\0'
    return bytes(128) + b'DICM\x02\0\0\0UL\x04\0' + struct.pack('<I', len(meta)) + meta + data


def job(data=b'', uid=None, said_uid=None, write=True, path=None, size=None, damage=False):
    """A line for the driver, and the stored object it speaks of.

    Its UID is 1.2.3.N unless the test says otherwise; said_uid is what the dataset has.
    """
    state['job'] += 1
    number = state['job']
    uid = '1.2.3.%d' % number if uid is None else uid
    data = b'UID=' + (said_uid or uid).encode() + b';' + data
    data += b' ' * (len(data) % 2)
    name = 'object%d.dcm' % number
    content = bytearray(stored_file(data))
    if damage:
        content[-1] ^= 1
    if write:
        with open(os.path.join(STORE.name, name), 'wb') as file:
            file.write(content)
    return '\t'.join([path or name, '1.2.840.10008.5.1.4.1.1.2', uid, EXPLICIT,
                      str(len(data) if size is None else size), hashlib.sha256(data).hexdigest()])


def uid_of(line):
    return line.split('\t')[2]


def content_of(line):
    with open(os.path.join(STORE.name, line.split('\t')[0]), 'rb') as file:
        return file.read()


def drive(url, script, *options, **settings):
    """What the driver heard, HELLO left out; settings are those of the destination."""
    told = ['-u', url] + [word for name, value in settings.items() for word in (OPTION[name], str(value))]
    start = time.monotonic()
    finished = subprocess.run([DRIVER, '-b', '20', *options, *told, PROGRAM, '', '0', STORE.name],
                              input='\n'.join(script) + '\n', capture_output=True, text=True, timeout=120)
    drive.output = finished.stdout + finished.stderr
    drive.seconds = time.monotonic() - start
    return [line for line in finished.stdout.splitlines() if not line.startswith('HELLO')]


def run(name, behaviours, script, expected, *options, quick=None, seen=None, slow=None, **settings):
    """expected: a pattern for each line; seen: the server's log; quick and slow: seconds."""
    peer = Peer(*behaviours, speak=HttpConnection)
    try:
        heard = drive('http://127.0.0.1:%d/dicom-web' % peer.port, script, *options, **settings)
    finally:
        peer.close()
    compare(name, heard, expected, peer, quick, seen)
    return peer


def compare(name, heard, expected, peer=None, quick=None, seen=None):
    good = len(heard) == len(expected) and all(
        re.match(pattern, line) for pattern, line in zip(expected, heard))
    if peer is not None:
        good = good and not peer.errors and (
            seen is None or [line for line in peer.log if line != 'gone'] == seen)
    if quick is not None:
        good = good and drive.seconds < quick
    check(name, good, '%s\nexpected %s\nserver saw %s %s\n%.1f s' % (
        drive.output, expected, peer and peer.log, peer and peer.errors, drive.seconds))


def result(number, outcome=RESPONSE, status='0000', comment=''):
    return 'RESULT\t%d\t%s\t%s\t%s' % (number, outcome, status, comment)


def failed(kind, during=0, message=''):
    return 'FAILED\t%s\t%s\t0,0,0\t.*%s' % (kind, during, message)


def answering(answer):
    """Read one request, then do this with the connection instead of responding."""
    def behave(connection):
        connection.read_request()
        answer(connection)
        connection.await_end()
    return behave
