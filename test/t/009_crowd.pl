# A thousand associations at once: each is seen, each object is kept, one more is turned
# away, and the receiver is no larger for it than it may be.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Part10 qw(sendable_objects);
use DicomGW::Pdu;
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);
use Test::More;

use constant {
	CROWDS         => 4,
	CROWD          => 250,
	ALL            => 1000,
	CONGESTION     => [ 2, 3, 1 ],
	MOST_MEMORY_KB => 100 * 1024,
};

# By default a thousand associations are allowed.
my $gateway = DicomGW::Gateway->start('crowd', config => 'dicomgw.routing = off');
my ($object) = grep { length $_->{dataset} < 100_000 } @{ (sendable_objects())[0] };

ok($gateway->wait_until_up, 'it is up');

sub call
{
	return DicomGW::Association->open(
		port     => $gateway->port,
		contexts => [ [ DicomGW::Association::VERIFICATION(), DicomGW::Gateway::IMPLICIT() ],
			[ $object->{sop_class_uid}, $object->{transfer_syntax_uid} ] ]);
}

# A process that holds its part of the crowd, since one may not have descriptors for all
# of them.  At each word it does the next thing, and says for how many it went well.
sub start_crowd
{
	socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "could not make a socket: $!\n";
	my $pid = fork // die "could not fork: $!\n";
	return { socket => $here, pid => $pid } if $pid;

	close $here;
	my @crowd = map { call() } 1 .. CROWD;
	my @steps = (
		sub { return grep { $_ && !$_->rejected } @crowd },
		sub { return grep { $_->store($object) == 0 } @crowd },
		sub { $_->release for @crowd; return @crowd });
	for my $step (@steps)
	{
		syswrite $there, pack 'N', scalar(my @good = $step->());
		sysread $there, my $word, 2 or last;
	}
	POSIX::_exit(0);
}

# For how many all of them together succeed in what they do now.
sub count
{
	my (@crowds) = @_;
	my $good = 0;

	for my $crowd (@crowds)
	{
		sysread $crowd->{socket}, my $said, 4;
		$good += unpack 'N', $said;
	}
	return $good;
}

sub go_on { syswrite $_->{socket}, 'go' for @_; return; }

sub receiver_kilobytes
{
	my $pid = $gateway->worker_pid('receiver');

	open my $fh, '<', "/proc/$pid/status" or die "could not open /proc/$pid/status: $!\n";
	my ($anonymous) = join('', <$fh>) =~ /^RssAnon:\s+(\d+) kB/m;
	return $anonymous;
}

my @crowds = map { start_crowd() } 1 .. CROWDS;
is(count(@crowds), ALL, ALL . ' associations');
ok($gateway->poll('SELECT count(*) = ' . ALL . q{ FROM dicomgw.association WHERE state = 'open'}), 'all of them are seen');
is($gateway->sql('SELECT associations FROM dicomgw.listener_status'), ALL, 'their listener counts them');
is_deeply(call()->rejected, CONGESTION, 'one more is too many');

go_on(@crowds);
is(count(@crowds), ALL, 'each stores an object');
is(scalar $gateway->stored_files, ALL, 'which is there');
my $kilobytes = receiver_kilobytes();
cmp_ok($kilobytes, '<', MOST_MEMORY_KB, "the receiver has $kilobytes KB of its own");

go_on(@crowds);
is(count(@crowds), ALL, 'all are released');
go_on(@crowds);
waitpid $_->{pid}, 0 for @crowds;
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.open_associations())'), 'none is open');
ok($gateway->poll('SELECT (SELECT sum(objects) FROM dicomgw.caller) = ' . ALL), 'all are counted');
ok($gateway->answers, 'and the next one is served');

$gateway->node->stop;
done_testing();
