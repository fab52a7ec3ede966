# Destinations that don't take an object's own transfer syntax: what arrives there is
# what DCMTK's programs make of the same object, and what can't be converted says so.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Pacs;
use DicomGW::Part10 qw(dataset_digests read_part10 sendable_objects);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	IMPLICIT      => '1.2.840.10008.1.2',
	EXPLICIT      => '1.2.840.10008.1.2.1',
	JPEG_LOSSLESS => '1.2.840.10008.1.2.4.70',
};

# What DCMTK has to read these with; each is in another transfer syntax.
my %tool = (
	'CT_small.dcm'                  => 'dcmconv',
	'MR_small_bigendian.dcm'        => 'dcmconv',
	'image_dfl.dcm'                 => 'dcmconv',
	'reportsi.dcm'                  => 'dcmconv',
	'SC_rgb_jpeg_dcmtk.dcm'         => 'dcmdjpeg',
	'SC_rgb_jpeg_gdcm.dcm'          => 'dcmdjpeg',
	'MR_small_jpeg_ls_lossless.dcm' => 'dcmdjpls',
	'MR_small_RLE.dcm'              => 'dcmdrle',
);
my $no_codec = 'JPEG2000.dcm';
my @compressible = qw(CT_small.dcm MR_small_bigendian.dcm image_dfl.dcm);

my $dir = $ENV{TESTDIR};
my ($all) = sendable_objects();
my %object_of = map { basename($_->{file}) => $_ } grep { $_->{file} =~ /test_files/ } @$all;
my @objects = @object_of{ sort(keys %tool), $no_codec };

my $gateway = DicomGW::Gateway->start('gateway');
my $old     = DicomGW::Pacs->start(dir => "$dir/old",   options => ['+xi']);
my $strict  = DicomGW::Pacs->start(dir => "$dir/strict", options => ['+xi']);
my $lossless = DicomGW::Pacs->start(dir => "$dir/lossless", options => ['+xa']);
$gateway->forward_everything_to('old', $old);
$gateway->forward_everything_to('strict', $strict);
$gateway->forward_everything_to('lossless', $lossless);
$gateway->sql(q{UPDATE dicomgw.destination SET conversion = 'decompress' WHERE name = 'old';
	UPDATE dicomgw.destination SET compression = 'jpeg-lossless' WHERE name = 'lossless'});
ok($gateway->wait_until_up, 'the gateway is up');

my @status = DicomGW::Association->send_all(\@objects, port => $gateway->port);
is_deeply(\@status, [ (0) x @objects ], 'every object is acknowledged');
my @stored = $gateway->objects;
ok($gateway->wait_until_idle, 'everything is routed and forwarded');

# What became of an object at a destination: "sent, the transfer syntax that it was converted to", or why not.
sub outcome
{
	my ($name, $destination) = @_;
	my ($uid, $own) = @{ $object_of{$name} }{qw(sop_instance_uid transfer_syntax_uid)};

	return $gateway->sql(
		qq{SELECT 'sent ' || coalesce(h.sent_transfer_syntax_uid, 'as it is')
		   FROM dicomgw.forward_history h JOIN dicomgw.instance i ON i.id = h.instance_id
		   WHERE i.sop_instance_uid = '$uid' AND i.transfer_syntax_uid = '$own' AND h.destination = '$destination'
		   UNION ALL
		   SELECT l.error FROM dicomgw.dead_letter l JOIN dicomgw.instance i ON i.id = l.instance_id
		   JOIN dicomgw.destination d ON d.id = l.destination_id
		   WHERE i.sop_instance_uid = '$uid' AND i.transfer_syntax_uid = '$own' AND d.name = '$destination'});
}

# The digest of what a program of DCMTK's makes of a file: the dataset alone, without group lengths.
sub written_by
{
	my ($tool, $file, $syntax) = @_;

	command_ok([ $tool, '-F', '-g', '-e', $syntax, $file, "$dir/written" ], "$tool reads " . basename($file));
	my $bytes = slurp_file("$dir/written");

	# pixel data of 8 bits is OB or OW
	$bytes =~ s/\xe0\x7f\x10\0OB/\xe0\x7f\x10\0OW/;
	$bytes .= "\0" if length($bytes) % 2;
	return sha256_hex($bytes);
}

# ---------- decompressed ----------

my %expected;
for my $name (sort keys %tool)
{
	my $own = $object_of{$name}{transfer_syntax_uid};

	is(outcome($name, 'old'), 'sent ' . ($own eq IMPLICIT ? 'as it is' : IMPLICIT), "$name: sent to the old PACS");
	$expected{ written_by($tool{$name}, $object_of{$name}{file}, '+ti') }++;
}
is_deeply(dataset_digests($old->dir), \%expected, 'every object arrives as DCMTK writes it, and nothing else does');
like(
	outcome($no_codec, 'old'),
	qr/cannot convert from JPEG 2000.*\(1\.2\.840\.10008\.1\.2\.4\.91\) to Little Endian Implicit.*no codec for it/,
	'what cannot be converted is a dead letter that names both transfer syntaxes');

# ---------- not without permission ----------

for my $name (sort keys %tool, $no_codec)
{
	like(
		outcome($name, 'strict'),
		$object_of{$name}{transfer_syntax_uid} eq IMPLICIT ? qr/^sent as it is$/ : qr/does not accept SOP class/,
		"$name: no conversion where none is permitted");
}

# ---------- compressed ----------

my %compressible = map { $_ => 1 } @compressible;
my $at_lossless = dataset_digests($lossless->dir);
for my $name (sort keys %tool)
{
	is(outcome($name, 'lossless'), 'sent ' . ($compressible{$name} ? JPEG_LOSSLESS : 'as it is'), "$name: to the other");
	ok($at_lossless->{ sha256_hex($object_of{$name}{dataset}) }, "$name: arrives as it is") unless $compressible{$name};
}
my %sent = map { sha256_hex($_->{dataset}) => 1 } @objects;
my @compressed = grep { !$sent{ sha256_hex((read_part10($_))[0]{dataset}) } } glob $lossless->dir . '/*';
is_deeply(
	[ sort map { written_by('dcmdjpeg', $_, '+te') } @compressed ],
	[ sort map { written_by('dcmconv', $object_of{$_}{file}, '+te') } @compressible ],
	'what is decompressed there is what it was');

# ---------- our own ----------

is_deeply([ $gateway->objects ], \@stored, 'our objects are as they were');
is_deeply([ grep { defined } map { $gateway->file_problem($_) } $gateway->objects ], [], 'and so are their files');
is(scalar $gateway->stored_files, scalar @objects, 'and there are no other files');

$gateway->node->stop;
done_testing();
