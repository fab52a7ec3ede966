# What was acknowledged is safe: whatever is killed, and whenever.
#
# Modalities send without a pause while each helper program is killed, each worker
# is terminated, and finally the whole server is stopped without a shutdown.  In
# the end every acknowledged object must have its row and its file, intact, and
# every one of them must have reached the PACS.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until WORKERS);
use DicomGW::Modality;
use DicomGW::Pacs;
use DicomGW::Part10 qw(sendable_objects with_instance_uid);
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	OBJECTS    => 200,    # while single processes are killed
	MORE       => 100,    # while the server is
	MODALITIES => 2,
	STEP       => 8,      # objects that must get through between two kills
};

my $dir = $ENV{TESTDIR};
my $gateway = DicomGW::Gateway->start('gateway');
my $pacs = DicomGW::Pacs->start(kind => 'any', dir => "$dir/pacs");

$gateway->forward_everything_to('pacs', $pacs);
ok($gateway->wait_until_up, 'the gateway is up');

my ($real) = sendable_objects();
my ($template) = grep { $_->{file} =~ /CT_small/ } @$real;
my @objects = map { with_instance_uid($template, $_) } 1 .. OBJECTS + MORE;
my %object_of = map { $_->{sop_instance_uid} => $_ } @objects;
my @modalities;

# Deal out these objects to new modalities.
sub send_objects
{
	my @dealt = map { [] } 1 .. MODALITIES;

	push @{ $dealt[ $_ % MODALITIES ] }, $_[$_] for 0 .. $#_;
	push @modalities,
	  DicomGW::Modality->start(
		port    => $gateway->port,
		objects => $_,
		pause   => 0.05,
		log     => "$dir/acknowledged." . scalar @modalities)
	  for @dealt;
	return;
}

sub acknowledged
{
	return map { $_->acknowledged } @modalities;
}

# Wait until so many more objects were acknowledged, or no more come.
sub some_get_through
{
	my $before = () = acknowledged();

	return poll_until(
		sub {
			my $now = () = acknowledged();
			return $now >= $before + STEP || !grep { !$_->is_done } @modalities;
		});
}

sub all_sent
{
	return poll_until(sub { return !grep { !$_->is_done } @modalities });
}

# ---------- one process after another ----------

send_objects(@objects[ 0 .. OBJECTS - 1 ]);
ok(some_get_through(), 'objects come in');

my %victim = (
	'the listening dicomgw-scp' => sub { return ($gateway->helper_pids('dicomgw-scp'))[0] },
	'an association of dicomgw-scp' => sub {
		my ($parent, @associations) = $gateway->helper_pids('dicomgw-scp');
		return $associations[0];
	},
	'a dicomgw-scu' => sub { return ($gateway->helper_pids('dicomgw-scu'))[0] },
	'dicomgw-sync' => sub { return ($gateway->helper_pids('dicomgw-sync'))[0] },
);
for my $name (sort keys %victim)
{
	my $pid;

	ok(poll_until(sub { $pid = $victim{$name}->() }, 30), "$name runs");
	kill 'KILL', $pid if $pid;
	ok(some_get_through(), "$name was killed: objects come in again");
}

for my $worker (qw(receiver router forwarder maintenance audit launcher))
{
	my $pid = $gateway->worker_pid($worker);

	$gateway->node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)") if $pid;
	ok(
		poll_until(
			sub {
				my $now = $gateway->worker_pid($worker);
				return $now && $now ne $pid;
			}),
		"the $worker was terminated: there is a new one");
	ok(some_get_through(), 'and objects come in again');
}
ok(all_sent(), 'the modalities have got rid of everything');

# ---------- all of them at once ----------

send_objects(@objects[ OBJECTS .. $#objects ]);
for (1 .. 2)
{
	ok(some_get_through(), 'objects come in');
	$gateway->node->stop('immediate');
	$gateway->node->start;
}
ok($gateway->wait_until_up, 'after an immediate stop and a start the gateway is up');
ok(all_sent(), 'the modalities have got rid of everything');

# ---------- held to its word ----------

ok($gateway->wait_until_idle, 'everything is routed and forwarded');
is($gateway->sql('SELECT count(*) FROM dicomgw.dead_letter'), 0, 'nothing failed for good');

my @rows = $gateway->objects;
my %row_of = map { $_->{sop_instance_uid} => $_ } @rows;
my @problems = grep { defined } map { $gateway->file_problem($_) } @rows;
my %sent = %{ $pacs->received };
my @acknowledged = acknowledged();

is(scalar @acknowledged, scalar @objects, 'every object was acknowledged');
is(scalar(grep { !$row_of{$_} } @acknowledged), 0, 'every acknowledged object has its row');
is_deeply(\@problems, [], 'and its file, intact');
is(
	scalar(
		grep { !$sent{ "$_ $template->{transfer_syntax_uid} " . sha256_hex($object_of{$_}{dataset}) } }
		  @acknowledged),
	0,
	'and has reached the PACS, byte for byte');
note(@rows - @objects, ' objects were sent a second time, since their first answer was lost');

$pacs->stop;
$gateway->node->stop;
done_testing();
