"""Just enough of HTTP/1.1 and STOW-RS (PS3.18) on a raw socket to misbehave with.

A test server must be able to send what no library would, so everything here is
bytes.  Used by the tests of dicomgw-stow; Python's standard library only.
"""
import json
import re

from dicom_peer import Gone

JSON, XML = 'application/dicom+json', 'application/dicom+xml'


class Request:
    def __init__(self, head, body):
        line, *fields = head.decode('latin-1').split('\r\n')
        self.method, self.target, self.version = line.split(' ')
        self.fields = {}
        for field in fields:
            name, value = field.split(':', 1)
            self.fields[name.lower()] = value.strip()
        self.body = body

    @property
    def boundary(self):
        return re.search(r'boundary=(\S+)', self.fields['content-type']).group(1)

    @property
    def parts(self):
        """(header, bytes) of each part, strictly as RFC 2046 has it."""
        delimiter = b'--' + self.boundary.encode()
        pieces = (b'\r\n' + self.body).split(b'\r\n' + delimiter)
        assert pieces[0] == b'' and pieces[-1] == b'--\r\n', 'not a multipart body'
        parts = []
        for piece in pieces[1:-1]:
            head, separator, data = piece.partition(b'\r\n\r\n')
            assert separator and head.startswith(b'\r\n'), 'not a part'
            parts.append((head[2:].decode(), data))
        return parts

    @property
    def uids(self):
        """Of the parts: the test's objects have it in the dataset."""
        return [re.search(rb'UID=([^;]*);', data).group(1).decode() for _, data in self.parts]


class HttpConnection:
    """The server's side of one connection."""

    def __init__(self, sock, log):
        self.sock = sock
        self.log = log
        self.buffer = b''

    def receive(self):
        data = self.sock.recv(1 << 20)
        if not data:
            raise Gone()
        return data

    def read_head(self):
        while b'\r\n\r\n' not in self.buffer:
            self.buffer += self.receive()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        return head

    def read_request(self, limit=None):
        """One whole request, or of its body only the first so many bytes."""
        head = self.read_head()
        request = Request(head, b'')
        if 'expect' in request.fields:
            self.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        length = int(request.fields.get('content-length', 0))
        wanted = length if limit is None else min(limit, length)
        pieces, got = [self.buffer], len(self.buffer)
        while got < wanted:
            pieces.append(self.receive())
            got += len(pieces[-1])
        body = b''.join(pieces)
        request.body, self.buffer = body[:wanted], body[wanted:]
        self.log.append('%s %d' % (request.method, len(request.parts))
                        if request.method == 'POST' and wanted == length else request.method)
        return request

    def send(self, data):
        self.sock.sendall(data)

    def respond(self, status=200, body=b'', kind=JSON, **fields):
        if isinstance(body, str):
            body = body.encode()
        lines = ['HTTP/1.1 %d Words' % status, 'Content-Length: %d' % len(body)]
        if kind:
            lines.append('Content-Type: ' + kind)
        lines += ['%s: %s' % (name.replace('_', '-'), value) for name, value in fields.items()]
        self.send('\r\n'.join(lines).encode() + b'\r\n\r\n' + body)

    def await_end(self):
        while self.sock.recv(1 << 20):
            pass


def item(uid, reason_tag=None, reason=None):
    attributes = {'00081150': {'vr': 'UI', 'Value': ['1.2.840.10008.5.1.4.1.1.2']}}
    if uid is not None:
        attributes['00081155'] = {'vr': 'UI', 'Value': [uid]}
    if reason is not None:
        attributes[reason_tag] = {'vr': 'US', 'Value': [reason]}
    return attributes


def dataset(stored=(), failed=(), other=()):
    """What a server says: UIDs, or pairs of a UID and a reason; other: reasons."""
    def pair(entry):
        return entry if isinstance(entry, tuple) else (entry, None)
    sequences = {
        '00081198': [item(uid, '00081197', reason) for uid, reason in map(pair, failed)],
        '00081199': [item(uid, '00081196', reason) for uid, reason in map(pair, stored)],
        '0008119A': [item(None, '00081197', reason) for reason in other]}
    return {tag: {'vr': 'SQ', 'Value': items} for tag, items in sequences.items() if items}


def as_json(answer):
    return json.dumps(answer)


def as_xml(answer):
    def attribute(tag, content):
        values = ''.join(
            '<Item number="%d">%s</Item>' % (n, attributes(value)) if isinstance(value, dict)
            else '<Value number="%d">%s</Value>' % (n, value)
            for n, value in enumerate(content.get('Value', []), 1))
        return '<DicomAttribute tag="%s" vr="%s">%s</DicomAttribute>' % (tag, content['vr'], values)

    def attributes(answer):
        return '\n'.join(attribute(tag, content) for tag, content in answer.items())
    return ('<?xml version="1.0" encoding="utf-8"?>\n<NativeDicomModel '
            'xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">%s</NativeDicomModel>'
            % attributes(answer))


def serving(answer=None, **fields):
    """Answer every request with answer(request): status, body, and fields."""
    def behave(connection):
        while True:
            request = connection.read_request()
            if answer is None:
                connection.respond(200, as_json(dataset(stored=request.uids)), **fields)
            else:
                status, body, *rest = answer(request)
                connection.respond(status, body, **(rest[0] if rest else {}), **fields)
    return behave


def always(status, body=b'', **fields):
    return serving(lambda request: (status, body, fields))
