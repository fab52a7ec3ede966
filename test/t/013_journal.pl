# Small objects are durable before their files are: the journal.
#
# dicomgw-sync is stopped, as if the disk took its time.  Then the server is killed
# and files are damaged as a loss of power may damage those that were not synced:
# gone, empty, short, full of zeros.  After the next start they are what was sent.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until WORKERS);
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use File::Path qw(remove_tree);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $gateway = DicomGW::Gateway->start('gateway', config => "dicomgw.routing = off\n");
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my $next = 1;

sub objects
{
	my ($count) = @_;

	return map { with_instance_uid($template, $next++) } 1 .. $count;
}

# So many bytes longer: Data Set Trailing Padding (FFFC,FFFC).
sub padded
{
	my ($object, $len) = @_;

	return { %$object,
		dataset => $object->{dataset} . pack('v2 a2 v V', 0xFFFC, 0xFFFC, 'OB', 0, $len) . "\xA5" x $len };
}

# All are acknowledged.
sub keeps
{
	my ($name, @objects) = @_;
	my @statuses = DicomGW::Association->send_all(\@objects, port => $gateway->port);

	is(scalar(grep { defined && $_ == 0 } @statuses), scalar @objects, "acknowledged: $name");
	return;
}

sub in_journal { return $gateway->sql('SELECT count(*) FROM dicomgw.journal'); }

# The files of these objects, in their order.
sub files_of
{
	my %path = map { $_->{sop_instance_uid} => $gateway->storage_path . "/$_->{file_path}" } $gateway->objects;

	return map { $path{ $_->{sop_instance_uid} } } @_;
}

sub problems
{
	return grep { defined } map { $gateway->file_problem($_) } $gateway->objects;
}

sub stop_syncing
{
	my @pids = $gateway->helper_pids('dicomgw-sync');

	is(scalar @pids, 1, 'one dicomgw-sync runs');
	kill 'STOP', @pids;
	return @pids;
}

sub overwrite
{
	my ($file, $content) = @_;

	open my $fh, '>', $file or die "could not write $file: $!\n";
	print {$fh} $content;
	close $fh or die "could not write $file: $!\n";
	return;
}

# ---------- what goes into the journal ----------

keeps('a small object', objects(1));
is(in_journal(), 1, 'its bytes are in the journal');
keeps('a large one', padded(objects(1), 100_000));
is(in_journal(), 1, 'the bytes of a large one are not');

# ---------- a loss of power ----------

my @pids = stop_syncing();
my @objects = objects(12);
keeps('objects while the disk is slow', @objects);

my ($gone, $empty, $short, $zeros, $removed, @whole) = files_of(@objects);
$gateway->sql("DELETE FROM dicomgw.ingest WHERE sop_instance_uid = '$objects[4]{sop_instance_uid}'");
$gateway->node->stop('immediate');
ok(poll_until(sub { !kill 0, @pids }), 'dicomgw-sync has not outlived the server');

unlink $gone, $removed;
overwrite($empty, '');
truncate $short, 1000 or die "could not cut $short short: $!\n";
overwrite($zeros, "\0" x -s $zeros);

my $log = -s $gateway->node->logfile;
$gateway->node->start;
ok($gateway->wait_until_up, 'after the next start the gateway is up');
is_deeply([ problems() ], [], 'every file is what was sent');
ok(!-e $removed, 'but for the one that no object has any more');
ok($gateway->node->log_contains('restored 4 file\(s\) of received objects from the journal', $log),
	'the log says how many files there were to be restored');

# ---------- all folders are gone ----------

keeps('one more', objects(1));
stop_syncing();
keeps('and others', objects(3));
$gateway->node->stop('immediate');
my $root = $gateway->node->data_dir . '/dicomgw';
rename $root, "$root.away" or die "could not rename $root: $!\n";
$log = -s $gateway->node->logfile;
$gateway->node->start;
ok(poll_until(sub { $gateway->node->log_contains('could not restore received objects from the journal', $log) }),
	'without the storage folder, the log says that nothing can be restored');
is($gateway->worker_pid('router'), '', 'and the router does not run');
mkdir $root or die "could not make $root: $!\n";
ok($gateway->wait_until_up, 'with the folder there, the gateway is up');
is_deeply([ grep { !-e } files_of(@objects[ 5 .. 11 ]) ], [], 'files are restored with their folders');
remove_tree($root);
rename "$root.away", $root or die "could not rename $root.away: $!\n";

# ---------- a file that is lost before it was synced ----------

keeps('one more', objects(1));
@pids = stop_syncing();
@objects = objects(2);
keeps('two', @objects);
my ($lost, $kept) = files_of(@objects);
unlink $lost;
kill 'CONT', @pids;
ok(poll_until(sub { -e $lost }), 'a file that is gone when it is to be synced is written anew');

# ---------- full, and emptied ----------

$gateway->node->append_conf('postgresql.conf', 'dicomgw.journal_size = 1MB');
$gateway->node->reload;
my @large = map { padded($_, 500_000) } objects(230);
ok( poll_until(
		sub {
			my $before = in_journal();
			keeps('a larger one', shift @large);
			return in_journal() > $before;
		}),
	'a larger dicomgw.journal_size is in force for the next association');
@pids = stop_syncing();
keeps('more than the journal has room for', splice @large, 0, 190);
my $full = in_journal();
cmp_ok($full, '<', 190, 'the journal has taken some of them');
keeps('one more', shift @large);
is(in_journal(), $full, 'and takes no more');
kill 'CONT', @pids;
ok( poll_until(
		sub {
			DicomGW::Association->send_all([ objects(1) ], port => $gateway->port);
			return in_journal() < $full;
		}),
	'when its files are on the disk, it is emptied');
is_deeply([ problems() ], [], 'every file is what was sent');

# ---------- switched off ----------

$gateway->node->append_conf('postgresql.conf', 'dicomgw.journal_size = 0');
$gateway->node->reload;
ok( poll_until(
		sub {
			my $before = in_journal();
			keeps('a small one', objects(1));
			return in_journal() <= $before;
		}),
	'without a dicomgw.journal_size nothing goes into the journal');

$gateway->node->stop;
done_testing();
