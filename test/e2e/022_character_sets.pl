# Whatever character set an object uses, its header, its study and what predicates see of
# it are UTF-8: the names in python3-pydicom's charset_files (ISO 8859, ISO 2022 with
# multi-byte sets, UTF-8, GB 18030) come out as they are documented, in all three
# representations; the bytes are kept as they were sent.

use strict;
use warnings;
use utf8;

use DicomGW::Association;
use DicomGW::Gateway;
use DicomGW::Part10 qw(sendable_objects);
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);
use File::Basename qw(basename dirname);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# As PS3.5 Annexes H to K and the files' own documentation have them.
my %name = (
	'chrArab.dcm'                => 'قباني^لنزار',
	'chrFren.dcm'                => 'Buc^Jérôme',
	'chrFrenMulti.dcm'           => 'Buc^Jérôme',
	'chrGerm.dcm'                => 'Äneas^Rüdiger',
	'chrGreek.dcm'               => 'Διονυσιος',
	'chrH31.dcm'                 => 'Yamada^Tarou=山田^太郎=やまだ^たろう',
	'chrH32.dcm'                 => 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
	'chrHbrw.dcm'                => 'שרון^דבורה',
	'chrI2.dcm'                  => 'Hong^Gildong=洪^吉洞=홍^길동',
	'chrJapMulti.dcm'            => 'やまだ^たろう',
	'chrJapMultiExplicitIR6.dcm' => 'やまだ^たろう',
	'chrKoreanMulti.dcm'         => '김희중',
	'chrRuss.dcm'                => 'Люкceмбypг',
	'chrX1.dcm'                  => 'Wang^XiaoDong=王^小東',
	'chrX2.dcm'                  => 'Wang^XiaoDong=王^小东',
);
# These two have a name in an item of a sequence only.
my %nested = map { $_ => 1 } qw(chrSQEncoding.dcm chrSQEncoding1.dcm);

my ($all) = sendable_objects();
my @objects = grep { basename(dirname($_->{file})) eq 'charset_files' } @$all;
my $gateway = DicomGW::Gateway->start('gateway');

is_deeply([ sort map { basename($_->{file}) } @objects ], [ sort keys %name, keys %nested ], 'all of the files are known here');
ok($gateway->wait_until_up, 'the gateway is up');
ok($gateway->set_listener(q{mismatch = 'store'}), 'objects whose dataset has another UID than their command are kept');
$gateway->sql(q{INSERT INTO dicomgw.destination (name, host, ae_title, paused) VALUES ('nowhere', '127.0.0.1', 'NOWHERE', true)});
$gateway->sql(encode_utf8(q{INSERT INTO dicomgw.route (name, predicate, destination)
	VALUES ('by name', $$ patient_name IN ('Äneas^Rüdiger', 'やまだ^たろう') OR tag_like('PatientName', 'قباني%') $$, 'nowhere')}));
my @status = DicomGW::Association->send_all(\@objects, port => $gateway->port);
is_deeply([ grep { $_ != 0 } map { $_ // -1 } @status ], [], 'all of them are acknowledged');
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.ingest)'), 'and routed');

sub header_of
{
	my ($object) = @_;
	my $digest = sha256_hex($object->{dataset});

	return decode_json($gateway->sql(
		qq{SELECT h.header FROM dicomgw.instance i JOIN dicomgw.instance_header h ON h.instance_id = i.id
		   WHERE i.sha256 = '\\x$digest' LIMIT 1}));
}

sub full_name
{
	my ($element) = @_;
	my $value = $element->{Value}[0] // {};

	return join '=', map { $_ // () } @$value{qw(Alphabetic Ideographic Phonetic)};
}

for my $object (@objects)
{
	my $file = basename($object->{file});
	my $header = header_of($object);

	is(encode_utf8(full_name($header->{'00100010'})), encode_utf8($name{$file}), "$file: the name") if $name{$file};
}

# The sequence's items of these two have their own character sets.
for my $object (grep { $nested{ basename($_->{file}) } } @objects)
{
	my ($sequence) = grep { $_->{vr} eq 'SQ' } values %{ header_of($object) };

	is(encode_utf8(full_name($sequence->{Value}[0]{'00100010'})), encode_utf8('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'),
		basename($object->{file}) . ': the name in its sequence');
}

is($gateway->sql('SELECT count(*) FROM dicomgw.forward_job'), '4', 'predicates see them as people write them');
is($gateway->sql(encode_utf8(q{SELECT count(*) FROM dicomgw.study WHERE patient_name = 'Äneas^Rüdiger'})), '1', 'and so does the table of studies');
my %kept = map { $_->{sha256} => 1 } $gateway->objects;
is_deeply([ grep { !$kept{ sha256_hex($_->{dataset}) } } @objects ], [], 'the bytes are as they were sent');

$gateway->node->stop;
done_testing();
