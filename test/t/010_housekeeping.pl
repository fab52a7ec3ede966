# The storage looks after itself: what a crash left is cleared away, what is damaged or
# missing is found, and repaired if there is a good copy; delivered objects are removed by
# age and when space is short, and no others.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use File::Basename qw(dirname);
use File::Compare qw(compare);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use Test::More;

use constant OBJECTS => 10;

my $dir = $ENV{TESTDIR};
my $mirror = "$dir/mirror";
# Without the journal: after a restart it would put right what is damaged here.
my $gateway = DicomGW::Gateway->start('gateway', config => "dicomgw.journal_size = 0\n");
my $node = $gateway->node;
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$dir/pacs");

sub configure
{
	$node->append_conf('postgresql.conf', "$_[0]\n");
	$node->reload;
	return;
}

# Paths of an object's copies.
sub copies
{
	my ($id) = @_;
	my $path = $gateway->sql("SELECT file_path FROM dicomgw.instance WHERE id = $id");

	return ($gateway->storage_path . "/$path", "$mirror/$path");
}

sub write_file
{
	my ($file, $content, $at) = @_;

	make_path(dirname($file));
	open my $fh, defined $at ? '+<' : '>', $file or die "could not write $file: $!\n";
	seek $fh, $at, 0 if $at;
	print {$fh} $content;
	close $fh or die "could not write $file: $!\n";
	return;
}

# Wait for a check that began after this.
sub check_after
{
	my ($since) = @_;

	return $gateway->poll("SELECT count(*) > 0 FROM dicomgw.storage_check WHERE started_at > $since");
}

sub status_says
{
	my ($pattern) = @_;

	return $gateway->poll(
		"SELECT coalesce(last_error, '') ~ '$pattern' FROM dicomgw.status WHERE worker = 'maintenance'");
}

sub removed
{
	return $gateway->sql(
		q{SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM dicomgw.instance WHERE removed_at IS NOT NULL});
}

# ---------- objects, delivered ----------

$gateway->forward_everything_to('pacs', $pacs);
ok($gateway->wait_until_up, 'the gateway is up');
ok(check_after("'-infinity'"), 'the storage is checked when the worker starts');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my @status = DicomGW::Association->send_all([ map { with_instance_uid($template, $_) } 1 .. OBJECTS ],
	port => $gateway->port);
is_deeply(\@status, [ (0) x OBJECTS ], 'objects are received');
ok($gateway->wait_until_idle, 'and forwarded');
my @id = split /\n/, $gateway->sql('SELECT id FROM dicomgw.instance ORDER BY id');
is(scalar @id, OBJECTS, 'each has its row');

# ---------- what a crash leaves; what a disk loses ----------

my $storage = $gateway->storage_path;
my $orphan = '2026/01/01/0000/' . 'a' x 32 . '.dcm';
my $young = '2026/01/01/0000/' . 'b' x 32 . '.dcm';
my $temporary = '2026/01/01/0000/.tmp-' . 'c' x 32;

$gateway->sql(q{UPDATE dicomgw.storage_epoch SET since = since - interval '1 day'});
$node->stop('immediate');
write_file("$storage/$_", 'x') for $orphan, $young, $temporary;
utime time, time - 2 * 3600, map { "$storage/$_" } $orphan, $temporary;
$node->start;
my %path = map { $_ => (copies($_))[0] } @id;
ok(check_after('pg_postmaster_start_time()'), 'and after each start of the server');
ok(!-e "$storage/$orphan" && !-e "$storage/$temporary", 'a file that no row names is removed, and a temporary one');
ok(-e "$storage/$young", 'but not before the grace time is over');
is($gateway->sql('SELECT problems, removed FROM dicomgw.storage_check ORDER BY started_at DESC LIMIT 1'),
	'2|2', 'which is recorded');
configure('dicomgw.orphan_grace = 0');
ok($gateway->poll(q{SELECT setting = '0' FROM pg_settings WHERE name = 'dicomgw.orphan_grace'}), 'without a grace time');
$gateway->sql('SELECT dicomgw.check_storage()');
ok(!-e "$storage/$young", 'it goes, too');
is($gateway->sql('SELECT count(*) FROM dicomgw.storage_problem'), 0, 'nothing is wrong with the objects');

unlink $path{ $id[0] } or die "could not remove $path{$id[0]}: $!\n";
truncate $path{ $id[1] }, 100 or die "could not cut off $path{$id[1]}: $!\n";
$node->restart;
ok(status_says('2 copies of objects are missing or damaged'), 'a file that is lost and one that is cut off are in the status');
is($gateway->sql(q{SELECT string_agg(instance_id || ' ' || problem, ', ' ORDER BY instance_id) FROM dicomgw.storage_problem}),
	"$id[0] row without file, $id[1] file has another size",
	'and in dicomgw.storage_problem');
is($gateway->sql('SELECT count(*) FROM dicomgw.instance'), OBJECTS, 'their rows stay');

# ---------- the mirror: from the storage ----------

mkdir $mirror or die "could not make $mirror: $!\n";
configure("dicomgw.storage_mirror_path = '$mirror'");
ok($gateway->poll(q{SELECT count(*) = 2 FROM dicomgw.storage}), 'a mirror is configured');
$gateway->sql('SELECT dicomgw.check_storage()');
ok($gateway->poll('SELECT count(*) = 0 FROM dicomgw.storage_repair'), 'maintenance fills it');
is(scalar(grep { my @copy = copies($_); compare(@copy) != 0 } @id[ 2 .. $#id ]), 0, 'with copies that are the same');
ok(!-e (copies($_))[1], 'none of a file that is lost or damaged') for @id[ 0, 1 ];
is((stat((copies($id[2]))[1]))[2] & 0777, 0600, 'they are nobody else\'s to read');

# ---------- the mirror: back into the storage ----------

unlink $path{ $id[2] };
write_file($path{ $id[3] }, 'X', (-s $path{ $id[3] }) - 1);
is($gateway->sql("SELECT place, ok, problem FROM dicomgw.verify($id[3])"),
	"storage|f|damaged: its SHA-256 is not that of the object received\nmirror|t|",
	'a damaged file is found by dicomgw.verify');
is($gateway->sql("SELECT action FROM dicomgw.check_storage() WHERE instance_id = $id[2]"),
	'queued for repair', 'one that is lost by dicomgw.check_storage');
ok($gateway->poll('SELECT count(*) = 0 FROM dicomgw.storage_repair'), 'both are made anew from the mirror');
is($gateway->sql("SELECT count(*) FROM dicomgw.verify($id[$_]) WHERE ok"), 2, 'and well') for 2, 3;

# a damaged copy in the mirror, and a good one that is not taken for it
my (undef, $copy) = copies($id[4]);
write_file($copy, 'X', (-s $copy) - 1);
$gateway->sql("SELECT dicomgw.verify($id[4])");
ok($gateway->poll('SELECT count(*) = 0 FROM dicomgw.storage_repair'), 'a damaged copy in the mirror is replaced');
is($gateway->sql("SELECT count(*) FROM dicomgw.verify($id[4]) WHERE ok"), 2, 'by a good one');

# ---------- the mirror is away ----------

rename $mirror, "$mirror.away" or die "could not rename $mirror: $!\n";
(my $away = (copies($id[5]))[1]) =~ s/^\Q$mirror\E/$mirror.away/;
unlink $away or die "could not remove $away: $!\n";
$gateway->sql(
	qq{INSERT INTO dicomgw.storage_repair (instance_id, file_path, size, sha256, since)
	   SELECT id, file_path, size, sha256, now() - interval '1 hour' FROM dicomgw.instance WHERE id = $id[5]});
ok(status_says('the mirror is not there'), 'a mirror that is away is in the status');
ok(!-e $mirror, 'and is not made');
is($gateway->sql('SELECT attempts FROM dicomgw.storage_repair'), 0, 'no object is blamed for it');
rename "$mirror.away", $mirror or die "could not rename $mirror.away: $!\n";
ok($gateway->poll('SELECT count(*) = 0 FROM dicomgw.storage_repair'), 'when it is back, the repair goes on');
is(compare(copies($id[5])), 0, 'the copy is there');

# ---------- retention by age ----------

$gateway->sql(
	qq{INSERT INTO dicomgw.destination (name, host, port, ae_title, paused) VALUES ('archive', '127.0.0.1', 1, 'ARCHIVE', true);
	   INSERT INTO dicomgw.forward_job (instance_id, destination_id)
	   SELECT $id[6], id FROM dicomgw.destination WHERE name = 'archive';
	   DELETE FROM dicomgw.forward_history WHERE instance_id = $id[7];
	   UPDATE dicomgw.instance SET received_at = now() - interval '31 days' WHERE id IN ($id[5], $id[6], $id[7], $id[8])});
is(removed(), '', 'by default nothing is removed');
configure('dicomgw.object_retention = 30');
ok($gateway->poll("SELECT removed_at IS NOT NULL FROM dicomgw.instance WHERE id = $id[8]"), 'old objects that were delivered are removed');
is(removed(), "$id[5] $id[8]", 'and none that waits, was never sent, or is younger');
ok(poll_until(sub { !grep { -e } map { copies($_) } @id[ 5, 8 ] }), 'their files are gone, in both places');
ok(-e, 'the others\' are there') for map { copies($_) } @id[ 6, 7, 9 ];
is($gateway->sql('SELECT reason, objects, bytes = (SELECT sum(size) FROM dicomgw.instance WHERE removed_at IS NOT NULL) FROM dicomgw.removal_log'),
	'age|2|t', 'it is recorded');
like($gateway->sql("SELECT problem FROM dicomgw.verify($id[8])"), qr/^removed by retention on /, 'verification says so');

my ($rc, $out, $err) = $node->psql('dicomgw',
	q{SELECT jobs FROM dicomgw.replay_study((SELECT study_instance_uid FROM dicomgw.study), 'archive')});
is($out, OBJECTS - 2, 'a study is sent again but for them');
like($err, qr/NOTICE:  2 of @{[ OBJECTS ]} objects were skipped/, 'which is said');
$gateway->sql(q{SELECT dicomgw.cancel(destination => 'archive')});

# ---------- retention by space ----------

SKIP:
{
	my $used = $gateway->sql(q{SELECT used_percent FROM dicomgw.storage WHERE place = 'storage'});

	skip 'the file system is all but empty', 5 if $used < 2;
	# the first one has lost its file: that makes no room
	configure('dicomgw.object_retention = 0');
	configure('dicomgw.space_retention = ' . ($used - 1));
	ok(status_says('above dicomgw.space_retention .*no delivered object is left to remove'),
		'space that cannot be won is in the status');
	is(removed(), join(' ', @id[ 1 .. 6, 8, 9 ]), 'delivered objects make room, others don\'t');
	ok(poll_until(sub { !grep { -e } map { copies($_) } @id[ 1 .. 6, 8, 9 ] }), 'their files are gone');
	ok(-e (copies($id[7]))[0], 'one that was never sent is there');
	configure('dicomgw.space_retention = 0');
	ok($gateway->poll(q{SELECT coalesce(last_error, '') !~ 'space_retention' FROM dicomgw.status WHERE worker = 'maintenance'}),
		'and the status forgets it');
}

# ---------- a crash between row and file ----------

$gateway->sql("UPDATE dicomgw.instance SET removed_at = now() WHERE id = $id[7]");
$node->restart;
ok(check_after('pg_postmaster_start_time()'), 'an object that is removed, but not its file');
ok(!grep({ -e } copies($id[7])), 'is cleared away by the next check');

# ---------- leaving ----------

$gateway->sql('DROP EXTENSION dicomgw CASCADE');
ok($gateway->poll_workers(1), 'maintenance leaves with the extension');
my $log = slurp_file($node->logfile);
unlike($log, qr/\b(?:PANIC|TRAP):|ERROR:/, 'nothing in the log is an error');
$pacs->stop;
$node->stop;
done_testing();
