#!/usr/bin/env python3
"""dicomgw-sync and files that are there, gone, no files, or out of reach (TAP output).

    hostile_sync.py PROGRAM
"""
import os
import struct
import sys
import tempfile

from helper_channel import HELLO, TYPES, check, converse, done, frame, text

PROGRAM = sys.argv[-1]
FOLDER = tempfile.TemporaryDirectory(prefix='dicomgw-sync-')
ROOT = FOLDER.name
MINUTE = '2026/11/25/1200'


def sync(paths, root=ROOT):
    return frame('SYNC', text(root.encode()) + text(paths))


def lines(*paths):
    return ''.join(path + '\n' for path in paths).encode()


def answers(*requests, close=True):
    """Of each request the paths that failed, and why; the exit status at the end."""
    messages, status, errors = converse(PROGRAM, HELLO + b''.join(requests), close)
    if 'Sanitizer' in errors or 'runtime error' in errors or status not in (0, 1):
        return 'BROKEN ' + errors
    said = []
    for number, payload in messages:
        if number == TYPES['SYNCED']:
            length, = struct.unpack_from('=I', payload)
            said.append((payload[4:4 + length].decode().splitlines(), payload[8 + length:].decode()))
    return said + [status]


def make(path):
    full = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as file:
        file.write(b'DICM' * 1000)
    return path


def expect(name, found, expected):
    check(name, found == expected, '%r, expected %r' % (found, expected))


WELL = [], ''
here = [make('%s/%03d.dcm' % (MINUTE, n)) for n in range(300)]
there = make('2026/11/25/1201/other.dcm')
gone = MINUTE + '/gone.dcm'
nowhere = '2027/01/01/0000/gone.dcm'
os.symlink(os.path.join(ROOT, there), os.path.join(ROOT, MINUTE, 'link.dcm'))

expect('nothing to do', answers(sync(b'')), [WELL, 0])
expect('a file', answers(sync(lines(there))), [WELL, 0])
expect('more files than go into a portion', answers(sync(lines(there, *here))), [WELL, 0])
expect('a portion that is full', answers(sync(lines(*here[:128]))), [WELL, 0])
expect('one request after the other', answers(sync(lines(*here[:5])), sync(lines(there))), [WELL, WELL, 0])
expect('a file that is gone, among others', answers(sync(lines(here[0], gone, there))),
       [([gone], 'No such file or directory'), 0])
expect('files that are gone at the edge of a portion', answers(sync(lines(*here[:127], gone, nowhere, there))),
       [([gone, nowhere], 'No such file or directory'), 0])
expect('after a failure all is well again', answers(sync(lines(gone)), sync(lines(there))),
       [([gone], 'No such file or directory'), WELL, 0])
expect('a symbolic link is not followed', answers(sync(lines(MINUTE + '/link.dcm'))),
       [([MINUTE + '/link.dcm'], 'Too many levels of symbolic links'), 0])
expect('a root that is not there', answers(sync(lines(there), root=ROOT + '/no')),
       [([there], 'No such file or directory'), 0])
expect('a path that is too long', answers(sync(lines('x' * 5000))), [(['x' * 5000], 'File name too long'), 0])
expect('a path whose folder is too long', answers(sync(lines('./' * 600 + there))),
       [(['./' * 600 + there], 'File name too long'), 0])
expect('an empty path', answers(sync(b'\n')), [WELL, 0])
expect('a path without an end', answers(sync(there.encode())), [WELL, 0])
expect('a message that is cut short', answers(frame('SYNC', b'\xff' * 7), close=False), [1])
expect('a message that is not for it', answers(frame('JOB', b''), close=False), [1])
expect('no greeting', converse(PROGRAM, sync(b''))[1], 1)
done()
