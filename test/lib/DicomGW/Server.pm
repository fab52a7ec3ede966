# DicomGW::Server
#
# The private PostgreSQL server of the layers that speak SQL to one (regress,
# isolation, pgtap).  Its database is not the gateway's, so that no worker moves
# a row while a test looks at it.  The TAP tests make servers of their own.

package DicomGW::Server;

use strict;
use warnings;

sub new
{
	my ($class, %args) = @_;

	return bless {
		bindir  => $args{bindir},
		data    => "$args{dir}/data",
		sockets => "$args{dir}/s",
		log     => "$args{dir}/server.log",
		config  => $args{config},
		dir     => $args{dir},
	}, $class;
}

sub log_file { return $_[0]{log}; }
sub host     { return $_[0]{sockets}; }

# False if it could not be started; its log says why.
sub start
{
	my ($self) = @_;

	mkdir $self->{dir};
	mkdir $self->{sockets};
	return 0
	  unless $self->_quietly("$self->{bindir}/initdb", '-D', $self->{data}, '-U', 'postgres',
		'-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');

	open my $conf, '>>', "$self->{data}/postgresql.conf" or die "could not configure: $!\n";
	open my $ours, '<', $self->{config} or die "could not read $self->{config}: $!\n";
	print {$conf} <$ours>;
	# An analyze that happens to run holds a snapshot, and then dead rows can't be cleared away: it is no
	# part of what is tested here.
	print {$conf} "unix_socket_directories = '$self->{sockets}'\nfsync = off\nautovacuum = off\n";
	close $conf or die "could not configure: $!\n";

	return $self->_quietly("$self->{bindir}/pg_ctl", '-D', $self->{data}, '-l', $self->{log},
		'-w', 'start');
}

sub stop
{
	my ($self) = @_;

	return $self->_quietly("$self->{bindir}/pg_ctl", '-D', $self->{data}, '-m', 'fast', 'stop');
}

sub create_database
{
	my ($self, $name) = @_;

	return $self->_quietly("$self->{bindir}/psql", '-X', '-q', '-h', $self->{sockets}, '-U',
		'postgres', '-d', 'postgres', '-c', "CREATE DATABASE $name TEMPLATE template0");
}

sub _quietly
{
	my ($self, @command) = @_;

	my $pid = fork;
	die "could not fork: $!\n" unless defined $pid;
	if ($pid == 0)
	{
		open STDOUT, '>>', $self->{log} or exit 126;
		open STDERR, '>&', \*STDOUT     or exit 126;
		exec { $command[0] } @command or exit 127;
	}
	waitpid $pid, 0;
	return $? == 0;
}

1;
