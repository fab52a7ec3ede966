# DicomGW::Pacs
#
# What objects are forwarded to.  Two kinds: DCMTK's storescp, bit preserving, as
# everybody has it; and one of our own that takes every SOP class and transfer
# syntax, private ones too, which no other program at hand does.

package DicomGW::Pacs;

use strict;
use warnings;

use DicomGW::Pdu qw(ASSOCIATE_RQ ASSOCIATE_AC P_DATA RELEASE_RQ RELEASE_RP C_STORE_RQ C_STORE_RSP
  C_ECHO_RSP write_pdu read_pdu read_message items_of item associate_body pdvs command_set parse_command);
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Cluster;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep);

# kind => 'storescp' or 'any'; dir => where objects go; options => storescp's
sub start
{
	my ($class, %args) = @_;
	my $self = bless {
		kind    => $args{kind} || 'storescp',
		dir     => $args{dir},
		options => $args{options} || [],
		owner   => $$,
		port    => $args{port} || PostgreSQL::Test::Cluster::get_free_port(),
	}, $class;

	mkdir $self->{dir};
	$self->_spawn;
	return $self;
}

sub port { return $_[0]{port}; }
sub dir  { return $_[0]{dir}; }

sub _spawn
{
	my ($self) = @_;

	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		setpgrp;
		$SIG{TERM} = 'DEFAULT';
		if ($self->{kind} eq 'any')
		{
			_serve($self->{port}, $self->{dir});
			POSIX::_exit(0);
		}
		$ENV{TCP_NODELAY} = 1;
		CORE::open STDOUT, '>>', "$self->{dir}.log" or POSIX::_exit(126);
		CORE::open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		exec 'storescp', '--fork', '+B', '+xa', '-pm', '+uf', '-dhl', '-aet', 'PACS', '-od',
		  $self->{dir}, @{ $self->{options} }, $self->{port}
		  or POSIX::_exit(127);
	}
	for (1 .. 200)
	{
		return if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
		sleep 0.05;
	}
	die "the PACS did not start\n";
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = 0;
	return;
}

sub restart
{
	my ($self) = @_;

	$self->stop;
	$self->_spawn;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	# a forked test process has a copy of this object, too
	local $?;
	$self->stop if $self->{pid} && $self->{owner} == $$;
	return;
}

# Datasets received by the kind "any": "SOP Instance UID, transfer syntax, digest" => count.
sub received
{
	my ($self) = @_;
	my %count;

	for my $file (glob "$self->{dir}/*/received")
	{
		CORE::open my $fh, '<', $file or die "could not read $file: $!\n";
		while (<$fh>)
		{
			chomp;
			$count{$_}++;
		}
	}
	return \%count;
}

# ---------- the one that takes anything ----------

sub _serve
{
	my ($port, $dir) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => $port,
		Listen    => 64,
		ReuseAddr => 1) or return;

	$SIG{CHLD} = 'IGNORE';
	for (;;)
	{
		my $socket = $listener->accept or next;
		my $pid = fork;
		next if $pid || !defined $pid;
		close $listener;
		setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
		_serve_association($socket, "$dir/$$");
		POSIX::_exit(0);
	}
	return;
}

sub _serve_association
{
	my ($socket, $dir) = @_;
	my ($type, $request) = read_pdu($socket, 30);

	return unless defined $type && $type == ASSOCIATE_RQ;
	my %transfer_of;
	my $answer = '';
	for my $item (items_of(substr $request, 68))
	{
		next if $item->[0] != 0x20;
		my $id = unpack 'C', $item->[1];
		my ($first) = map { $_->[1] } grep { $_->[0] == 0x40 } items_of(substr $item->[1], 4);
		$transfer_of{$id} = $first;
		$answer .= item(0x21, pack('C x C x', $id, 0) . item(0x40, $first));
	}
	my ($called, $calling) = unpack 'x4 A16 A16', $request;
	write_pdu($socket, ASSOCIATE_AC, associate_body($called, $calling, $answer)) or return;

	mkdir $dir;
	CORE::open my $list, '>>', "$dir/received" or return;
	$list->autoflush(1);
	for (;;)
	{
		my ($context, $command) = read_message($socket, 60);
		if (!defined $context)
		{
			write_pdu($socket, RELEASE_RP, "\0" x 4) if $command == RELEASE_RQ;
			return;
		}
		_answer($socket, $context, parse_command($command), $transfer_of{$context}, $list) or return;
	}
}

sub _answer
{
	my ($socket, $context, $request, $transfer, $list) = @_;
	my $is_store = $request->{0x0100} == C_STORE_RQ;

	if ($is_store)
	{
		my ($same, $dataset) = read_message($socket, 60);
		return 0 unless defined $same;
		print {$list} "$request->{0x1000} $transfer " . sha256_hex($dataset) . "\n";
	}
	my $response = command_set(
		0x0002 => $request->{0x0002},
		0x0100 => $is_store ? C_STORE_RSP : C_ECHO_RSP,
		0x0120 => $request->{0x0110},
		0x0800 => 0x0101,
		0x0900 => 0,
		$is_store ? (0x1000 => $request->{0x1000}) : ());
	for my $pdv (pdvs($context, 1, $response, 0))
	{
		write_pdu($socket, P_DATA, $pdv) or return 0;
	}
	return 1;
}

1;
