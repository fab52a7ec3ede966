# DicomGW::Rest
#
# PostgREST with the configuration that is shipped, in front of a gateway's
# database, and requests to it.  It listens on a Unix socket, where a test is in
# the place of nginx: it says which address a request comes from.  With nginx
# it is DicomGW::Web.

package DicomGW::Rest;

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use File::Basename qw(dirname);
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;

use constant {
	DATABASE => 'dicomgw',
	TIMEOUT  => 60,
	TOOL     => dirname(__FILE__) . '/../../../tools/web',
};

# The roles must be there.
sub start
{
	my ($class, $gateway, @ports) = @_;
	my $node = $gateway->node;
	my $self = bless { dir => PostgreSQL::Test::Utils::tempdir_short(), log => $node->logfile . '.web' }, $class;

	$self->{pid} = fork // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		%ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => DATABASE);
		open STDOUT, '>>', $self->{log} or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT     or POSIX::_exit(126);
		exec TOOL, $self->{dir}, @ports or POSIX::_exit(127);
	}
	poll_until(sub { return -e "$self->{dir}/ready" || waitpid($self->{pid}, POSIX::WNOHANG()) > 0 }) && -e "$self->{dir}/ready"
	  or die "PostgREST does not answer; see $self->{log} and " . join(' ', $self->log_files) . "\n";
	return $self;
}

# All that it has logged.
sub log_files { my ($self) = @_; return grep { -f } $self->{log}, glob "$self->{dir}/*.log"; }
sub socket_path { return "$_[0]{dir}/postgrest.sock"; }

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

	return $self->request('POST', $self->base . "/rpc/$function", body => encode_json($arguments || {}), %args);
}

# token: sent as Authorization; address: where it comes from; headers: others.  The answer has
# status, headers (in lower case), text, and json if it is that.  None if nobody listens.
sub request
{
	my ($self, $method, $path, %args) = @_;
	my $body = $args{body} // '';
	my %header = (
		'Host'           => $self->host,
		'Connection'     => 'close',
		'User-Agent'     => 'test/1.0',
		'Content-Type'   => 'application/json',
		'Content-Length' => length $body,
		$args{token} ? (Authorization => "Bearer $args{token}") : (),
		$self->address_headers($args{address}),
		%{ $args{headers} || {} });

	return $self->exchange("$method $path HTTP/1.1\r\n" . join('', map { "$_: $header{$_}\r\n" } sort keys %header) . "\r\n$body",
		$args{address});
}

# Bytes as they are, and what is answered.
sub exchange
{
	my ($self, $bytes, $address) = @_;
	my $socket = $self->connect($address) or return;

	local $SIG{PIPE} = 'IGNORE';
	print {$socket} $bytes;
	my $answer = do { local $/; <$socket> };
	return _parse($answer // '');
}

# ---------- in the place of nginx ----------

sub host { return 'gateway.example'; }
sub base { return ''; }
sub connect { my ($self) = @_; return IO::Socket::UNIX->new(Peer => $self->socket_path, Timeout => TIMEOUT); }
sub address_headers { my ($self, $address) = @_; return ('X-Real-IP' => $address // '192.0.2.1'); }

# ---------- answers ----------

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
