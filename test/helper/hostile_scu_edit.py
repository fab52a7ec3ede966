#!/usr/bin/python3
"""dicomgw-scu with the edits of a route (TAP).

    hostile_scu_edit.py DRIVER PROGRAM

What arrives is read with pydicom and compared, element by element, with what was stored:
the edits are there, everything else is unchanged, byte for byte.  Then come plans that are
none, and datasets of any bytes.
"""
import copy
import io
import json
import os
import random
import re
import resource
import struct
import subprocess
import warnings
import zlib

import pydicom

from dicom_peer import Gone, Peer
from real_objects import part10, real_objects
from scu_test import *

BIG_ENDIAN, DEFLATED = '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'
DEFERRED, NOT_EDITED = '7', '9'
OBJECTS = real_objects()
warnings.simplefilter('ignore')


def keeping(*accepted):
    """A peer that accepts these transfer syntaxes (none named: all): (transfer syntax, bytes, SOP Instance UID)."""
    def behave(association):
        association.accept(max_pdu=0, answer=lambda c: (0 if not accepted or c[1] in accepted else 4, c[1]))
        try:
            while True:
                message = association.read_message()
                if message is None:
                    return
                uid = re.search(rb'\0\0\0\x10(....)([0-9.]+)', message[0], re.S)
                syntax = association.contexts[association.context_id][1]
                association.log.append((syntax, message[1], uid.group(2).decode() if uid else None))
                association.respond()
        except Gone:
            association.log.append('gone')
    return behave


def send(script, *options, behaviour=None):
    """The fields of each RESULT, and what the peer has got (None where there was nothing)."""
    peer = Peer(behaviour or keeping())
    heard = drive(peer.port, script, *options)
    peer.close()
    results = [fields for fields in heard if fields[0] == 'RESULT']
    got = iter([seen for seen in peer.log if isinstance(seen, tuple)])
    return results, [next(got, None) if fields[2] == RESPONSE else None for fields in results], heard


def named(name):
    return next(o for o in OBJECTS if o.name == name)


def edited(this, *steps, dataset=None, transfer_syntax=None, **plan):
    """A job for this object with a plan."""
    plan['steps'] = list(steps)
    return job(this.dataset if dataset is None else dataset, sop_class=this.sop_class,
               transfer_syntax=transfer_syntax or this.transfer_syntax) + '\t' + json.dumps(plan)


def put(tag, vr, value, **more):
    return dict({'do': 'set', 'path': tag.split('/'), 'vr': vr, 'value': value}, **more)


def remove(tag):
    return {'do': 'remove', 'path': tag.split('/')}


def rules(**of):
    return {'do': 'rules', 'rules': {key.lstrip('_'): value for key, value in of.items()}}


def parse(syntax, data):
    return pydicom.dcmread(io.BytesIO(part10(syntax, data)), force=True)


def flat(dataset, path=''):
    """path of tags -> VR and bytes, of all elements but group lengths."""
    found = {}
    for tag in sorted(dataset.keys()):
        raw = dataset.get_item(tag)
        here = '%s%08X' % (path, tag)
        if tag.element == 0:
            continue
        element = dataset[tag] if raw.VR in (None, 'SQ') or isinstance(raw, pydicom.DataElement) else None
        if element is not None and element.VR == 'SQ':
            found[here] = 'SQ'
            for number, item in enumerate(element.value):
                found.update(flat(item, '%s[%d]/' % (here, number)))
        else:
            found[here] = raw.value if isinstance(raw.value, bytes) or raw.value is None else repr(raw.value)
    return found


def changes(before, after):
    return {key: after.get(key) for key in sorted(set(before) | set(after)) if before.get(key) != after.get(key)}


def edit_one(name, this, expected, *steps, options=(), **plan):
    """One object, edited: these elements are different, by their paths, and no others."""
    results, (got,), heard = send([edited(this, *steps, **plan)], *options)
    if got is None:
        return check(name, False, drive.output)
    before = flat(parse(this.transfer_syntax, this.dataset))
    after = flat(parse(got[0], got[1]))
    different = changes(before, after)
    check(name, different == expected and heard[-1] == ['EXIT', '0'],
          '%r\n%s' % (different, drive.output))
    return got


# ---------- nothing else changes ----------

def test_untouched():
    results, got, heard = send([edited(this) for this in OBJECTS], '-w', '256')
    exact, parsed, refused, wrong = 0, 0, [], []
    for this, fields, arrived in zip(OBJECTS, results, got):
        if arrived is None:
            refused.append((this.name, fields[4]))
        elif arrived[1] == this.dataset:
            exact += 1
        elif this.transfer_syntax != DEFLATED and changes(flat(parse(this.transfer_syntax, this.dataset)),
                                                          flat(parse(*arrived[:2]))):
            wrong.append(this.name)
        else:
            parsed += 1
    check('without steps, every real object arrives as it is (%d exactly, %d but for group lengths, %d damaged)' %
          (exact, parsed, len(refused)), not wrong and exact > 80 and len(results) == len(OBJECTS) and
          all('damaged' in why or 'cannot' in why for _, why in refused) and len(refused) < 12, (wrong, refused))


def test_each_syntax():
    """Set, add, remove: in all encodings, compressed ones too."""
    seen = set()
    for this in OBJECTS:
        if this.transfer_syntax in seen or this.transfer_syntax == DEFLATED:
            continue
        before = flat(parse(this.transfer_syntax, this.dataset))
        if '00100010' not in before or '00080060' not in before or '00101090' in before:
            continue
        seen.add(this.transfer_syntax)
        edit_one('%s: %s' % (this.transfer_syntax, this.name), this,
                 {'00100010': b'NEW^NAME', '00104000': b'x ', '00080060': None},
                 put('00100010', 'PN', 'NEW^NAME'), put('00104000', 'LT', 'x'), remove('00080060'))
    check('several transfer syntaxes', len(seen) > 6, seen)


def test_deflated():
    this = named('image_dfl.dcm')
    results, (got,), _ = send([edited(this, put('00100010', 'PN', 'NEW^NAME'))], '-x', '1')
    plain = parse(EXPLICIT, zlib.decompress(this.dataset, -15))
    data = got and (zlib.decompress(got[1], -15) if got[0] == DEFLATED else got[1])
    arrived = data and parse(EXPLICIT, data)
    check('a deflated one', got and changes(flat(plain), flat(arrived)) == {'00100010': b'NEW^NAME'}, drive.output)


def test_conversion():
    this = named('CT_small.dcm')
    results, (got,), _ = send([edited(this, put('00100010', 'PN', 'NEW^NAME'))], '-x', '1', behaviour=keeping(IMPLICIT))
    check('edited, then converted', got and got[0] == IMPLICIT and
          parse(got[0], got[1]).PatientName == 'NEW^NAME' and results[0][6] == IMPLICIT, drive.output)


# ---------- each action ----------

def test_actions():
    ct = named('CT_small.dcm')
    edit_one('replace: what is there', ct, {'00100020': b'X '}, put('00100020', 'LO', 'X', replace=True),
             put('00100021', 'LO', 'X', replace=True))
    edit_one('no value', ct, {'00100020': b''}, put('00100020', 'LO', ''))
    edit_one('the last step counts', ct, {'00100020': b'C '}, put('00100020', 'LO', 'A'), remove('00100020'),
             put('00100020', 'LO', 'C'))
    edit_one('or takes it away', ct, {'00100020': None}, put('00100020', 'LO', 'A'), remove('00100020'))
    edit_one('numbers', ct, {'00280010': b'\x02\x01', '00180050': b'2.5 '}, put('00280010', 'US', '258'), put('00180050', 'DS', '2.5'))
    before = flat(parse(ct.transfer_syntax, ct.dataset))
    edit_one('keep_only', ct, {key: None for key in before if key[:4] not in ('0028', '7FE0') and key[:8] not in
                               ('00080005', '00080016', '00080018', '0020000D', '0020000E', '00100010')},
             {'do': 'keep_only', 'tags': ['00100010']})
    private = {key: None for key in before if int(key[3], 16) % 2}
    edit_one('private: %d elements' % len(private), ct, private, {'do': 'private', 'keep': []})
    others = {key: None for key in private if not (key[:4] == '0019')}
    edit_one('private, but those of a creator', ct, others, {'do': 'private', 'keep': ['GEMS_ACQU_01']})
    edit_one('a private element by its creator', ct, {'00191002': None}, remove('0019xx02:GEMS_ACQU_01'))
    edit_one('of another one there is none', ct, {}, remove('0019xx02:ACME'))
    uids = {uid: '2.25.%d' % n for n, uid in enumerate(
        str(parse(ct.transfer_syntax, ct.dataset)[tag].value) for tag in ('SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID'))}
    got = edit_one('UIDs', ct, {'00080018': b'2.25.0', '0020000D': b'2.25.1', '0020000E': b'2.25.2'},
                   rules(_00080018='uid', _0020000D='uid', _0020000E='uid', _00080016='uid'), uids=uids)
    check('the command says so, too', got and got[2] == '2.25.0', got and got[2])
    edit_one('rules: patterns, dates, dummies', ct,
             {'00080020': b'19000101', '00080022': b'19970423', '00100010': b'', '00180050': b'0 '},
             rules(_00080020='dummy', _00080022='shift:remove', _001000xx='keep', _00100010='empty', _00180050='dummy'),
             days=-7, dummies={'DA': '19000101', 'DS': '0'}) if parse(ct.transfer_syntax, ct.dataset).AcquisitionDate == '19970430' else None
    edit_one('clean: what is known', ct, {'00081030': None}, rules(_00081030='clean:remove', _00080070='clean:remove'),
             clean=[str(parse(ct.transfer_syntax, ct.dataset).Manufacturer)])


def sequence(*items, undefined=False):
    def element(tag, vr, value):
        return struct.pack('<HH2sH', tag >> 16, tag & 0xffff, vr, len(value)) + value
    body = b''
    for elements in items:
        content = b''.join(element(*e) for e in elements)
        if undefined:
            body += struct.pack('<HHI', 0xfffe, 0xe000, 0xffffffff) + content + struct.pack('<HHI', 0xfffe, 0xe00d, 0)
        else:
            body += struct.pack('<HHI', 0xfffe, 0xe000, len(content)) + content
    if undefined:
        body += struct.pack('<HHI', 0xfffe, 0xe0dd, 0)
    return struct.pack('<HH2sHI', 0x40, 0x275, b'SQ', 0, 0xffffffff if undefined else len(body)) + body


def test_nested():
    class This:
        sop_class, transfer_syntax = CT, EXPLICIT
    for undefined in (False, True):
        kind = 'undefined length' if undefined else 'defined length'
        this = This()
        this.dataset = sequence([(0x00400007, b'LO', b'ab'), (0x00400009, b'SH', b'S1')], [(0x00400007, b'LO', b'cd')], [],
                                undefined=undefined)
        edit_one('nested, %s: set in each item' % kind, this,
                 {'00400275[%d]/00400009' % n: b'LONGER' for n in range(3)}, put('00400275/00400009', 'SH', 'LONGER'))
        edit_one('nested, %s: wherever it is' % kind, this, {'00400275[0]/00400007': None, '00400275[1]/00400007': None}, remove('*/00400007'))
        edit_one('nested, %s: dummies' % kind, this, {'00400275[0]/00400007': b'X ', '00400275[0]/00400009': b'', '00400275[1]/00400007': b'X '},
                 rules(_00400275='dummy'), dummies={'LO': 'X'})
        edit_one('nested, %s: emptied' % kind, this, {key: None for key in flat(parse(EXPLICIT, this.dataset)) if '/' in key},
                 rules(_00400275='empty'))
    code = [{'00080100': {'vr': 'SH', 'value': '113100'}, '00080104': {'vr': 'LO', 'value': 'Basic'}}]
    for name in ('CT_small.dcm', 'ExplVR_BigEnd.dcm', 'MR_small_implicit.dcm'):
        this = next((o for o in OBJECTS if o.name == name), None)
        if this is not None:
            edit_one('a new sequence in %s' % name, this, {'00120064': 'SQ', '00120064[0]/00080100': b'113100', '00120064[0]/00080104': b'Basic '},
                     put('00120064', 'SQ', code))
    for name in ('priv_SQ.dcm', 'UN_sequence.dcm', 'test-SR.dcm', 'rtplan.dcm'):
        this = named(name)
        before = flat(parse(this.transfer_syntax, this.dataset))
        edit_one('%s: an element added to it' % name, this, {'00104000': b'xy'}, put('00104000', 'LT', 'xy'))
        check('%s has sequences' % name, any('/' in key for key in before) or 'priv' in name)


def test_character_sets():
    for name, value, expected in (('chrFren.dcm', 'Gérard', 'Gérard'.encode('latin-1') + b''), ('chrGreek.dcm', 'Δ^Ω', 'Δ^Ω'.encode('iso8859-7')),
                                  ('chrRuss.dcm', 'Юрий', 'Юрий'.encode('iso8859-5')), ('chrX1.dcm', '山田', '山田'.encode('utf-8')),
                                  ('chrX2.dcm', '王', '王'.encode('gb18030'))):
        this = named(name)
        edit_one('%s: a name in its character set' % name, this, {'00100010': expected + b' ' * (len(expected) % 2)}, put('00100010', 'PN', value))
    for name, value in (('chrFren.dcm', '山田'), ('CT_small.dcm', 'Δ'), ('chrH31.dcm', 'Ж')):
        results, _, _ = send([edited(named(name), put('00100010', 'PN', value))])
        check('%s: a name that its character set has not' % name, results[0][2] == NOT_EDITED and
              'cannot be said in the object' in results[0][4] and value not in results[0][4], drive.output)


# ---------- what is not edited, and not sent ----------

def refused(name, this, words, *steps, outcome=NOT_EDITED, **plan):
    results, got, heard = send([edited(this, *steps, **plan)])
    check(name, len(results) == 1 and results[0][2] == outcome and re.search(words, results[0][4]) and
          got == [None] and heard[-1] == ['EXIT', '0'], drive.output)


def test_refusals():
    ct = named('CT_small.dcm')
    refused('a UID without a pseudonym', ct, r'a UID in \(0020,000D\) has no pseudonym', rules(_0020000D='uid'))
    refused('no UID for the object', ct, 'no UID', put('00080018', 'UI', 'x'))
    refused('a number that is none', ct, 'a value is no US', put('00280010', 'US', '70000'))
    refused('a value that is too long', ct, 'too long', put('00104000', 'LT', 'x' * 70000))
    for plan in ('[]', '{}', '{"steps": 1}', '{"steps": [{}]}', '{"steps": [{"do": "shred"}]}', '{"steps": [{"do": "set"}]}', '{"steps": [',
                 '{"steps": [{"do": "set", "path": ["0010001"], "vr": "PN", "value": "x"}]}',
                 '{"steps": [{"do": "set", "path": ["00100010"], "vr": "XX", "value": "x"}]}',
                 '{"steps": [{"do": "set", "path": ["00100010"], "vr": "OB", "value": "x"}]}',
                 '{"steps": [{"do": "set", "path": ["00100010"], "vr": "PN", "value": 1}]}',
                 '{"steps": [{"do": "rules", "rules": {"00100010": "burn"}}]}', '{"steps": [], "steps": []}', '{"steps": [], "days": 1000000}',
                 '{"steps": [{"do": "private"}]}', '[' * 100000, '{"steps": [{"do": "remove", "path": ["*", "00100010", "00100010"]}]}'):
        results, got, _ = send([job(ct.dataset, transfer_syntax=ct.transfer_syntax) + '\t' + plan])
        check('no plan: %.60s' % plan, results and results[0][2] == NOT_EDITED and 'not understood' in results[0][4] and got == [None], drive.output)
    run('a file that has changed is not edited', [good], [job(ct.dataset, transfer_syntax=ct.transfer_syntax, damage=True) + '\t{"steps": []}'],
        [OPEN, result(1, FILE_DAMAGED, '0000', 'SHA-256'), END])
    os.environ['TMPDIR'] = os.path.join(STORE.name, 'missing')
    refused('no room for a temporary file', ct, 'could not edit: could not create temporary file', outcome=DEFERRED)
    del os.environ['TMPDIR']


def test_retried():
    """The association breaks: the object is edited the same for the next one."""
    ct = named('CT_small.dcm')
    line = edited(ct, put('00100010', 'PN', 'NEW^NAME'))
    first = send([line])[1][0]
    second = send([line])[1][0]
    check('edited twice, the same bytes', first and first[1] == second[1])


def test_mutations():
    chance = random.Random(8)
    script = []
    steps = [put('00100010', 'PN', 'X'), put('00400275/00400009', 'SH', 'Y'), remove('*/00080018'), {'do': 'private', 'keep': ['A']},
             rules(DA='shift:dummy', LO='clean:dummy', UN='remove', _0008114A='uid', _0040A730='dummy')]
    for this in (named(name) for name in ('CT_small.dcm', 'priv_SQ.dcm', 'MR_small_RLE.dcm', 'test-SR.dcm', 'ExplVR_BigEnd.dcm', 'rtplan.dcm')):
        for _ in range(40):
            data = bytearray(this.dataset)
            for _ in range(chance.choice((1, 10, 100))):
                data[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
            script.append(edited(this, *steps[1:], dataset=bytes(data), days=3, dummies={'LO': 'X'}))
    results, _, heard = send(script, '-w', '256')
    check('mutations of %d objects' % len(script), len(results) == len(script) and heard[-1] == ['EXIT', '0'] and
          {fields[2] for fields in results} <= {RESPONSE, NOT_EDITED}, drive.output[-2000:])


run_tests(globals())
