# DicomGW::Part10
#
# DICOM Part 10 files as far as byte comparison needs them: the file meta group is
# read, the dataset behind it is bytes.  And the real objects that come with
# python3-pydicom, which are found, not listed.

package DicomGW::Part10;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use File::Find ();

our @EXPORT_OK = qw(read_part10 sendable_objects dataset_digests with_instance_uid with_study_uid);

# VRs whose length field has four bytes, in explicit VR (PS3.5 7.1.2)
my %long_vr = map { $_ => 1 } qw(OB OD OF OL OV OW SQ SV UC UN UR UT UV);

# The object in this file, or (undef, why it can't be sent as it is).  An object
# is a hash: file, sop_class_uid, sop_instance_uid, transfer_syntax_uid, dataset.
sub read_part10
{
	my ($file) = @_;

	open my $fh, '<:raw', $file or return (undef, "could not be read: $!");
	my $bytes = do { local $/; <$fh> };
	return (undef, 'no preamble and "DICM"')
	  unless length $bytes > 132 && substr($bytes, 128, 4) eq 'DICM';

	my ($meta, $at) = _read_meta_group($bytes);
	my %object = (
		file                => $file,
		sop_class_uid       => $meta->{0x0002},
		sop_instance_uid    => $meta->{0x0003},
		transfer_syntax_uid => $meta->{0x0010},
		dataset             => substr($bytes, $at),
	);
	for my $field (qw(sop_class_uid sop_instance_uid transfer_syntax_uid))
	{
		return (undef, "no $field in the file meta group") unless length($object{$field} // '');
	}
	return (undef, 'no dataset') unless length $object{dataset};

	# a message has an even number of bytes (PS3.8 Annex E.2)
	$object{dataset} .= "\0" if length($object{dataset}) % 2;
	return \%object;
}

# Values of group 0002 by element number, and where the dataset begins.  The group
# length is not trusted: some objects have none, or a wrong one.
sub _read_meta_group
{
	my ($bytes) = @_;
	my $at = 132;
	my %value;

	while ($at + 8 <= length $bytes)
	{
		my ($group, $element, $vr, $length) = unpack 'v v a2 v', substr($bytes, $at, 8);
		my $head = 8;

		last if $group != 2;
		if ($long_vr{$vr})
		{
			$length = unpack 'V', substr($bytes, $at + 8, 4);
			$head   = 12;
		}
		last if $at + $head + $length > length $bytes;
		($value{$element} = substr($bytes, $at + $head, $length)) =~ s/[\0 ]+\z//;
		$at += $head + $length;
	}
	return (\%value, $at);
}

# All objects of python3-pydicom that have what a C-STORE-RQ has to say, and a
# hash of the others: file => why not.
sub sendable_objects
{
	chomp(my $dir = `/usr/bin/python3 -c 'import os, pydicom.data; print(os.path.dirname(pydicom.data.__file__))'`);
	die "python3-pydicom is not installed\n" unless length $dir;

	my (@objects, %left_out);
	File::Find::find(
		{
			no_chdir => 1,
			wanted   => sub {
				return unless -f $_ && !/\.(?:py|pyc|txt|md|json|dump|gz)\z|README\z/;
				my ($object, $reason) = read_part10($_);
				if ($object) { push @objects, $object; }
				else         { $left_out{$_} = $reason; }
			},
		},
		grep { -d } map { "$dir/$_" } qw(test_files charset_files));
	@objects = sort { $a->{file} cmp $b->{file} } @objects;
	return (\@objects, \%left_out);
}

# How often each dataset is in a folder of Part 10 files: digest => count.
sub dataset_digests
{
	my ($dir) = @_;
	my %count;

	File::Find::find(
		{
			no_chdir => 1,
			wanted   => sub {
				return unless -f $_;
				my ($object) = read_part10($_);
				$count{ $object ? sha256_hex($object->{dataset}) : "unreadable: $_" }++;
			},
		},
		$dir);
	return \%count;
}

# A copy of the object under another SOP Instance UID, of the same length, so that
# no length field in the dataset has to change.
sub with_instance_uid
{
	my ($object, $number) = @_;
	my $old = $object->{sop_instance_uid};
	my $new = substr($old, 0, length($old) - 7) . sprintf('.1%05d', $number);
	my %copy = (%$object, sop_instance_uid => $new);

	$copy{dataset} =~ s/\Q$old\E/$new/g or die "SOP Instance UID not found in the dataset\n";
	return \%copy;
}

# The same for the Study Instance UID of an object in explicit VR little endian.
sub with_study_uid
{
	my ($object, $number) = @_;
	my %copy = %$object;
	my $at = index $copy{dataset}, pack('v v a2', 0x0020, 0x000d, 'UI');

	die "Study Instance UID not found in the dataset\n" if $at < 0;
	my ($uid) = substr($copy{dataset}, $at + 8) =~ /\A([0-9.]+)/;
	substr $copy{dataset}, $at + 8 + length($uid) - 7, 7, sprintf '.1%05d', $number;
	return \%copy;
}

1;
