# DicomGW::Orthanc
#
# An Orthanc server with its DICOMweb plugin, private to a test: what objects are
# forwarded to by STOW-RS.  It asks for a user name and a password.  With
# certificate => FILE and key => FILE there is an nginx before it that speaks HTTPS,
# and HTTP/2, as many installations have it; Debian 12's Orthanc does not survive
# its own SslEnabled.

package DicomGW::Orthanc;

use strict;
use warnings;

use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use Time::HiRes qw(sleep);

use constant {
	PROGRAM  => '/usr/sbin/Orthanc',
	NGINX    => '/usr/sbin/nginx',
	PLUGIN   => '/usr/share/orthanc/plugins/libOrthancDicomWeb.so',
	USERNAME => 'gateway',
	PASSWORD => 'a pass:word',
};

sub available { return -x PROGRAM && -e PLUGIN && -x NGINX; }

# dir => where it keeps everything
sub start
{
	my ($class, %args) = @_;
	my $self = bless {
		%args,
		owner  => $$,
		port   => PostgreSQL::Test::Cluster::get_free_port(),
		scheme => $args{certificate} ? 'https' : 'http',
		pids   => {},
	}, $class;
	$self->{orthanc_port} = $args{certificate} ? PostgreSQL::Test::Cluster::get_free_port() : $self->{port};
	my %config = (
		Name                  => 'test',
		StorageDirectory      => $self->{dir},
		IndexDirectory        => $self->{dir},
		HttpPort              => $self->{orthanc_port} + 0,
		DicomServerEnabled    => JSON::PP::false,
		RemoteAccessAllowed   => JSON::PP::false,
		AuthenticationEnabled => JSON::PP::true,
		RegisteredUsers       => { USERNAME() => PASSWORD },
		Plugins               => [PLUGIN],
		DicomWeb              => { Enable => JSON::PP::true, Root => '/dicom-web/' },
	);

	mkdir $self->{dir};
	_write("$self->{dir}.json", JSON::PP->new->encode(\%config));
	_write("$self->{dir}.nginx", $self->_nginx_config) if $args{certificate};
	$self->restart;
	return $self;
}

sub url { return "$_[0]{scheme}://localhost:$_[0]{port}/dicom-web"; }

sub _write
{
	my ($file, $text) = @_;

	open my $fh, '>', $file or die "could not write $file: $!\n";
	print $fh $text;
	close $fh or die "could not write $file: $!\n";
	return;
}

sub _nginx_config
{
	my ($self) = @_;
	my $dir = "$self->{dir}.proxy";

	mkdir $dir;
	return <<"END";
daemon off;
worker_processes 1;
pid $dir/pid;
error_log $self->{dir}.proxy.log;
events {}
http {
	access_log $self->{dir}.access.log;
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
	client_max_body_size 0;
	server {
		listen 127.0.0.1:$self->{port} ssl http2;
		ssl_certificate $self->{certificate};
		ssl_certificate_key $self->{key};
		location / { proxy_pass http://127.0.0.1:$self->{orthanc_port}; }
	}
}
END
}

sub _spawn
{
	my ($self, $what, @command) = @_;
	my $pid = fork // die "could not fork: $!\n";

	if ($pid == 0)
	{
		setpgrp;
		$SIG{TERM} = 'DEFAULT';
		open STDOUT, '>>', "$self->{dir}.log" or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		exec @command or POSIX::_exit(127);
	}
	$self->{pids}{$what} = $pid;
	return;
}

sub _start_orthanc
{
	my ($self) = @_;

	$self->_spawn(orthanc => PROGRAM, "$self->{dir}.json");
	for (1 .. 400)
	{
		return if defined $self->get('system');
		sleep 0.05;
	}
	die "Orthanc did not start, see $self->{dir}.log\n";
}

sub _end
{
	my ($self, $what) = @_;
	my $pid = delete $self->{pids}{$what} or return;

	kill 'TERM', $pid;
	waitpid $pid, 0;
	return;
}

# Neither Orthanc nor what is before it.
sub stop
{
	my ($self) = @_;

	$self->_end($_) for qw(nginx orthanc);
	return;
}

sub restart
{
	my ($self) = @_;

	$self->stop;
	$self->_spawn(nginx => NGINX, '-c', "$self->{dir}.nginx", '-e', "$self->{dir}.proxy.log") if $self->{certificate};
	$self->_start_orthanc;
	return;
}

# What is before it stays, and has nobody to ask until resume().
sub pause
{
	my ($self) = @_;

	$self->_end('orthanc');
	return;
}

sub resume
{
	my ($self) = @_;

	$self->_start_orthanc;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	# a forked test process has a copy of this object, too
	local $?;
	return unless $self->{owner} == $$;
	kill 'KILL', -$_ and waitpid $_, 0 for values %{ $self->{pids} };
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
