"""The worker's side of a helper program's channel, and TAP; numbers are those of message.h."""
import os
import re
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, '..', '..', 'src', 'protocol', 'message.h'), encoding='utf-8') as header:
    TEXT = header.read()
TYPES = {name: n + 1 for n, name in enumerate(
    re.findall(r'DGW_MSG_([A-Z_]+)', re.search(r'typedef enum DgwMessageType\s*\{(.*?)\}', TEXT, re.S).group(1)))}
VERSION = int(re.search(r'DGW_PROTOCOL_VERSION (\d+)', TEXT).group(1))
state = {'run': 0, 'failed': 0}


def check(name, good, detail=''):
    state['run'] += 1
    print('%sok %d - %s' % ('' if good else 'not ', state['run'], name), flush=True)
    if not good:
        state['failed'] += 1
        print('# ' + str(detail).replace('\n', '\n# '))


def done():
    print('1..%d' % state['run'])
    sys.exit(1 if state['failed'] else 0)


def text(value):
    return struct.pack('=I', len(value)) + value


def frame(name, payload):
    return struct.pack('=IHH', len(payload), TYPES[name], 0) + payload


HELLO = frame('HELLO', struct.pack('=I', VERSION) + text(b'test'))


def converse(program, told, close=True):
    """Tell it all of this, and perhaps that nothing more will come: what it says (type and
    payload), the status it exits with, and what it writes to stderr."""
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200 * 1024)
    # the descriptor is 3 in the program, whatever it is here
    process = subprocess.Popen(['/bin/sh', '-c', 'exec "$0" 3<&0 </dev/null', program], stdin=theirs,
                               stderr=subprocess.PIPE)
    theirs.close()
    heard = b''
    try:
        ours.sendall(told)
        if close:
            ours.shutdown(socket.SHUT_WR)
        while True:
            data = ours.recv(65536)
            if not data:
                break
            heard += data
    except (BrokenPipeError, ConnectionResetError):
        pass
    ours.close()
    errors = process.communicate()[1].decode(errors='replace')
    messages = []
    while heard:
        length, number, _ = struct.unpack_from('=IHH', heard)
        messages.append((number, heard[8:8 + length]))
        heard = heard[8 + length:]
    return messages, process.returncode, errors
