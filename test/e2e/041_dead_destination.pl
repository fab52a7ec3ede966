# A destination that does not answer is down, which is a state of its own: its jobs wait and
# spend no attempts, it is probed with C-ECHO, and whoever else there is notices nothing.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use IO::Socket::INET;
use Test::More;

my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
my $other = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/other");
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my @ids = $gateway->receive(map { with_instance_uid($template, $_) } 1 .. 40);

$gateway->add_destination('pacs', $pacs->port,
	connect_timeout => "'1 s'", association_timeout => "'1 s'", response_timeout => "'1 s'", retry_first_delay => "'1 s'",
	retry_factor => 1, retry_jitter => 0);
$gateway->add_destination('other', $other->port);

# Wait until the destination is down for this reason, and has been probed since.
sub is_down
{
	my ($reason, $what) = @_;

	ok(
		$gateway->poll("SELECT EXISTS (SELECT FROM dicomgw.destination_status
			WHERE destination = 'pacs' AND state IN ('down', 'probing') AND reason ~ '$reason')"),
		"$what: down, and why");
	ok($gateway->poll("SELECT failures >= 2 FROM dicomgw.destination_state s JOIN dicomgw.destination d ON d.id = s.destination_id
		WHERE d.name = 'pacs'"), "$what: probed again and again");
	is($gateway->sql("SELECT count(*) FROM dicomgw.destination_status WHERE destination = 'pacs'"), 1, "$what: it is one row");
	return;
}

# All jobs wait for that, and for nothing else.
sub all_wait
{
	my ($count, $attempts, $what) = @_;

	is(
		$gateway->sql("SELECT count(*), sum(attempts) FROM dicomgw.job_status
			WHERE destination = 'pacs' AND state = 'waiting' AND reason_code = 'down' AND reason LIKE 'destination \"pacs\" is down since %'"),
		"$count|$attempts", "$what: all jobs wait for it, with $attempts attempt(s) spent");
	return;
}

sub comes_back
{
	my ($what) = @_;

	$other->clear;
	$gateway->replay('other', @ids[ 0 .. 4 ]);
	ok(poll_until(sub { $other->stored_uids == 5 }), "$what: another destination is sent to meanwhile");
	$pacs->behave;
	ok($gateway->wait_until_idle, "$what: when it answers again everything goes");
	is($gateway->sql("SELECT state, reason, failures FROM dicomgw.destination_state s JOIN dicomgw.destination d ON d.id = s.destination_id
		WHERE d.name = 'pacs'"), 'up||0', "$what: and it is up");
	return;
}

sub begin
{
	poll_until(sub { $pacs->is_idle }) or die 'an association with the PACS does not end';
	$pacs->behave(@_);
	$gateway->sql('DELETE FROM dicomgw.destination_state');
	$gateway->sql('TRUNCATE dicomgw.forward_history');
	$pacs->clear;
	$gateway->replay('pacs', @ids);
	return;
}

# Jobs that were sent at the first attempt.
sub sent_at_once
{
	return $gateway->sql("SELECT count(*) FROM dicomgw.forward_history WHERE destination = 'pacs' AND outcome = 'sent' AND attempts = 1");
}

sub begin_without
{
	poll_until(sub { $pacs->is_idle }) or die 'an association with the PACS does not end';
	$pacs->stop;
	return begin();
}

# ---------- before there is an association ----------

begin_without();
is_down('Connection refused', 'nobody listens');
all_wait(scalar @ids, 0, 'nobody listens');
$pacs->restart;
comes_back('nobody listens');
is(sent_at_once(), scalar @ids, 'nobody listens: it cost no attempts');
cmp_ok(scalar $pacs->events('echo'), '>=', 1, 'nobody listens: the probe that brought it back was a C-ECHO');
is(($pacs->events('store'))[0]{association}, ($pacs->events('echo'))[-1]{association} + 1,
	'nobody listens: nothing came before that');

# A port that takes no connection: its queue is full.
{
	poll_until(sub { $pacs->is_idle }) or die 'an association with the PACS does not end';
	$pacs->stop;
	my $deaf = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $pacs->port, Listen => 1, ReuseAddr => 1);
	my @full = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $pacs->port, Blocking => 0) } 1 .. 4;
	begin();
	is_down('could not connect.*(timed out|within 1 s)', 'packets are dropped');
	all_wait(scalar @ids, 0, 'packets are dropped');
	close $_ for @full, $deaf;
	$pacs->restart;
	comes_back('packets are dropped');
	is(sent_at_once(), scalar @ids, 'packets are dropped: it cost no attempts');
}

my %before = (
	'silence'                                   => [ 'silence', 'within 1 s' ],
	'closed'                                    => [ 'close', 'closed|ended|aborted' ],
	'A-ABORT'                                   => [ 'abort', 'abort' ],
	'rejected, calling AE title'                => [ [ 1, 1, 3 ], 'calling AE title not recognized' ],
	'rejected, called AE title'                 => [ [ 1, 1, 7 ], 'called AE title not recognized' ],
	'rejected, service provider (ACSE)'         => [ [ 1, 2, 1 ], 'no reason' ],
	'rejected, service provider (presentation)' => [ [ 2, 3, 1 ], 'temporary congestion' ],
	'rejected for now, local limit'             => [ [ 2, 3, 2 ], 'local limit exceeded' ],
);
for my $what (sort keys %before)
{
	my ($how, $reason) = @{ $before{$what} };

	begin(associate => $how);
	is_down($reason, $what);
	all_wait(scalar @ids, 0, $what);
	comes_back($what);
	is(sent_at_once(), scalar @ids, "$what: it cost no attempts");
}

# ---------- with an object under way ----------

my $associations = $gateway->sql("SELECT max_associations FROM dicomgw.destination WHERE name = 'pacs'");

for my $how ('abort midway', 'abort', 'close', 'silence')
{
	begin(store => $how);
	is_down('associations break while objects are sent', $how);
	my ($charged, $failures) = split /\|/, $gateway->sql("SELECT sum(j.attempts), max(s.failures) FROM dicomgw.forward_job j
		JOIN dicomgw.destination_state s USING (destination_id)");
	cmp_ok($charged, '>=', 3, "$how: each that was on its way has spent an attempt");
	cmp_ok($charged, '<=', 3 + $associations + $failures - 1, "$how: three in a row, what was on its way then, and one a trial: no more");
	like($gateway->sql("SELECT max(last_error) FROM dicomgw.job_status WHERE destination = 'pacs'"), qr/abort|closed|ended|within 1 s/, "$how: it is noted why");
	comes_back($how);
	is($gateway->sql("SELECT count(DISTINCT instance_id) FROM dicomgw.forward_history WHERE destination = 'pacs' AND outcome = 'sent'"),
		scalar @ids, "$how: all are sent in the end");
}

# ---------- one that answers C-ECHO, and takes nothing ----------

begin(store => { status => 0xa700, comment => 'disk full' });
is_down('takes no objects for now: status A700H disk full', 'a full disk');
cmp_ok($gateway->sql("SELECT sum(attempts) FROM dicomgw.job_status WHERE destination = 'pacs'"),
	'<', @ids, 'a full disk: it was not offered everything');
comes_back('a full disk');

# ---------- a person does not want to wait ----------

$gateway->sql("UPDATE dicomgw.destination SET retry_first_delay = '1 hour', probe_interval = '1 hour' WHERE name = 'pacs'");
begin_without();
ok($gateway->poll("SELECT EXISTS (SELECT FROM dicomgw.destination_status WHERE destination = 'pacs' AND state = 'down' AND next_probe_at > now() + interval '1 minute')"),
	'down, and the next probe is far away');
$pacs->restart;
$gateway->sql("SELECT dicomgw.retry(destination => 'pacs')");
ok($gateway->wait_until_idle, 'retry() asks at once');

begin_without();
ok($gateway->poll("SELECT EXISTS (SELECT FROM dicomgw.destination_status WHERE destination = 'pacs' AND state = 'down')"), 'down again');
$gateway->sql("UPDATE dicomgw.destination SET port = @{[ $other->port ]} WHERE name = 'pacs'");
ok($gateway->wait_until_idle, 'another address is tried at once');

$gateway->node->stop;
done_testing();
