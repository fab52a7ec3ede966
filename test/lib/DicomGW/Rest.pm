# DicomGW::Rest
#
# PostgREST with the configuration that is shipped, in front of a gateway's
# database, and requests to it.  It listens on a Unix socket, where a test is in
# the place of nginx: it says which address a request comes from.

package DicomGW::Rest;

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use File::Basename qw(dirname);
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

use constant {
	DATABASE => 'dicomgw',
	HOST     => 'gateway.example',
	TIMEOUT  => 60,
};

# The roles must be there.
sub start
{
	my ($class, $gateway) = @_;
	my $node = $gateway->node;
	my $dir  = PostgreSQL::Test::Utils::tempdir_short();
	my $self = bless { socket => "$dir/rest.sock", log => $node->logfile . '.postgrest' }, $class;
	my %env  = (
		PGRST_DB_URI => sprintf('postgres:///%s?host=%s&port=%d&user=dicomgw_authenticator', DATABASE, $node->host, $node->port),
		PGRST_SERVER_UNIX_SOCKET => $self->{socket},
		PGRST_ADMIN_SERVER_PORT  => PostgreSQL::Test::Cluster::get_free_port(),
	);

	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		%ENV = (%ENV, %env);
		open STDOUT, '>>', $self->{log} or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT     or POSIX::_exit(126);
		exec $ENV{DGW_POSTGREST}, dirname(__FILE__) . '/../../../deploy/postgrest.conf' or POSIX::_exit(127);
	}
	poll_until(sub { my $answer = $self->get('/rpc/live'); $answer && $answer->{status} == 200 })
	  or die "PostgREST does not answer; see $self->{log}\n";
	return $self;
}

sub log_file    { return $_[0]{log}; }
sub socket_path { return $_[0]{socket}; }

sub stop
{
	my ($self) = @_;

	my $pid = delete $self->{pid} or return;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!);
	$self->stop;
	return;
}

sub get { my ($self, $path, %args) = @_; return $self->request('GET', $path, %args); }

# Call a function: by POST, its arguments as JSON.
sub call
{
	my ($self, $function, $arguments, %args) = @_;

	return $self->request('POST', "/rpc/$function", body => encode_json($arguments || {}), %args);
}

# token: sent as Authorization; address: where nginx says that it comes from; headers:
# others.  The answer has status, headers (in lower case), text, and json if it is that.
# None if nobody listens.
sub request
{
	my ($self, $method, $path, %args) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->{socket}, Timeout => TIMEOUT) or return;
	my $body = $args{body} // '';
	my %header = (
		'Host'           => HOST,
		'Connection'     => 'close',
		'User-Agent'     => 'test/1.0',
		'X-Real-IP'      => $args{address} // '192.0.2.1',
		'Content-Type'   => 'application/json',
		'Content-Length' => length $body,
		$args{token} ? (Authorization => "Bearer $args{token}") : (),
		%{ $args{headers} || {} });

	local $SIG{PIPE} = 'IGNORE';
	print {$socket} "$method $path HTTP/1.1\r\n", (map { "$_: $header{$_}\r\n" } sort keys %header), "\r\n", $body;
	my $answer = do { local $/; <$socket> };
	return _parse($answer // '');
}

sub _parse
{
	my ($text) = @_;
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($status) = ($head // '') =~ m{^HTTP/1\.1 (\d+)} or return;
	my %header = map { /^([^:]+):\s*(.*)/ ? (lc $1, $2) : () } split /\r\n/, $head;

	if (($header{'transfer-encoding'} // '') eq 'chunked')
	{
		my $whole = '';
		while ($body =~ s/^([0-9a-fA-F]+)\r\n//)
		{
			my $length = hex $1 or last;
			$whole .= substr $body, 0, $length, '';
			$body =~ s/^\r\n//;
		}
		$body = $whole;
	}
	my $json = eval { JSON::PP->new->utf8->allow_nonref->decode($body) };
	return { status => $status, headers => \%header, text => $body, json => $json };
}

1;
