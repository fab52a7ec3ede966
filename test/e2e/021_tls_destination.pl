# A destination with TLS: DCMTK's storescp, which wants our certificate, as we want its.
# A certificate that is made out to somebody else keeps everything here, and says why.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(dataset_digests sendable_objects);
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant NAME => 'pacs.example';

my $dir = $ENV{TESTDIR};
my $pki = "$dir/pki";

sub openssl
{
	my (@arguments) = @_;

	run_log([ 'openssl', @arguments ]) or die "openssl failed\n";
	return;
}

sub certificate
{
	my ($name, $extension) = @_;

	openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$pki/$name.key", '-out', "$pki/$name.csr",
		'-subj', "/O=Klinik/CN=$name");
	append_to_file("$pki/$name.ext", "$extension\n");
	openssl('x509', '-req', '-in', "$pki/$name.csr", '-CA', "$pki/ca.pem", '-CAkey', "$pki/ca.key", '-CAcreateserial',
		'-days', 30, '-extfile', "$pki/$name.ext", '-out', "$pki/$name.pem");
	return;
}

mkdir $pki;
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$pki/ca.key", '-out', "$pki/ca.pem", '-subj', '/CN=ca',
	'-days', 30);
certificate('pacs', 'subjectAltName=DNS:' . NAME);
certificate('gateway', 'basicConstraints=CA:FALSE');

my $pacs = DicomGW::Pacs->start(
	dir     => "$dir/pacs",
	options => [ '+tls', "$pki/pacs.key", "$pki/pacs.pem", '+cf', "$pki/ca.pem" ]);
my $plain = DicomGW::Pacs->start(dir => "$dir/plain");
my $gateway = DicomGW::Gateway->start('gateway');
my ($port, $plain_port) = ($pacs->port, $plain->port);
$gateway->forward_everything_to('pacs', $pacs);
ok($gateway->wait_until_up, 'the gateway is up');

# Change the destination.
sub set_destination
{
	my ($assignments) = @_;

	$gateway->sql("UPDATE dicomgw.destination SET $assignments WHERE name = 'pacs'");
	return;
}

sub echo
{
	my ($columns, $arguments) = @_;

	return $gateway->sql("SELECT $columns FROM dicomgw.echo($arguments)");
}

my ($objects) = sendable_objects();
my @sent = grep { $_->{file} =~ /CT_small|JPEG2000\.dcm|reportsi\.dcm/ } @$objects;

# ---------- another name ----------

set_destination(qq{tls = 'verify-full', tls_ca = '$pki/ca.pem', tls_server_name = 'ris.example',
	tls_certificate = '$pki/gateway.pem', tls_key = '$pki/gateway.key'});
is_deeply([ DicomGW::Association->send_all(\@sent, port => $gateway->port) ], [ (0) x @sent ], 'objects are received');
ok(
	$gateway->poll(
		q{SELECT state = 'down' AND reason LIKE '%not made out to "ris.example" but to "pacs.example"%'
		  FROM dicomgw.destination_state}),
	'the destination is down, for its certificate is made out to somebody else');
like(
	echo('concat_ws(\',\', ok, message, status, tls_version)', q{'pacs'}),
	qr/^f,could not open a TLS session with "127\.0\.0\.1" port $port: .* not made out to "ris\.example" but to "pacs\.example"$/,
	'echo says so, too');
is($gateway->sql('SELECT count(*) FROM dicomgw.forward_job'), scalar @sent, 'the objects wait');

# ---------- the right one ----------

set_destination("tls_server_name = '" . NAME . q{'});
$gateway->sql(q{UPDATE dicomgw.destination_state SET next_probe_at = now()});
like(
	echo(q{concat_ws(',', ok, message, status, peer_max_pdu > 0, associate_time > '0', round_trip_time > '0', tls_version,
		tls_cipher, tls_subject)}, q{'pacs'}),
	qr/^t,0000H,t,t,t,TLSv1\.[23],\S+,CN=pacs,O=Klinik$/,
	'echo tells of the session');
ok($gateway->wait_until_idle, 'everything is forwarded');
is_deeply(
	dataset_digests($pacs->dir),
	{ map { sha256_hex($_->{dataset}) => 1 } @sent },
	'the bytes that arrive are the bytes that were sent');

# ---------- who we are ----------

set_destination('tls_certificate = NULL, tls_key = NULL');
like(echo('message', q{'pacs'}), qr/it may want a certificate of ours, and we have none/, 'without a certificate');
set_destination(qq{tls_certificate = '$pki/gateway.pem', tls_key = '$pki/missing.key'});
like(echo('message', q{'pacs'}), qr{could not load the private key from ".*/missing\.key": No such file}, 'without its key');

# ---------- to anybody ----------

like(
	echo(q{concat_ws(',', ok, message, status, round_trip_time > '0', peer_implementation, tls_version)},
		qq{'127.0.0.1', $plain_port, 'PACS'}),
	qr/^t,0000H,t,\S+ OFFIS_DCMTK_\d+$/,
	'echo to an application entity that is no destination');
is(echo(q{concat_ws(',', ok, message)}, qq{'127.0.0.1', $plain_port, 'PACS', 'GATEWAY', 'off'}), 't', 'with all arguments');
like(
	echo('message', qq{'127.0.0.1', $plain_port, 'PACS', tls => 'verify-full'}),
	qr/could not open a TLS session with "127\.0\.0\.1" port $plain_port/,
	'with TLS, where there is none');
like(
	echo('message', qq{'127.0.0.1', $port, 'PACS', tls => 'verify-ca'}),
	qr/the peer's certificate is not trusted/,
	'with TLS, and an authority that the system does not know');

$gateway->node->stop;
done_testing();
