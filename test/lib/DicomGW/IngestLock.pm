# DicomGW::IngestLock
#
# Holds the receiver up right before it records objects (src/ingest_lock.h), so that a
# test can do something in between, or let a batch gather.

package DicomGW::IngestLock;

use strict;
use warnings;

use DicomGW::Session;

use constant KEY => '0, 1684502377';

sub take
{
	my ($class, $gateway) = @_;
	my $self = bless { gateway => $gateway, session => DicomGW::Session->open($gateway) }, $class;

	$self->{session}->run('SELECT pg_advisory_lock(' . KEY . ')');
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

	$self->{session}->close;
	return;
}

1;
