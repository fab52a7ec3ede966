# DicomGW::Pacs
#
# What objects are forwarded to.  Two kinds: DCMTK's storescp, bit preserving, as
# everybody has it; and "any", one of our own that takes everything, and refuses as a test
# wants it (DicomGW::Scp).

package DicomGW::Pacs;

use strict;
use warnings;

use DicomGW::Scp;
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Cluster;
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

	$self->{spawned} = DicomGW::Scp::end_of_events($self->{dir});
	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		setpgrp;
		$SIG{TERM} = 'DEFAULT';
		if ($self->{kind} eq 'any')
		{
			DicomGW::Scp::serve($self->{port}, $self->{dir});
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

# ---------- of the kind "any" ----------

# Datasets received: "SOP Instance UID, transfer syntax, digest" => count.
sub received
{
	my ($self) = @_;
	my %count;

	$count{"$_->{uid} $_->{more}"}++ for $self->events('store');
	return \%count;
}

# What it does from now on; see DicomGW::Scp.
sub behave
{
	my ($self, %behaviour) = @_;

	DicomGW::Scp::behave($self->{dir}, %behaviour);
	return;
}

# What it has seen, in order, or only of this kind; see DicomGW::Scp.
sub events
{
	my ($self, $event) = @_;

	return grep { !$event || $_->{event} eq $event } DicomGW::Scp::events($self->{dir}, $self->{cleared} // 0);
}

# SOP Instance UIDs of the objects that came, in order.
sub stored_uids
{
	my ($self) = @_;

	return map { $_->{uid} } $self->events('store');
}

# Is no association open, whatever was cleared meanwhile?
sub is_idle
{
	my ($self) = @_;
	my %open;

	for my $event (DicomGW::Scp::events($self->{dir}, $self->{spawned}))
	{
		$open{ $event->{association} } = 1 if $event->{event} eq 'associate';
		delete $open{ $event->{association} } if $event->{event} eq 'end';
	}
	return !%open;
}

# Forget what it has seen.
sub clear
{
	my ($self) = @_;

	$self->{cleared} = DicomGW::Scp::end_of_events($self->{dir});
	return;
}

1;
