#!/usr/bin/python3
"""dicomgw-scu towards peers that don't accept an object's transfer syntax (TAP).

    hostile_scu_conversion.py DRIVER PROGRAM

What arrives is compared byte for byte with what DCMTK's own programs make of the same
object.  Then come objects that are damaged, or lie about how large they are.
"""
import os
import random
import re
import struct
import subprocess
import zlib

from dicom_peer import Gone, Peer
from real_objects import part10, real_objects
from scu_test import *

BIG_ENDIAN, DEFLATED = '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'
JPEG_BASELINE, JPEG_LOSSLESS = '1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.70'
JPEG_LS, RLE = '1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.5'
UNCOMPRESSED = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
DECODER = {'1.2.840.10008.1.2.4.%d' % n: 'dcmdjpeg' for n in (50, 51, 57, 70)}
DECODER.update({JPEG_LS: 'dcmdjpls', '1.2.840.10008.1.2.4.81': 'dcmdjpls', RLE: 'dcmdrle'})
WRITTEN_AS = {IMPLICIT: '+ti', EXPLICIT: '+te'}
NO_CODEC = 'cannot convert from JPEG 2000.*which the peer accepts: no codec for it'
DEFERRED = '7'
CONVERT_UNCOMPRESSED, CONVERT_ALL = ('-x', '1'), ('-x', '3')

OBJECTS = real_objects()
SCRATCH = os.path.join(STORE.name, 'scratch')
os.mkdir(SCRATCH)
os.environ.setdefault('DCMDICTPATH', '/usr/share/libdcmtk17/dicom.dic:/usr/share/libdcmtk17/private.dic')


def only(*accepted):
    """A peer that accepts these transfer syntaxes, and keeps what it gets: (transfer syntax, bytes)."""
    def behave(association):
        association.accept(max_pdu=0, answer=lambda c: (0 if c[1] in accepted else 4, c[1]))
        try:
            while True:
                message = association.read_message()
                if message is None:
                    return
                syntax = association.contexts[association.context_id][1]
                association.log.append((syntax, message[1]))
                association.respond()
        except Gone:
            association.log.append('gone')
    return behave


def send(behaviour, script, *options):
    """The fields of each RESULT, what the peer has got (None where there was nothing), all that was heard."""
    peer = Peer(behaviour)
    heard = drive(peer.port, script, *options)
    peer.close()
    results = [fields for fields in heard if fields[0] == 'RESULT']
    got = iter([seen for seen in peer.log if isinstance(seen, tuple)])
    return results, [next(got) if fields[2] == RESPONSE else None for fields in results], heard


def named(name):
    return next(o for o in OBJECTS if o.name == name)


def job_of(this, dataset=None, transfer_syntax=None):
    return job(this.dataset if dataset is None else dataset, sop_class=this.sop_class,
               transfer_syntax=transfer_syntax or this.transfer_syntax)


def scratch_file(name, content):
    path = os.path.join(SCRATCH, name)
    with open(path, 'wb') as file:
        file.write(content)
    return path


def as_dcmtk_writes_it(path, transfer_syntax, target):
    """The dataset alone, without group lengths; None if DCMTK can't."""
    out = os.path.join(SCRATCH, 'written')
    done = subprocess.run([DECODER.get(transfer_syntax, 'dcmconv'), '-F', '-g', '-e', WRITTEN_AS[target], path, out],
                          capture_output=True)
    if done.returncode != 0:
        return None
    with open(out, 'rb') as file:
        content = file.read()
    return content + bytes(len(content) % 2)


def nothing_is_left():
    left = [name for name in os.listdir(STORE.name) if name.startswith('.tmp')]
    check('no temporary file is left', not left, left)


# ---------- what arrives ----------

def test_real_objects():
    for target in (IMPLICIT, EXPLICIT):
        others = [o for o in OBJECTS if o.transfer_syntax != target]
        results, got, heard = send(only(target), [job_of(o) for o in others], *CONVERT_ALL)
        wrong, refused = [], []
        for this, fields, seen in zip(others, results, got):
            if fields[2] != RESPONSE:
                refused.append((this, fields))
            elif seen != (target, as_dcmtk_writes_it(this.path, this.transfer_syntax, target)) or \
                    fields[6] != target:
                wrong.append(this.name)
        check('every object is answered', len(results) == len(others) > 30 and heard[-1] == ['EXIT', '0'],
              drive.output)
        check('as DCMTK writes it in %s: %d objects' % (target, len(others) - len(refused)),
              not wrong and len(refused) < len(others) / 3, wrong)
        unexpected = [(this.name, fields) for this, fields in refused if fields[2] != NO_CONVERSION or not re.match(
            NO_CODEC if 'J2K' in this.name or 'jp2k' in this.name or 'JPEG2000' in this.name or '_KY' in this.name
            else 'cannot convert from .* to .*, which the peer accepts: it (is damaged|cannot be read): .*',
            fields[4])]
        check('what cannot be converted, and why', not unexpected, unexpected)
        nothing_is_left()


def without_vr(dataset):
    """Pixel data of 8 bits is OB or OW, and little endian in both."""
    return dataset and dataset.replace(b'\xe0\x7f\x10\0OB', b'\xe0\x7f\x10\0OW')


def test_compression():
    objects = [o for o in OBJECTS if o.transfer_syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN)]
    for syntax in (JPEG_LOSSLESS, JPEG_LS, RLE):
        results, got, heard = send(only(syntax, *UNCOMPRESSED), [job_of(o) for o in objects], '-z', syntax)
        wrong, compressed = [], 0
        for this, fields, seen in zip(objects, results, got):
            if seen is None or seen[0] != syntax:
                if seen != (this.transfer_syntax, this.dataset) or fields[6] != '':
                    wrong.append((this.name, fields))
                continue
            compressed += 1
            before = as_dcmtk_writes_it(this.path, this.transfer_syntax, EXPLICIT)
            after = as_dcmtk_writes_it(scratch_file('received', part10(*seen)), syntax, EXPLICIT)
            if without_vr(before) != without_vr(after) or fields[6] != syntax:
                wrong.append((this.name, fields))
        check('%s: %d of %d objects are compressed, and the same when they are decompressed' % (
            syntax, compressed, len(objects)), len(results) == len(objects) and compressed > 40 and not wrong and
            heard[-1] == ['EXIT', '0'], wrong or drive.output)


# ---------- what is chosen ----------

def choice(name, accepted, this, expected, *options, proposed=None, words=''):
    """expected: the transfer syntax in which it arrives, or the outcome that it has."""
    results, got, heard = send(only(*accepted), [job_of(this)], *options)
    fields = results[0] if results else ['', '', '', '', '', '', '']
    if expected.startswith('1.'):
        own = this.transfer_syntax == expected
        right = got[0] is not None and got[0][0] == expected and fields[6] == ('' if own else expected) and \
            (not own or got[0][1] == this.dataset)
    else:
        right = fields[2] == expected
    opened = [int(line[1]) for line in heard if line[0] == 'ASSOCIATED']
    check(name, right and re.search(words, fields[4]) and proposed in (None, sum(opened)),
          drive.output)


def test_choice():
    ct, jpeg, report = named('CT_small.dcm'), named('SC_rgb_jpeg_dcmtk.dcm'), named('reportsi.dcm')
    j2k = named('JPEG2000.dcm')
    everything = UNCOMPRESSED + (JPEG_BASELINE, JPEG_LOSSLESS, j2k.transfer_syntax)
    choice('own bytes, if they are accepted', everything, ct, EXPLICIT, *CONVERT_ALL, proposed=4)
    choice('also of a compressed object', everything, jpeg, JPEG_BASELINE, *CONVERT_ALL, proposed=5)
    choice('explicit before implicit', UNCOMPRESSED, jpeg, EXPLICIT, *CONVERT_ALL)
    choice('big endian, if nothing else is accepted', (BIG_ENDIAN,), ct, BIG_ENDIAN, *CONVERT_ALL)
    choice('deflated, if nothing else is accepted', (DEFLATED,), ct, DEFLATED, *CONVERT_ALL)
    choice('no conversion if none is permitted', (IMPLICIT,), ct, NO_CONTEXT, proposed=1)
    choice('no decompression if only the uncompressed may be converted', UNCOMPRESSED, jpeg, NO_CONTEXT,
           *CONVERT_UNCOMPRESSED, proposed=1)
    choice('a peer that accepts nothing', (), ct, NO_CONTEXT, *CONVERT_ALL, proposed=4,
           words='transfer syntax not supported; nor with any that it may be converted to')
    choice('no codec', UNCOMPRESSED, j2k, NO_CONVERSION, *CONVERT_ALL, words=NO_CODEC)
    choice('compression before own bytes', everything, ct, JPEG_LOSSLESS, '-z', JPEG_LOSSLESS, proposed=2)
    choice('own bytes if the peer does not accept that', UNCOMPRESSED, ct, EXPLICIT, '-z', JPEG_LOSSLESS)
    choice('own bytes if there is nothing to compress', everything, report, EXPLICIT, '-z', JPEG_LOSSLESS)
    choice('compressed stays as it is', everything, jpeg, JPEG_BASELINE, '-z', JPEG_LOSSLESS, proposed=1)
    choice('never with loss', everything, ct, EXPLICIT, '-z', JPEG_BASELINE)
    choice('compressed, though no conversion is permitted', (JPEG_LOSSLESS,), ct, JPEG_LOSSLESS, '-z', JPEG_LOSSLESS)
    choice('neither compressed nor as it is', (JPEG_LOSSLESS,), report, NO_CONVERSION, '-z', JPEG_LOSSLESS,
           words='to JPEG Lossless.*: it has no image')
    choice('a fall-back if it can be neither', (JPEG_LOSSLESS, IMPLICIT), report, IMPLICIT, '-z', JPEG_LOSSLESS,
           *CONVERT_ALL)


def test_many_contexts():
    script = [job(sop_class='1.2.3.%d' % number, transfer_syntax=syntax) for number in range(60)
              for syntax in (IMPLICIT, JPEG_BASELINE)]
    results, _, heard = send(only(IMPLICIT), script, *CONVERT_ALL, '-w', '256')
    kinds = [fields[0] for fields in heard]
    check('more contexts than there may be: few associations for all of them',
          [fields[1] for fields in results] == [str(n + 1) for n in range(120)] and
          kinds.count('ASSOCIATED') < 8 and kinds[-1] == 'EXIT', drive.output)


# ---------- what is damaged, or lies ----------

def test_damage():
    jpeg = named('SC_rgb_jpeg_dcmtk.dcm')
    run('a file that has changed is not converted', [only(IMPLICIT)], [job(jpeg.dataset, jpeg.sop_class, JPEG_BASELINE,
                                                                         damage=True)],
        [OPEN, result(1, FILE_DAMAGED, '0000', 'SHA-256'), END], *CONVERT_ALL)
    os.environ['TMPDIR'] = os.path.join(STORE.name, 'missing')
    run('no room for a temporary file', [only(IMPLICIT)], [job_of(jpeg)],
        [OPEN, result(1, DEFERRED, '0000', 'could not convert: could not create temporary file: No such'), END],
        *CONVERT_ALL)
    del os.environ['TMPDIR']


def none_is_converted(name, script, words, *options):
    results, _, heard = send(only(IMPLICIT), script, *(options or CONVERT_ALL))
    wrong = [fields for fields in results if fields[2] != NO_CONVERSION or not re.search(words, fields[4])]
    check('%s: %d objects' % (name, len(script)), len(results) == len(script) and not wrong and
          heard[-1] == ['EXIT', '0'] and drive.seconds < 20, wrong or drive.output)


def pixel_fragment(dataset):
    """Where the first fragment of encapsulated pixel data begins, and its length."""
    start = re.search(b'\xe0\x7f\x10\0O[BW]\0\0\xff\xff\xff\xff', dataset).end()
    table, = struct.unpack_from('<I', dataset, start + 4)
    length, = struct.unpack_from('<I', dataset, start + 8 + table + 4)
    return start + 8 + table + 8, length


def test_cut_off():
    for name in ('SC_rgb_jpeg_dcmtk.dcm', 'MR_small_RLE.dcm', 'SC_rgb_jpeg_gdcm.dcm', 'MR_small_jpeg_ls_lossless.dcm'):
        this = named(name)
        at, length = pixel_fragment(this.dataset)
        none_is_converted('%s cut off' % name, [job_of(this, this.dataset[:at + length * n // 20 * 2])
                                                for n in range(10)], 'it (is damaged|cannot be read)')
        shorter = []
        for keep in (0, 2, 20, length // 4 * 2, length // 16 * 14):
            shorter.append(this.dataset[:at - 4] + struct.pack('<I', keep) + this.dataset[at:at + keep] +
                           this.dataset[at + length:])
        none_is_converted('%s with a fragment cut off' % name, [job_of(this, data) for data in shorter],
                          'its image|JPEG image|fragment')


def patched(dataset, number, vr, value):
    """Another value for element (0028,number) of a dataset in explicit VR."""
    head = struct.pack('<HH2sH', 0x28, number, vr, len(value))
    at = dataset.index(head) + len(head)
    return dataset[:at] + value + dataset[at + len(value):]


def test_sizes():
    for name in ('SC_rgb_jpeg_dcmtk.dcm', 'MR_small_RLE.dcm', 'SC_rgb_jpeg_gdcm.dcm'):
        this = named(name)
        wide = patched(this.dataset, 0x11, b'US', b'\xff\xff')
        none_is_converted('%s, as large as can be' % name, [job_of(this, patched(wide, 0x10, b'US', b'\xff\xff'))],
                          'larger than 1024 MB')
        none_is_converted('%s, wide' % name, [job_of(this, wide)], 'size|image')
        none_is_converted('%s, nothing' % name, [job_of(this, patched(this.dataset, 0x10, b'US', b'\0\0'))],
                          'does not say how large')
    this = named('SC_rgb_rle_2frame.dcm')
    for frames, words in ((b'99', 'fewer fragments'), (b'-1', 'does not say'), (b'x ', 'does not say')):
        none_is_converted('frames: %s' % frames.decode(), [
            job_of(this, this.dataset.replace(b'\x28\0\x08\0IS\x02\x00' + b'2 ', b'\x28\0\x08\0IS\x02\x00' + frames))],
            words)
    this = named('SC_rgb_jpeg_dcmtk.dcm')
    at = this.dataset.index(b'\xff\xc0')
    bomb = this.dataset[:at + 1] + b'\xc2' + this.dataset[at + 2:at + 5] + b'\xff\xff\xff\xff' + this.dataset[at + 9:]
    none_is_converted('a JPEG image that is larger than its object', [job_of(this, bomb)], 'of another size')


def test_depth():
    item = struct.pack('<HHI', 0xfffe, 0xe000, 0xffffffff)
    sequence = struct.pack('<HH2sHI', 0x40, 0xa730, b'SQ', 0, 0xffffffff)
    deep = (sequence + item) * 200000
    none_is_converted('sequences without a bottom', [job(deep, transfer_syntax=EXPLICIT)], 'nested deeper')


def test_deflated_bomb():
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = struct.pack('<HH2sHI', 0x42, 0x11, b'OB', 0, 1200 * 1024 * 1024)
    bomb = engine.compress(head) + b''.join(engine.compress(bytes(1024 * 1024)) for _ in range(1200)) + engine.flush()
    none_is_converted('a deflated dataset that inflates too far', [job(bomb, transfer_syntax=DEFLATED)],
                      'too long when inflated')


def test_mutations():
    """Any bytes have an outcome, and the program lives."""
    chance = random.Random(20)
    script = []
    for this in (named(name) for name in ('SC_rgb_jpeg_dcmtk.dcm', 'MR_small_RLE.dcm', 'SC_rgb_jpeg_gdcm.dcm', 'JPGExtended.dcm',
                                          'MR_small_jpeg_ls_lossless.dcm', 'CT_small.dcm', 'nested_priv_SQ.dcm')):
        for _ in range(20):
            data = bytearray(this.dataset)
            for _ in range(chance.choice((1, 10, 100))):
                data[chance.randrange(len(data))] = chance.randrange(256)
            script.append(job_of(this, bytes(data)))
    for options in (CONVERT_ALL, ('-z', JPEG_LOSSLESS), ('-z', JPEG_LS), ('-z', RLE)):
        results, _, heard = send(only(BIG_ENDIAN, JPEG_LOSSLESS, JPEG_LS, RLE), script, *options)
        check('mutations of %d objects' % len(script), len(results) == len(script) and heard[-1] == ['EXIT', '0'],
              drive.output[-2000:])
    nothing_is_left()


run_tests(globals())
