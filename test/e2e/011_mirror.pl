# Each object in two places: what a mirror that does not work costs, by policy, and what
# happens to files that vanish before their rows are committed.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::IngestLock;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use File::Compare qw(compare);
use File::Find ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant PROCESSING_FAILURE => 0x0110;

my $mirror = "$ENV{TESTDIR}/mirror";
mkdir $mirror;

my $gateway = DicomGW::Gateway->start('gateway',
	config => "dicomgw.storage_mirror_path = '$mirror'\ndicomgw.mirror_failure = refuse\n");
my $number = 0;
my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;

ok($gateway->wait_until_up, 'the gateway is up');

sub send_object
{
	my ($status) = DicomGW::Association->send_all([ with_instance_uid($template, ++$number) ], port => $gateway->port);

	return $status;
}

sub files_below
{
	my ($root) = @_;
	my @files;

	File::Find::find({ no_chdir => 1, wanted => sub { push @files, substr $_, 1 + length $root if -f $_ } }, $root);
	return sort @files;
}

sub set_policy
{
	my ($policy) = @_;

	$gateway->node->append_conf('postgresql.conf', "dicomgw.mirror_failure = $policy");
	$gateway->node->reload;
	return;
}

# Rows, files in the storage folder, files at the mirror, objects to be repaired.
sub counts
{
	my $rows = $gateway->objects;
	my $stored = $gateway->stored_files;
	my $mirrored = () = files_below($mirror);

	return [ $rows, $stored, $mirrored, $gateway->sql('SELECT count(*) FROM dicomgw.storage_repair') ];
}

# ---------- a mirror that works ----------

is(send_object(), 0, 'an object');
is_deeply(counts(), [ 1, 1, 1, 0 ], 'is in both places, and there is nothing to repair');
my ($file) = files_below($mirror);
is(compare($gateway->storage_path . "/$file", "$mirror/$file"), 0, 'the same bytes under the same name');

# ---------- one that does not ----------

chmod 0, $mirror;
# 0110H from the one who tries to write, A700H once somebody has noticed before.
isnt(send_object(), 0, 'the mirror does not work: refused');
ok($gateway->answers, 'C-ECHO is answered');
chmod 0700, $mirror;
is_deeply(counts(), [ 1, 1, 1, 0 ], 'nothing is left in either place');
ok(poll_until(sub { send_object() == 0 }), 'it works again: kept');
is_deeply(counts(), [ 2, 2, 2, 0 ], 'in both places');

chmod 0, $mirror;
set_policy('repair');
ok(poll_until(sub { send_object() == 0 }), 'with the other policy it is kept, in one place');
my @unmirrored = split /\n/, $gateway->sql('SELECT file_path FROM dicomgw.storage_repair');
ok(scalar @unmirrored, 'and is to be repaired');
chmod 0700, $mirror;

# Later, by itself.
ok(
	$gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.storage_repair)'),
	'the repair is done');
is_deeply([ files_below($mirror) ], [ $gateway->stored_files ], 'everything is in both places');

# ---------- files that vanish ----------

# What happens to an object if its file is removed at this place after the helper has
# written it, and before the receiver has recorded it.
sub send_and_remove
{
	my ($root) = @_;
	my $object = with_instance_uid($template, ++$number);
	my $association = DicomGW::Association->open(
		port     => $gateway->port,
		contexts => [ [ @{$object}{qw(sop_class_uid transfer_syntax_uid)} ] ]);
	my %before = map { $_ => 1 } files_below($root);
	my $lock = DicomGW::IngestLock->take($gateway);

	$association->store_begin($object, length $object->{dataset});
	ok($lock->poll_waiter, 'the receiver is about to record an object');
	unlink map { "$root/$_" } grep { !$before{$_} } files_below($root);
	$lock->release;
	my $status = $association->store_end;
	$association->release;
	return $status;
}

my ($rows) = @{ counts() };
is(send_and_remove($gateway->storage_path), PROCESSING_FAILURE, 'its file is gone: refused');
is($gateway->objects, $rows, 'and there is no row');
is_deeply([ files_below($mirror) ], [ $gateway->stored_files ], 'nor anything at the mirror');

is(send_and_remove($mirror), 0, 'its copy at the mirror is gone, which can be repaired: kept');
is($gateway->objects, $rows + 1, 'there is a row');
ok(
	$gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.storage_repair)'),
	'the repair is done');
is_deeply([ files_below($mirror) ], [ $gateway->stored_files ], 'everything is in both places');

set_policy('refuse');
$gateway->set_listener('enabled = true');
is(send_and_remove($mirror), PROCESSING_FAILURE, 'if it can not be repaired: refused');
is($gateway->objects, $rows + 1, 'and there is no row');
is_deeply([ files_below($mirror) ], [ $gateway->stored_files ], 'everything is in both places');

$gateway->node->stop;
done_testing();
