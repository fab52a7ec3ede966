# What a row of dicomgw.listener says is what its callers meet, TLS included; and what is
# wrong with its certificate is said, and nobody else's trouble.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Certificate qw(make_certificate);
use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects);
use DicomGW::Pdu;
use IO::Socket::INET;
use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use constant {
	OUT_OF_RESOURCES => 0xA700,
	IMPLICIT         => DicomGW::Gateway::IMPLICIT(),
	EXPLICIT         => '1.2.840.10008.1.2.1',
	VERIFICATION     => DicomGW::Association::VERIFICATION(),
	TRIES            => 5,
};

my $dir = PostgreSQL::Test::Utils::tempdir();
my $gateway = DicomGW::Gateway->start('settings', config => 'dicomgw.routing = off');
my ($object) = grep { length $_->{dataset} > 5_000 && length $_->{dataset} < 100_000 } @{ (sendable_objects())[0] };

ok($gateway->wait_until_up, 'it is up');

sub call
{
	return DicomGW::Association->open(
		port     => $gateway->port,
		contexts => [ [ VERIFICATION, IMPLICIT ], [ $object->{sop_class_uid}, $object->{transfer_syntax_uid} ] ],
		@_);
}

# ---------- in force within a second ----------

my @took;
for my $try (1 .. TRIES)
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $reached = sub { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port); };

	$gateway->sql("INSERT INTO dicomgw.listener (name, bind_address, port) VALUES ('new', '127.0.0.1', $port)");
	my $start = time;
	ok(poll_until($reached), 'a new listener listens');
	push @took, time - $start;
	$gateway->sql(q{DELETE FROM dicomgw.listener WHERE name = 'new'});
	ok(poll_until(sub { return !$reached->() }), 'and when it is deleted, it does not');
}
# the best of them: this machine may be busy
cmp_ok(min(@took), '<', 1, 'within a second');

# ---------- negotiation ----------

ok($gateway->set_listener('max_pdu = 16384'), 'a listener with a maximum PDU length');
is(call()->peer_max_pdu, 16384, 'offers it');
ok($gateway->set_listener('max_pdu = 131072'), 'with the longest there is');
{
	my $association = call(contexts => [ [ $object->{sop_class_uid}, IMPLICIT, EXPLICIT ] ]);

	is($association->peer_max_pdu, 131072, 'offers that');
	ok($association->accepted($object->{sop_class_uid}, IMPLICIT), 'the sender\'s first transfer syntax is taken');
	ok($gateway->set_listener("transfer_syntaxes = '{1.2.840.10008.1.2.4.70,${\ EXPLICIT}}'"), 'a listener that prefers another');
	$association = call(contexts => [ [ $object->{sop_class_uid}, IMPLICIT, EXPLICIT ] ]);
	ok($association->accepted($object->{sop_class_uid}, EXPLICIT), 'takes that one');
}

# ---------- limits ----------

ok($gateway->set_listener('max_object_size = 1000'), 'a listener with a largest object');
is(call()->store($object), OUT_OF_RESOURCES, 'refuses a larger one');
ok($gateway->set_listener(q{max_object_size = NULL, idle_timeout = '1 s'}), 'one without patience');
{
	my ($type) = DicomGW::Pdu::read_pdu(call()->socket, 30);
	is($type, DicomGW::Pdu::ABORT(), 'aborts an idle association');
	ok($gateway->poll(q{SELECT EXISTS (SELECT FROM dicomgw.association WHERE state = 'timed out' AND calling_ae = 'TESTER')}), 'and says so');
}
ok($gateway->set_listener(q{idle_timeout = '5 min', association_timeout = '1 s'}), 'one without patience for requests');
{
	my $association = call(raw => 1);
	syswrite $association->socket, "\1";
	my ($type) = DicomGW::Pdu::read_pdu($association->socket, 30);
	ok(!defined $type || $type == DicomGW::Pdu::ABORT(), 'ends a connection that drips');
}
ok($gateway->set_listener(q{association_timeout = '30 s'}), 'a patient one again');

# ---------- TLS ----------

# Have the listener's files replaced by those of this certificate.
sub replace_files
{
	my ($name) = @_;

	for my $suffix (qw(key pem))
	{
		my $content = slurp_file("$dir/$name.$suffix");
		unlink "$dir/live.$suffix";
		append_to_file("$dir/live.$suffix", $content);
	}
	return;
}

sub status_of
{
	my ($name, $condition) = @_;

	return $gateway->poll("SELECT $condition FROM dicomgw.listener_status WHERE name = '$name'");
}

make_certificate($dir, 'first', '/CN=gateway', 30);
make_certificate($dir, 'second', '/CN=gateway', 60);
make_certificate($dir, 'expired', '/CN=gateway', -1);
make_certificate($dir, 'client', '/O=Klinik/CN=CT 1', 30);
replace_files('first');

my $secure = PostgreSQL::Test::Cluster::get_free_port();
my @client = ('-cert', "$dir/client.pem", '-key', "$dir/client.key");

$gateway->sql(
	qq{INSERT INTO dicomgw.listener (name, bind_address, port, tls, tls_certificate, tls_key, tls_client_certificate, tls_ca)
	   VALUES ('secure', '127.0.0.1', $secure, true, '$dir/live.pem', '$dir/live.key', 'required', '$dir/client.pem')});
ok(status_of('secure', q{listening AND problem IS NULL AND certificate_expires_at BETWEEN now() + '29 days' AND now() + '31 days'}),
	'a TLS listener listens, and it is known how long its certificate is good for');
my $open = call(port => $secure, tls => \@client, calling => 'SECURE');
is($open && $open->store($object), 0, 'an object over TLS');
like($gateway->sql(q{SELECT concat_ws(' ', tls_version, tls_subject) FROM dicomgw.association WHERE state = 'open' AND calling_ae = 'SECURE'}),
	qr/^TLSv1\.3 CN=CT 1,O=Klinik$/, 'its association says so, and who it is');
is(call(port => $secure, tls => []), undef, 'nobody is let in without a certificate');
ok($gateway->poll(q{SELECT EXISTS (SELECT FROM dicomgw.association WHERE listener = 'secure' AND reason ~ 'did not return a certificate')}),
	'and that is seen');

replace_files('second');
$gateway->sql('SELECT pg_reload_conf()');
ok(status_of('secure', q{certificate_expires_at > now() + '50 days'}), 'new files are picked up by a reload');
is($open->store($object), 0, 'and the open association goes on');
is(call(port => $secure, tls => \@client)->echo(IMPLICIT), 0, 'as does the next one');

unlink "$dir/live.key";
$gateway->sql('SELECT pg_reload_conf()');
ok(status_of('secure', q{listening AND problem ~ 'could not load the private key .*No such file'}), 'a key that has gone is reported');
ok($gateway->poll(q{SELECT last_error ~ 'could not load the private key' FROM dicomgw.status WHERE worker = 'receiver'}), 'also as an error');
is(call(port => $secure, tls => \@client)->echo(IMPLICIT), 0, 'the certificate that was loaded serves on');
is($open->echo(IMPLICIT), 0, 'as does the open association');

replace_files('expired');
$gateway->sql('SELECT pg_reload_conf()');
ok(status_of('secure', q{listening AND problem ~ 'expired at'}), 'one that has expired is reported');
is(call(port => $secure, tls => \@client)->echo(IMPLICIT), 0, 'and it is for the caller to decide');

$gateway->sql(qq{UPDATE dicomgw.listener SET tls_crl = '$dir/missing.crl' WHERE name = 'secure'});
ok(status_of('secure', q{problem ~ 'could not load the revocation lists'}), 'missing revocation lists are reported');

my $broken = PostgreSQL::Test::Cluster::get_free_port();
$gateway->sql(
	qq{INSERT INTO dicomgw.listener (name, bind_address, port, tls, tls_certificate, tls_key)
	   VALUES ('broken', '127.0.0.1', $broken, true, '$dir/first.pem', '$dir/second.key')});
ok(status_of('broken', q{NOT listening AND problem IS NOT NULL}), 'a listener whose key is another one\'s does not listen');
ok($gateway->answers, 'the plain one does');
is($open->echo(IMPLICIT), 0, 'and the association that was open in the beginning is so still');
$open->release;

$gateway->node->stop;
done_testing();
