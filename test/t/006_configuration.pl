# A change of the configuration counts from its COMMIT: also one that comes while a worker
# is in the middle of a transaction that does not see it.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Part10 qw(sendable_objects);
use DicomGW::Session;
use Test::More;

my $gateway = DicomGW::Gateway->start('configuration', config => 'dicomgw.routing = off');
my ($object) = grep { length $_->{dataset} < 100_000 } @{ (sendable_objects())[0] };

ok($gateway->wait_until_up, 'it is up');
$gateway->set_listener(q{mismatch = 'store'});
$gateway->sql(q{INSERT INTO dicomgw.destination (name, host, port, ae_title, paused) VALUES ('pacs', '127.0.0.1', 1, 'PACS', true)});
is_deeply([ DicomGW::Association->send_all([$object], port => $gateway->port) ], [0], 'an object waits for the router');

# The router begins a transaction, and stands still in it.
my $session = DicomGW::Session->open($gateway);
$session->run('BEGIN; LOCK TABLE dicomgw.ingest IN EXCLUSIVE MODE');
$gateway->node->append_conf('postgresql.conf', 'dicomgw.routing = on');
$gateway->node->reload;
ok($gateway->poll(
		q{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE backend_type = 'dicomgw router'}),
	'the router has begun to route it');
$gateway->sql(q{INSERT INTO dicomgw.route (name, destination) VALUES ('everything', 'pacs')});
$session->close;
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.ingest)'), 'and goes on after a route was added');

is_deeply([ DicomGW::Association->send_all([$object], port => $gateway->port) ], [0], 'another object');
ok($gateway->poll('SELECT count(*) = 2 FROM dicomgw.routing_decision'), 'is routed');
is($gateway->sql('SELECT count(*) FROM dicomgw.forward_job j JOIN dicomgw.instance i ON i.id = j.instance_id
		WHERE i.id = (SELECT max(id) FROM dicomgw.instance)'), 1, 'by the new route');

$gateway->node->stop;
done_testing();
