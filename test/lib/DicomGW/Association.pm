# DicomGW::Association
#
# A C-STORE SCU that sends a dataset's bytes exactly as they are, in whatever
# transfer syntax they claim to be, and that can stop in the middle.

package DicomGW::Association;

use strict;
use warnings;

use DicomGW::Pdu qw(ASSOCIATE_RQ ASSOCIATE_AC ASSOCIATE_RJ P_DATA RELEASE_RQ ABORT C_STORE_RQ
  C_ECHO_RQ write_pdu read_pdu read_message items_of item associate_body user_identity pdvs command_set parse_command);
use IO::Socket::INET;
use POSIX ();
use Socket qw(AF_UNIX IPPROTO_TCP PF_UNSPEC SOCK_STREAM TCP_NODELAY);

use constant VERIFICATION => '1.2.840.10008.1.1';

# Connects and proposes; contexts is a list of [abstract syntax, transfer syntax, ...].
# from: our own address; identity: [user name, passcode]; tls: options for "openssl
# s_client", which the association goes through then.  Undef if nobody answers;
# otherwise look at accepted() and rejected().
sub open
{
	my ($class, %args) = @_;
	my $self = bless {
		timeout  => $args{timeout} || 30,
		contexts => {},                  # "abstract transfer" => id, as accepted
		rejected => undef,
		message  => 0,
	}, $class;

	$self->{socket} = $args{tls} ? _tunnel($args{port}, @{ $args{tls} }) : _connect($self->{timeout}, %args);
	return unless $self->{socket};
	return $self if $args{raw};

	my @proposed = @{ $args{contexts} };
	my $items = '';
	for my $i (0 .. $#proposed)
	{
		my ($abstract, @transfer) = @{ $proposed[$i] };
		$items .= item(0x20, pack('C x3', 2 * $i + 1) . item(0x30, $abstract) . join '', map { item(0x40, $_) } @transfer);
	}
	my $body = associate_body($args{called} || 'DICOMGW', $args{calling} || 'TESTER', $items,
		$args{identity} ? user_identity(@{ $args{identity} }) : '');
	return unless write_pdu($self->{socket}, ASSOCIATE_RQ, $body);
	return unless $self->_read_answer(@proposed);
	return $self;
}

sub _connect
{
	my ($timeout, %args) = @_;
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $args{port},
		$args{from} ? (LocalAddr => $args{from}) : (),
		Timeout  => $timeout) or return;

	setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
	return $socket;
}

# One end of a socket; the other one is a TLS client's input and output.  It ends with ours.
sub _tunnel
{
	my ($port, @options) = @_;

	socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "could not make a socket: $!\n";
	my $pid = fork // die "could not fork: $!\n";
	if ($pid == 0)
	{
		CORE::open STDIN, '<&', $there or POSIX::_exit(126);
		CORE::open STDOUT, '>&', $there or POSIX::_exit(126);
		CORE::open STDERR, '>', '/dev/null' or POSIX::_exit(126);
		close $here;
		exec 'openssl', 's_client', '-quiet', '-no_ign_eof', '-connect', "127.0.0.1:$port", @options
		  or POSIX::_exit(127);
	}
	return $here;
}

sub _read_answer
{
	my ($self, @proposed) = @_;
	my ($type, $body) = read_pdu($self->{socket}, $self->{timeout});

	return 0 unless defined $type;
	if ($type == ASSOCIATE_RJ)
	{
		$self->{rejected} = [ unpack 'x C C C', $body ];
		return 1;
	}
	return 0 if $type != ASSOCIATE_AC;
	for my $item (items_of(substr $body, 68))
	{
		my ($kind, $value) = @$item;

		if ($kind == 0x21)
		{
			my ($id, $result) = unpack 'C x C', $value;
			my ($transfer) = map { $_->[1] } items_of(substr $value, 4);
			$self->{contexts}{"$proposed[ ($id - 1) / 2 ][0] $transfer"} = $id if $result == 0;
		}
		elsif ($kind == 0x50)
		{
			for my $sub (items_of($value))
			{
				$self->{peer_max_pdu} = unpack 'N', $sub->[1] if $sub->[0] == 0x51;
			}
		}
	}
	return 1;
}

# Longest PDU that the peer says it takes.
sub peer_max_pdu { return $_[0]{peer_max_pdu}; }

sub socket { return $_[0]{socket}; }

# Error Comment of the last response, or undef.
sub comment { return $_[0]{comment}; }

# [result, source, reason] of the A-ASSOCIATE-RJ, or undef
sub rejected { return $_[0]{rejected}; }

sub accepted
{
	my ($self, $abstract, $transfer) = @_;

	return $self->{contexts}{"$abstract $transfer"};
}

# Status of the C-STORE-RSP; undef if there was none, or no context for the object.
sub store
{
	my ($self, $object) = @_;

	$self->store_begin($object, length $object->{dataset}) or return;
	return $self->_read_status;
}

# The request and the first so many bytes of the dataset: false if the peer is gone.
sub store_begin
{
	my ($self, $object, $bytes) = @_;
	my $context = $self->accepted($object->{sop_class_uid}, $object->{transfer_syntax_uid}) or return 0;
	my $command = command_set(
		0x0002 => $object->{sop_class_uid},
		0x0100 => C_STORE_RQ,
		0x0110 => ++$self->{message} & 0xffff,
		0x0700 => 0,
		0x0800 => 0,
		0x1000 => $object->{sop_instance_uid});

	for my $pdv (pdvs($context, 1, $command, $self->{peer_max_pdu}))
	{
		write_pdu($self->{socket}, P_DATA, $pdv) or return 0;
	}

	my $left = $bytes;
	for my $pdv (pdvs($context, 0, $object->{dataset}, $self->{peer_max_pdu}))
	{
		return 1 if $left <= 0;
		write_pdu($self->{socket}, P_DATA, $pdv) or return 0;
		$left -= length($pdv) - 6;
	}
	return 1;
}

# After store_begin() with all of the dataset: status of the C-STORE-RSP, or undef.
sub store_end { return $_[0]->_read_status; }

# Status of the C-ECHO-RSP, or undef.
sub echo
{
	my ($self, $transfer) = @_;
	my $context = $self->accepted(VERIFICATION, $transfer) or return;
	my $command = command_set(
		0x0002 => VERIFICATION,
		0x0100 => C_ECHO_RQ,
		0x0110 => ++$self->{message} & 0xffff,
		0x0800 => 0x0101);

	write_pdu($self->{socket}, P_DATA, $_) or return for pdvs($context, 1, $command, 0);
	return $self->_read_status;
}

sub _read_status
{
	my ($self) = @_;
	my ($context, $message) = read_message($self->{socket}, $self->{timeout});

	return unless defined $context;
	my $response = parse_command($message);
	$self->{comment} = $response->{0x0902};
	$self->{comment} =~ s/ +\z// if defined $self->{comment};
	return $response->{0x0900};
}

sub release
{
	my ($self) = @_;

	write_pdu($self->{socket}, RELEASE_RQ, "\0" x 4) and read_pdu($self->{socket}, $self->{timeout});
	close $self->{socket};
	return;
}

sub abort
{
	my ($self) = @_;

	write_pdu($self->{socket}, ABORT, "\0" x 4);
	close $self->{socket};
	return;
}

# Sends each of the objects, as many to an association as presentation contexts
# allow; returns their statuses in the same order (undef: not answered).
sub send_all
{
	my ($class, $objects, %args) = @_;
	my (@status, %batch_of);
	my @batches = ({ objects => [], contexts => {} });

	for my $i (0 .. $#$objects)
	{
		my $key = "$objects->[$i]{sop_class_uid} $objects->[$i]{transfer_syntax_uid}";
		push @batches, { objects => [], contexts => {} }
		  if !$batches[-1]{contexts}{$key} && keys %{ $batches[-1]{contexts} } >= 100;
		$batches[-1]{contexts}{$key} = [ split ' ', $key ];
		push @{ $batches[-1]{objects} }, $i;
	}
	for my $batch (@batches)
	{
		my $association = $class->open(%args, contexts => [ values %{ $batch->{contexts} } ]);
		next unless $association && !$association->rejected;
		$status[$_] = $association->store($objects->[$_]) for @{ $batch->{objects} };
		$association->release;
	}
	$#status = $#$objects;
	return @status;
}

1;
