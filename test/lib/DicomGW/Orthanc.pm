# DicomGW::Orthanc
#
# An Orthanc server with its DICOMweb plugin, private to a test: what objects are
# forwarded to by STOW-RS.  It asks for a user name and a password, and with
# certificate => FILE (PEM, with its key) it speaks HTTPS only.

package DicomGW::Orthanc;

use strict;
use warnings;

use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use Time::HiRes qw(sleep);

use constant {
	PROGRAM  => '/usr/sbin/Orthanc',
	PLUGIN   => '/usr/share/orthanc/plugins/libOrthancDicomWeb.so',
	USERNAME => 'gateway',
	PASSWORD => 'a pass:word',
};

sub available { return -x PROGRAM && -e PLUGIN; }

# dir => where it keeps everything
sub start
{
	my ($class, %args) = @_;
	my $self = bless {
		%args,
		owner  => $$,
		port   => PostgreSQL::Test::Cluster::get_free_port(),
		scheme => $args{certificate} ? 'https' : 'http',
	}, $class;
	my %config = (
		Name                  => 'test',
		StorageDirectory      => $self->{dir},
		IndexDirectory        => $self->{dir},
		HttpPort              => $self->{port} + 0,
		DicomServerEnabled    => JSON::PP::false,
		RemoteAccessAllowed   => JSON::PP::false,
		AuthenticationEnabled => JSON::PP::true,
		RegisteredUsers       => { USERNAME() => PASSWORD },
		Plugins               => [PLUGIN],
		DicomWeb              => { Enable => JSON::PP::true, Root => '/dicom-web/' },
		$args{certificate} ? (SslEnabled => JSON::PP::true, SslCertificate => $args{certificate}) : (),
	);

	mkdir $self->{dir};
	open my $fh, '>', "$self->{dir}.json" or die "could not write the configuration: $!\n";
	print $fh JSON::PP->new->encode(\%config);
	close $fh or die "could not write the configuration: $!\n";
	$self->_spawn;
	return $self;
}

sub url { return "$_[0]{scheme}://localhost:$_[0]{port}/dicom-web"; }

sub _spawn
{
	my ($self) = @_;

	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		setpgrp;
		$SIG{TERM} = 'DEFAULT';
		open STDOUT, '>>', "$self->{dir}.log" or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		exec PROGRAM, "$self->{dir}.json" or POSIX::_exit(127);
	}
	for (1 .. 400)
	{
		return if $self->get('system');
		die "Orthanc ended, see $self->{dir}.log\n" if waitpid $self->{pid}, POSIX::WNOHANG;
		sleep 0.05;
	}
	die "Orthanc did not start, see $self->{dir}.log\n";
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	kill 'TERM', $self->{pid};
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
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

# A request to its REST API by curl; what it answers with success, else undef.
sub _request
{
	my ($self, $path, @options) = @_;
	my @trust = $self->{ca} ? ('--cacert', $self->{ca}) : ();

	open my $curl, '-|', 'curl', '--silent', '--fail', '--noproxy', '*', @trust, '--user',
	  USERNAME . ':' . PASSWORD, @options, "$self->{scheme}://localhost:$self->{port}/$path"
	  or die "could not run curl: $!\n";
	binmode $curl;
	my $answer = do { local $/; <$curl> };
	return close $curl ? $answer // '' : undef;
}

sub get
{
	my ($self, $path) = @_;

	return $self->_request($path);
}

# Whether it takes this file when it is asked to without a gateway.
sub takes
{
	my ($self, $file) = @_;

	return defined $self->_request('instances', '--data-binary', "\@$file");
}

# The files that it keeps, by its own numbers: number => bytes.
sub files
{
	my ($self) = @_;

	return map { $_ => $self->get("instances/$_/file") } @{ decode_json($self->get('instances')) };
}

1;
