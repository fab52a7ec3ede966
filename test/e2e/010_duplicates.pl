# An object whose SOP Instance UID was received before: each policy of a listener, with
# senders one after the other, at the same time, and in one batch of the receiver.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::IngestLock;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Test::More;

use constant {
	SENDERS   => 6,
	DUPLICATE => 0x0111,
};

my $gateway = DicomGW::Gateway->start('gateway');
my $number = 0;
my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;

ok($gateway->wait_until_up, 'the gateway is up');

sub new_object { return with_instance_uid($template, ++$number); }

# The same SOP instance, with other pixels.
sub changed
{
	my ($object) = @_;
	my %copy = %$object;

	substr($copy{dataset}, -10, 4) = pack 'N', ++$number;
	return \%copy;
}

# Statuses of the objects, sent over one association.
sub send_objects
{
	return [ DicomGW::Association->send_all([@_], port => $gateway->port) ];
}

# Senders that have an association each, and wait for a word to send their object.
sub start_senders
{
	my (@objects) = @_;
	my @senders;

	for my $object (@objects)
	{
		socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "could not make a socket: $!\n";
		my $pid = fork // die "could not fork: $!\n";
		if ($pid == 0)
		{
			close $here;
			my $association = DicomGW::Association->open(
				port     => $gateway->port,
				contexts => [ [ @{$object}{qw(sop_class_uid transfer_syntax_uid)} ] ]);
			syswrite $there, 'ready';
			sysread $there, my $go, 10;
			syswrite $there, $association->store($object) // 'none';
			$association->release;
			POSIX::_exit(0);
		}
		push @senders, { socket => $here, pid => $pid };
	}
	sysread $_->{socket}, my $ready, 10 for @senders;
	return @senders;
}

# What they are answered, success first.
sub statuses_of
{
	my (@senders) = @_;
	my @status;

	for my $sender (@senders)
	{
		sysread $sender->{socket}, my $status, 10;
		waitpid $sender->{pid}, 0;
		push @status, $status;
	}
	return [ sort { $a <=> $b } @status ];
}

# Each object by a sender of its own, at the same time.
sub send_at_once
{
	my @senders = start_senders(@_);

	syswrite $_->{socket}, 'go' for @senders;
	return statuses_of(@senders);
}

# The same, but nothing is recorded before all of them are in place: all but the first
# are one batch then.
sub send_in_one_batch
{
	my (@objects) = @_;
	my @senders = start_senders(@objects);
	my $before = $gateway->stored_files;
	my $lock = DicomGW::IngestLock->take($gateway);

	syswrite $_->{socket}, 'go' for @senders;
	ok(poll_until(sub { $gateway->stored_files == $before + @objects }), 'the files are in place');
	ok($lock->poll_waiter, 'the receiver waits with the first of them');
	$lock->release;
	return statuses_of(@senders);
}

sub rows_of
{
	my ($object) = @_;

	return scalar grep { $_->{sop_instance_uid} eq $object->{sop_instance_uid} } $gateway->objects;
}

sub nothing_is_left_over
{
	my $problem = sub {
		my %has_row = map { $_->{file_path} => 1 } $gateway->objects;

		return grep { !$has_row{$_} } $gateway->stored_files;
	};
	ok(poll_until(sub { !$problem->() }), 'no file is left without a row');
	return;
}

# Both homes of a received object: not routed yet, and routed.
for my $routing (qw(off on))
{
	$gateway->node->append_conf('postgresql.conf', "dicomgw.routing = $routing");
	$gateway->node->reload;

	my $settle = sub {
		$routing eq 'off' or $gateway->wait_until_idle or die "the router does not get done\n";
	};
	my $object;

	# ---------- keep ----------

	ok($gateway->set_listener(q{duplicates = 'keep'}), "keep, routing $routing");
	$object = new_object();
	is_deeply(send_objects($object, $object), [ 0, 0 ], 'the same object twice: success');
	is(rows_of($object), 2, 'two versions');

	# ---------- ignore ----------

	ok($gateway->set_listener(q{duplicates = 'ignore'}), "ignore, routing $routing");
	$object = new_object();
	is_deeply(send_objects($object), [0], 'an object');
	$settle->();
	is_deeply(send_objects($object, $object), [ 0, 0 ], 'the same bytes again: success');
	is(rows_of($object), 1, 'and no second version');
	nothing_is_left_over();
	is_deeply(send_objects(changed($object)), [0], 'other bytes: success');
	is(rows_of($object), 2, 'and another version');

	$object = new_object();
	is_deeply(send_objects($object), [0], 'an object');
	$settle->();
	my ($row) = grep { $_->{sop_instance_uid} eq $object->{sop_instance_uid} } $gateway->objects;
	unlink $gateway->storage_path . "/$row->{file_path}" or die "could not unlink: $!\n";
	is_deeply(send_objects($object), [0], 'the same bytes, but the file is lost: success');
	is(rows_of($object), 2, 'and it is kept');

	$object = new_object();
	is_deeply(send_at_once(($object) x SENDERS), [ (0) x SENDERS ], 'several senders of one object: success for all');
	is(rows_of($object), 1, 'and one version');
	$object = new_object();
	is_deeply(send_in_one_batch(($object) x SENDERS), [ (0) x SENDERS ], 'in one batch: success for all');
	is(rows_of($object), 1, 'and one version');

	# ---------- refuse ----------

	ok($gateway->set_listener(q{duplicates = 'refuse'}), "refuse, routing $routing");
	$object = new_object();
	is_deeply(send_objects($object), [0], 'an object');
	$settle->();
	is_deeply(send_objects($object, changed($object)), [ DUPLICATE, DUPLICATE ], 'again, and with other bytes: 0111H');
	is(rows_of($object), 1, 'one version');

	$object = new_object();
	is_deeply(send_at_once(map { changed($object) } 1 .. SENDERS),
		[ 0, (DUPLICATE) x (SENDERS - 1) ], 'several senders: success for one, 0111H for the others');
	is(rows_of($object), 1, 'and one version');
	$object = new_object();
	is_deeply(send_in_one_batch(map { changed($object) } 1 .. SENDERS),
		[ 0, (DUPLICATE) x (SENDERS - 1) ], 'in one batch: success for one, 0111H for the others');
	is(rows_of($object), 1, 'and one version');
}

# ---------- what retention has removed ----------

my $object = new_object();
is_deeply(send_objects($object), [0], 'an object');
ok($gateway->wait_until_idle, 'is routed');
$gateway->sql(
	"UPDATE dicomgw.instance SET removed_at = now() WHERE sop_instance_uid = '$object->{sop_instance_uid}'");
is_deeply(send_objects($object), [0], 'its file is removed: it may come again');

$gateway->sql('UPDATE dicomgw.instance SET removed_at = NULL');
is_deeply(send_objects($object), [DUPLICATE], 'but only once');

$gateway->node->stop;
done_testing();
