# Retention by space when it is the mirror that is short of it, though the storage is not:
# delivered objects make room there, and those that it does not have are left alone.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use DicomGW::SmallFs qw(small_fs);
use PostgreSQL::Test::Utils;
use Test::More;

use constant OBJECTS => 10;

my ($fs) = small_fs();
plan skip_all => 'no small file system could be mounted' unless $fs;

my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$ENV{TESTDIR}/pacs");
my ($template) = grep { $_->{file} =~ /CT_small/ } @{ (sendable_objects())[0] };

sub configure
{
	$gateway->node->append_conf('postgresql.conf', "$_[0]\n");
	$gateway->node->reload;
	return;
}

sub send_objects
{
	my (@numbers) = @_;

	is_deeply([ DicomGW::Association->send_all([ map { with_instance_uid($template, $_) } @numbers ], port => $gateway->port) ],
		[ (0) x @numbers ], 'objects are received');
	ok($gateway->wait_until_idle, 'and forwarded');
	return;
}

# How many objects have a file in this place.
sub files_in { my @files = glob "$_[0]/*/*/*/*/*.dcm"; return scalar @files; }

$gateway->forward_everything_to('pacs', $pacs);
ok($gateway->wait_until_up, 'the gateway is up');
my $used = $gateway->sql(q{SELECT used_percent FROM dicomgw.storage WHERE place = 'storage'});

SKIP:
{
	skip 'the file system of the storage is nearly full itself', 10 if $used > 50;

	send_objects(0);
	mkdir "$fs/mirror";
	configure("dicomgw.storage_mirror_path = '$fs/mirror'");
	$gateway->poll(q{SELECT count(*) = 2 FROM dicomgw.storage});
	$gateway->set_listener('enabled = true');
	send_objects(1 .. OBJECTS);
	is(files_in("$fs/mirror"), OBJECTS, 'there is a mirror');

	# seventy percent of 64 MB
	open my $filler, '>', "$fs/filler" or die "could not open $fs/filler: $!\n";
	print $filler "\0" x (45 * 1024 * 1024);
	close $filler;
	configure('dicomgw.space_retention = 60');
	ok($gateway->poll(
			q{SELECT coalesce(last_error, '') ~ 'the mirror is \d+ % full.*no delivered object is left to remove'
			  FROM dicomgw.status WHERE worker = 'maintenance'}),
		'it is short of space');
	is(files_in("$fs/mirror"), 0, 'delivered objects have made room there');
	is(files_in($gateway->storage_path), 1, 'and in the storage, but for one that the mirror does not have');
	is($gateway->sql('SELECT reason, objects FROM dicomgw.removal_log'), 'space|' . OBJECTS, 'which is recorded');
	unlink "$fs/filler";
	configure('dicomgw.space_retention = 61');
	ok($gateway->poll(q{SELECT coalesce(last_error, '') !~ 'space_retention' FROM dicomgw.status WHERE worker = 'maintenance'}),
		'when there is room, the status forgets it');
}

$pacs->stop;
$gateway->node->stop;
done_testing();
