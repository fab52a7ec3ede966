# Orthanc as the modality: whatever it has it sends, plainly and over TLS, and all of it
# is kept.

use strict;
use warnings;

use DicomGW::Certificate qw(make_certificate);
use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects);
use HTTP::Tiny;
use IPC::Run qw(start);
use JSON::PP qw(decode_json encode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($orthanc) = grep { -x } '/usr/sbin/Orthanc', '/usr/bin/Orthanc';
plan skip_all => 'Orthanc is not installed' unless $orthanc;

my $dir = $ENV{TESTDIR};
my ($http_port, $secure) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
my $gateway = DicomGW::Gateway->start('gateway', config => 'dicomgw.routing = off');

make_certificate($dir, 'gateway', '/CN=127.0.0.1', 30);
make_certificate($dir, 'orthanc', '/CN=Orthanc', 30);
ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql(
	qq{INSERT INTO dicomgw.listener (name, bind_address, port, tls, tls_certificate, tls_key, tls_client_certificate, tls_ca)
	   VALUES ('secure', '127.0.0.1', $secure, true, '$dir/gateway.pem', '$dir/gateway.key', 'required', '$dir/orthanc.pem')});
ok($gateway->poll(q{SELECT bool_and(listening) FROM dicomgw.listener_status}), 'both listeners listen');

append_to_file(
	"$dir/orthanc.json",
	encode_json(
		{
			Name                        => 'modality',
			StorageDirectory            => "$dir/orthanc",
			HttpPort                    => $http_port,
			RemoteAccessAllowed         => JSON::PP::false,
			AuthenticationEnabled       => JSON::PP::false,
			DicomServerEnabled          => JSON::PP::false,
			DicomAet                    => 'ORTHANC',
			DicomTlsCertificate         => "$dir/orthanc.pem",
			DicomTlsPrivateKey          => "$dir/orthanc.key",
			DicomTlsTrustedCertificates => "$dir/gateway.pem",
			DicomModalities             => {
				plain  => [ 'DICOMGW', '127.0.0.1', $gateway->port ],
				secure => { AET => 'DICOMGW', Host => '127.0.0.1', Port => $secure, UseDicomTls => JSON::PP::true },
			},
		}));
my $process = start([ $orthanc, "$dir/orthanc.json" ], '<', \undef, '>', "$dir/orthanc.log", '2>&1');
my $http = HTTP::Tiny->new(timeout => 60);
my $url = "http://127.0.0.1:$http_port";

ok(poll_until(sub { return $http->get("$url/system")->{success} }), 'Orthanc is up');

my %id;
for my $object (@{ (sendable_objects())[0] })
{
	my $answer = $http->post("$url/instances", { content => slurp_file($object->{file}) });
	next unless $answer->{success};
	$id{ decode_json($answer->{content})->{ID} } = 1;
}
my $objects = keys %id;
cmp_ok($objects, '>', 20, "it has $objects objects");

for my $listener (qw(plain secure))
{
	my $before = $gateway->objects;
	my $answer = $http->post("$url/modalities/$listener/store", { content => encode_json({ Resources => [ keys %id ] }) });

	ok($answer->{success}, "$listener: it sends them") or diag $answer->{content};
	my $said = decode_json($answer->{content});
	is("$said->{InstancesCount} $said->{FailedInstancesCount}", "$objects 0", 'and none has failed');
	is($gateway->objects - $before, $objects, 'all of them are kept');
}
is_deeply([ grep { defined } map { $gateway->file_problem($_) } $gateway->objects ], [], 'each has its file');
ok($gateway->poll(
		q{SELECT count(DISTINCT listener) = 2 AND bool_and((listener = 'secure') = (tls_subject IS NOT NULL))
		  FROM dicomgw.association WHERE calling_ae = 'ORTHANC' AND state = 'released'}),
	'its associations are seen, those over TLS with its certificate');

$process->kill_kill;
$gateway->node->stop;
done_testing();
