# Whatever a peer answers to an object, its job ends as the standard's status classes say:
# sent, offered again, or a dead letter; and what the peer said is kept.

use strict;
use warnings;

use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use Test::More;

my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my $number = 0;

# So many objects that the gateway has: their hashes, with their id.
sub received
{
	my ($count) = @_;
	my @objects = map { with_instance_uid($template, ++$number) } 1 .. $count;
	my @ids = $gateway->receive(@objects);

	$objects[$_]{id} = $ids[$_] for 0 .. $#objects;
	return @objects;
}

sub row
{
	my ($query) = @_;

	return [ map { length ? $_ : undef } split /\|/, $gateway->sql($query), -1 ];
}

sub waits_for_nothing
{
	my ($destination) = @_;

	return $gateway->poll("SELECT NOT EXISTS (SELECT FROM dicomgw.forward_job j JOIN dicomgw.destination d
		ON d.id = j.destination_id WHERE d.name = '$destination' AND j.not_before <= now())");
}

# ---------- each status class ----------

my %class_of = (
	(map { $_ => 'taken' } qw(0000 0001 0107 0116 B000 B006 B007 BFFF)),
	(map { $_ => 'transient' } qw(A700 A702 0110 0124 0210 0213 FF00)),
	(map { $_ => 'permanent' } qw(A900 A9FF C000 C123 CFFF 0105 0106 0111 0112 0117 0118 0119 0122 0211 0212)),
);
my @statuses = sort keys %class_of;
my %object_of;
@object_of{@statuses} = received(scalar @statuses);

my %answer = map {
	($object_of{$_}{sop_instance_uid} => { status => hex, comment => "words of $_", offending => '(0010,0020)(0008,0018)' })
} @statuses;
$answer{ $object_of{'0000'}{sop_instance_uid} } = { status => 0 };
$pacs->behave(stores => \%answer);
$gateway->add_destination('pacs', $pacs->port,
	max_attempts => 3, retry_first_delay => "'20 s'", retry_factor => 10, retry_max_delay => "'2 min'", retry_jitter => 0);
$gateway->replay('pacs', map { $object_of{$_}{id} } @statuses);
ok(waits_for_nothing('pacs'), 'every object was offered once');

for my $status (@statuses)
{
	my ($class, $id) = ($class_of{$status}, $object_of{$status}{id});
	my ($number, $words) = (hex $status, $status eq '0000' ? undef : "words of $status");
	my $offending = $status eq '0000' ? undef : '(0010,0020),(0008,0018)';
	my $error_of = "(dicomgw.status_text($number) || ': words of $status')";

	if ($class eq 'taken')
	{
		is_deeply(
			row("SELECT outcome, attempts, status, comment, offending, duration > '0' FROM dicomgw.forward_history WHERE instance_id = $id"),
			[ 'sent', 1, $number, $words, $offending, 't' ],
			"$status: sent, what the peer said is kept");
	}
	elsif ($class eq 'transient')
	{
		is_deeply(
			row("SELECT attempts, last_status, last_error = $error_of, last_offending, lease_token, not_before > now()
				FROM dicomgw.forward_job WHERE instance_id = $id"),
			[ 1, $number, 't', $offending, undef, 't' ],
			"$status: waits for its next attempt");
	}
	else
	{
		is_deeply(
			row("SELECT attempts, status, error = $error_of, offending FROM dicomgw.dead_letter WHERE instance_id = $id"),
			[ 1, $number, 't', $offending ],
			"$status: a dead letter at once");
	}
	next if $class eq 'taken';
	is_deeply(
		row("SELECT attempt, status, error = $error_of, offending, duration > '0' FROM dicomgw.forward_attempt WHERE instance_id = $id"),
		[ 1, $number, 't', $offending, 't' ],
		"$status: in the history of attempts");
}
like(
	$gateway->sql("SELECT string_agg(DISTINCT reason_code, ' ') || max(reason) FROM dicomgw.job_status WHERE instance_id = $object_of{A700}{id}"),
	qr/^backoffattempt 1 of 3 failed \(A700H refused: out of resources: words of A700\); next one at /,
	'why it waits is shown');

# ---------- offered again, until the attempts are used up ----------

my @transient = grep { $class_of{$_} eq 'transient' } @statuses;
my $n = @transient;

is($gateway->sql("SELECT hastened FROM dicomgw.retry(destination => 'pacs', job_ids => ARRAY(SELECT job_id FROM dicomgw.job_status WHERE state = 'waiting'))"),
	$n, 'those that wait are offered now');
ok(waits_for_nothing('pacs'), 'and are');
is($gateway->sql('SELECT count(*) FROM dicomgw.forward_job WHERE attempts = 2'), $n, 'a second time');
is_deeply(
	row("SELECT j.not_before - a.attempted_at FROM dicomgw.forward_job j JOIN dicomgw.forward_attempt a ON a.job_id = j.id AND a.attempt = 2
		WHERE j.instance_id = $object_of{A700}{id}"),
	['00:02:00'], 'the wait has grown to its cap');
is(
	$gateway->sql("SELECT DISTINCT a.attempted_at - b.attempted_at < '20 s' FROM dicomgw.forward_attempt a, dicomgw.forward_attempt b
		WHERE a.job_id = b.job_id AND a.attempt = 2 AND b.attempt = 1"),
	't', 'the person did not have to sit out the first');
$gateway->sql("SELECT dicomgw.retry(job_ids => ARRAY(SELECT id FROM dicomgw.forward_job))");
ok($gateway->wait_until_idle, 'a third time');
is($gateway->sql('SELECT count(*) FROM dicomgw.dead_letter WHERE attempts = 3'), $n, 'max_attempts: dead letters');
is($gateway->sql("SELECT count(*) FROM dicomgw.forward_history WHERE destination = 'pacs'"),
	(grep { $_ eq 'taken' } values %class_of), 'nothing was sent that the peer did not take');
is($gateway->sql("SELECT state FROM dicomgw.destination_status WHERE destination = 'pacs'"),
	'up', 'and a peer that refuses some objects is not down');

is_deeply(
	[
		split /\n/, $gateway->sql(
			"SELECT event, coalesce(status, '') FROM dicomgw.timeline('$object_of{A700}{sop_instance_uid}')")
	],
	[
		'received|', 'routed|', 'queued|',
		('attempt failed|A700H refused: out of resources') x 3,
		'failed|A700H refused: out of resources'
	],
	'the timeline tells all of it');

# ---------- a person has mended what was wrong ----------

$pacs->behave;
is($gateway->sql("SELECT revived FROM dicomgw.retry(destination => 'pacs')"),
	@statuses - (grep { $_ eq 'taken' } values %class_of), 'dead letters are put back');
ok($gateway->wait_until_idle, 'and go');
is($gateway->sql("SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'sent'"), scalar @statuses, 'everything is sent');
is($gateway->sql('SELECT count(*) FROM dicomgw.dead_letter'), 0, 'nothing failed');

# ---------- the policies ----------

my ($patient, $impatient) = received(2);
$pacs->behave(
	stores => {
		$patient->{sop_instance_uid}   => { status => 0xa900 },
		$impatient->{sop_instance_uid} => { status => 0xa700 }
	});
$gateway->add_destination('patient', $pacs->port,
	permanent_attempts => 2, give_up_after => "'1 minute'", retry_first_delay => "'1 hour'");
$gateway->replay('patient', $patient->{id}, $impatient->{id});
ok(waits_for_nothing('patient'), 'offered');
is($gateway->sql('SELECT string_agg(attempts::text, $$,$$) FROM dicomgw.forward_job'),
	'1,1', 'permanent_attempts: A900H is not the end at the first attempt');
$gateway->sql("UPDATE dicomgw.forward_job SET refused_at = now() - interval '59 s' WHERE instance_id = $impatient->{id}");
is_deeply(row("SELECT * FROM dicomgw.retry(destination => 'patient')"), [ 0, 2 ], 'and again');
ok(waits_for_nothing('patient'), 'offered');
is_deeply(row('SELECT instance_id, attempts FROM dicomgw.dead_letter'), [ $patient->{id}, 2 ], 'but at the second');
is_deeply(row('SELECT instance_id, attempts FROM dicomgw.forward_job'), [ $impatient->{id}, 2 ], 'A700H goes on');
$gateway->sql("UPDATE dicomgw.forward_job SET refused_at = now() - interval '61 s'");
$gateway->sql("SELECT dicomgw.retry(destination => 'patient', job_ids => ARRAY(SELECT id FROM dicomgw.forward_job))");
ok($gateway->wait_until_idle, 'again');
is_deeply(row("SELECT attempts, status FROM dicomgw.dead_letter WHERE instance_id = $impatient->{id}"),
	[ 3, 0xa700 ], 'give_up_after: until it was first refused too long ago');

# ---------- no answer to be had ----------

my ($unwanted, $missing, $damaged, $good) = received(4);
my %file_of = map { split /\|/ } split /\n/, $gateway->sql('SELECT id, file_path FROM dicomgw.instance');

my $choosy = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/choosy");
$choosy->behave(contexts => 3);
$gateway->add_destination('choosy', $choosy->port, permanent_attempts => 2, retry_first_delay => "'1 hour'");
$gateway->replay('choosy', $unwanted->{id});
ok($gateway->poll('SELECT EXISTS (SELECT FROM dicomgw.forward_job WHERE attempts = 1)'),
	'no presentation context is permanent, too, after so many attempts');
$gateway->sql("SELECT dicomgw.retry(destination => 'choosy')");
ok($gateway->wait_until_idle, 'again');
is_deeply(
	row("SELECT attempts, status, error LIKE '%$unwanted->{sop_class_uid}%$unwanted->{transfer_syntax_uid}%abstract syntax not supported'
		FROM dicomgw.dead_letter WHERE instance_id = $unwanted->{id}"),
	[ 2, undef, 't' ], 'a dead letter that says what the peer does not take');

$pacs->clear;
unlink $gateway->storage_path . "/$file_of{$missing->{id}}" or die "no such file\n";
open my $fh, '+<', $gateway->storage_path . "/$file_of{$damaged->{id}}" or die "no such file\n";
seek $fh, -1, 2;
my $last = getc $fh;
seek $fh, -1, 2;
print {$fh} chr(ord($last) ^ 1);
close $fh;
$gateway->replay('pacs', $missing->{id}, $damaged->{id}, $good->{id});
ok($gateway->wait_until_idle, 'our own files');
like($gateway->sql("SELECT error FROM dicomgw.dead_letter WHERE instance_id = $missing->{id}"), qr/No such file/, 'missing: a dead letter at once');
like($gateway->sql("SELECT error FROM dicomgw.dead_letter WHERE instance_id = $damaged->{id}"), qr/SHA-256/, 'damaged: too');
is_deeply([ $pacs->stored_uids ], [ $good->{sop_instance_uid} ], 'neither was offered, and neither held up the next');
is($gateway->sql("SELECT state FROM dicomgw.destination_status WHERE destination = 'pacs'"), 'up', 'nor is the destination to blame');

$gateway->node->stop;
done_testing();
