# An object longer than 4 GiB passes through, and no process grows with it.
#
# The object is made while it is sent and dropped where it arrives, so that its only
# copy is the gateway's.  Meanwhile the memory of every process that touches it is
# watched.  DGW_LARGE_OBJECT_MB=256 makes it a quick test.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use FindBin;
use IPC::Run qw(start finish pump);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant MOST_MEMORY_KB => 100 * 1024;

my $megabytes = $ENV{DGW_LARGE_OBJECT_MB} || 4200;
my @program = ('/usr/bin/python3', "$FindBin::Bin/../lib/large_object.py");
my $log = "$ENV{TESTDIR}/received";

# The object once, and as much again for others.
sub free_megabytes
{
	my ($free) = `df -Pm \Q$ENV{TESTDIR}\E` =~ /(\d+)\s+\d+%/;

	return $free // 0;
}

my %most;    # KB, by what the process is

# Take down what each process that has to do with objects uses just now, and has used.
sub watch
{
	my ($gateway) = @_;
	my %pids;

	for my $program (qw(dicomgw-scp dicomgw-scu))
	{
		$pids{$_} = $program for $gateway->helper_pids($program);
	}
	$pids{$_} = 'worker' for split /\n/,
	  $gateway->node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type ~ '^dicomgw (receiver|router|forwarder)'});
	for my $pid (keys %pids)
	{
		open my $fh, '<', "/proc/$pid/status" or next;
		my ($peak) = join('', <$fh>) =~ /^VmHWM:\s+(\d+) kB/m or next;
		$most{ $pids{$pid} } = $peak if $peak > ($most{ $pids{$pid} } // 0);
	}
	return;
}

SKIP:
{
	skip 'there is not enough room on the disk', 1 if free_megabytes() < 2 * $megabytes + 1600;

	my $gateway = DicomGW::Gateway->start('gateway');
	my $pacs_port = PostgreSQL::Test::Cluster::get_free_port();
	my $pacs = start([ @program, 'receive', $pacs_port, $log ], '<', \undef);
	$gateway->sql(
		qq{INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', '127.0.0.1', $pacs_port, 'PACS');
		   INSERT INTO dicomgw.route (name, destination) VALUES ('all', 'pacs')});
	ok($gateway->wait_until_up, 'the gateway is up');

	my ($hold, $answer) = ('', '');
	my $sender = start([ @program, 'send', $gateway->port, $megabytes ], '<', \$hold, '>', \$answer);
	ok(
		poll_until(
			sub {
				watch($gateway);
				$sender->pump_nb;
				return $answer =~ /\n/ || !$sender->pumpable;
			},
			300),
		"an object of $megabytes MB is sent");
	my ($status, $size, $sha256) = split ' ', $answer;
	is($status, 0, 'and acknowledged') or BAIL_OUT('nothing to look at');
	watch($gateway);
	finish($sender);

	is($gateway->sql(q{SELECT size || ' ' || encode(sha256, 'hex') || ' ' || (header_error IS NULL) FROM
			(SELECT size, sha256, header_error FROM dicomgw.ingest UNION ALL
			 SELECT size, sha256, header_error FROM dicomgw.instance) x}),
		"$size $sha256 true", 'the row has its size and digest, and its header could be read');
	my ($file) = $gateway->stored_files;
	cmp_ok(-s $gateway->storage_path . "/$file", '>', $size, 'the file is there');

	ok(
		poll_until(
			sub {
				watch($gateway);
				return -s $log;
			},
			300),
		'it is forwarded');
	like(slurp_file($log), qr/^\S+ $size $sha256\n\z/, 'the same bytes have arrived');
	ok($gateway->wait_until_idle, 'the job is done');
	is($gateway->sql('SELECT count(*) FROM dicomgw.dead_letter'), 0, 'well');

	for my $what (qw(dicomgw-scp dicomgw-scu worker))
	{
		my $peak = $most{$what} // 'Inf';

		cmp_ok($peak, '<', MOST_MEMORY_KB, "$what: at most $peak KB of memory");
	}
	$pacs->kill_kill;
	$gateway->node->stop;
}
done_testing();
