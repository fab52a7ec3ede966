# Routing, with everything running: objects of one study from many associations at
# once; order, stop, default and validity; series and studies that are sent when
# they are complete, also if the server is stopped meanwhile; predicates that fail.
#
# No destination is there, so what is to be sent waits as a job, and can be counted.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use DicomGW::Modality;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	CT_STORAGE   => '1.2.840.10008.5.1.4.1.1.2',
	EXPLICIT     => '1.2.840.10008.1.2.1',
	ASSOCIATIONS => 16,
	OBJECTS      => 5,    # of each of them
};

my $gateway = DicomGW::Gateway->start('gateway');
my $modalities = 0;

ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql(
	q{INSERT INTO dicomgw.destination (name, host, port, ae_title, paused)
	  SELECT n, '127.0.0.1', 104, 'PACS', true FROM unnest('{pacs,archive,research,rest}'::text[]) n});

# An object with this header: [tag, VR, value] in the order of the tags.
sub object
{
	my ($uid, $study, $series, %other) = @_;
	my @elements = (
		[ 0x0008, 0x0060, 'CS', $other{modality} || 'CT' ],
		[ 0x0020, 0x000D, 'UI', $study ],
		[ 0x0020, 0x000E, 'UI', $series ],
		$other{expected} ? [ 0x0020, 0x1208, 'IS', $other{expected} ] : ());
	my $dataset = join '', map {
		my ($group, $element, $vr, $value) = @$_;
		$value .= $vr eq 'UI' ? "\0" : ' ' if length($value) % 2;
		pack 'v v a2 v/a', $group, $element, $vr, $value;
	} @elements;

	return {
		sop_class_uid       => CT_STORAGE,
		sop_instance_uid    => $uid,
		transfer_syntax_uid => EXPLICIT,
		dataset             => $dataset,
	};
}

sub modality
{
	my (@objects) = @_;

	return DicomGW::Modality->start(
		port    => $gateway->port,
		objects => \@objects,
		log     => "$ENV{TESTDIR}/acknowledged." . $modalities++);
}

# Send these, and wait until they are routed.
sub send_objects
{
	my (@objects) = @_;
	my $modality = modality(@objects);

	return poll_until(sub { $modality->is_done }) && routed();
}

sub routed
{
	return $gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.ingest)');
}

# Jobs of a study: "destination number", one a line.
sub jobs
{
	my ($study) = @_;

	return $gateway->sql(
		qq{SELECT d.name || ' ' || count(*) FROM dicomgw.forward_job j JOIN dicomgw.destination d ON d.id = j.destination_id
		   JOIN dicomgw.instance i ON i.id = j.instance_id JOIN dicomgw.series e ON e.id = i.series_id
		   JOIN dicomgw.study s ON s.id = e.study_id WHERE s.study_instance_uid = '$study' GROUP BY d.name ORDER BY 1});
}

sub poll_jobs
{
	my ($study, $jobs, $name) = @_;

	poll_until(sub { jobs($study) eq $jobs });
	return is(jobs($study), $jobs, $name);
}

# All configuration in one transaction: what comes after it finds all of it.
sub routes
{
	my (@routes) = @_;

	return $gateway->sql(join ";\n", 'DELETE FROM dicomgw.route', @routes);
}

# ---------- order, stop, default, validity ----------

routes(
	q{INSERT INTO dicomgw.route (name, predicate, destination, position, stop) VALUES
	  ('private', $$ tag('StudyInstanceUID') = '1.2' $$, 'research', 1, true)},
	q{INSERT INTO dicomgw.route (name, predicate, destination) VALUES
	  ('ct', $$ modality = 'CT' $$, 'pacs'), ('broken', $$ 1 / (instance_id - instance_id) > 0 $$, 'archive'),
	  ('endless', $$ repeat('x', 300 + (length(modality) - 1)) ~ '^(x+)(x+)(x+)(x+)\1\2\3\4$' $$, 'archive')},
	q{INSERT INTO dicomgw.route (name, destination, valid_until) VALUES ('was', 'archive', now())},
	q{INSERT INTO dicomgw.route (name, destination, valid_from) VALUES ('is', 'archive', now())},
	q{INSERT INTO dicomgw.route (name, destination, is_default) VALUES ('rest', 'rest', true)});
ok(
	send_objects(
		object('1.1.1', '1.1', '1.1.0'),
		object('1.2.1', '1.2', '1.2.0'),
		object('1.3.1', '1.3', '1.3.0', modality => 'MR')),
	'three objects, and routes of all kinds');
is(jobs('1.1'), "archive 1\npacs 1", 'routes take what they match, within their validity, whatever fails or has no end');
is(jobs('1.2'), 'research 1', 'what a route with stop has taken goes nowhere else');
is(jobs('1.3'), 'archive 1', 'what was taken does not go to the default route');
$gateway->sql(q{DELETE FROM dicomgw.route WHERE name IN ('is', 'was')});
ok(send_objects(object('1.4.1', '1.4', '1.4.0', modality => 'MR')), 'an object for which no route is but those that fail');
is(jobs('1.4'), 'rest 1', 'goes to the default route');
is(
	$gateway->sql(
		q{SELECT string_agg(key || ': ' || value, ', ' ORDER BY key) FROM dicomgw.routing_decision d
		  JOIN dicomgw.instance i ON i.id = d.instance_id, jsonb_each_text(errors) WHERE sop_instance_uid = '1.4.1'}),
	'broken: division by zero, endless: takes longer than 250 ms for one object',
	'and what failed is recorded');
$gateway->sql(q{UPDATE dicomgw.route SET enabled = false WHERE is_default});
ok(send_objects(object('1.5.1', '1.5', '1.5.0', modality => 'MR')), 'one that nothing takes');
is($gateway->sql('SELECT sop_instance_uid FROM dicomgw.unrouted'), '1.5.1', 'is unrouted');
$gateway->sql(q{UPDATE dicomgw.route SET enabled = true WHERE is_default});
is($gateway->sql('SELECT jobs FROM dicomgw.route_again(ARRAY(SELECT instance_id FROM dicomgw.unrouted))'), 1, 'routed again, it is not');
is(jobs('1.5'), 'rest 1', 'and goes where the routes of now say');
is($gateway->sql('SELECT count(*) FROM dicomgw.unrouted'), 0, 'nothing is unrouted');

# ---------- one study from many associations at once ----------

# Two hours, lest a slow machine thinks it quiet.
routes(
	q{INSERT INTO dicomgw.route (name, destination, trigger, quiet_period) VALUES ('studies', 'archive', 'study', '2 hours')},
	q{INSERT INTO dicomgw.route (name, destination, trigger, quiet_period) VALUES ('series', 'research', 'series', '2 hours')},
	q{INSERT INTO dicomgw.route (name, destination) VALUES ('all', 'pacs')});
my $all = ASSOCIATIONS * OBJECTS;
my @senders = map {
	my $sender = $_;
	modality(map { object("2.1.$sender.$_", '2.1', '2.1.' . $sender % 4, expected => $all) } 1 .. OBJECTS);
} 1 .. ASSOCIATIONS;
ok(poll_until(sub { !grep { !$_->is_done } @senders }) && routed(), ASSOCIATIONS . ' associations send objects of one study');
is(
	$gateway->sql(
		q{SELECT count(*), min(instances), (SELECT count(*) || ' ' || sum(instances) FROM dicomgw.series WHERE study_id = max(s.id))
		  FROM dicomgw.study s WHERE study_instance_uid = '2.1'}),
	"1|$all|4 $all",
	'it is one study of four series, and all of them are counted');
is(jobs('2.1'), "archive $all\npacs $all", 'each was sent at once, and the study when its last object was there');
is($gateway->sql(q{SELECT round, reason, instances FROM dicomgw.completion}), "1|expected|$all", 'as was expected');
is($gateway->sql(q{SELECT count(*), sum(instances), sum(received) FROM dicomgw.gathering_status}), "4|$all|$all", 'the series wait');

# ---------- whatever happens ----------

$gateway->node->stop('immediate');
$gateway->node->start;
ok($gateway->wait_until_up, 'the server was stopped at once; it is up again');
is($gateway->sql(q{SELECT count(*), sum(instances) FROM dicomgw.gathering_status WHERE reason_code = 'wait'}), "4|$all", 'they still wait');
is($gateway->sql(q{SELECT completed, jobs FROM dicomgw.complete_study('2.1')}), "4|$all", 'until somebody says that they are complete');
is(jobs('2.1'), "archive $all\npacs $all\nresearch $all", 'then they are sent');

# ---------- quiet ----------

routes(
	q{INSERT INTO dicomgw.route (name, destination, trigger, quiet_period) VALUES ('studies', 'archive', 'study', '1 s')});
ok(send_objects(map { object("3.1.$_", '3.1', '3.1.0') } 1 .. 3), 'objects of a study');
poll_jobs('3.1', 'archive 3', 'are sent when nothing comes any more');
ok(send_objects(object('3.1.4', '3.1', '3.1.0')), 'one comes late');
poll_jobs('3.1', 'archive 4', 'and is sent, and nothing twice');
is(
	$gateway->sql(
		q{SELECT c.reason, sum(c.instances), max(c.round) > 1 FROM dicomgw.completion c
		  JOIN dicomgw.study s ON s.id = c.study_id WHERE s.study_instance_uid = '3.1' GROUP BY c.reason}),
	'quiet|4|t',
	'in rounds');

# The time runs out while the server is down.
$gateway->sql(q{UPDATE dicomgw.route SET quiet_period = '2 hours'});
ok(send_objects(object('3.2.1', '3.2', '3.2.0')), 'another study');
is(jobs('3.2'), '', 'waits');
$gateway->node->append_conf('postgresql.conf', 'dicomgw.routing = off');
$gateway->node->reload;
$gateway->sql(q{UPDATE dicomgw.route SET quiet_period = '1 s'});
$gateway->node->stop('immediate');
$gateway->node->append_conf('postgresql.conf', 'dicomgw.routing = on');
$gateway->node->start;
ok($gateway->wait_until_up, 'a server was down while the time ran out');
poll_jobs('3.2', 'archive 1', 'and sends the study');

# A route that does not want it any more.
$gateway->sql(q{UPDATE dicomgw.route SET quiet_period = '2 hours'});
ok(send_objects(object('3.3.1', '3.3', '3.3.0')), 'a third one waits');
$gateway->sql('UPDATE dicomgw.route SET enabled = false');
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.gathering)'), 'its route is disabled: it waits no more');
is(
	$gateway->sql('SELECT sop_instance_uid, reason FROM dicomgw.unrouted'),
	'3.3.1|no route took it; failed: studies (the route was disabled before the study was complete)',
	'and is not lost');

$gateway->node->stop;
done_testing();
