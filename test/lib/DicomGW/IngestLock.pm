# DicomGW::IngestLock
#
# Holds the receiver up right before it records objects (src/ingest_lock.h), so that a
# test can do something in between, or let a batch gather.

package DicomGW::IngestLock;

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use IPC::Run ();

use constant KEY => '0, 1684502377';

sub take
{
	my ($class, $gateway) = @_;
	my $self = bless { gateway => $gateway, in => '', out => '' }, $class;

	$self->{psql} =
	  IPC::Run::start([ 'psql', '-XAtq', '-d', $gateway->node->connstr('dicomgw') ], '<', \$self->{in}, '>', \$self->{out});
	$self->{in} = 'SELECT pg_advisory_lock(' . KEY . "); SELECT 'held';\n";
	$self->{psql}->pump until $self->{out} =~ /held/;
	return $self;
}

# Wait until the receiver stands before the lock.
sub poll_waiter
{
	my ($self) = @_;

	return $self->{gateway}->poll(q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
}

sub release
{
	my ($self) = @_;

	$self->{psql}->finish if $self->{psql};
	$self->{psql} = undef;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	local $?;
	$self->release;
	return;
}

1;
