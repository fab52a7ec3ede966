# The history of the configuration where other triggers are silent or rows come in bulk: by
# logical replication, and from a dump.  And an explanation of what the router itself decided.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Part10 qw(sendable_objects);
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = DicomGW::Gateway->start('history', config => "wal_level = logical\nmax_wal_senders = 8\nmax_replication_slots = 8\nmax_logical_replication_workers = 8");
my $node    = $gateway->node;
my ($object) = grep { length $_->{dataset} < 100_000 } @{ (sendable_objects())[0] };

# ---------- what the router decided ----------

ok($gateway->wait_until_up, 'it is up');
$gateway->set_listener(q{mismatch = 'store'});
$gateway->sql(
	q{INSERT INTO dicomgw.destination (name, host, port, ae_title, paused) VALUES ('pacs', '127.0.0.1', 1, 'PACS', true);
	  INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('everything', 'size > 0 AND size < 1000000', 'pacs'),
		('nothing', 'size < 0', 'pacs'), ('fails', '1 / nullif(size, size - size) / (size - size) = 1', 'pacs')});
is_deeply([ DicomGW::Association->send_all([$object], port => $gateway->port) ], [0], 'an object is sent');
ok($gateway->poll('SELECT count(*) = 1 FROM dicomgw.routing_decision'), 'and routed');
$gateway->sql(
	q{UPDATE dicomgw.route SET predicate = 'false' WHERE name = 'everything'; DELETE FROM dicomgw.route WHERE name = 'nothing'});
is($gateway->sql(q{SELECT e.route, e.version, e.outcome, e.terms -> 0 ->> 'text', e.terms -> 0 ->> 'decides', e.jobs -> 0 ->> 'state', e.remark
	FROM dicomgw.instance i, dicomgw.explain_routing(i.id) e}), join("\n",
		'everything|1|matched|size > 0|true|waiting|the route has version 2 now',
		'nothing|1|not matched|size < 0|true||the route was deleted since',
		'fails|1|error|1 / nullif(size, size - size) / (size - size) = 1|true||division by zero'),
	'it is explained by the rules of then');
is($gateway->sql(q{SELECT objects, newly, no_longer FROM dicomgw.route_dry_run('false', route => 'everything') LIMIT 1}), '0|0|1',
	'and a dry run knows what was decided');

# ---------- after a crash ----------

$node->stop('immediate');
$node->start;
$gateway->sql(q{UPDATE dicomgw.route SET priority = 9 WHERE name = 'everything'});
is($gateway->sql(q{SELECT string_agg(version::text, ' ' ORDER BY version) FROM dicomgw.configuration_history WHERE name = 'everything'}),
	'1 2 3', 'the history goes on');

# ---------- from a dump ----------

my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '--no-sync', '-Fc', '-f', $dump, 'dicomgw' ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--single-transaction', '-d', 'restored', $dump ], 'pg_restore');
for my $table (qw(listener destination route))
{
	is($node->safe_psql('restored', "SELECT t FROM dicomgw.${table}_as_of('infinity') t ORDER BY id"),
		$node->safe_psql('restored', "SELECT t FROM dicomgw.$table t ORDER BY id"),
		"$table: the history of a restored database begins with what was in the dump");
}
is($node->safe_psql('restored', q{SELECT string_agg(DISTINCT version::text, ' ') FROM dicomgw.configuration_history WHERE table_name <> 'listener'}),
	'1', 'as first versions');

# ---------- by logical replication ----------

# A hub and a site, which are two databases of one server: so the slot is made by hand.
my $tables = 'dicomgw.destination, dicomgw.remote_ae, dicomgw.route';
for my $database (qw(hub site))
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database,  'CREATE EXTENSION dicomgw');
}
$node->safe_psql('hub',
	qq{CREATE PUBLICATION configuration FOR TABLE $tables;
	   INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS');
	   INSERT INTO dicomgw.route (name, destination) VALUES ('first', 'pacs')});
$node->safe_psql('hub', q{SELECT pg_create_logical_replication_slot('configuration', 'pgoutput')});
$node->safe_psql('site',
	sprintf q{CREATE SUBSCRIPTION configuration CONNECTION '%s' PUBLICATION configuration WITH (create_slot = false)},
	$node->connstr('hub') =~ s/'/''/gr);
ok($node->poll_query_until('site', q{SELECT count(*) = 2 FROM dicomgw.configuration_history WHERE replicated}),
	'what a subscriber is given first is in its history');
$node->safe_psql('hub',
	q{BEGIN;
	  UPDATE dicomgw.route SET priority = 9;
	  UPDATE dicomgw.destination SET port = 11112;
	  COMMIT;
	  INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('CT1', 'ct1', 'open sesame');
	  DELETE FROM dicomgw.route;});
ok($node->poll_query_until('site', q{SELECT EXISTS (SELECT FROM dicomgw.configuration_history WHERE operation = 'delete' AND table_name = 'route')}),
	'and what is changed later');
is($node->safe_psql('site', q{SELECT string_agg(concat_ws(' ', name, version, operation, replicated), ', ' ORDER BY table_name, version)
		FROM dicomgw.configuration_history WHERE table_name <> 'listener'}),
	'pacs 1 insert t, pacs 2 update t, CT1 1 insert t, first 1 insert t, first 2 update t, first 3 delete t', 'all of it');
is($node->safe_psql('site', q{SELECT count(DISTINCT valid_from) FROM dicomgw.configuration_history WHERE operation = 'update'}),
	'1', 'what was changed together is in force together there, too');
is($node->safe_psql('site', q{SELECT count(*) FROM dicomgw.configuration_history h WHERE h::text LIKE '%argon2%'}), '0', 'no secret is in it');
is($node->safe_psql('hub', q{SELECT count(*) FROM dicomgw.configuration_history WHERE replicated}), '0', 'the history of the hub is its own');
$node->safe_psql('site',
	q{ALTER SUBSCRIPTION configuration DISABLE; ALTER SUBSCRIPTION configuration SET (slot_name = NONE); DROP SUBSCRIPTION configuration});

$node->stop;
done_testing();
