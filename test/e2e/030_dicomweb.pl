# Objects go to a DICOMweb server, Orthanc, by STOW-RS over HTTPS (and HTTP/2).
#
# What it keeps must be what came over the wire to the gateway.  On the way the
# credentials are wrong for a while, its certificate is not the one that is wanted,
# and the server is down: nothing may be lost, and the reason must be told.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Orthanc;
use DicomGW::Part10 qw(sendable_objects read_part10);
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'Orthanc, its DICOMweb plugin, or nginx is not installed' unless DicomGW::Orthanc::available();

my $dir = $ENV{TESTDIR};
my ($objects) = sendable_objects();
my $password = DicomGW::Orthanc::PASSWORD;
my $username = DicomGW::Orthanc::USERNAME;

# A certificate for localhost that is its own authority.
command_ok(
	[
		qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext), 'subjectAltName=DNS:localhost',
		'-keyout', "$dir/key.pem", '-out', "$dir/ca.pem"
	],
	'there is a certificate');

my $orthanc =
  DicomGW::Orthanc->start(dir => "$dir/orthanc", certificate => "$dir/ca.pem", key => "$dir/key.pem", ca => "$dir/ca.pem");
my $gateway = DicomGW::Gateway->start('gateway');

$gateway->sql(qq{
	INSERT INTO dicomgw.destination (name, kind, url, tls, tls_ca, retry_first_delay, retry_max_delay, probe_interval, max_associations)
	VALUES ('orthanc', 'dicomweb', '@{[ $orthanc->url ]}', 'verify-full', '$dir/ca.pem', '1 s', '2 s', '1 s', 2);
	INSERT INTO dicomgw.route (name, destination) VALUES ('everything', 'orthanc')});
ok($gateway->wait_until_up, 'the gateway is up');
ok($gateway->set_listener(q{mismatch = 'store'}), 'and takes whatever comes');

sub send_objects
{
	my @sent = @_;
	my @status = DicomGW::Association->send_all(\@sent, port => $gateway->port, calling => 'MODALITY');

	return is_deeply([ grep { !defined || $_ } @status ], [], scalar(@sent) . ' objects are acknowledged');
}

# Wait until it is down for this reason.
sub down_because
{
	my ($pattern) = @_;

	return $gateway->poll(
		qq{SELECT EXISTS (SELECT FROM dicomgw.destination_state WHERE state IN ('down', 'probing') AND reason ~ '$pattern')});
}

sub echo
{
	return $gateway->sql(q{SELECT ok || ' ' || coalesce(message, '') FROM dicomgw.echo('orthanc')});
}

# ---------- credentials ----------

is(echo(), 'false server answered 401 Unauthorized', 'without credentials it turns us away');
send_objects(@$objects[ 0 .. 2 ]);
ok(down_because('^server answered 401 Unauthorized'), 'so the destination is down, and why');

$gateway->sql(qq{SELECT dicomgw.set_credentials('orthanc', '$username', 'wrong')});
like(echo(), qr/^false .*401/, 'with a wrong password, too');
ok(down_because('401'), 'and it stays down');

$gateway->sql(qq{SELECT dicomgw.set_credentials('orthanc', '$username', '$password')});
is(echo(), 'true ', 'with the right ones it answers');
ok($gateway->wait_until_idle, 'and the objects go there');
is($gateway->sql('SELECT count(*), max(attempts) FROM dicomgw.forward_history'), '3|1', 'at the first attempt of each');

# ---------- TLS ----------

$gateway->sql(q{UPDATE dicomgw.destination SET tls_server_name = 'pacs.example'});
like(echo(), qr/^false could not connect: .*name/, 'a certificate for another name is refused');
$gateway->sql(q{UPDATE dicomgw.destination SET tls_server_name = NULL, tls_ca = NULL});
like(echo(), qr/^false could not connect: .*certificate/, 'one of an unknown authority, too');
$gateway->sql(qq{UPDATE dicomgw.destination SET tls_ca = '$dir/ca.pem'});

# ---------- down and up ----------

$orthanc->stop;
send_objects(@$objects[ 3 .. 9 ]);
ok(down_because('^could not connect'), 'a server that is not there is down');
$orthanc->restart;
ok($gateway->wait_until_idle, 'it is noticed that it is there again');

$orthanc->pause;
send_objects(@$objects[ 10 .. 12 ]);
ok(
	$gateway->poll(q{SELECT count(DISTINCT job_id) > 0 FROM dicomgw.forward_attempt WHERE error ~ '^server answered 502'}),
	'one that has nobody behind it costs an attempt');
$orthanc->resume;
ok($gateway->wait_until_idle, 'and no more than that');

send_objects(@$objects[ 13 .. $#$objects ]);
ok($gateway->wait_until_idle, 'all find their way');

# ---------- what has arrived ----------

my @rows = $gateway->objects;
my %dead = map { $_ => 1 } split /\n/,
  $gateway->sql(q{SELECT i.id FROM dicomgw.dead_letter l JOIN dicomgw.instance i ON i.id = l.instance_id});
my %has;
my %stored = $orthanc->files;
for my $number (keys %stored)
{
	append_to_file("$dir/stored-$number", $stored{$number});
	my ($object) = read_part10("$dir/stored-$number");
	$has{ sha256_hex($object->{dataset}) }++;
}
my @missing = map { $_->{file_path} } grep { !$dead{ $_->{id} } && !$has{ $_->{sha256} } } @rows;
cmp_ok(scalar keys %stored, '>', 60, 'Orthanc keeps objects: ' . keys %stored);

# Of versions of an instance it keeps the first, and says of the others that it has stored them.
my %first;
my @versions = map { $_->{sop_instance_uid} } @rows;
$first{$_}++ for @versions;
my %of_path = map { $_->{file_path} => $_ } @rows;
is_deeply([ grep { $first{ $of_path{$_}{sop_instance_uid} } == 1 } @missing ],
	[], 'whatever was sent has arrived as it was received')
  or diag(explain([ map { $of_path{$_} } @missing ]));

my %received = map { $_->{sha256} => 1 } @rows;
is_deeply([ grep { !$received{$_} } keys %has ], [], 'and nothing else is there');

# One of several versions is taken once another one is there.
my @refused = map { $gateway->storage_path . "/$_->{file_path}" }
  grep { $dead{ $_->{id} } && $first{ $_->{sop_instance_uid} } == 1 } @rows;
is_deeply([ grep { $orthanc->takes($_) } @refused ],
	[], 'what is a dead letter is not taken from anybody: ' . @refused);
is($gateway->sql(q{SELECT string_agg(DISTINCT error, ', ') FROM dicomgw.dead_letter}),
	'server answered 400 Bad Request', 'and why');

like(slurp_file("$dir/orthanc.access.log"), qr{POST /dicom-web/studies HTTP/2}, 'HTTP/2 was spoken');

# The test's own statements are in the server's log, with the password that is set by one.
my $said = join "\n", grep { !/LOG:  statement: / } split /\n/, slurp_file($gateway->node->logfile);
unlike($said, qr/\Q$password\E|wrong/, 'no password is in what the workers log');

$gateway->node->stop;
done_testing();
