# Water marks: a storage file system that is too full, or can't be used at all, costs
# nothing but objects, each answered A700H; and all is well again by itself.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use Test::More;

use constant OUT_OF_RESOURCES => 0xA700;

my ($object) = grep { length $_->{dataset} < 100_000 && eval { with_instance_uid($_, 1) } } @{ (sendable_objects())[0] };
my $verification = [ DicomGW::Association::VERIFICATION(), DicomGW::Gateway::IMPLICIT() ];

# One object over an association of its own: (status, comment); and C-ECHO works whatever it is.
sub send_object
{
	my ($gateway) = @_;
	my $association = DicomGW::Association->open(
		port     => $gateway->port,
		contexts => [ $verification, [ $object->{sop_class_uid}, $object->{transfer_syntax_uid} ] ]);
	my $echo = $association->echo(DicomGW::Gateway::IMPLICIT());
	my $status = $association->store($object);
	my $comment = $association->comment;

	$association->release;
	is($echo, 0, 'C-ECHO works');
	return ($status, $comment);
}

sub is_refused
{
	my ($gateway, $comment, $name) = @_;

	ok($gateway->poll('SELECT NOT accepts_objects AND reason IS NOT NULL FROM dicomgw.receiving'), "$name: it is seen");
	ok($gateway->poll(q{SELECT last_error IS NOT NULL FROM dicomgw.status WHERE worker = 'receiver'}), 'also as an error');
	is_deeply([ send_object($gateway) ], [ OUT_OF_RESOURCES, $comment ], 'an object is refused');
	return;
}

sub is_taken
{
	my ($gateway, $name) = @_;

	ok($gateway->poll('SELECT accepts_objects AND reason IS NULL FROM dicomgw.receiving'), "$name: it is seen");
	ok($gateway->poll(q{SELECT last_error IS NULL FROM dicomgw.status WHERE worker = 'receiver'}), 'there is no error');
	is((send_object($gateway))[0], 0, 'an object is taken');
	return;
}

sub set
{
	my ($gateway, %settings) = @_;

	$gateway->sql("ALTER SYSTEM SET dicomgw.$_ = '$settings{$_}'") for keys %settings;
	$gateway->node->reload;
	return;
}

# ---------- the marks as such ----------

my $gateway = DicomGW::Gateway->start('space', config => "dicomgw.routing = off\ndicomgw.storage_high_water = 100");

ok($gateway->wait_until_up, 'it is up');
is_taken($gateway, 'without a mark');
set($gateway, storage_high_water => 1, storage_low_water => 1);
is_refused($gateway, 'storage is full', 'a mark that every file system is above');
my @files = $gateway->stored_files;
is(scalar @files, 1, 'nothing is left of it');
set($gateway, storage_high_water => 100);
is_taken($gateway, 'no mark again');

# ---------- no storage at all ----------

chmod 0, $gateway->storage_path;
is_refused($gateway, 'storage cannot be used', 'a storage folder that is shut');
chmod 0700, $gateway->storage_path;
is_taken($gateway, 'an open one');
$gateway->node->stop;

# ---------- between the marks ----------

SKIP:
{
	my $fs = $ENV{DGW_SMALL_FS} or skip 'no small file system could be mounted', 1;
	my $filler = "$fs/filler";

	# A file of so many percent of it.
	my $fill = sub {
		my ($percent) = @_;
		my ($blocks) = (split ' ', (`df --output=size -k '$fs'`)[1])[0];

		open my $fh, '>', $filler or die "$filler: $!";
		print $fh "\0" x (1024 * int($blocks * $percent / 100));
		close $fh or die "$filler: $!";
	};

	$gateway = DicomGW::Gateway->start('marks',
		config => "dicomgw.routing = off\ndicomgw.storage_path = '$fs/space'\ndicomgw.storage_high_water = 60\ndicomgw.storage_low_water = 40");
	ok($gateway->wait_until_up, 'on a small file system');
	is_taken($gateway, 'an empty one');
	$fill->(50);
	is_taken($gateway, 'between the marks, coming from below');
	$fill->(70);
	is_refused($gateway, 'storage is full', 'above the high mark');
	$fill->(50);
	my $seen = $gateway->sql('SELECT clock_timestamp()');
	ok($gateway->poll("SELECT last_action_at > '$seen'::timestamptz + interval '1.5 s' FROM dicomgw.status WHERE worker = 'receiver'"),
		'the receiver has looked again');
	is_refused($gateway, 'storage is full', 'between the marks, coming from above');
	$fill->(20);
	is_taken($gateway, 'below the low mark');

	# ---------- of the mirror ----------

	unlink $filler;
	mkdir "$fs/mirror";
	my $elsewhere = "$ENV{TESTDIR}/storage";
	set($gateway, storage_mirror_path => "$fs/mirror", mirror_failure => 'refuse', storage_high_water => 100);
	$gateway->node->append_conf('postgresql.conf', "dicomgw.storage_path = '$elsewhere'");
	$gateway->node->reload;
	is_taken($gateway, 'a mirror on the small file system');
	my ($used) = $gateway->sql(q{SELECT used_percent FROM dicomgw.storage WHERE place = 'storage'});
SKIP:
	{
		skip 'the file system of the storage is nearly full itself', 17 if $used > 80;
		$fill->(95);
		set($gateway, storage_high_water => 90, storage_low_water => 85);
		is_refused($gateway, q{the mirror's storage is full}, 'above the high mark');
		ok(!grep({ -f } glob "$elsewhere/*/*/*/*/.tmp-* $fs/mirror/*/*/*/*/.tmp-*"), 'nothing is left of it');
		set($gateway, mirror_failure => 'repair');
		is_taken($gateway, 'if it may be repaired later');
		set($gateway, mirror_failure => 'refuse');
		is_refused($gateway, q{the mirror's storage is full}, 'if it may not');
		$fill->(20);
		is_taken($gateway, 'below the low mark');
	}
	$gateway->node->stop;
	unlink $filler;
	system 'rm', '-rf', "$fs/space", "$fs/mirror";
}

done_testing();
