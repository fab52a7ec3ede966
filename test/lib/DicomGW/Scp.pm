# DicomGW::Scp
#
# A C-STORE SCP that takes every SOP class and transfer syntax, private ones too, which
# no other program at hand does; and that misbehaves as a test wants it.  DicomGW::Pacs
# starts it; what it does stands in a file beside it, and can be changed meanwhile:
#
#	associate		[result, source, reason] of an A-ASSOCIATE-RJ, or "abort", "close", "silence"
#	associations	so many at a time; what is more is rejected (2,3,2)
#	contexts		the result of each presentation context but Verification's: 0 to 4
#	echo			status of the C-ECHO-RSP, or "abort", "close", "silence"
#	store			{ status, comment, offending } of the C-STORE-RSP, or "abort", "close",
#					"silence" when the object is there, "abort midway" when it has begun
#	stores			{ SOP Instance UID => the same for this object }
#	delay			seconds before each C-STORE-RSP
#
# Silence ends when the peer ends the connection.  What it sees is written to a file, an
# event a line: when, number of the association, event, SOP Instance UID, more.

package DicomGW::Scp;

use strict;
use warnings;

use DicomGW::Pdu qw(ASSOCIATE_RQ ASSOCIATE_AC ASSOCIATE_RJ P_DATA RELEASE_RQ RELEASE_RP ABORT C_STORE_RQ C_STORE_RSP
  C_ECHO_RSP write_pdu read_pdu read_message items_of item associate_body pdvs command_set parse_command);
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Storable ();
use Time::HiRes qw(sleep time);

use constant {
	VERIFICATION => '1.2.840.10008.1.1',
	PATIENCE     => 60,
};

# ---------- what the test sees ----------

# What it does from now on, also on associations that are open.
sub behave
{
	my ($dir, %behaviour) = @_;

	Storable::store(\%behaviour, "$dir/behaviour.new");
	rename "$dir/behaviour.new", "$dir/behaviour" or die "could not write $dir/behaviour: $!\n";
	return;
}

# What it has seen, in order: a list of { at, association, event, uid, more }.  From a
# place in its file on, which is how much there was at some time.
sub events
{
	my ($dir, $from) = @_;

	CORE::open my $fh, '<', "$dir/events" or return ();
	seek $fh, $from, 0;
	return map {
		my %event;
		chomp;
		@event{qw(at association event uid more)} = split / /, $_, 5;
		\%event
	} <$fh>;
}

sub end_of_events
{
	my ($dir) = @_;

	return -s "$dir/events" // 0;
}

# ---------- the program ----------

sub serve
{
	my ($port, $dir) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => $port,
		Listen    => 64,
		ReuseAddr => 1) or return;
	my ($number, $open) = (0, 0);

	local $SIG{CHLD} = sub { $open-- while waitpid(-1, WNOHANG) > 0 };
	for (;;)
	{
		my $socket = $listener->accept or next;
		$number++;
		$open++;
		my $pid = fork // next;
		next if $pid;
		close $listener;
		$SIG{CHLD} = 'DEFAULT';
		setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
		my $self = bless { socket => $socket, dir => $dir, number => $number, open => $open, transfer_of => {} }, __PACKAGE__;
		$self->_serve_association;
		$self->_note('end');
		POSIX::_exit(0);
	}
	return;
}

sub _note
{
	my ($self, @what) = @_;

	CORE::open my $fh, '>>', "$self->{dir}/events" or return;
	syswrite $fh, join(' ', sprintf('%.6f', time), $self->{number}, @what) . "\n";
	return;
}

sub _behaviour
{
	my ($self) = @_;

	return -e "$self->{dir}/behaviour" ? Storable::retrieve("$self->{dir}/behaviour") : {};
}

# Undef if the peer is to have a proper answer; otherwise it has had what it gets.
sub _misbehave
{
	my ($self, $how) = @_;

	return unless defined $how && $how =~ /\A[a-z]/;
	write_pdu($self->{socket}, ABORT, "\0" x 4) if $how =~ /abort/;
	if ($how eq 'silence')
	{
		1 while sysread $self->{socket}, my $bytes, 65536;
	}
	return 1;
}

sub _serve_association
{
	my ($self) = @_;
	my ($type, $request) = read_pdu($self->{socket}, PATIENCE);

	return unless defined $type && $type == ASSOCIATE_RQ;
	my $behaviour = $self->_behaviour;
	my $refusal = $behaviour->{associate};

	$self->_note('associate');
	$refusal = [ 2, 3, 2 ] if $behaviour->{associations} && $self->{open} > $behaviour->{associations};
	if (ref $refusal)
	{
		write_pdu($self->{socket}, ASSOCIATE_RJ, pack 'x C C C', @$refusal);
		return;
	}
	return if $self->_misbehave($refusal);
	write_pdu($self->{socket}, ASSOCIATE_AC, $self->_acceptance($request, $behaviour)) or return;
	1 while $self->_serve_message;
	return;
}

sub _acceptance
{
	my ($self, $request, $behaviour) = @_;
	my ($called, $calling) = unpack 'x4 A16 A16', $request;
	my $answer = '';

	for my $item (items_of(substr $request, 68))
	{
		next if $item->[0] != 0x20;
		my $id = unpack 'C', $item->[1];
		my @sub = items_of(substr $item->[1], 4);
		my ($abstract) = map { $_->[1] } grep { $_->[0] == 0x30 } @sub;
		my ($first)    = map { $_->[1] } grep { $_->[0] == 0x40 } @sub;
		my $result = $abstract eq VERIFICATION ? 0 : $behaviour->{contexts} // 0;

		$self->{transfer_of}{$id} = $first;
		$answer .= item(0x21, pack('C x C x', $id, $result) . item(0x40, $first));
	}
	return associate_body($called, $calling, $answer);
}

# One request and its answer: false if the association is over.
sub _serve_message
{
	my ($self) = @_;
	my ($context, $command) = read_message($self->{socket}, PATIENCE);

	if (!defined $context)
	{
		$self->_note($command == RELEASE_RQ ? 'release' : $command == ABORT ? 'abort' : 'gone');
		write_pdu($self->{socket}, RELEASE_RP, "\0" x 4) if $command == RELEASE_RQ;
		return 0;
	}
	my $request = parse_command($command);

	return $request->{0x0100} == C_STORE_RQ ? $self->_store($context, $request) : $self->_echo($context, $request);
}

sub _echo
{
	my ($self, $context, $request) = @_;
	my $status = $self->_behaviour->{echo} // 0;

	$self->_note('echo');
	return 0 if $self->_misbehave($status);
	return $self->_respond($context, $request, C_ECHO_RSP, { status => $status });
}

sub _store
{
	my ($self, $context, $request) = @_;
	my $behaviour = $self->_behaviour;
	my $uid = $request->{0x1000};
	my $answer = $behaviour->{stores}{$uid} // $behaviour->{store} // { status => 0 };

	if ($answer eq 'abort midway')
	{
		$self->_note('midway', $uid);
		$self->_misbehave($answer);
		return 0;
	}
	my ($same, $dataset) = read_message($self->{socket}, PATIENCE);
	return 0 unless defined $same;
	$self->_note('store', $uid, "$self->{transfer_of}{$context} " . sha256_hex($dataset));
	return 0 if $self->_misbehave($answer);
	sleep $behaviour->{delay} if $behaviour->{delay};
	return $self->_respond($context, $request, C_STORE_RSP, $answer);
}

sub _respond
{
	my ($self, $context, $request, $field, $answer) = @_;
	my $comment = $answer->{comment} // '';
	my $response = command_set(
		0x0002 => $request->{0x0002},
		0x0100 => $field,
		0x0120 => $request->{0x0110},
		0x0800 => 0x0101,
		0x0900 => $answer->{status},
		$answer->{offending} ? (0x0901 => pack 'v*', map { hex } $answer->{offending} =~ /([[:xdigit:]]{4})/g) : (),
		length $comment ? (0x0902 => $comment . ' ' x (length($comment) % 2)) : (),
		defined $request->{0x1000} ? (0x1000 => $request->{0x1000}) : ());

	for my $pdv (pdvs($context, 1, $response, 0))
	{
		write_pdu($self->{socket}, P_DATA, $pdv) or return 0;
	}
	return 1;
}

1;
