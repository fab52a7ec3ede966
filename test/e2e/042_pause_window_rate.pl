# When, how fast and in which order a destination is sent to: pauses, windows, limits,
# priorities; and each job that waits says which of them it is.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use List::Util qw(max sum uniq);
use Test::More;

use constant { ASSOCIATIONS => 4, WINDOW => 32, BACKLOG => 4000 };

my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
my $other = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/other");
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my @objects = map { with_instance_uid($template, $_) } 1 .. 60;
my @ids = $gateway->receive(@objects);
my @stat_ids = splice @ids, 50;
my %is_stat = map { $_->{sop_instance_uid} => 1 } splice @objects, 50;

$gateway->add_destination('pacs', $pacs->port, max_associations => ASSOCIATIONS);
$gateway->add_destination('other', $other->port);

# What the jobs of the destination wait for: code, reason, until when.
sub reasons
{
	return $gateway->sql("SELECT DISTINCT reason_code, reason, waits_until FROM dicomgw.job_status WHERE destination = 'pacs'");
}

# Nothing is sent although somebody else is sent to.
sub nothing_is_sent
{
	my ($what) = @_;

	$other->clear;
	$gateway->replay('other', @ids[ 0 .. 9 ]);
	ok(poll_until(sub { $other->stored_uids == 10 }), "$what: another destination is sent to");
	is(scalar $pacs->stored_uids, 0, "$what: this one is not");
	return;
}

sub everything_is_sent
{
	my ($what) = @_;

	ok($gateway->wait_until_idle, "$what: everything goes");
	is_deeply([ sort $pacs->stored_uids ], [ sort map { $_->{sop_instance_uid} } @objects ], "$what: once");
	is($gateway->sql('SELECT count(*) FROM dicomgw.forward_attempt'), 0, "$what: and it cost nothing");
	$pacs->clear;
	return;
}

# ---------- paused ----------

is($gateway->sql("SELECT dicomgw.pause('pacs', 'the tape library is moved')"), 't', 'paused');
$gateway->replay('pacs', @ids);
nothing_is_sent('paused');
like(reasons(), qr/\Apaused\|destination "pacs" is paused by \w+ since [-0-9: +]+: the tape library is moved\|\z/, 'paused: each job says so');
like($gateway->sql("SELECT state, reason, paused_by FROM dicomgw.destination_status WHERE destination = 'pacs'"),
	qr/\Apaused\|the tape library is moved\|\w+\z/, 'paused: the destination, too');
is($gateway->sql("SELECT dicomgw.pause('pacs', 'it takes longer')"), 'f', 'paused already');
like(reasons(), qr/it takes longer/, 'but for another reason now');
is($gateway->sql("SELECT dicomgw.resume('pacs')"), 't', 'resumed');
everything_is_sent('resumed');
is($gateway->sql("SELECT dicomgw.resume('pacs')"), 'f', 'not paused any more');

# In the middle: what is on its way is finished, the rest waits, and nothing is sent twice.
$pacs->behave(delay => 0.05);
$gateway->replay('pacs', @ids);
ok(poll_until(sub { $pacs->stored_uids >= 3 }), 'some are sent');
$gateway->sql("UPDATE dicomgw.destination SET paused = true, pause_reason = 'by hand' WHERE name = 'pacs'");
ok($gateway->poll("SELECT sending = 0 AND associations = 0 AND waiting > 0 FROM dicomgw.destination_status WHERE destination = 'pacs'"),
	'paused in the middle: nothing is on its way any more, and the rest waits');
like(reasons(), qr/\Apaused\|.*: by hand\|\z/, 'paused in the middle: all of it for that');
$pacs->behave;
$gateway->sql("UPDATE dicomgw.destination SET paused = false WHERE name = 'pacs'");
everything_is_sent('paused in the middle');

# ---------- outside its windows ----------

$gateway->sql("INSERT INTO dicomgw.destination_window (destination, opens_at, closes_at, time_zone)
	SELECT 'pacs', (t + '2 hours')::time, (t + '3 hours')::time, 'Asia/Kolkata' FROM (SELECT now() AT TIME ZONE 'Asia/Kolkata') AS l(t)");
$gateway->replay('pacs', @ids);
nothing_is_sent('its window is closed');
like(reasons(), qr/\Awindow\|destination "pacs" is outside its windows; the next opens at /, 'its window is closed: each job says so');
is($gateway->sql("SELECT DISTINCT waits_until BETWEEN now() + '115 minutes' AND now() + '121 minutes' FROM dicomgw.job_status WHERE destination = 'pacs'"),
	't', 'and until when');
is($gateway->sql("SELECT state FROM dicomgw.destination_status WHERE destination = 'pacs'"), 'closed', 'the destination, too');
$gateway->sql("UPDATE dicomgw.destination_window SET opens_at = opens_at - interval '3 hours'");
everything_is_sent('its window is open');

# One that closes by itself, in the middle.
$pacs->behave(delay => 0.2);
$gateway->sql("UPDATE dicomgw.destination_window SET closes_at = ((now() + '2 s') AT TIME ZONE 'Asia/Kolkata')::time");
$gateway->replay('pacs', @ids);
ok($gateway->poll("SELECT state = 'closed' AND sending = 0 AND waiting > 0 FROM dicomgw.destination_status WHERE destination = 'pacs'"),
	'its window has closed: what was on its way is finished, the rest waits');
cmp_ok(scalar $pacs->stored_uids, '>', 0, 'its window has closed: some were sent before');
$pacs->behave;
$gateway->sql('DELETE FROM dicomgw.destination_window');
everything_is_sent('without a window');

# ---------- not too fast ----------

# How many came a second, and how many bytes, while there was no lack of them.
sub rate_of
{
	my ($count) = @_;

	$gateway->enqueue('pacs', $count, 5, @ids);
	like(reasons(), qr/rate\|is behind \d+ other\(s\); at most \d+ (?:objects|bytes)\/s/, 'jobs say that they wait for that');
	ok($gateway->wait_until_idle, 'all are sent');
	my @at = map { $_->{at} } $pacs->events('store');
	$pacs->clear;
	is(scalar @at, $count, 'once');
	return ($count - 1) / ($at[-1] - $at[0]);
}

sub within_ten_percent
{
	my ($rate, $wanted, $what) = @_;

	ok($rate > $wanted * 0.9 && $rate < $wanted * 1.1, $what) or diag("$rate, not $wanted");
	return;
}

for my $limit (40, 120)
{
	$gateway->sql("UPDATE dicomgw.destination SET max_objects_per_second = $limit WHERE name = 'pacs'");
	within_ten_percent(rate_of(5 * $limit), $limit, "$limit objects/s");
}
my $size = $gateway->sql('SELECT max(size) FROM dicomgw.instance');
my $bytes = 1_000_000;
$gateway->sql("UPDATE dicomgw.destination SET max_objects_per_second = NULL, max_bytes_per_second = $bytes WHERE name = 'pacs'");
within_ten_percent($size * rate_of(int(5 * $bytes / $size)), $bytes, "$bytes bytes/s");
$gateway->sql("UPDATE dicomgw.destination SET max_bytes_per_second = NULL WHERE name = 'pacs'");

# ---------- in order ----------

# How many others were sent between now and the last stat object.
sub overtaken
{
	my ($before) = @_;

	ok(poll_until(sub { (grep { $is_stat{$_} } $pacs->stored_uids) == @stat_ids }), 'the stat study is sent');
	my @uids = $pacs->stored_uids;
	my ($last) = max grep { $is_stat{ $uids[$_] } } 0 .. $#uids;
	return $last + 1 - @stat_ids - $before;
}

$pacs->behave(delay => 0.002);
$gateway->enqueue('pacs', BACKLOG, 5, @ids);
ok(poll_until(sub { $pacs->stored_uids >= 300 }), 'a backlog is being sent');
$gateway->sql("SELECT dicomgw.replay('{@{[ join ',', @stat_ids ]}}', 'pacs', priority => 9)");
my $before = $pacs->stored_uids;
my $overtaken = overtaken($before);
cmp_ok($overtaken, '<', 2 * ASSOCIATIONS * WINDOW, "a stat study overtakes it: behind $overtaken others only");
cmp_ok($gateway->sql("SELECT waiting FROM dicomgw.destination_status WHERE destination = 'pacs'"), '>', BACKLOG / 2, 'and most of it waits still');

# The last of the backlog become stat: they lie behind what was claimed, and must be found.
$pacs->clear;
$gateway->sql("UPDATE dicomgw.forward_job SET instance_id = ('{@{[ join ',', @stat_ids ]}}'::bigint[])[1 + id % @{[ scalar @stat_ids ]}]
	WHERE id > (SELECT max(id) - @{[ scalar @stat_ids ]} FROM dicomgw.forward_job)");
is($gateway->sql("SELECT dicomgw.set_priority(8, job_ids => ARRAY(SELECT id FROM dicomgw.forward_job WHERE instance_id = ANY ('{@{[ join ',', @stat_ids ]}}')))"),
	scalar @stat_ids, 'a person gives some of it another priority');
$before = $pacs->stored_uids;
ok(poll_until(sub { (grep { $is_stat{$_} } $pacs->stored_uids) == @stat_ids }), 'they are sent');
cmp_ok($gateway->sql("SELECT waiting FROM dicomgw.destination_status WHERE destination = 'pacs'"), '>', 100, 'before the others');
$gateway->sql("SELECT dicomgw.cancel(destination => 'pacs')");
ok(poll_until(sub { $pacs->is_idle }), 'the rest is cancelled; what was on its way has come');
$pacs->behave;
$pacs->clear;

# One association: the order of the queue.  Several: that of the queue on each.
for my $associations (1, ASSOCIATIONS)
{
	$gateway->sql("UPDATE dicomgw.destination SET max_associations = $associations WHERE name = 'pacs'");
	$gateway->sql("SELECT dicomgw.pause('pacs')");
	$gateway->replay('pacs', @ids);
	$gateway->sql("SELECT dicomgw.resume('pacs')");
	ok($gateway->wait_until_idle, 'a series');
	my %place;
	@place{ map { $_->{sop_instance_uid} } @objects } = 0 .. $#objects;
	my %on;
	push @{ $on{ $_->{association} } }, $place{ $_->{uid} } for $pacs->events('store');
	is(scalar(grep { "@$_" ne join ' ', sort { $a <=> $b } @$_ } values %on), 0, "at most $associations association(s): in order on each");
	is(scalar keys %on, 1, 'on one') if $associations == 1;
	$pacs->clear;
}

$gateway->node->stop;
done_testing();
