# When the workers run, and when they don't: with and without
# shared_preload_libraries, across CREATE, DROP and a rolled-back CREATE EXTENSION,
# DROP DATABASE, reload, and on a standby before and after its promotion.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until WORKERS);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant WORKER_LIST => join ',', map { "dicomgw $_" } qw(audit forwarder launcher maintenance receiver router);

# ---------- without shared_preload_libraries ----------

my $bare = PostgreSQL::Test::Cluster->new('bare');
$bare->init;
$bare->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$bare->start;
$bare->safe_psql('postgres', 'CREATE DATABASE dicomgw');
my ($rc, $out, $err) = $bare->psql('dicomgw', 'CREATE EXTENSION dicomgw');
is($rc, 0, 'CREATE EXTENSION works without shared_preload_libraries');
like($err, qr/WARNING:.*shared_preload_libraries/s, 'and warns that nothing will run');
is($bare->safe_psql('dicomgw', 'SELECT count(*) FROM dicomgw.status WHERE running'), 0, 'status: nothing runs');
like(
	$bare->safe_psql('dicomgw', q{SELECT string_agg(DISTINCT last_error, ' ') FROM dicomgw.status}),
	qr/shared_preload_libraries/,
	'status says why');
$bare->stop;

# ---------- with it ----------

my $gateway = DicomGW::Gateway->start('primary', streaming => 1);
my $node = $gateway->node;

ok($gateway->poll_workers(WORKERS), 'six workers start');
is(
	$node->safe_psql('postgres',
		q{SELECT string_agg(backend_type, ',' ORDER BY backend_type) FROM pg_stat_activity
		  WHERE backend_type LIKE 'dicomgw %'}),
	WORKER_LIST,
	'they have their names in pg_stat_activity');
ok(
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 5 FROM pg_stat_activity WHERE backend_type LIKE 'dicomgw %' AND query <> ''}),
	'and say there what they do');
ok($gateway->poll('SELECT count(*) = 5 FROM dicomgw.status WHERE running'), 'status: all run');
ok($gateway->wait_until_up, 'the port answers');

# ---------- CREATE and DROP EXTENSION, DROP DATABASE ----------

$gateway->sql('DROP EXTENSION dicomgw CASCADE');
ok($gateway->poll_workers(1), 'DROP EXTENSION: all leave but the launcher');
ok(poll_until(sub { !$gateway->answers }), 'and the port is closed');

$gateway->create_extension;
ok($gateway->wait_until_up, 'CREATE EXTENSION: they return');

$gateway->sql('DROP EXTENSION dicomgw CASCADE');
ok($gateway->poll_workers(1), 'they leave again');
$gateway->sql('BEGIN; CREATE EXTENSION dicomgw; ROLLBACK');
is($gateway->sql(q{SELECT count(*) FROM pg_extension WHERE extname = 'dicomgw'}),
	0, 'a rolled-back CREATE EXTENSION leaves nothing');
$gateway->create_extension;
ok($gateway->wait_until_up, 'and the next one works');

$gateway->sql('BEGIN; DROP EXTENSION dicomgw CASCADE; ROLLBACK');
ok($gateway->wait_until_up, 'a rolled-back DROP EXTENSION: they run on');

my $log_position = -s $node->logfile;
$node->safe_psql('postgres', 'DROP DATABASE dicomgw');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname = 'dicomgw'}),
	0, 'DROP DATABASE is not blocked by the workers');
ok($gateway->poll_workers(1), 'which have left');
(my $log = slurp_file($node->logfile, $log_position)) =~
  s/FATAL:  terminating background worker .* due to administrator command//g;
unlike($log, qr/\b(?:ERROR|FATAL|PANIC):/, 'nothing in the log is an error');

$node->safe_psql('postgres', 'CREATE DATABASE dicomgw');
$gateway->create_extension;
ok($gateway->wait_until_up, 'CREATE DATABASE, CREATE EXTENSION: back');

# ---------- reload ----------

my $workers_query = q{SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
	WHERE backend_type LIKE 'dicomgw %'};
my $before = $node->safe_psql('postgres', $workers_query);
$node->append_conf('postgresql.conf', 'dicomgw.max_associations = 1');
$node->reload;

my $context = [ DicomGW::Association::VERIFICATION(), DicomGW::Gateway::IMPLICIT() ];
my $refused = poll_until(
	sub {
		my @both = map { DicomGW::Association->open(port => $gateway->port, contexts => [$context]) } 1 .. 2;
		my ($rejection) = grep { defined } map { $_->rejected } grep { defined } @both;
		$_->abort for grep { defined } @both;
		return $rejection && "@$rejection" eq '2 3 1';
	});
ok($refused, 'a reload makes a new limit count: the second association is rejected (2,3,1)');
is($node->safe_psql('postgres', $workers_query), $before, 'and the workers are the same processes');
$node->append_conf('postgresql.conf', 'dicomgw.max_associations = 100');
$node->reload;

# ---------- standby and promotion ----------

$node->backup('base');
my $standby_node = PostgreSQL::Test::Cluster->new('standby');
$standby_node->init_from_backup($node, 'base', has_streaming => 1);
$standby_node->start;
my $standby = $gateway->on($standby_node);
$node->wait_for_catchup($standby_node);
is(
	$standby_node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'dicomgw %'
		  AND backend_type <> 'dicomgw launcher'}),
	0,
	'a standby runs nothing');
is($standby->sql('SELECT pg_is_in_recovery() AND count(*) = 0 FROM dicomgw.status WHERE running AND worker <> \'launcher\''),
	't', 'and its status says so');

$node->stop;
$standby_node->promote;
ok($standby->wait_until_up, 'after its promotion everything starts by itself');
$standby_node->stop;

done_testing();
