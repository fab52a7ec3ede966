# Configuration that comes by logical replication, from a hub that configures several
# gateways, is in force as if it had been written here.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = DicomGW::Gateway->start('replicated', streaming => 1, config => 'wal_level = logical');
my $node = $gateway->node;
my $port = PostgreSQL::Test::Cluster::get_free_port();

ok($gateway->wait_until_up, 'it is up');

# The hub is another database, with no workers in it; and it doesn't wake those of its server.
$node->safe_psql('postgres', 'CREATE DATABASE hub');
$node->safe_psql('hub',
	q{CREATE EXTENSION dicomgw;
	  DELETE FROM dicomgw.listener;
	  ALTER TABLE dicomgw.listener DISABLE TRIGGER notify_config_change;
	  ALTER TABLE dicomgw.remote_ae DISABLE TRIGGER notify_config_change;
	  CREATE PUBLICATION configuration FOR TABLE dicomgw.listener, dicomgw.remote_ae});
# by itself, it would wait for the transaction that creates the subscription
$node->safe_psql('hub', q{SELECT pg_create_logical_replication_slot('gateway', 'pgoutput')});
my $hub = $node->connstr('hub') =~ s/'/''/gr;
$gateway->sql(
	qq{CREATE SUBSCRIPTION gateway CONNECTION '$hub' PUBLICATION configuration
	   WITH (create_slot = false, slot_name = 'gateway', copy_data = false)});

# What a caller meets there: "let in", a rejection, or "nobody".
sub meets
{
	my ($what) = @_;

	return poll_until(
		sub {
			my $association = DicomGW::Association->open(
				port     => $port,
				called   => 'HUB',
				contexts => [ [ DicomGW::Association::VERIFICATION(), DicomGW::Gateway::IMPLICIT() ] ]);
			my $met = !$association ? 'nobody' : $association->rejected ? "@{ $association->rejected }" : 'let in';

			$association->release if $met eq 'let in';
			return $met eq $what;
		});
}

$node->safe_psql('hub',
	qq{INSERT INTO dicomgw.listener (id, name, bind_address, port, ae_titles) VALUES (100, 'hub', '127.0.0.1', $port, '{HUB}')});
ok(meets('let in'), 'INSERT: a listener listens');
$node->safe_psql('hub', q{UPDATE dicomgw.listener SET accepts = 'known_callers'});
ok(meets('1 1 3'), 'UPDATE: it lets in known callers only');
$node->safe_psql('hub', q{INSERT INTO dicomgw.remote_ae (id, ae_title) VALUES (100, 'TESTER')});
ok(meets('let in'), 'INSERT: one is known');
$node->safe_psql('hub', 'TRUNCATE dicomgw.remote_ae');
ok(meets('1 1 3'), 'TRUNCATE: nobody is');
$node->safe_psql('hub', 'DELETE FROM dicomgw.listener');
ok(meets('nobody'), 'DELETE: its port is closed');
ok($gateway->answers, 'the listener of this gateway is as it was');

$gateway->sql('DROP SUBSCRIPTION gateway');
$node->stop;
done_testing();
