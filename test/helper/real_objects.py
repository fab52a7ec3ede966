"""The real objects that come with python3-pydicom, as far as byte comparison needs them."""
import os
import struct

import pydicom.data

LONG_VRS = (b'OB', b'OW', b'UN', b'UT', b'SQ')


class RealObject:
    """A Part 10 file: its name, what its file meta group says, and the bytes of its dataset."""

    def __init__(self, path, content):
        self.path = path
        self.name = os.path.basename(path)
        meta, at = read_meta(content)
        self.sop_class = meta.get(0x0002, '')
        self.transfer_syntax = meta.get(0x0010, '')
        self.dataset = content[at:] + bytes(len(content[at:]) % 2)


def read_meta(content):
    """Values of group 0002 by element number, and where the dataset begins."""
    values, at = {}, 132
    while at + 8 <= len(content):
        group, number, vr, length = struct.unpack_from('<HH2sH', content, at)
        head = 8
        if group != 2:
            break
        if vr in LONG_VRS:
            length, = struct.unpack_from('<I', content, at + 8)
            head = 12
        values[number] = content[at + head:at + head + length].rstrip(b'\0 ').decode('latin-1')
        at += head + length
    return values, at


def real_objects():
    found = []
    base = os.path.dirname(pydicom.data.__file__)
    for folder in ('test_files', 'charset_files'):
        for where, _, names in os.walk(os.path.join(base, folder)):
            for name in names:
                with open(os.path.join(where, name), 'rb') as file:
                    content = file.read()
                if content[128:132] == b'DICM':
                    found.append(RealObject(os.path.join(where, name), content))
    return sorted((o for o in found if o.sop_class and o.transfer_syntax and o.dataset),
                  key=lambda o: o.path)


def part10(transfer_syntax, dataset):
    """As a file that DCMTK's programs read."""
    uid = transfer_syntax.encode() + bytes(len(transfer_syntax) % 2)
    meta = struct.pack('<HH2sHIH', 2, 1, b'OB', 0, 2, 0x0100)
    meta += struct.pack('<HH2sH', 2, 0x0010, b'UI', len(uid)) + uid
    return bytes(128) + b'DICM' + struct.pack('<HH2sHI', 2, 0, b'UL', 4, len(meta)) + meta + dataset
