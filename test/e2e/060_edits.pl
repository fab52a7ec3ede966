# Edits on the way out: de-identified at one destination, untouched at another.
#
# A study of several objects goes through the gateway to two destinations.  One route
# edits: the study stays together under its pseudonyms, also when it is sent again, and
# what is stored, and what the other route sends, is what was received.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects dataset_digests with_instance_uid);
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant COPIES => 5;

my $dir = $ENV{TESTDIR};
my ($objects) = sendable_objects();
my ($ct) = grep { $_->{file} =~ m{/CT_small\.dcm\z} } @$objects;
my @study = map { with_instance_uid($ct, $_) } 1 .. COPIES;
my %sent = map { sha256_hex($_->{dataset}) => 1 } @study;

my $gateway = DicomGW::Gateway->start('gateway');
my $research = DicomGW::Pacs->start(dir => "$dir/research");
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$dir/pacs");
my $again = DicomGW::Pacs->start(dir => "$dir/again");
$gateway->forward_everything_to('research', $research);
$gateway->forward_everything_to('pacs', $pacs);
$gateway->sql(
	qq{INSERT INTO dicomgw.route_edit (route, position, action, options)
	   VALUES ('everything to research', 1, 'deidentify', '{retain_longitudinal_temporal_information_modified_dates}');
	   INSERT INTO dicomgw.route_edit (route, position, action, attribute, expression)
	   VALUES ('everything to research', 2, 'set', 'ClinicalTrialSubjectID', 'calling_ae || ''-'' || modality');
	   INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('again', '127.0.0.1', @{[ $again->port ]}, 'PACS')});
ok($gateway->wait_until_up, 'the gateway is up');

# What pydicom reads of the objects in a folder, by SOP Instance UID.
sub read_objects
{
	my ($folder) = @_;
	my $json = qx{/usr/bin/python3 -c 'import json, pathlib, sys, pydicom
found = {}
for path in pathlib.Path(sys.argv[1]).iterdir():
    d = pydicom.dcmread(path)
    found[str(d.SOPInstanceUID)] = {
        "study": str(d.StudyInstanceUID), "series": str(d.SeriesInstanceUID), "frame": str(d.FrameOfReferenceUID),
        "meta": str(d.file_meta.MediaStorageSOPInstanceUID), "name": str(d.PatientName), "id": d.PatientID,
        "removed": d.get("PatientIdentityRemoved"), "moved": d.get("LongitudinalTemporalInformationModified"),
        "date": d.StudyDate, "subject": d.get("ClinicalTrialSubjectID"), "accession": d.get("AccessionNumber"),
        "codes": [c.CodeValue for c in d.DeidentificationMethodCodeSequence], "private": sum(t.is_private for t in d.keys()),
        "pixels": len(d.PixelData)}
print(json.dumps(found))' '$folder'};

	return decode_json($json);
}

# ---------- one arrives edited, the other as it is ----------

$research->stop;
my @status = DicomGW::Association->send_all(\@study, port => $gateway->port, calling => 'CT1');
is_deeply(\@status, [ (0) x COPIES ], 'a study is acknowledged');
ok($gateway->poll(q{SELECT count(*) = 5 FROM dicomgw.forward_history WHERE destination = 'pacs'}), 'and sent to one destination');
ok($gateway->poll(q{SELECT state <> 'up' FROM dicomgw.destination_state JOIN dicomgw.destination d ON d.id = destination_id WHERE d.name = 'research'}),
	'while the other is away');
$research->restart;
ok($gateway->wait_until_idle, 'it comes back, and gets it, too');

my %pacs;
$pacs{ (split ' ', $_)[-1] } = 1 for keys %{ $pacs->received };
is_deeply(\%pacs, \%sent, 'without edits, what arrives is what was sent');

my $found = read_objects("$dir/research");
my @found = values %$found;
is(scalar @found, COPIES, 'all objects arrive edited');
is_deeply([ grep { $sent{$_} } keys %{ dataset_digests("$dir/research") } ], [], 'none of them as it was');
for my $same (qw(study series frame name id date))
{
	my %value = map { $_->{$same} => 1 } @found;

	is(scalar keys %value, 1, "they still have one $same");
}
like($found[0]{$_}, qr/^2\.25\.[0-9]+$/, "$_: a pseudonym") for qw(study series frame);
like($found[0]{id}, qr/^ANON[0-9A-F]{12}$/, 'so has the patient');
is($found[0]{name}, $found[0]{id}, 'as name and ID');
is_deeply([ sort keys %$found ], [ sort map { $_->{meta} } @found ], 'commands and datasets name the same objects');
is_deeply(
	[ map { $found[0]{$_} } qw(removed moved subject accession private) ],
	[ 'YES', 'MODIFIED', 'CT1-CT', '', 0 ],
	'the profile is followed, and the edit after it');
is_deeply([ sort @{ $found[0]{codes} } ], [qw(113100 113107)], 'and says what was done');
isnt($found[0]{date}, '20040119', 'dates are others');
is($found[0]{pixels}, 32768, 'pixel data stays');

# ---------- what is kept, and what is known ----------

is_deeply({ map { $_->{sha256} => 1 } $gateway->objects }, \%sent, 'what is stored is what was received');
is($gateway->sql(q{SELECT string_agg(DISTINCT destination, ',') FROM dicomgw.forward_history WHERE edit_version IS NOT NULL}),
	'research', 'the history says what was edited');
is( $gateway->sql(
		q{SELECT count(*) FROM dicomgw.instance i, dicomgw.preview_edits(i.id, 'everything to research') p
		  WHERE p.tag = '0020000D' AND p.after = '} . $found[0]{study} . q{'}),
	COPIES, 'the preview shows the same pseudonyms');

# ---------- again ----------

$gateway->sql(q{SELECT dicomgw.replay(ARRAY(SELECT id FROM dicomgw.instance), 'again', edits_of_route => 'everything to research')});
ok($gateway->wait_until_idle, 'sent again');
is_deeply(dataset_digests("$dir/again"), dataset_digests("$dir/research"), 'with the same edits and pseudonyms, byte for byte');

# ---------- what can't be edited ----------

$gateway->sql(
	q{DELETE FROM dicomgw.route_edit;
	  INSERT INTO dicomgw.route_edit (route, action, attribute, expression)
	  VALUES ('everything to research', 'set', 'PatientID', '(1 / (instance_number - instance_number))::text')});
my ($one) = with_instance_uid($ct, 99);
is_deeply([ DicomGW::Association->send_all([$one], port => $gateway->port, calling => 'CT1') ], [0], 'one more');
ok($gateway->poll(q{SELECT count(*) = 1 FROM dicomgw.dead_letter WHERE error = 'division by zero'}), 'an edit that fails is a dead letter');
ok($gateway->wait_until_idle, 'and nothing else waits for it');
is(scalar(keys %{ read_objects("$dir/research") }), COPIES, 'it is not sent unedited');

done_testing();
