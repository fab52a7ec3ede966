# Groups of destinations: failover to the next member and back again, and studies spread
# over members without being split.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid with_study_uid);
use List::Util qw(uniq);
use Test::More;

use constant STUDIES => 12;

my $gateway = DicomGW::Gateway->start('gateway');
my %pacs = map { $_ => DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/$_") } qw(a b c d);
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my $number = 0;
my %study_of;    # SOP Instance UID => number

$gateway->add_destination($_, $pacs{$_}->port,
	connect_timeout => "'1 s'", retry_first_delay => "'1 s'", retry_factor => 1, retry_jitter => 0)
  for sort keys %pacs;

# Objects that come in, so many of each of these studies.
sub arrive
{
	my ($count, @studies) = @_;
	my @objects;

	for (1 .. $count)
	{
		for my $study (@studies)
		{
			push @objects, with_study_uid(with_instance_uid($template, ++$number), $study);
			$study_of{ $objects[-1]{sop_instance_uid} } = $study;
		}
	}
	is((grep { $_ // 1 } DicomGW::Association->send_all(\@objects, port => $gateway->port)), 0, scalar(@objects) . ' objects come in');
	return;
}

sub clear
{
	$_->clear for values %pacs;
	return;
}

sub counts
{
	return join ' ', map { scalar $pacs{$_}->stored_uids } @_;
}

sub is_state
{
	my ($name, $state) = @_;

	ok($gateway->poll("SELECT count(*) = 1 FROM dicomgw.destination_status WHERE destination = '$name' AND state = '$state'"), "$name is $state");
	return;
}

# ---------- failover ----------

$gateway->sql(q{INSERT INTO dicomgw.destination_group (name, kind) VALUES ('main', 'failover');
	INSERT INTO dicomgw.destination_group_member VALUES ('main', 'a', 1), ('main', 'b', 2);
	INSERT INTO dicomgw.route (name, destination_group) VALUES ('all', 'main')});
arrive(10, 1);
ok($gateway->wait_until_idle, 'sent');
is(counts(qw(a b)), '10 0', 'to the first');

clear();
ok(poll_until(sub { $pacs{a}->is_idle }), 'its association is over');
$pacs{a}->stop;
arrive(10, 1);
ok($gateway->wait_until_idle, 'the first is gone: sent');
is(counts(qw(b)), '10', 'to the second, also what had been meant for the first');
is($gateway->sql("SELECT string_agg(DISTINCT destination, ',') FROM dicomgw.forward_history WHERE attempts > 1"), '', 'without an attempt');

# Nobody can take them: they wait, and go to whoever is first.
$gateway->sql("SELECT dicomgw.pause('b')");
arrive(10, 1);
ok($gateway->poll("SELECT count(*) = 10 FROM dicomgw.job_status WHERE state = 'waiting' AND destination_group = 'main'"), 'none can take them: they wait');
clear();
$pacs{a}->restart;
ok($gateway->wait_until_idle, 'the first is back: sent');
is(counts(qw(a b)), '10 0', 'to it');

# What waits at the second goes back.
clear();
ok(poll_until(sub { $pacs{a}->is_idle }), 'its association is over');
$pacs{a}->stop;
$pacs{b}->behave(delay => 0.3);
$gateway->sql("UPDATE dicomgw.destination SET max_associations = 1, paused = false WHERE name = 'b'");
arrive(60, 1);
ok(poll_until(sub { $pacs{b}->stored_uids >= 2 }), 'the second is slow');
$pacs{a}->restart;
is_state('a', 'up');
ok($gateway->wait_until_idle, 'the first is well again: sent');
my @all = map { $pacs{$_}->stored_uids } qw(a b);
is(scalar uniq(@all), 60, 'all');
is(scalar @all, 60, 'once');
cmp_ok(scalar $pacs{a}->stored_uids, '>', 0, 'some to the first again');
clear();
arrive(5, 1);
ok($gateway->wait_until_idle, 'and new ones');
is(counts(qw(a b)), '5 0', 'go there, too');

# ---------- balance ----------

$gateway->sql(q{DELETE FROM dicomgw.route;
	INSERT INTO dicomgw.destination_group (name, kind) VALUES ('both', 'balance');
	INSERT INTO dicomgw.destination_group_member VALUES ('both', 'c', 1), ('both', 'd', 1);
	INSERT INTO dicomgw.route (name, destination_group) VALUES ('all', 'both')});
my @studies = (101 .. 100 + STUDIES);

# The studies that a member has got: a sorted list.
sub studies_at
{
	my ($name) = @_;

	my @studies = sort { $a <=> $b } uniq(map { $study_of{$_} } $pacs{$name}->stored_uids);
	return @studies;
}

arrive(4, @studies);
ok($gateway->wait_until_idle, 'several studies, mixed: sent');
my @at_c = studies_at('c');
my @at_d = studies_at('d');
cmp_ok(scalar @at_c, '>', 0, 'some to one');
cmp_ok(scalar @at_d, '>', 0, 'some to the other');
is(@at_c + @at_d, STUDIES, 'and none is split');

clear();
arrive(2, @studies);
ok($gateway->wait_until_idle, 'more of them');
is_deeply([ [ studies_at('c') ], [ studies_at('d') ] ], [ \@at_c, \@at_d ], 'go where their studies are');

clear();
ok(poll_until(sub { $pacs{d}->is_idle }), 'its association is over');
$pacs{d}->stop;
arrive(2, @studies);
ok($gateway->wait_until_idle, 'one is gone: sent');
is_deeply([ studies_at('c') ], \@studies, 'its studies go to the other');
is($gateway->sql("SELECT count(*) FROM dicomgw.group_assignment WHERE destination_id = (SELECT id FROM dicomgw.destination WHERE name = 'c')"),
	STUDIES, 'and that is remembered');

clear();
$pacs{d}->restart;
is_state('d', 'up');
arrive(2, @studies, 201 .. 200 + STUDIES);
ok($gateway->wait_until_idle, 'it is back: sent');
is_deeply([ grep { $_ < 200 } studies_at('d') ], [], 'studies stay where they are now');
cmp_ok(scalar studies_at('d'), '>', 0, 'new ones are spread again');
is(scalar(uniq(studies_at('c'), studies_at('d'))), 2 * STUDIES, 'all are sent');
is(studies_at('c') + studies_at('d'), 2 * STUDIES, 'and none is split');

$gateway->node->stop;
done_testing();
