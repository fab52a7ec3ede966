# DicomGW::Gateway
#
# A private PostgreSQL server with the extension in it, listening on a free port
# for DICOM: a PostgreSQL::Test::Cluster and what is asked of it again and again.

package DicomGW::Gateway;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use DicomGW::Association;
use DicomGW::Part10 qw(read_part10);
use Exporter qw(import);
use File::Find ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(poll_until WORKERS);

use constant {
	DATABASE => 'dicomgw',
	WORKERS  => 6,
	IMPLICIT => '1.2.840.10008.1.2',
};

# A server that runs and has the extension.  config: lines for postgresql.conf;
# streaming: standbys may follow it.
sub start
{
	my ($class, $name, %args) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => $args{streaming} || 0);
	$node->append_conf('postgresql.conf', $args{config}) if $args{config};
	$node->start;
	my $self = bless {
		node => $node,
		port => PostgreSQL::Test::Cluster::get_free_port(),
	}, $class;
	$node->safe_psql('postgres', 'CREATE DATABASE ' . DATABASE);
	$self->create_extension;
	return $self;
}

# The same gateway on another server: a standby.
sub on
{
	my ($self, $node) = @_;

	return bless { %$self, node => $node }, ref $self;
}

sub node { return $_[0]{node}; }
sub port { return $_[0]{port}; }

sub sql
{
	my ($self, $query) = @_;

	return $self->{node}->safe_psql(DATABASE, $query);
}

# Wait until the query says true.
sub poll
{
	my ($self, $query) = @_;

	return $self->{node}->poll_query_until(DATABASE, $query);
}

sub create_extension
{
	my ($self) = @_;

	$self->sql('CREATE EXTENSION dicomgw');
	$self->listen_on_free_port;
	return;
}

sub listen_on_free_port
{
	my ($self) = @_;

	$self->sql("UPDATE dicomgw.listener SET bind_address = '127.0.0.1', port = $self->{port}");
	return;
}

# Change the listener, and wait until the change is in force: it moves to a new port
# with it.
sub set_listener
{
	my ($self, $assignments) = @_;

	$self->{port} = PostgreSQL::Test::Cluster::get_free_port();
	$self->sql("UPDATE dicomgw.listener SET $assignments, port = $self->{port}");
	return poll_until(sub { $self->answers });
}

# Wait until all workers run and the port answers a C-ECHO.
sub wait_until_up
{
	my ($self) = @_;

	return $self->poll_workers(WORKERS) && poll_until(sub { $self->answers });
}

sub poll_workers
{
	my ($self, $count) = @_;

	return $self->{node}->poll_query_until('postgres',
		"SELECT count(*) = $count FROM pg_stat_activity WHERE backend_type LIKE 'dicomgw %'");
}

sub answers
{
	my ($self) = @_;
	my $context = [ DicomGW::Association::VERIFICATION(), IMPLICIT ];
	my $association = DicomGW::Association->open(port => $self->{port}, contexts => [$context])
	  or return 0;

	return 0 if $association->rejected;
	my $status = $association->echo(IMPLICIT);
	$association->release;
	return defined $status && $status == 0;
}

# Everything goes to this PACS, over and over until it is there.
sub forward_everything_to
{
	my ($self, $name, $pacs, %args) = @_;
	my $associations = $args{max_associations} || 2;

	$self->sql(
		qq{INSERT INTO dicomgw.destination (name, host, port, ae_title, max_associations, retry_first_delay, retry_max_delay)
		   VALUES ('$name', '127.0.0.1', @{[ $pacs->port ]}, 'PACS', $associations, '1 s', '2 s');
		   INSERT INTO dicomgw.route (name, destination) VALUES ('everything to $name', '$name')});
	return;
}

# A destination, to which no route leads; columns are SQL expressions.
sub add_destination
{
	my ($self, $name, $port, %columns) = @_;
	my @names = sort keys %columns;

	$self->sql("INSERT INTO dicomgw.destination (" . join(', ', qw(name host port ae_title), @names) . ")
		VALUES (" . join(', ', "'$name'", "'127.0.0.1'", $port, "'PACS'", @columns{@names}) . ")");
	return;
}

# Receives these objects, and waits until they are filed; their numbers, in order.
sub receive
{
	my ($self, @objects) = @_;
	my @failed = grep { $_ // 1 } DicomGW::Association->send_all(\@objects, port => $self->{port});
	my @uids = map { "'$_->{sop_instance_uid}'" } @objects;
	my $filed = 'FROM dicomgw.instance WHERE sop_instance_uid IN (' . join(', ', @uids) . ')';

	die "the gateway did not take all objects\n" if @failed;
	$self->poll('SELECT count(*) = ' . scalar(@uids) . " $filed") or die "the objects were not filed\n";
	my %id = map { split /\|/ } split /\n/, $self->sql("SELECT sop_instance_uid, id $filed");
	return map { $id{ $_->{sop_instance_uid} } } @objects;
}

# A job for each of these instances, in this order.
sub replay
{
	my ($self, $destination, @ids) = @_;

	$self->sql("SELECT dicomgw.replay('{@{[ join ',', @ids ]}}', '$destination')");
	return;
}

# So many jobs for these instances in turns, and a priority.
sub enqueue
{
	my ($self, $destination, $count, $priority, @ids) = @_;
	my $n = @ids;

	$self->sql("INSERT INTO dicomgw.forward_job (instance_id, destination_id, priority)
		SELECT ('{@{[ join ',', @ids ]}}'::bigint[])[1 + i % $n], d.id, $priority
		FROM dicomgw.destination d, generate_series(0, $count - 1) i WHERE d.name = '$destination' ORDER BY i");
	return;
}

# Wait until nothing is left to be routed or sent.
sub wait_until_idle
{
	my ($self) = @_;

	return $self->poll(
		q{SELECT NOT EXISTS (SELECT FROM dicomgw.ingest) AND NOT EXISTS (SELECT FROM dicomgw.forward_job)});
}

sub storage_path
{
	my ($self) = @_;
	my $path = $self->{node}->safe_psql('postgres', 'SHOW dicomgw.storage_path');

	return $path =~ m{^/} ? $path : $self->{node}->data_dir . "/$path";
}

# Every file in the storage folder, below its path.
sub stored_files
{
	my ($self) = @_;
	my $root = $self->storage_path;
	my @files;

	return () unless -d $root;
	File::Find::find(
		{ no_chdir => 1, wanted => sub { push @files, substr $_, 1 + length $root if -f $_ } }, $root);
	@files = sort @files;
	return @files;
}

# What the tables say of each object, routed or not.
sub objects
{
	my ($self) = @_;
	my $columns = q{id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, calling_ae, file_path, size,
		encode(sha256, 'hex'), header_error IS NOT NULL};
	my @names = qw(id sop_instance_uid sop_class_uid transfer_syntax_uid calling_ae file_path size
	  sha256 has_header_error);
	my $rows = $self->sql(
		"SELECT $columns FROM dicomgw.instance UNION ALL SELECT $columns FROM dicomgw.ingest ORDER BY 1");

	return map {
		my %row;
		@row{@names} = split /\|/, $_, -1;
		\%row
	} split /\n/, $rows;
}

# Why the file of this row of objects() is not what the row says; undef if it is.
sub file_problem
{
	my ($self, $row) = @_;
	my $file = $self->storage_path . "/$row->{file_path}";
	my ($object, $reason) = read_part10($file);

	return "$row->{file_path}: $reason" unless $object;
	return "$row->{file_path}: digest differs" if sha256_hex($object->{dataset}) ne $row->{sha256};
	return "$row->{file_path}: size differs" if length $object->{dataset} != $row->{size};
	for my $field (qw(sop_class_uid sop_instance_uid transfer_syntax_uid))
	{
		return "$row->{file_path}: $field differs" if $object->{$field} ne $row->{$field};
	}
	return;
}

# Process IDs of a helper program of this server, and of nobody else's: children of
# the worker, then theirs.
sub helper_pids
{
	my ($self, $program) = @_;
	my $helpers = $self->{node}->safe_psql('postgres', 'SHOW dicomgw.helper_path');
	my @pids;

	for my $proc (glob '/proc/[0-9]*')
	{
		my $exe = readlink "$proc/exe" // next;
		next unless $exe eq "$helpers/$program";
		my ($pid) = $proc =~ /(\d+)\z/;
		push @pids, $pid if $self->_descends_from_postmaster($pid);
	}
	return sort { $a <=> $b } @pids;
}

sub _descends_from_postmaster
{
	my ($self, $pid) = @_;
	my $postmaster = $self->{node}{_pid};

	while ($pid && $pid > 1)
	{
		return 1 if $pid == $postmaster;
		open my $fh, '<', "/proc/$pid/stat" or return 0;
		(undef, $pid) = (<$fh> // '') =~ /\) (\S) (\d+)/ or return 0;
	}
	return 0;
}

sub worker_pid
{
	my ($self, $worker) = @_;

	return $self->{node}->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'dicomgw $worker'");
}

# Wait for a condition, never for a time.
sub poll_until
{
	my ($condition, $seconds) = @_;
	my $tries = 20 * ($seconds || $PostgreSQL::Test::Utils::timeout_default);

	for (1 .. $tries)
	{
		return 1 if $condition->();
		sleep 0.05;
	}
	return 0;
}

1;
