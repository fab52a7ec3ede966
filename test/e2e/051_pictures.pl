# One object over HTTP: its file and parts of it, its header, pictures of it.

use strict;
use warnings;

use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects);
use DicomGW::Png qw(read_png);
use DicomGW::Rest;
use DicomGW::Web;
use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use constant PASSWORD => 'four plain words, joined';

my $mirror  = "$ENV{TESTDIR}/mirror";
mkdir $mirror or die "could not make $mirror: $!\n";
my $gateway = DicomGW::Gateway->start(
	'gateway',
	config => "dicomgw.argon2_memory = '8MB'\ndicomgw.storage_mirror_path = '$mirror'\n");
my $node = $gateway->node;

ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql('SELECT dicomgw.create_roles()');
my $rest = DicomGW::Rest->start($gateway);

# ---------- helpers ----------

sub user
{
	my ($username, $arguments) = @_;
	my $once = $gateway->sql("SELECT dicomgw.create_user('$username', $arguments)");
	my $token = $rest->call('login', { username => $username, password => $once })->{json}{token};

	$rest->call('change_password', { old => $once, new => PASSWORD }, token => $token);
	return $token;
}

my $token = user('vera', q{'viewer'});

sub get { my ($path, %headers) = @_; return $rest->get("/rpc/$path", token => $token, headers => \%headers); }
sub status { my ($answer, $status, $what) = @_; return is($answer->{status}, $status, $what) || diag($answer->{text}); }
sub audited { my ($condition) = @_; return $gateway->sql("SELECT count(*) FROM dicomgw.audit_log WHERE $condition"); }

# ---------- every real object ----------

my ($objects) = sendable_objects();
ok($gateway->set_listener(q{mismatch = 'store'}), 'what is not what its command says is kept, too');
DicomGW::Association->send_all($objects, port => $gateway->port);
ok($gateway->wait_until_idle, 'all real objects are filed');

# By their dataset: some have the same SOP Instance UID.
my %id = map { my ($id, $sha256) = split /\|/; ($sha256 => $id) } split /\n/,
  $gateway->sql(q{SELECT id, encode(sha256, 'hex') FROM dicomgw.instance});
my (%id_of, %object_of);
for my $object (@$objects)
{
	my $id = $id{ Digest::SHA::sha256_hex($object->{dataset}) } // die "$object->{file} is not there\n";
	$id_of{ basename($object->{file}) } = $id;
	$object_of{$id} = $object;
}

my (%pictures, @wrong);
for my $id (sort { $a <=> $b } keys %object_of)
{
	my $name = basename($object_of{$id}{file});
	my $answer = get("preview?instance_id=$id");
	my ($png, $why) = $answer->{status} == 200 ? read_png($answer->{text}) : ();
	my $info = get("instance_image_info?instance_id=$id")->{json};

	if ($png)
	{
		$pictures{$id} = $png;
		push @wrong, "$name: $answer->{headers}{'content-type'}" if $answer->{headers}{'content-type'} ne 'image/png';
		push @wrong, "$name: not displayable: $info->{reason}" unless $info->{displayable};
		next;
	}
	note("$name: $answer->{status} $answer->{json}{message}");
	push @wrong, "$name: $answer->{status} " . ($why // $answer->{text})
	  unless $answer->{status} == 422 && $answer->{json}{message} =~ /^object $id cannot be shown: (.+)/ && ($info->{reason} // '') eq $1;
	push @wrong, "$name: displayable" if $info->{displayable};
}
is_deeply(\@wrong, [], 'each has a picture, or a reason why not');
cmp_ok(scalar keys %pictures, '>', 60, 'there are pictures: ' . keys %pictures);
unlike(slurp_file($node->logfile), qr/dicomgw-render (?:was killed|exited)|terminated by signal/, 'the program has not come down once');

my ($ct, $rgb, $frames, $report, $jpeg2000) = @id_of{qw(CT_small.dcm ExplVR_BigEnd.dcm SC_rgb_rle_2frame.dcm test-SR.dcm JPEG2000.dcm)};
is_deeply([ @{ $pictures{$ct} }{qw(width height samples)} ],  [ 128, 128, 1 ], 'a CT image is grey');
is_deeply([ @{ $pictures{$rgb} }{qw(width height samples)} ], [ 80,  60,  3 ], 'an RGB image has colours');
is_deeply(
	[ map { my $png = read_png(get("preview?instance_id=$ct&$_")->{text}); "$png->{width}x$png->{height}" }
		'width=64', 'height=32', 'width=100&height=64', 'width=4096' ],
	[ '64x64', '32x32', '64x64', '4096x4096' ], 'it is fitted into width and height');
like(get("preview?instance_id=$report")->{json}{message}, qr/: it has no pixel data/, 'a report has none');
like(get("preview?instance_id=$jpeg2000")->{json}{message}, qr/: cannot show transfer syntax JPEG 2000/, 'JPEG 2000 cannot be shown');
status(get("preview?instance_id=$frames&frame=2"), 200, 'the second of two frames');
my $answer = get("preview?instance_id=$frames&frame=3");
status($answer, 404, 'there is no third');
like($answer->{json}{message}, qr/it has 2 frames/, 'which is said');
status(get("preview?instance_id=$ct&$_"), 400, "wrong arguments: $_")
  for qw(frame=0 width=0 width=5000 height=-1 window_center=40 window_center=40&window_width=0 window_center=NaN&window_width=1 frame=x);
status(get('preview?instance_id=999999'), 404, 'there is no such object');
status($rest->get("/rpc/$_?instance_id=$ct"), 401, "nobody sees one who is not signed in: $_")
  for qw(preview instance_file header instance_image_info);

my $wide = get("preview?instance_id=$ct&window_center=0&window_width=4000")->{text};
isnt($wide, get("preview?instance_id=$ct")->{text}, 'another window is another picture');
my $info = get("instance_image_info?instance_id=$ct")->{json};
is_deeply([ @{$info}{qw(rows columns frames samples_per_pixel bits_stored photometric_interpretation pixel_min pixel_max reason)} ],
	[ 128, 128, 1, 1, 16, 'MONOCHROME2', -896, 1167, undef ], 'what a viewer has to know of it');

# ---------- what a browser keeps, what the gateway keeps ----------

$answer = get("preview?instance_id=$ct", Accept => 'image/avif,image/webp,*/*;q=0.8');
is($answer->{headers}{'content-type'}, 'image/png', 'whatever a browser accepts, it gets a picture');
like($answer->{headers}{'cache-control'}, qr/^private, max-age=\d+$/, 'which it may keep for itself');
my $again = get("preview?instance_id=$ct", 'If-None-Match' => $answer->{headers}{etag});
is("$again->{status} $again->{text}", '304 ', 'and need not get again');
my $cache = $gateway->storage_path . '/cache';
my @cached = glob "$cache/*/*.png";
cmp_ok(scalar @cached, '>', 60, 'the gateway keeps pictures as well');
is(sprintf('%o', (stat $cached[0])[2] & 07777), '600', 'for itself');
is($gateway->sql(q{SELECT count(*) FROM dicomgw.check_storage()}), 0, 'the check of the storage has nothing against them');
ok(truncate($cached[$_], 20), 'one is damaged') for 0 .. 0;
is_deeply([ grep { my $png = get("preview?instance_id=$_"); $png->{status} != 200 || !read_png($png->{text}) } keys %pictures ],
	[], 'which nobody notices');
$node->append_conf('postgresql.conf', "dicomgw.preview_cache = 0\n");
$node->reload;
ok(poll_until(sub { @cached = glob "$cache/*/*"; !@cached }), 'with no space for them they are removed');
my $start = time;
status(get("preview?instance_id=$ct&width=256&height=256"), 200, 'pictures are drawn all the same');
note(sprintf 'drawn in %.0f ms', 1000 * (time - $start));
is(scalar(@cached = glob "$cache/*/*"), 0, 'and not kept');

# ---------- the file ----------

my $file = slurp_file($gateway->storage_path . '/' . $gateway->sql("SELECT file_path FROM dicomgw.instance WHERE id = $ct"));
my $length = length $file;
my $whole = get("instance_file?instance_id=$ct");
status($whole, 200, 'the file of an object');
ok($whole->{text} eq $file, 'is what is stored');
is_deeply([ @{ $whole->{headers} }{qw(content-type accept-ranges content-disposition)} ],
	[ 'application/dicom', 'bytes', qq(attachment; filename="$object_of{$ct}{sop_instance_uid}.dcm") ], 'and says so');
my %part = ('0-99' => [ 0, 99 ], '100-' => [ 100, $length - 1 ], '-50' => [ $length - 50, $length - 1 ], '0-0' => [ 0, 0 ],
	"1000-@{[ $length + 1000 ]}" => [ 1000, $length - 1 ], '-9999999' => [ 0, $length - 1 ]);
for my $range (sort keys %part)
{
	my ($first, $last) = @{ $part{$range} };
	$answer = get("instance_file?instance_id=$ct", Range => "bytes=$range");
	is("$answer->{status} $answer->{headers}{'content-range'}", "206 bytes $first-$last/$length", "a part of it: $range");
	ok($answer->{text} eq substr($file, $first, $last - $first + 1), 'byte for byte');
}
for my $range ("bytes=$length-", 'bytes=-0', "bytes=@{[ $length + 5 ]}-@{[ $length + 9 ]}")
{
	$answer = get("instance_file?instance_id=$ct", Range => $range);
	is("$answer->{status} $answer->{headers}{'content-range'}", "416 bytes */$length", "a part that it has not: $range");
}
ok(get("instance_file?instance_id=$ct", Range => $_)->{text} eq $file, "what is no part is the whole: $_")
  for 'bytes=0-1,5-9', 'bytes=9-5', 'bytes=-', 'lines=1-2', 'bytes=a-b';
status(get("instance_file?instance_id=$ct", 'If-None-Match' => $whole->{headers}{etag}), 304, 'who has it already is told so');
status(get("instance_file?instance_id=$ct", Range => 'bytes=0-9', 'If-Range' => $whole->{headers}{etag}), 206, 'a part of the same');
status(get("instance_file?instance_id=$ct", Range => 'bytes=0-9', 'If-Range' => '"other"'),               200, 'of another: the whole');

# ---------- one that is larger than an answer ----------

# Elements of explicit VR little endian.
sub short { my ($group, $element, $vr, $value) = @_; return pack 'v v a2 v a*', $group, $element, $vr, length $value, $value; }

my @ids = ('1.2.840.10008.5.1.4.1.1.2 ' =~ s/ $/\0/r, "1.2.3.4.5.6.7\0", "1.2.3.4.5.1\0", "1.2.3.4.5.2\0");
my $size = 40 * 1024 * 1024;
my $dataset = short(0x0008, 0x0016, 'UI', $ids[0]) . short(0x0008, 0x0018, 'UI', $ids[1]) . short(0x0020, 0x000D, 'UI', $ids[2])
  . short(0x0020, 0x000E, 'UI', $ids[3]) . pack('v v a2 v V', 0x7FE0, 0x0010, 'OW', 0, $size) . join '', map { pack 'N', $_ } 1 .. $size / 4;
my ($large) = $gateway->receive(
	{ sop_class_uid => '1.2.840.10008.5.1.4.1.1.2', sop_instance_uid => '1.2.3.4.5.6.7', transfer_syntax_uid => '1.2.840.10008.1.2.1', dataset => $dataset });
my $large_file = slurp_file($gateway->storage_path . '/' . $gateway->sql("SELECT file_path FROM dicomgw.instance WHERE id = $large"));
my $total = length $large_file;
$answer = get("instance_file?instance_id=$large");
status($answer, 413, 'a file of 40 MiB is not sent at once');
like($answer->{json}{hint}, qr/^Ask for parts/, 'which is no dead end');
$answer = get("instance_file?instance_id=$large", Range => 'bytes=0-');
is("$answer->{status} $answer->{headers}{'content-range'}", "206 bytes 0-33554431/$total", 'a part is cut where it is too long');
ok($answer->{text} eq substr($large_file, 0, 33554432), 'and is what it says');

# nginx puts it together.
my $web  = DicomGW::Web->start($gateway);
my $got  = PostgreSQL::Test::Utils::tempdir() . '/got';
my @curl = ('curl', '-sS', '--noproxy', '*', '--cacert', $web->authority, '-H', "Authorization: Bearer $token");
my $url  = $web->origin . '/api/rpc/instance_file?instance_id=';
for my $case ([ 'the whole', $large, 200, $large_file ], [ 'a part', $large, 206, substr($large_file, 30_000_000, 8_000_000), '-r', '30000000-37999999' ],
	[ 'one that is small', $ct, 200, $file ])
{
	my ($what, $id, $expected, $content, @more) = @$case;
	my ($status) = run_command([ @curl, @more, '-o', $got, '-w', '%{http_code}', "$url$id" ]);
	is($status, $expected, "by nginx: $what");
	ok(slurp_file($got) eq $content, 'byte for byte');
}
like((run_command([ @curl, '-I', "$url$large" ]))[0], qr{^HTTP/2 200.*^content-length: $total\r$}ms, 'by nginx: how large it is');
like((run_command([ @curl, "${url}999999" ]))[0], qr/"PT404"/, 'by nginx: there is none');
$web->stop;

# ---------- the header ----------

my $header = get("header?instance_id=$ct")->{json};
is_deeply($header->{'00080060'}, { vr => 'CS', Value => ['CT'] }, 'the header is DICOM JSON');
$gateway->sql("DELETE FROM dicomgw.instance_header WHERE instance_id = $ct");
is_deeply(get("header?instance_id=$ct")->{json}, $header, 'read from the file if it is not kept');
status(get('header?instance_id=999999'), 404, 'there is no such object');

# ---------- who looked ----------

my $uid = "object $object_of{$ct}{sop_instance_uid}";
is(audited("actor = 'vera' AND action = 'view' AND target = '$uid'"), 1, 'that she looked is in the audit log, once');
is(audited("actor = 'vera' AND action = 'export' AND target = '$uid'"), 1, 'that she took it away, too');
$gateway->sql(q{UPDATE dicomgw.instance SET calling_ae = 'OTHER' WHERE id = } . $rgb);
my $all = $token;
$token = user('dora', q{'viewer', '{OTHER}'});
status(get("preview?instance_id=$rgb"), 200, 'one who is limited sees hers');
status(get("$_?instance_id=$ct"), 404, "and no other: $_") for qw(preview instance_file header instance_image_info);
is(audited("actor = 'dora' AND target = '$uid'"), 0, 'which is no look');
$token = $all;

# ---------- files that are not what they were ----------

sub paths { my ($id) = @_; my $path = $gateway->sql("SELECT file_path FROM dicomgw.instance WHERE id = $id"); return map { "$_/$path" } $gateway->storage_path, $mirror; }

sub overwrite { my ($path) = @_; open my $fh, '+<:raw', $path or die "$path: $!\n"; seek $fh, -100, 2; print {$fh} 'x' x 100; close $fh; return; }
my ($first, $second) = paths($ct);
overwrite($first);
ok(get("instance_file?instance_id=$ct")->{text} eq $file, 'of a damaged file the copy in the mirror is sent');
unlink $first;
status(get("preview?instance_id=$ct"), 200, 'of a missing one it is shown');
overwrite($second);
status(get("instance_file?instance_id=$ct"), 503, 'if that is damaged, too, it is not sent');
unlink $second;
status(get("$_?instance_id=$ct"), 503, "nor is there anything of one that is missing: $_") for qw(instance_file preview);
$info = get("instance_image_info?instance_id=$rgb")->{json};
unlink paths($rgb);
my $declared = get("instance_image_info?instance_id=$rgb")->{json};
is_deeply([ @{$declared}{qw(rows columns frames displayable)} ], [ @{$info}{qw(rows columns frames)}, JSON::PP::false ],
	'but its header is still known');
$gateway->sql("UPDATE dicomgw.instance SET removed_at = now() WHERE id = $frames");
status(get("$_?instance_id=$frames"), 410, "an object that retention has removed: $_") for qw(instance_file preview);
status(get("$_?instance_id=$frames"), 200, "of which something is still known: $_") for qw(header instance_image_info);

# ---------- a program that comes down ----------

my $programs = "$ENV{TESTDIR}/programs";
mkdir $programs or die "could not make $programs: $!\n";
append_to_file("$programs/dicomgw-render", "#!/bin/sh\nkill -SEGV \$\$\n");
chmod 0755, "$programs/dicomgw-render";
$node->append_conf('postgresql.conf', "dicomgw.helper_path = '$programs'\n");
$node->reload;
my ($mr) = $id_of{'MR_small.dcm'};
ok(poll_until(sub { ($answer = get("preview?instance_id=$mr"))->{status} != 200 }), 'an object that brings the program down');
status($answer, 422, 'cannot be shown');
like($answer->{json}{message}, qr/helper program dicomgw-render was killed by signal 11/, 'which is said');
is(get("instance_image_info?instance_id=$mr")->{json}{displayable}, JSON::PP::false, 'and known');

$rest->stop;
$node->stop;
done_testing();
