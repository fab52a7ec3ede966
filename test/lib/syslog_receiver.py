#!/usr/bin/python3
"""A syslog receiver over TLS that takes nothing that RFC 5425, RFC 5424 or PS3.15 A.5 does not allow.

usage: syslog_receiver.py PORT FILE CERTIFICATE KEY CLIENT_CA [stall]

Each message becomes a line of FILE: its position in the audit log's chain of hashes, and what it
is about.  What is not allowed becomes a line that begins with ERROR.  stall: connections are taken,
and nothing is read.
"""
import base64
import re
import socket
import ssl
import sys
import threading
import xml.etree.ElementTree as ElementTree

HEAD = re.compile(
    rb'<(8[0-7])>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} dicomgw \d{1,10} DICOM\+RFC3881 - \xef\xbb\xbf', re.A)
ORDER = ['EventIdentification', 'ActiveParticipant', 'AuditSourceIdentification', 'ParticipantObjectIdentification']
LONGEST = 1000000


class Malformed(Exception):
    """What came is no audit message in syslog."""


def cut_frame(buffer):
    """The first message and what is behind it; None: it is not complete."""
    digits = re.match(rb'[0-9]*', buffer).group()
    if len(digits) > 7 or digits.startswith(b'0') or (len(digits) < len(buffer) and (
            not digits or buffer[len(digits):len(digits) + 1] != b' ')):
        raise Malformed('no MSG-LEN: %r' % buffer[:20])
    if len(digits) == len(buffer):
        return None
    length, start = int(digits), len(digits) + 1
    if length > LONGEST:
        raise Malformed('a message of %d bytes' % length)
    return None if len(buffer) < start + length else (buffer[start:start + length], buffer[start + length:])


def parse(message):
    """(position, EventID, details) of a message."""
    head = HEAD.match(message)
    if not head:
        raise Malformed('no RFC 5424 header: %r' % message[:100])
    try:
        root = ElementTree.fromstring(message[head.end():].decode('utf-8'))
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise Malformed('no XML: %s' % error) from error
    places = [ORDER.index(child.tag) for child in root if child.tag in ORDER]
    if root.tag != 'AuditMessage' or places != sorted(places) or len(places) != len(root) or set(places) != {0, 1, 2, 3}:
        raise Malformed('not the children of AuditMessage')
    details = {d.get('type'): base64.b64decode(d.get('value'), validate=True).decode()
               for d in root.iter('ParticipantObjectDetail')}
    return int(details['position']), root.find('EventIdentification/EventID').get('csd-code'), details


def read_messages(connection, take):
    """Until the sender ends the connection, which is answered."""
    buffer = b''
    while True:
        data = connection.recv(65536)
        if not data:
            break
        buffer += data
        while True:
            frame = cut_frame(buffer)
            if frame is None:
                break
            message, buffer = frame
            take(message)
    if buffer:
        raise Malformed('an end within a message')
    if isinstance(connection, ssl.SSLSocket):
        connection.unwrap()


def server_context(certificate, key, client_ca):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def main():
    port, path, certificate, key, client_ca = sys.argv[1:6]
    context = server_context(certificate, key, client_ca)
    lock = threading.Lock()
    file = open(path, 'a', encoding='utf-8')

    def say(line):
        with lock:
            file.write(line + '\n')
            file.flush()

    def take(message):
        position, event, details = parse(message)
        say('%d %s %s %s' % (position, event, details['action'], details.get('target', '')))

    def serve(raw):
        try:
            with context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False) as connection:
                read_messages(connection, take)
        except Malformed as error:
            say('ERROR %s' % error)
        except OSError:
            pass  # an outage: the sender has to come again

    listener = socket.create_server(('127.0.0.1', int(port)))
    held = []
    print('ready', flush=True)
    while True:
        raw = listener.accept()[0]
        if sys.argv[6:] == ['stall']:
            held.append(raw)
        else:
            threading.Thread(target=serve, args=(raw,), daemon=True).start()


if __name__ == '__main__':
    main()
