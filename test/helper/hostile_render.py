#!/usr/bin/python3
"""dicomgw-render: pictures are right, and no object brings it down (TAP).

    hostile_render.py DRIVER PROGRAM

What is uncompressed is drawn here as well, from PS3.3 C.11.2.1.2; of what is compressed
DCMTK's own dcmj2pnm draws another picture.  Then come objects that are damaged, or lie.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib

from real_objects import read_meta, real_objects

DRIVER, PROGRAM = sys.argv[1:3]
SCRATCH = tempfile.TemporaryDirectory(prefix='dicomgw-render-')
IMPLICIT, EXPLICIT, BIG_ENDIAN = '1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'
DEFLATED, RLE, JPEG = '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.5', '1.2.840.10008.1.2.4.50'
DONE, NO_FRAME, CANNOT = '1', '2', '3'
OBJECTS = {o.name: o for o in real_objects()}
state = {'run': 0, 'failed': 0}

# The program may not start the threads that look for leaks; it lives for one picture.
os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
os.environ.setdefault('DCMDICTPATH', '/usr/share/libdcmtk17/dicom.dic:/usr/share/libdcmtk17/private.dic')


def check(name, good, detail=''):
    state['run'] += 1
    print('%sok %d - %s' % ('' if good else 'not ', state['run'], name), flush=True)
    if not good:
        state['failed'] += 1
        for line in str(detail).splitlines()[:40]:
            print('# ' + line)


class Answer:
    def __init__(self, line, picture):
        fields = line.split('\t')
        self.line, self.outcome, self.end = line, fields[0], fields[-1]
        self.why = fields[1] if len(fields) > 2 else ''
        self.fields = fields
        self.png = None
        if os.path.exists(picture):
            with open(picture, 'rb') as file:
                self.png = file.read()
            os.unlink(picture)

    @property
    def sound(self):
        """It has ended by itself, with a picture or with words, and confined."""
        return (self.end == 'exit 0' and self.outcome in (DONE, NO_FRAME, CANNOT) and self.fields[-2] == '2' and
                (self.outcome == DONE) == (self.png is not None) == (self.why == ''))


def ask(*requests):
    """Each: (file, offset, transfer syntax, frame, width, height, window)."""
    names = [os.path.join(SCRATCH.name, 'out%d' % n) for n in range(len(requests))]
    script = ''.join('\t'.join(['1', *map(str, request), name]) + '\n' for request, name in zip(requests, names))
    finished = subprocess.run([DRIVER, PROGRAM], input=script, capture_output=True, text=True)
    lines = finished.stdout.splitlines()
    if len(lines) != len(requests):
        raise RuntimeError('driver: %s' % finished.stderr)
    ask.stderr = finished.stderr
    return [Answer(line, name) for line, name in zip(lines, names)]


def written(dataset, number=0):
    path = os.path.join(SCRATCH.name, 'object%d' % number)
    with open(path, 'wb') as file:
        file.write(dataset)
    return path


def draw(dataset, syntax=EXPLICIT, frame=1, width=0, height=0, window='-'):
    return ask((written(dataset), 0, syntax, frame, width, height, window))[0]


def draw_object(o, **how):
    return draw(o.dataset, o.transfer_syntax, **how)


def pixels_of(png):
    """Width, height, samples, and the bytes of the picture."""
    at, data = 8, b''
    while at < len(png):
        length, kind = struct.unpack_from('>I4s', png, at)
        content = png[at + 8:at + 8 + length]
        if kind == b'IHDR':
            width, height, _, colour = struct.unpack_from('>IIBB', content)
        if kind == b'IDAT':
            data += content
        at += 12 + length
    samples = {0: 1, 2: 3}[colour]
    rows, stride, above, result = zlib.decompress(data), width * samples, bytes(width * samples), b''
    for y in range(height):
        kind, row = rows[y * (stride + 1)], bytearray(rows[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind not in (0, 1):
            raise RuntimeError('filter %d' % kind)
        if kind == 1:
            for x in range(samples, stride):
                row[x] = (row[x] + row[x - samples]) & 255
        above = bytes(row)
        result += above
    return width, height, samples, result


def shown_as(answer, expected, tolerance=0):
    """expected: (width, height, samples, bytes)"""
    if answer.png is None:
        return False
    picture = pixels_of(answer.png)
    return picture[:3] == expected[:3] and len(picture[3]) == len(expected[3]) and all(
        abs(a - b) <= tolerance for a, b in zip(picture[3], expected[3]))


# ---------- objects ----------

TEXT = ('CS', 'DS', 'IS', 'LO', 'UI')


def element(tag, vr, value, big=False):
    group, number = tag >> 16, tag & 0xFFFF
    order = '>' if big else '<'
    if vr == 'US':
        value = struct.pack(order + '%dH' % len(value), *value)
    elif vr in TEXT:
        value = value.encode() + b' ' * (len(value) % 2)
    if vr in ('OB', 'OW', 'SQ', 'UN'):
        return struct.pack(order + 'HH2sHI', group, number, vr.encode(), 0, len(value)) + value
    return struct.pack(order + 'HH2sH', group, number, vr.encode(), len(value)) + value


def item(content):
    return struct.pack('<HHI', 0xFFFE, 0xE000, len(content)) + content


def fragments(*pieces):
    head = struct.pack('<HH2sHI', 0x7FE0, 0x0010, b'OB', 0, 0xFFFFFFFF)
    return head + item(b'') + b''.join(item(p) for p in pieces) + struct.pack('<HHI', 0xFFFE, 0xE0DD, 0)


def image(columns, rows, pixels, bits=16, stored=None, signed=0, samples=1, photometric='MONOCHROME2', frames=None, big=False,
          pixel_data=None, more=()):
    """A dataset; more: (tag, vr, value)."""
    stored = stored or bits
    elements = [(0x00280002, 'US', [samples]), (0x00280004, 'CS', photometric), (0x00280010, 'US', [rows]),
                (0x00280011, 'US', [columns]), (0x00280100, 'US', [bits]), (0x00280101, 'US', [stored]),
                (0x00280102, 'US', [stored - 1]), (0x00280103, 'US', [signed])]
    if samples > 1:
        elements.append((0x00280006, 'US', [0]))
    if frames is not None:
        elements.append((0x00280008, 'IS', str(frames)))
    elements = b''.join(element(*e, big) for e in sorted(elements + list(more), key=lambda e: e[0]))
    return elements + (pixel_data if pixel_data is not None else element(0x7FE00010, 'OW' if bits > 8 else 'OB', pixels, big))


def words(values):
    return struct.pack('<%dH' % len(values), *[v & 0xFFFF for v in values])


def linear(values, center, width):
    def grey(x):
        if x <= center - 0.5 - (width - 1) / 2:
            return 0
        if x > center - 0.5 + (width - 1) / 2:
            return 255
        return ((x - (center - 0.5)) / (width - 1) + 0.5) * 255
    return bytes(int(grey(v) + 0.5) for v in values)


def exact(values, low, high):
    return bytes(int(255 * min(max((v - low) / (high - low), 0), 1) + 0.5) for v in values)


def stored_values(o):
    """Of an uncompressed object of 16 signed bits in little endian, rescaled by its name."""
    rescale = {'CT_small.dcm': -1024}.get(o.name, 0)
    at = o.dataset.rindex(b'\xe0\x7f\x10\x00') + 12
    length, = struct.unpack_from('<I', o.dataset, at - 4)
    return [v + rescale for v, in struct.iter_unpack('<h', o.dataset[at:at + length])]


# ---------- pictures are right ----------

def test_real_objects():
    for name, side in (('CT_small.dcm', 128), ('MR_small.dcm', 64)):
        values = stored_values(OBJECTS[name])
        for center, width in ((40, 400), (600, 1600), (0.5, 1), (-1000.25, 90.5)):
            answer = draw_object(OBJECTS[name], window='%s,%s' % (center, width))
            check('%s with window %s, %s' % (name, center, width),
                  shown_as(answer, (side, side, 1, linear(values, center, width)), 1), answer.line)
    values = stored_values(OBJECTS['MR_small.dcm'])
    check('its own window', shown_as(draw_object(OBJECTS['MR_small.dcm']), (64, 64, 1, linear(values, 600, 1600)), 1))
    plain = draw_object(OBJECTS['MR_small.dcm']).png
    for name in ('MR_small_RLE.dcm', 'MR_small_jpeg_ls_lossless.dcm', 'MR_small_bigendian.dcm', 'MR_small_implicit.dcm',
                 'MR_small_padded.dcm'):
        check('%s is the same picture' % name, draw_object(OBJECTS[name]).png == plain)
    values = stored_values(OBJECTS['CT_small.dcm'])
    check('without a window, all values that there are',
          shown_as(draw_object(OBJECTS['CT_small.dcm']), (128, 128, 1, exact(values, min(values), max(values))), 1))


def test_against_dcmtk():
    for name, o in sorted(OBJECTS.items()):
        answer = draw_object(o)
        if answer.outcome != DONE or answer.fields[7] in ('MONOCHROME1', 'MONOCHROME2') and 'JP' not in name:
            continue
        image_file = os.path.join(SCRATCH.name, 'dcmtk.pnm')
        how = ['+Wm'] if answer.fields[7].startswith('MONO') else []
        made = subprocess.run(['dcmj2pnm', '-q', '--write-raw-pnm', '+F', '1', *how, o.path, image_file], capture_output=True)
        if made.returncode != 0:
            continue
        with open(image_file, 'rb') as file:
            content = file.read()
        lines = [line for line in content.split(b'\n', 4) if not line.startswith(b'#')]
        samples = {b'P5': 1, b'P6': 3}[lines[0]]
        width, height = map(int, lines[1].split())
        raw = content[len(content) - width * height * samples:]
        check('%s as dcmj2pnm shows it' % name, shown_as(answer, (width, height, samples, raw), 1), answer.line)


def test_made_images():
    ramp = list(range(256))
    low, high = 0, 255
    check('16 bits', shown_as(draw(image(16, 16, words(ramp))), (16, 16, 1, exact(ramp, low, high)), 1))
    check('MONOCHROME1 is the other way round',
          shown_as(draw(image(16, 16, words(ramp), photometric='MONOCHROME1')), (16, 16, 1, exact([255 - v for v in ramp], low, high)), 1))
    signed = [v - 128 for v in ramp]
    check('signed', shown_as(draw(image(16, 16, words(signed), signed=1)), (16, 16, 1, exact(signed, -128, 127)), 1))
    twelve = [v * 16 for v in ramp]
    noisy = [v | 0xF000 for v in twelve]
    check('12 bits of 16, and something else in the others',
          shown_as(draw(image(16, 16, words(noisy), stored=12)), (16, 16, 1, exact(twelve, 0, 4080)), 1))
    check('32 bits', shown_as(draw(image(16, 16, struct.pack('<256I', *[v << 20 for v in ramp]), bits=32)),
                              (16, 16, 1, exact(ramp, low, high)), 1))
    check('32 bits in big endian', shown_as(draw(image(16, 16, struct.pack('>256I', *[v << 20 for v in ramp]), bits=32, big=True), BIG_ENDIAN),
                                            (16, 16, 1, exact(ramp, low, high)), 1))
    rescaled = [(0x00281052, 'DS', '10'), (0x00281053, 'DS', '0.0001')]
    answer = draw(image(16, 16, words(ramp), more=rescaled))
    check('a slope of 0.0001 leaves its greys', shown_as(answer, (16, 16, 1, exact(ramp, low, high)), 1), answer.line)
    check('and values as they are meant', [round(float(v), 6) for v in answer.fields[9].split(',')] == [10, 10.0255], answer.line)
    check('a slope that falls', shown_as(draw(image(16, 16, words(ramp), more=[(0x00281052, 'DS', '0'), (0x00281053, 'DS', '-1')])),
                                         (16, 16, 1, exact([-v for v in ramp], -255, 0)), 1))
    palette = [(0x00281101 + n, 'US', [256, 0, 16]) for n in range(3)]
    palette += [(0x00281201 + n, 'OW', words([((v * (n + 1)) & 255) * 257 for v in ramp])) for n in range(3)]
    colours = bytes((v * (n + 1)) & 255 for v in ramp for n in range(3))
    check('a palette', shown_as(draw(image(16, 16, bytes(ramp), bits=8, photometric='PALETTE COLOR', more=palette)), (16, 16, 3, colours)))
    rgb = bytes(random.Random(1).randrange(256) for _ in range(5 * 3 * 3))
    check('RGB', shown_as(draw(image(5, 3, rgb + b'\0', bits=8, samples=3, photometric='RGB')), (5, 3, 3, rgb)))
    bits = random.Random(2).getrandbits(3 * 35).to_bytes(14, 'little')
    third = bytes(255 * (bits[i // 8] >> i % 8 & 1) for i in range(70, 105))
    check('bits, of which a frame begins within a byte',
          shown_as(draw(image(7, 5, bits, bits=1, frames=3), frame=3), (7, 5, 1, third)))
    frames = b''.join(words([f * 1000 + v for v in ramp]) for f in range(3))
    check('a window for one frame of three', all(
        shown_as(draw(image(16, 16, frames, frames=3), frame=f + 1, window='%d,256' % (f * 1000 + 128)), (16, 16, 1, bytes(ramp)), 1)
        for f in range(3)))
    narrow = draw(image(16, 16, words(ramp), more=[(0x00280034, 'IS', '2\\1')]))
    check('pixels that are longer than wide', narrow.png is not None and pixels_of(narrow.png)[:2] == (16, 32), narrow.line)
    table = element(0x00283002, 'US', [256, 0, 8]) + element(0x00283006, 'OW', words([255 - v for v in ramp]))
    check('a VOI look-up table', shown_as(draw(image(16, 16, bytes(ramp), bits=8, more=[(0x00283010, 'SQ', item(table))])),
                                          (16, 16, 1, bytes(255 - v for v in ramp)), 1))


def test_functional_groups():
    def group(tag, content):
        return element(tag, 'SQ', item(content))

    def voi(center):
        return item(group(0x00289132, element(0x00281050, 'DS', str(center)) + element(0x00281051, 'DS', '256')))
    ramp = list(range(256))
    frames = b''.join(words([f * 1000 + v for v in ramp]) for f in range(2))
    shared = item(group(0x00289145, element(0x00281052, 'DS', '5') + element(0x00281053, 'DS', '1')))
    groups = [(0x52009229, 'SQ', shared), (0x52009230, 'SQ', voi(133) + voi(1133))]
    dataset = image(16, 16, frames, frames=2, more=groups)
    check('each frame has the window that its functional groups say',
          all(shown_as(draw(dataset, frame=n), (16, 16, 1, bytes(ramp)), 1) for n in (1, 2)), draw(dataset, frame=2).line)


def test_large_file():
    """One frame of an object of four gigabytes costs what a frame costs."""
    side, frames = 1024, 2040
    head = image(side, side, b'', frames=frames, pixel_data=struct.pack('<HH2sHI', 0x7FE0, 0x0010, b'OW', 0, side * side * 2 * frames))
    path = written(head)
    with open(path, 'r+b') as file:
        file.seek(len(head) + side * side * 2 * (frames - 1))
        file.write(words(range(1024)) * side)
        file.truncate(len(head) + side * side * 2 * frames)
    answer, = ask((path, 0, EXPLICIT, frames, 0, 0, '-'))
    check('the last frame of an object of four gigabytes',
          shown_as(answer, (side, side, 1, exact(range(1024), 0, 1023) * side), 1), answer.line)
    os.unlink(path)


# ---------- objects that are damaged, or lie ----------

def refused(name, dataset, why, syntax=EXPLICIT, outcome=CANNOT, **how):
    answer = draw(dataset, syntax, **how)
    check(name, answer.sound and answer.outcome == outcome and why in answer.why, answer.line + ask.stderr)


def test_lies():
    ramp = words(range(256))
    refused('no image', element(0x00280010, 'US', [1]), 'no pixel data')
    refused('nothing', b'\0', 'it is damaged')
    refused('a frame that it has not', image(16, 16, ramp), 'it has 1 frame', frame=2, outcome=NO_FRAME)
    refused('more frames than pixels', image(16, 16, ramp, frames=2147483647), 'shorter than its image', frame=2147483647)
    refused('more rows than pixels', image(16, 17, ramp), 'shorter than its image')
    refused('an image of four gigapixels', image(65535, 65535, ramp), 'too large')
    refused('the same, compressed', image(65535, 65535, b'', bits=8, pixel_data=fragments(b'\xff\xd8\xff\xd9')), 'too large', JPEG)
    refused('no size', image(0, 16, ramp), 'how large')
    refused('no Photometric Interpretation', image(16, 16, ramp, photometric=''), 'Photometric')
    refused('an unknown one', image(16, 16, ramp, photometric='XYZ'), 'cannot be shown')
    refused('more bits than there are', image(16, 16, ramp, stored=17), 'contradict')
    refused('64 bits', image(16, 2, bytes(256), bits=64), '64 bits allocated')
    refused('floating point', element(0x00280010, 'US', [1]) + element(0x7FE00008, 'UN', bytes(4)), 'floating point')
    refused('a palette without colours', image(16, 16, ramp[::2], bits=8, photometric='PALETTE COLOR'), 'cannot be shown')
    refused('a transfer syntax that nobody knows', image(16, 16, b'', pixel_data=fragments(b'ab')), 'cannot show transfer syntax 1.2.3', '1.2.3')
    refused('fragments where there may be none', image(16, 16, b'', pixel_data=fragments(b'ab')), 'may not be')
    refused('none where there must be', image(16, 16, ramp), 'not in fragments', RLE)
    refused('RLE that is none', image(16, 16, b'', pixel_data=fragments(b'ab' * 40)), 'decoded', RLE)
    refused('the same with an empty table', image(16, 16, b'', pixel_data=fragments(b'ab' * 40), more=[(0x00281201, 'OW', b'')]), 'decoded', RLE)
    refused('JPEG that is none', image(16, 16, b'', bits=8, pixel_data=fragments(b'\xff\xd8\xff\xd9')), 'frame header', JPEG)
    frame = b'\xff\xd8\xff\xc0' + struct.pack('>HBHHB', 11, 8, 65500, 65500, 1) + b'\1\x11\0'
    refused('JPEG that is larger than it says', image(16, 16, b'', bits=8, pixel_data=fragments(frame)), 'another size', JPEG)
    refused('fewer fragments than frames', image(16, 16, b'', bits=8, frames=3, pixel_data=fragments(frame)), 'fewer frames', JPEG, frame=2)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = bomb.compress(image(4096, 4096, bytes(4096 * 4096 * 2), frames=1, more=[(0x00090001, 'UN', bytes(80 << 20))])) + bomb.flush()
    refused('a small file that inflates to much', packed, 'inflated', DEFLATED)
    deep = b''
    for _ in range(3000):
        deep = struct.pack('<HH2sHI', 0x0028, 0x3010, b'SQ', 0, 0xFFFFFFFF) + struct.pack('<HHI', 0xFFFE, 0xE000, 0xFFFFFFFF) + deep
    refused('sequences nested without end', deep, 'damaged')


def mutations(o, count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(o.dataset)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(len(data), 2500))
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        yield bytes(data[:rng.randrange(len(data))] if rng.random() < 0.2 else data)


def test_mutations():
    for seed, name in enumerate(('MR_small.dcm', 'MR_small_RLE.dcm', 'MR_small_jpeg_ls_lossless.dcm', 'SC_rgb_jpeg_dcmtk.dcm',
                                 'SC_rgb_small_odd_jpeg.dcm', 'ExplVR_BigEnd.dcm', 'rtdose_rle.dcm', 'image_dfl.dcm', 'JPEG-lossy.dcm')):
        o, bad, rng = OBJECTS[name], [], random.Random(seed)
        requests = [(written(data, n), 0, o.transfer_syntax, rng.choice((1, 1, 2)), 64, 64, '-')
                    for n, data in enumerate(mutations(o, 60, seed))]
        for request, answer in zip(requests, ask(*requests)):
            if not answer.sound:
                bad.append(answer.line)
        check('%s, damaged: a picture, or words' % name, not bad, '\n'.join(bad) + ask.stderr[-3000:])


for test_name in [n for n in list(globals()) if n.startswith('test_')]:
    globals()[test_name]()
print('1..%d' % state['run'])
sys.exit(1 if state['failed'] else 0)
