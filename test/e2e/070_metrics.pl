# Metrics as Prometheus fetches them, of real traffic: they agree with what was received, sent
# and failed, to the object, also after workers and the server were killed in the middle of it;
# what dashboard and rules ask for is there; alerts come and go.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until WORKERS);
use DicomGW::Modality;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use DicomGW::Rest;
use File::Basename qw(dirname);
use IPC::Run qw(run);
use JSON::PP;
use Test::More;

use constant STEP => 10;    # objects that get through between two kills

my $deploy = dirname(__FILE__) . '/../../deploy';
my $gateway = DicomGW::Gateway->start('gateway', config => "restart_after_crash = on\ndicomgw.alert_destination_down = 0\ndicomgw.argon2_memory = '8MB'\n");
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql('SELECT dicomgw.create_roles()');
my $rest = DicomGW::Rest->start($gateway);

# A program has a token; a person has a password, and chooses it.
my %token;
$gateway->sql("SELECT dicomgw.create_user('metrics', 'metrics')");
$token{metrics} = $gateway->sql("SELECT dicomgw.issue_token('metrics')");
my $once = $gateway->sql("SELECT dicomgw.create_user('viewer', 'viewer')");
$token{viewer} = $rest->call('login', { username => 'viewer', password => $once })->{json}{token};
is($rest->call('change_password', { old => $once, new => 'four plain words, joined' }, token => $token{viewer})->{status},
	200, 'somebody may look');

# What Prometheus asks for: { 'name{labels}' => value }, and the text.
my $text;

sub metrics
{
	my $answer = $rest->get('/rpc/metrics', token => $token{metrics},
		headers => { Accept => 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1' });

	is($answer->{status}, 200, 'metrics are fetched') or diag $answer->{text};
	$text = $answer->{text};
	return { map { /^([^#].*) (\S+)$/ ? ($1 => $2) : () } split /\n/, $text };
}

# The sum of all samples of a counter.
sub total
{
	my ($samples, $name) = @_;
	my $sum = 0;

	$sum += $samples->{$_} for grep { /^\Q$name\E(?:\{|\z)/ } keys %$samples;
	return $sum;
}

sub is_folded { return $gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.measurement)'); }

# Counters, roll-ups and rows say the same.
sub agree
{
	my ($when) = @_;
	my $samples = metrics();
	my %rows = (
		dicomgw_received_objects_total => 'SELECT count(*) FROM dicomgw.stored_object',
		dicomgw_received_bytes_total   => 'SELECT sum(size) FROM dicomgw.stored_object',
		dicomgw_routed_objects_total   => 'SELECT count(*) FROM dicomgw.instance',
		dicomgw_sent_objects_total     => "SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'sent'",
		dicomgw_sent_bytes_total => 'SELECT sum(i.size) FROM dicomgw.forward_history h JOIN dicomgw.instance i ON i.id = h.instance_id',
		dicomgw_failed_objects_total  => 'SELECT count(*) FROM dicomgw.dead_letter',
		dicomgw_retried_objects_total =>
		  'SELECT count(*) - (SELECT count(*) FROM dicomgw.dead_letter) FROM dicomgw.forward_attempt',
		dicomgw_route_duration_seconds_count    => 'SELECT count(*) FROM dicomgw.instance',
		dicomgw_send_duration_seconds_count     => "SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'sent'",
		dicomgw_delivery_duration_seconds_count => "SELECT count(*) FROM dicomgw.forward_history WHERE route_id IS NOT NULL",
	);

	is(total($samples, $_), $gateway->sql($rows{$_}), "$when: $_") for sort keys %rows;
	my $series = $rest->get('/rpc/time_series?since=' . $gateway->sql("SELECT to_char(now() - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI')"),
		token => $token{viewer})->{json};
	my %sum;
	for my $row (@$series) { $sum{$_} += $row->{$_} for qw(received received_bytes sent sent_bytes failed); }
	is_deeply(
		\%sum,
		{
			received       => 0 + total($samples, 'dicomgw_received_objects_total'),
			received_bytes => 0 + total($samples, 'dicomgw_received_bytes_total'),
			sent           => 0 + total($samples, 'dicomgw_sent_objects_total'),
			sent_bytes     => 0 + total($samples, 'dicomgw_sent_bytes_total'),
			failed         => 0 + total($samples, 'dicomgw_failed_objects_total')
		},
		"$when: so does the time series");
	return $samples;
}

# ---------- each kind of answer ----------

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my $number = 0;
my @objects = map { with_instance_uid($template, ++$number) } 1 .. 12;

$pacs->behave(stores => {
	(map { $objects[$_]{sop_instance_uid} => { status => 0xc000 } } 0, 1),
	(map { $objects[$_]{sop_instance_uid} => { status => 0xa700 } } 2 .. 4),
	$objects[5]{sop_instance_uid} => { status => 0xb000 }
});
$gateway->forward_everything_to('pacs', $pacs);
$gateway->receive(@objects);
ok($gateway->poll("SELECT count(*) = 3 FROM dicomgw.forward_attempt WHERE status = 42752 AND attempt = 1"), 'three are put off');
$pacs->behave;
ok($gateway->wait_until_idle, 'all jobs have ended');
ok(is_folded(), 'and are counted');

my $samples = agree('statuses');
is($samples->{'dicomgw_sent_objects_total{destination="pacs",status="0000H"}'}, 9, 'sent, and taken');
is($samples->{'dicomgw_sent_objects_total{destination="pacs",status="B000H"}'}, 1, 'with a warning');
is($samples->{'dicomgw_failed_objects_total{destination="pacs",status="C000H"}'}, 2, 'refused for good');
ok($samples->{'dicomgw_retried_objects_total{destination="pacs",status="A700H"}'} >= 3, 'refused for now');
is($samples->{'dicomgw_received_objects_total{listener="default"}'}, 12, 'received');
is($samples->{'dicomgw_queue_jobs{destination="pacs",state="failed"}'}, 2, 'dead letters');
is($samples->{'dicomgw_ready'}, 1, 'it is ready');
is(total($samples, 'dicomgw_worker_running'), WORKERS, 'all workers run');
ok($samples->{'dicomgw_storage_size_bytes{place="storage"}'} > $samples->{'dicomgw_storage_free_bytes{place="storage"}'}, 'bytes of the storage');

# ---------- the text, and who asks for it ----------

my ($out, $err);
ok(run([ 'promtool', 'check', 'metrics' ], \$text, \$out, \$err), 'promtool has nothing to say') or diag "$out$err";
ok(run([ 'promtool', 'check', 'rules', "$deploy/prometheus/dicomgw-rules.yml" ], '>', \$out, '2>', \$err), 'rules are rules') or diag "$out$err";
is($rest->get('/rpc/metrics')->{status}, 401, 'metrics are not for everybody');
is($rest->get("/rpc/time_series?since=2026-01-01&step=1%20day", token => $token{metrics})->{status}, 403, 'who fetches metrics gets nothing else');
is($rest->get("/rpc/time_series?since=2026-01-01&step=90%20seconds", token => $token{viewer})->{status}, 400, 'a step that there is not is an error');

my %exported = map { $_ => 1 } $text =~ /^# TYPE (\S+) /mg;
for my $file ('grafana/dicomgw.json', 'prometheus/dicomgw-rules.yml')
{
	open my $fh, '<', "$deploy/$file" or die "$file: $!\n";
	my $contents = do { local $/; <$fh> };
	my %asked = map { $_ => 1 } $contents =~ /\b(dicomgw_[a-z_]+)(?=[{\[\s)\\,]|$)/mg;

	delete $asked{dicomgw_api};
	s/(duration_seconds)_(?:bucket|sum|count)\z/$1/ for my @names = keys %asked;
	cmp_ok(scalar @names, '>', 8, "$file asks for metrics");
	is(join(' ', sort grep { !$exported{$_} } @names), '', 'all of which there are');
	ok(JSON::PP->new->decode($contents)->{panels}, 'and is JSON') if $file =~ /json\z/;
}

# ---------- everything is killed in the middle of it ----------

my @more = map { with_instance_uid($template, ++$number) } 1 .. 120;
my $modality = DicomGW::Modality->start(port => $gateway->port, objects => \@more, pause => 0.02, log => "$ENV{TESTDIR}/acknowledged");
my $before = total($samples, 'dicomgw_sent_objects_total');

sub some_get_through
{
	my $from = () = $modality->acknowledged;

	return poll_until(sub { my $now = () = $modality->acknowledged; return $now >= $from + STEP || $modality->is_done });
}

ok(some_get_through(), 'objects come in');
for my $worker (qw(receiver router forwarder maintenance))
{
	my $pid = $gateway->worker_pid($worker);

	kill 'KILL', $pid if $pid;
	ok(poll_until(sub { my $now = eval { $gateway->worker_pid($worker) }; return $now && $now ne $pid }),
		"the $worker was killed, and the server with it: there is a new one");
	ok(some_get_through(), 'objects come in again');
}
$gateway->node->stop('immediate');
$gateway->node->start;
ok($gateway->wait_until_up, 'after an immediate stop the gateway is up');
ok(poll_until(sub { $modality->is_done }), 'the modality has got rid of everything');
ok($gateway->wait_until_idle, 'all of it is forwarded');
ok(is_folded(), 'and counted');
ok(poll_until(sub { my $answer = $rest->get('/rpc/ready'); $answer && $answer->{status} == 200 }), 'it is ready');
$samples = agree('after crashes');
cmp_ok(total($samples, 'dicomgw_sent_objects_total'), '>=', $before + @more, 'nothing was sent and not counted');

# ---------- alerts ----------

sub alerts
{
	my $list = $rest->get('/alert?order=kind', token => $token{viewer})->{json};
	return join ', ', map { "$_->{kind} $_->{subject}" } @$list;
}

is(alerts(), 'dead_letter pacs', 'of all that, one alert is left');
$gateway->sql('SELECT dicomgw.cancel(destination => $$pacs$$)');
is(alerts(), '', 'until somebody decides');
my $port = $pacs->port;
$pacs->stop;
$gateway->receive(with_instance_uid($template, ++$number));
ok(poll_until(sub { alerts() eq 'destination_down pacs' }), 'a destination that is down is an alert') or diag alerts();
$pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs", port => $port);
ok(poll_until(sub { alerts() eq '' }), 'until it is back');

$gateway->node->append_conf('postgresql.conf', "dicomgw.storage_high_water = 1\ndicomgw.storage_low_water = 1");
$gateway->node->reload;
ok(poll_until(sub { $rest->get('/rpc/ready')->{status} == 503 }), 'a storage that takes nothing: not ready');
like(alerts(), qr/storage_low storage/, 'and an alert');
is(metrics()->{dicomgw_accepts_objects}, 0, 'and a metric');
is($rest->get('/rpc/live')->{status}, 200, 'but it lives');
$gateway->node->append_conf('postgresql.conf', "dicomgw.storage_high_water = 100\ndicomgw.storage_low_water = 100");
$gateway->node->reload;
ok(poll_until(sub { $rest->get('/rpc/ready')->{status} == 200 }), 'ready again');

$rest->stop;
$pacs->stop;
$gateway->node->stop;
done_testing();
