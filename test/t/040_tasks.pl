# Long work in the background: it can be watched and cancelled, after a crash it goes on where
# it was, and every object is done once.

use strict;
use warnings;

use DicomGW::Gateway;
use DicomGW::Part10 qw(sendable_objects);
use Test::More;

use constant OBJECTS => 10_000;

my $gateway = DicomGW::Gateway->start('gateway');
ok($gateway->wait_until_up, 'the gateway is up');

# One real object, and many rows that say the same.
my ($real) = sendable_objects();
my ($id) = $gateway->receive($real->[0]);
$gateway->sql("INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
		transfer_syntax_uid, file_path, size, sha256)
	SELECT $id + n, series_id, received_at, 'MANY', called_ae, sop_class_uid, sop_instance_uid || '.' || n, transfer_syntax_uid,
		file_path, size, sha256
	FROM dicomgw.instance, generate_series(1, @{[ OBJECTS ]}) n WHERE id = $id");
$gateway->sql("INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', '127.0.0.1', 'PACS')");
$gateway->sql("SELECT dicomgw.pause('pacs', 'nothing is sent in this test')");

sub start
{
	return $gateway->sql(q{SELECT dicomgw.start_replay('pacs', calling_ae => 'MANY')});
}

sub column
{
	my ($task, $column) = @_;

	return $gateway->sql("SELECT $column FROM dicomgw.task WHERE id = $task");
}

sub ends
{
	my ($task, $state) = @_;

	return $gateway->poll("SELECT state = '$state' FROM dicomgw.task WHERE id = $task");
}

# ---------- to its end ----------

my $task = start();
ok(ends($task, 'done'), 'a replay of many objects is done');
is(column($task, q{done || '/' || total || ' ' || result}), '10000/10000 {"jobs": 10000, "skipped": 0}', 'it says how many');
is($gateway->sql(q{SELECT count(*), count(DISTINCT instance_id) FROM dicomgw.forward_job}), '10000|10000', 'each object has one job');
# ---------- crashed on the way, and again ----------

$gateway->sql(q{SELECT dicomgw.cancel(destination => 'pacs')});
$task = start();
for my $part (1, 4, 8)
{
	ok($gateway->poll("SELECT done >= $part * 1000 FROM dicomgw.task WHERE id = $task"), "it has done $part thousand");
	if ($part == 4)
	{
		$gateway->node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $gateway->worker_pid('maintenance') . ')');
	}
	else
	{
		$gateway->node->stop('immediate');
		$gateway->node->start;
	}
}
ok(ends($task, 'done'), 'it goes on where it was');
is($gateway->sql(q{SELECT count(*), count(DISTINCT instance_id) FROM dicomgw.forward_job}), '10000|10000', 'and has done nothing twice');

# ---------- cancelled ----------

my $verb = $gateway->sql(q{SELECT dicomgw.start_verb('cancel', destination => 'pacs')});
ok($gateway->poll("SELECT done > 0 FROM dicomgw.task WHERE id = $verb"), 'a verb on many jobs goes on');
$gateway->sql("SELECT dicomgw.cancel_task($verb)");
my ($state, $done) = split /\|/, $gateway->sql("SELECT state, done FROM dicomgw.task WHERE id = $verb");
ok($state eq 'cancelled' || $state eq 'done', 'and is cancelled, if it was not quicker');
is($gateway->sql(q{SELECT count(*) FROM dicomgw.forward_job}), OBJECTS - $done, 'what it has done is done, and nothing else');

# ---------- the storage ----------

my $lost = $gateway->sql("SELECT file_path FROM dicomgw.instance WHERE id = $id");
unlink $gateway->storage_path . "/$lost" or die "could not remove the object's file: $!\n";
$task = $gateway->sql('SELECT dicomgw.start_check_storage()');
ok(ends($task, 'done'), 'the storage is checked');
is(column($task, q{result ->> 'problems'}), OBJECTS + 1, 'every row without its file is found');
is($gateway->sql(q{SELECT count(*) FROM dicomgw.storage_problem WHERE problem = 'row without file'}), 1, 'and noted, once a file');

$gateway->node->stop;
done_testing();
