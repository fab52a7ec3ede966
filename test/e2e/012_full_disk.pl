# The storage folder's file system is full: objects are refused in the middle and at the
# start, nothing of them is left, and as soon as there is room they are kept again.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use DicomGW::SmallFs qw(small_fs used_bytes fill_up);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	OUT_OF_RESOURCES => 0xA700,
	TOO_MUCH         => 80 * 1024 * 1024,
	OBJECTS          => 3,
};

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my $number = 0;

sub small_object { return with_instance_uid($template, ++$number); }

sub large_object
{
	my %object = %{ small_object() };

	$object{dataset} .= "\0" x TOO_MUCH;
	return \%object;
}

SKIP:
{
	my ($fs, $mirror_fs) = small_fs();

	skip 'no small file systems could be mounted', 1 unless $mirror_fs;

	# The marks are somebody else's test: here the disk is to get full.
	my $gateway = DicomGW::Gateway->start('gateway', config => <<~END);
		dicomgw.storage_path = '$fs/storage'
		dicomgw.storage_high_water = 100
		dicomgw.storage_low_water = 100
		END
	my $send = sub { return [ DicomGW::Association->send_all([@_], port => $gateway->port) ] };
	ok($gateway->wait_until_up, 'the gateway is up');

	is_deeply($send->(small_object()), [0], 'an object');
	my $used = used_bytes($fs);
	is_deeply($send->(large_object(), small_object()),
		[ OUT_OF_RESOURCES, 0 ], 'one that does not fit is refused, and the next one kept');
	is(scalar $gateway->stored_files, 2, 'nothing is left of it');
	cmp_ok(used_bytes($fs), '<', $used + 1024 * 1024, 'not a byte');

	fill_up("$fs/filler");
	is_deeply($send->(map { small_object() } 1 .. OBJECTS), [ (OUT_OF_RESOURCES) x OBJECTS ], 'there is no room at all');
	ok($gateway->answers, 'C-ECHO is answered');
	is(scalar $gateway->stored_files, 2, 'nothing is left');
	unlink "$fs/filler";
	ok(poll_until(sub { $send->(small_object())->[0] == 0 }), 'there is room again: objects are kept');

	# ---------- the mirror ----------

	mkdir "$mirror_fs/mirror";
	$gateway->node->append_conf('postgresql.conf', "dicomgw.storage_mirror_path = '$mirror_fs/mirror'");
	$gateway->node->reload;
	ok(
		poll_until(sub { $send->(small_object())->[0] == 0 && glob "$mirror_fs/mirror/*" }),
		'there is a mirror');
	my @files = $gateway->stored_files;
	fill_up("$mirror_fs/filler");
	is_deeply($send->(small_object()), [OUT_OF_RESOURCES], 'it is full: refused');
	is_deeply([ $gateway->stored_files ], \@files, 'nothing is left in the storage folder');
	unlink "$mirror_fs/filler";
	ok(poll_until(sub { $send->(small_object())->[0] == 0 }), 'there is room again: objects are kept');

	is_deeply([ grep { defined } map { $gateway->file_problem($_) } $gateway->objects ], [], 'every row has its file, intact');
	is(scalar $gateway->stored_files, scalar $gateway->objects, 'and there are no others');
	$gateway->node->stop;
}
done_testing();
