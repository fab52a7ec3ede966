# DicomGW::Web
#
# nginx and PostgREST with the configurations that are shipped, in front of a
# gateway's database, and requests to them by HTTPS: DicomGW::Rest with the whole
# way before it.  An address here is one of this machine, from which the request really
# comes (127.0.0.0/8 is all ours).

package DicomGW::Web;

use strict;
use warnings;

use parent 'DicomGW::Rest';

use IO::Socket::INET;
use IO::Socket::SSL;
use PostgreSQL::Test::Cluster;

# ui: folder of the pages
sub start
{
	my ($class, $gateway, %args) = @_;
	my ($port, $http_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;

	local $ENV{DGW_UI} = $args{ui} // $ENV{DGW_UI} // '';
	my $self = $class->SUPER::start($gateway, $port, $http_port);
	@$self{qw(port http_port)} = ($port, $http_port);
	return $self;
}

sub base      { return '/api'; }
sub host      { return "localhost:$_[0]{port}"; }
sub origin    { return "https://@{[ $_[0]->host ]}"; }
sub authority { return "$_[0]{dir}/server.pem"; }
sub http_port { return $_[0]{http_port}; }

# A connection from this address (default: 127.0.0.1) to the port for HTTPS, or another one without TLS.
sub connect
{
	my ($self, $address, $plain_port) = @_;
	my $socket = IO::Socket::INET->new(
		LocalAddr => $address // '127.0.0.1',
		PeerAddr  => '127.0.0.1',
		PeerPort  => $plain_port // $self->{port},
		Timeout   => DicomGW::Rest::TIMEOUT()) or return;

	return $socket if $plain_port;
	return IO::Socket::SSL->start_SSL($socket, SSL_ca_file => $self->authority, SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'http',
		Timeout => DicomGW::Rest::TIMEOUT());
}

# It is nginx that says where a request comes from.
sub address_headers { return; }

1;
