# Destinations that take the connection and never say a word keep a sender each until their
# association_timeout is over.  Those that answer notice nothing of it.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use IO::Socket::INET;
use Test::More;

use constant SENDERS => 2;

my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql('ALTER SYSTEM SET dicomgw.max_senders = ' . SENDERS);
$gateway->sql('SELECT pg_reload_conf()');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my @ids = $gateway->receive(map { with_instance_uid($template, $_) } 1 .. 5);

my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or die "cannot listen: $!";
my @silent = map { "silent$_" } 1 .. SENDERS;
my @living = map { "living$_" } 1 .. 2 * SENDERS;
$gateway->add_destination($_, $silent->sockport, association_timeout => "'10 min'") for @silent;
$gateway->add_destination($_, $pacs->port) for @living;

# The connections are made by the kernel; nobody accepts them.
sub connections
{
	my $remote = sprintf '0100007F:%04X', $silent->sockport;

	open my $table, '<', '/proc/net/tcp' or die "cannot read the connections: $!";
	return scalar grep { (split)[2] eq $remote && (split)[3] eq '01' } <$table>;
}

$gateway->replay($_, @ids) for @silent;
ok(poll_until(sub { connections() == SENDERS }), 'as many destinations as there may be senders do not answer');
$gateway->replay($_, @ids) for @living;
ok(
	$gateway->poll("SELECT count(*) = " . @ids * @living . " FROM dicomgw.forward_history WHERE outcome = 'sent'"),
	'those that answer get everything');
is(connections(), SENDERS, 'while the others are still waited for');
is($gateway->sql("SELECT count(*) FROM dicomgw.forward_job WHERE attempts = 0"), @ids * @silent, 'and nothing of theirs is lost');

close $silent;
$gateway->node->stop;
done_testing();
