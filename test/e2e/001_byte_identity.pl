# The bytes that arrive are the bytes that were sent, at both ends.
#
# Every real object at hand goes in twice: sent byte by byte by a sender of our own,
# and by DCMTK's dcmsend, which re-encodes.  What the gateway keeps, and what its two
# destinations get (DCMTK's storescp, and a PACS of our own that takes everything),
# must be what came over the wire.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects dataset_digests);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant MEDIA_STORAGE_DIRECTORY => '1.2.840.10008.1.3.10';

my $dir = $ENV{TESTDIR};
my ($objects, $left_out) = sendable_objects();

note(basename($_) . ": not sent by the raw sender: $left_out->{$_}") for sort keys %$left_out;
cmp_ok(scalar @$objects, '>', 80, 'there are real objects to send: ' . @$objects);

my $gateway = DicomGW::Gateway->start('gateway');
my $storescp = DicomGW::Pacs->start(kind => 'storescp', dir => "$dir/storescp");
my $archive = DicomGW::Pacs->start(kind => 'any', dir => "$dir/archive");
$gateway->forward_everything_to('pacs', $storescp);
$gateway->forward_everything_to('archive', $archive);
ok($gateway->wait_until_up, 'the gateway is up');

# Some of the objects say another SOP class or instance in the dataset than in the file meta group.
ok($gateway->set_listener(q{mismatch = 'store'}), 'what is not what its command says is kept, too');

# ---------- sent as they are ----------

my @status = DicomGW::Association->send_all($objects, port => $gateway->port, calling => 'RAW');
my @refused = map {
	my $name = basename($objects->[$_]{file});
	!defined $status[$_] ? "$name: no answer" : $status[$_] ? sprintf('%s: %04XH', $name, $status[$_]) : ()
} 0 .. $#$objects;
is_deeply(\@refused, [], 'every object is acknowledged') or diag(explain(\@refused));

my %kept;
$kept{"$_->{sop_instance_uid} $_->{transfer_syntax_uid} $_->{sha256}"}++ for $gateway->objects;
my %sent;
$sent{"$_->{sop_instance_uid} $_->{transfer_syntax_uid} " . sha256_hex($_->{dataset})}++ for @$objects;
is_deeply(\%kept, \%sent, 'the gateway keeps exactly the datasets that were sent');

is(
	$gateway->sql(
		q{SELECT count(*) > 0 FROM (SELECT header_error FROM dicomgw.ingest UNION ALL SELECT header_error FROM dicomgw.instance) x
		  WHERE header_error ~ 'UID differs? from the data set'}),
	't',
	'and says which these are');

# ---------- sent by DCMTK ----------

my ($first) = grep { $_->{file} =~ /charset_files/ } @$objects;
my $data = dirname(dirname($first->{file}));
{
	local $ENV{TCP_NODELAY} = 1;
	command_ok(
		[
			'dcmsend', '-nh', '-nuc', '+f', '+ma', '+sd', '+r', '-aec', 'DICOMGW', '+crf', "$dir/report",
			'127.0.0.1', $gateway->port, "$data/test_files", "$data/charset_files"
		],
		'dcmsend sends what it can');
}
my %report_of = slurp_file("$dir/report") =~ /^Filename\s*: ([^\n]+)\n.*?^DIMSE Status\s*: ([^\n]+)/msg;
my @sent_by_dcmtk = grep { $report_of{$_} =~ /0x0000/ } keys %report_of;
note(basename($_) . ": dcmsend: $report_of{$_}") for grep { $report_of{$_} !~ /0x0000/ } sort keys %report_of;
cmp_ok(scalar @sent_by_dcmtk, '>', 80, 'objects sent by dcmsend: ' . @sent_by_dcmtk);
is($gateway->sql(q{SELECT count(*) FROM (SELECT FROM dicomgw.ingest WHERE calling_ae = 'DCMSEND'
		UNION ALL SELECT FROM dicomgw.instance WHERE calling_ae = 'DCMSEND') x}),
	scalar @sent_by_dcmtk, 'the gateway has what dcmsend says it has');

# ---------- what is kept, and what arrives ----------

ok($gateway->wait_until_idle, 'everything is routed and forwarded');

my @rows = $gateway->objects;
is_deeply([ grep { defined } map { $gateway->file_problem($_) } @rows ], [], 'every stored file is as its row says');
is(scalar $gateway->stored_files, scalar @rows, 'and there are no other files');

%kept = ();
$kept{"$_->{sop_instance_uid} $_->{transfer_syntax_uid} $_->{sha256}"}++ for @rows;
is_deeply($archive->received, \%kept, 'the archive got the bytes that were received, all of them');

# storescp takes no DICOMDIR; whatever else it has no presentation context for is a failure of ours
my %expected;
$expected{ $_->{sha256} }++ for grep { $_->{sop_class_uid} ne MEDIA_STORAGE_DIRECTORY } @rows;
is_deeply(dataset_digests($storescp->dir), \%expected, 'storescp wrote the bytes that were received');
is(
	$gateway->sql(
		q{SELECT count(*) FROM dicomgw.dead_letter l JOIN dicomgw.instance i ON i.id = l.instance_id
		  WHERE i.sop_class_uid <> '} . MEDIA_STORAGE_DIRECTORY . q{'}),
	0,
	'nothing else failed');
is(
	$gateway->sql('SELECT count(*) FROM dicomgw.dead_letter'),
	scalar(grep { $_->{sop_class_uid} eq MEDIA_STORAGE_DIRECTORY } @rows),
	'what storescp does not take is a dead letter each');

$gateway->node->stop;
done_testing();
