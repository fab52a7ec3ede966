# Peers that do not keep to the rules, or stop half-way, and objects that nobody can
# read: no row and no file for what was not acknowledged, and nobody else notices.
# What DICOM permits and others refuse (unknown SOP classes, private transfer
# syntaxes, unreadable headers) is taken, kept and forwarded.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until WORKERS);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	EXPLICIT         => '1.2.840.10008.1.2.1',
	PRIVATE_SYNTAX   => '1.2.826.0.1.3680043.9.7433.1.1',
	PRIVATE_SOPCLASS => '1.2.826.0.1.3680043.9.7433.1.2',
};

my $gateway = DicomGW::Gateway->start('gateway');
my $archive = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/archive");
$gateway->forward_everything_to('archive', $archive);
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($object) = grep { $_->{file} =~ /CT_small/ } @$real;
my $context = [ $object->{sop_class_uid}, $object->{transfer_syntax_uid} ];
my $workers_query = q{SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
	WHERE backend_type LIKE 'dicomgw %'};
my $workers = $gateway->node->safe_psql('postgres', $workers_query);

sub raw_connection
{
	return DicomGW::Association->open(port => $gateway->port, raw => 1)->socket;
}

# Nothing was kept of what just happened, and the next one is served.
sub nothing_is_left
{
	my ($what) = @_;

	ok(poll_until(sub { !$gateway->stored_files }), "$what: no file is left");
	is(scalar $gateway->objects, 0, 'no row');
	ok($gateway->answers, 'and the next association is served');
	return;
}

# ---------- not DICOM ----------

my %garbage = (
	'an HTTP request'              => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	'random bytes'                 => join('', map { chr(($_ * 167 + 13) % 256) } 1 .. 4096),
	'a PDU of four gigabytes'      => pack('C x N', 1, 0xffffffff) . 'x' x 1000,
	'an association without items' => pack('C x N n x66', 1, 68, 1),
	'a P-DATA-TF first'            => pack('C x N N C C', 4, 6, 2, 1, 3),
	'a release first'              => pack('C x N N', 5, 4, 0),
	'nothing'                      => '',
);
for my $name (sort keys %garbage)
{
	local $SIG{PIPE} = 'IGNORE';
	my $socket = raw_connection();
	syswrite $socket, $garbage{$name} if length $garbage{$name};
	close $socket;
	nothing_is_left($name);
}

# ---------- stopped half-way ----------

{
	my $association = DicomGW::Association->open(port => $gateway->port, contexts => [$context]);
	syswrite $association->socket, pack('C x N N C', 4, 1000, 996, 1);
	close $association->socket;
	nothing_is_left('a connection closed inside a PDU');
}
for my $way (qw(close abort))
{
	my $association = DicomGW::Association->open(port => $gateway->port, contexts => [$context]);
	$association->store_begin({ %$object, dataset => $object->{dataset} x 20 }, 200_000);
	$way eq 'abort' ? $association->abort : close $association->socket;
	nothing_is_left("$way inside an object");
}
{
	my $association = DicomGW::Association->open(port => $gateway->port, contexts => [$context]);
	$association->store_begin($object, 0);
	$association->release;
	nothing_is_left('a release instead of the dataset');
}

# ---------- refused ----------

{
	my $association =
	  DicomGW::Association->open(port => $gateway->port, called => 'SOMEBODY', contexts => [$context]);
	is_deeply($association->rejected, [ 1, 1, 7 ], 'a wrong called AE title is rejected (1,1,7)');
	nothing_is_left('a rejected association');
}
is($gateway->node->safe_psql('postgres', $workers_query), $workers, 'no worker had to be started anew');

# ---------- unusual, but right ----------

# The object as one of another SOP class, in explicit VR.
sub with_sop_class
{
	my ($of, $sop_class) = @_;
	my %copy = (%$of, sop_class_uid => $sop_class);
	my ($old, $new) = map { pack 'v v a2 v a*', 8, 0x16, 'UI', length, $_ }
	  map { $_ . "\0" x (length($_) % 2) } $of->{sop_class_uid}, $sop_class;

	$copy{dataset} =~ s/\Q$old\E/$new/ or die "SOP Class UID not found in the dataset\n";
	return \%copy;
}

my @unusual = (
	with_sop_class(with_instance_uid($object, 1), PRIVATE_SOPCLASS),
	{ %{ with_instance_uid($object, 2) }, transfer_syntax_uid => PRIVATE_SYNTAX },
	{
		sop_class_uid       => $object->{sop_class_uid},
		sop_instance_uid    => '1.2.826.0.1.3680043.9.7433.1.3',
		transfer_syntax_uid => EXPLICIT,
		dataset             => join('', map { chr(($_ * 73 + 41) % 256) } 1 .. 5000),
	},
);
my @status = DicomGW::Association->send_all(\@unusual, port => $gateway->port);
is($status[0], 0, 'an unknown SOP class is taken');
is($status[1], 0, 'a private transfer syntax is taken');
is($status[2], 0, 'an object whose header is unreadable is taken');

ok($gateway->wait_until_idle, 'they are routed and forwarded');
my @rows = $gateway->objects;
is(scalar @rows, 3, 'each has its row');
is_deeply([ grep { defined } map { $gateway->file_problem($_) } @rows ], [], 'and its file, byte for byte');
is_deeply(
	[ map { $_->{sop_instance_uid} } grep { $_->{has_header_error} eq 't' } @rows ],
	[ $unusual[2]{sop_instance_uid} ],
	'a header that could not be read is flagged; a private transfer syntax is read as explicit VR (PS3.5 10)');

my %expected = map { ("$_->{sop_instance_uid} $_->{transfer_syntax_uid} " . sha256_hex($_->{dataset}) => 1) } @unusual;
is_deeply($archive->received, \%expected, 'and the bytes have arrived');

$gateway->node->stop;
done_testing();
