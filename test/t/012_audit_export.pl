# The audit log goes to an audit repository over TLS with both certificates: every entry arrives,
# in order, whatever breaks in between.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until WORKERS);
use FindBin;
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = $ENV{TESTDIR};
my $pki = "$dir/pki";
my $received = "$dir/received";
my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($receiver, $said);

sub openssl
{
	run_log([ 'openssl', @_ ]) or die "openssl failed\n";
	return;
}

sub certificate
{
	my ($name, $ca) = @_;

	openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$pki/$name.key", '-out', "$pki/$name.csr", '-subj', "/CN=$name");
	append_to_file("$pki/$name.ext", "subjectAltName=IP:127.0.0.1\n");
	openssl('x509', '-req', '-in', "$pki/$name.csr", '-CA', "$pki/$ca.pem", '-CAkey', "$pki/$ca.key", '-CAcreateserial', '-days', 30,
		'-extfile', "$pki/$name.ext", '-out', "$pki/$name.pem");
	return;
}

sub start_receiver
{
	my (@options) = @_;

	$said = '';
	$receiver = start(
		[ '/usr/bin/python3', "$FindBin::Bin/../lib/syslog_receiver.py", $port, $received, "$pki/arr.pem", "$pki/arr.key", "$pki/ca.pem", @options ],
		'>', \$said);
	return poll_until(sub { $receiver->pump_nb; $said =~ /ready/ });
}

sub stop_receiver
{
	$receiver->kill_kill(grace => 0) if $receiver;
	undef $receiver;
	return;
}
END { local $?; stop_receiver() }

# Nothing is malformed, nothing is missing, and nothing comes before its time; some may come twice.
sub all_in_order
{
	my ($last) = @_;
	my $seen = 0;

	for my $line (split /\n/, slurp_file($received))
	{
		my ($position) = $line =~ /^(\d+) / or return diag($line) && 0;
		return diag("$position after $seen") && 0 if $position > $seen + 1;
		$seen = $position if $position > $seen;
	}
	return $seen == $last || diag("$seen of $last") && 0;
}

my $gateway = DicomGW::Gateway->start('gateway');

# Every message that there is, and one of each event, with names that hold what XML does not like:
# those that PS3.15's schema does not let pass, and of how many.  expression: of the message, xml.
sub invalid_messages
{
	my ($expression) = @_;
	my @xml = split /\n/, $gateway->sql(qq{
		SELECT $expression FROM (
			SELECT dicomgw._audit_message(a, c.position, 'gateway', 'Klinik', true)
			FROM dicomgw.audit_chain c JOIN dicomgw.audit_log a ON a.id = c.entry
			UNION ALL
			SELECT dicomgw._audit_message(ROW(1, now(), u.nasty, gen_random_uuid(), '::1', u.nasty, e.action,
				e.subject || ' study 1.2.3 ' || u.nasty, jsonb_build_object('x', u.nasty))::dicomgw.audit_log, 1, u.nasty, u.nasty, true)
			FROM dicomgw.audit_event e,
			     (VALUES (E'\\u0001\\u001f\\u0085\\ufffe <a b="c">&amp;]]>''\\t\\r\\n \\u00e9')) AS u(nasty)) AS m(xml)});
	my @files = map { "$dir/$_.xml" } 1 .. @xml;

	unlink @files;
	append_to_file($files[$_], $xml[$_]) for 0 .. $#xml;
	my (undef, $err) = run_command([ 'xmllint', '--noout', '--relaxng', "$FindBin::Bin/../lib/audit_message.rng", @files ]);
	my @invalid = grep { / fails to validate$/ || /parser error/ } split /\n/, $err;
	my $valid = grep { / validates$/ } split /\n/, $err;

	return (scalar(@xml), $valid, @invalid);
}

sub note_some
{
	my ($n) = @_;

	$gateway->sql("SELECT dicomgw.note_view('study 1.2.' || i || '.' || extract(epoch FROM now())) FROM generate_series(1, $n) i");
	return;
}

sub all_there
{
	my ($name) = @_;

	ok($gateway->poll('SELECT connected AND waiting = 0 FROM dicomgw.audit_export_status'), "$name: all are sent");
	ok(all_in_order($gateway->sql('SELECT count(*) FROM dicomgw.audit_chain')), "$name: all have arrived, in order");
	return;
}

mkdir $pki;
for my $ca (qw(ca other))
{
	openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$pki/$ca.key", '-out', "$pki/$ca.pem", '-subj', "/CN=$ca", '-days', 30);
}
certificate($_, 'ca') for qw(arr gateway);
ok(start_receiver(), 'the receiver listens');
ok($gateway->poll_workers(WORKERS), 'the workers run');

$gateway->sql(qq{INSERT INTO dicomgw.audit_repository (name, host, port, tls_ca, tls_certificate, tls_key, response_timeout)
	VALUES ('arr', '127.0.0.1', $port, '$pki/other.pem', '$pki/gateway.pem', '$pki/gateway.key', '5 s')});
ok($gateway->poll(q{SELECT NOT connected AND waiting > 0 AND last_error LIKE '%certificate%' FROM dicomgw.audit_export_status}),
	'a receiver that another authority vouches for gets nothing');
ok(!-s $received, 'not a byte');
$gateway->sql("UPDATE dicomgw.audit_repository SET tls_ca = '$pki/ca.pem'");
all_there('the right one');
like(slurp_file($received), qr/^\d+ 110100 start gateway$/m, 'the start of the gateway is noted');

note_some(300);
all_there('many batches');

stop_receiver();
note_some(50);
ok($gateway->poll('SELECT NOT connected AND waiting > 0 AND next_attempt_at IS NOT NULL FROM dicomgw.audit_export_status'), 'an outage shows');
$gateway->node->restart;
note_some(50);
ok(start_receiver(), 'the receiver is back');
all_there('an outage, and a restart of the server meanwhile');

stop_receiver();
ok(start_receiver('stall'), 'a receiver that does not read');
note_some(10);
my @pids;
ok(poll_until(sub { @pids = $gateway->helper_pids('dicomgw-syslog'); @pids == 1 }), 'a program talks to it');
kill 'KILL', @pids;
ok($gateway->poll(q{SELECT last_error LIKE '%dicomgw-syslog was killed by signal 9%' FROM dicomgw.audit_export_status}), 'it is killed, and that shows');
stop_receiver();
ok(start_receiver(), 'the receiver is back');
all_there('a program that was killed');

$gateway->node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $gateway->worker_pid('audit') . ')');
note_some(10);
all_there('a worker that was terminated');

$gateway->sql(q{INSERT INTO dicomgw.study (study_instance_uid, patient_id, patient_name, instances, size, first_received_at, last_received_at)
	VALUES ('1.2.3', 'P<1>', 'Doe^"Jane"&<b>', 1, 1, now(), now())});
my ($messages, $valid, @invalid) = invalid_messages('xml');
cmp_ok($messages, '>', 400, 'there are messages');
is_deeply([ $valid, @invalid ], [ $messages ], 'and each is valid by the schema of PS3.15 A.5.1');
($messages, $valid) = invalid_messages(q{replace(xml, 'EventOutcomeIndicator="', 'EventOutcomeIndicator="1')});
is($valid, 0, 'which none with a wrong code is');

$gateway->sql('DROP EXTENSION dicomgw');
ok($gateway->poll_workers(1), 'the worker leaves with the extension');
is_deeply([ $gateway->helper_pids('dicomgw-syslog') ], [], 'and its programs');
$gateway->node->stop;
done_testing();
