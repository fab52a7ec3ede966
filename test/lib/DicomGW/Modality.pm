# DicomGW::Modality
#
# A sender as modalities are: it sends object after object, keeps what was not
# acknowledged, and tries again until it is.  Runs as a process of its own and
# writes down each acknowledgement, so that a test can do harm meanwhile and
# afterwards hold the gateway to what it has said.

package DicomGW::Modality;

use strict;
use warnings;

use DicomGW::Association;
use POSIX ();
use Time::HiRes qw(sleep);

use constant OBJECTS_PER_ASSOCIATION => 5;

# port, objects; log: the file for the acknowledgements; pause: seconds after each
sub start
{
	my ($class, %args) = @_;
	my $self = bless { log => $args{log} }, $class;

	open my $log, '>', $self->{log} or die "could not write $self->{log}: $!\n";
	$log->autoflush(1);
	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		_send_all($args{port}, $log, $args{pause} || 0, @{ $args{objects} });
		POSIX::_exit(0);
	}
	return $self;
}

sub _send_all
{
	my ($port, $log, $pause, @waiting) = @_;

	while (@waiting)
	{
		my $context = [ @{ $waiting[0] }{qw(sop_class_uid transfer_syntax_uid)} ];
		my $association = DicomGW::Association->open(
			port     => $port,
			calling  => 'MODALITY',
			contexts => [$context]);

		for (1 .. OBJECTS_PER_ASSOCIATION)
		{
			last unless $association && @waiting;
			my $status = $association->store($waiting[0]);

			last unless defined $status && $status == 0;
			print {$log} "$waiting[0]{sop_instance_uid}\n";
			shift @waiting;
			sleep $pause;
		}
		$association->release if $association;
		sleep 0.02;
	}
	return;
}

# SOP Instance UIDs that were answered with success.
sub acknowledged
{
	my ($self) = @_;

	open my $fh, '<', $self->{log} or return ();
	chomp(my @uids = <$fh>);
	return @uids;
}

sub is_done
{
	my ($self) = @_;

	return 1 unless $self->{pid};
	return 0 unless waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
	$self->{pid} = 0;
	return 1;
}

sub DESTROY
{
	my ($self) = @_;

	local $?;
	kill 'KILL', $self->{pid} if $self->{pid};
	return;
}

1;
