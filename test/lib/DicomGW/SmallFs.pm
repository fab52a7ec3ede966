# DicomGW::SmallFs
#
# The small file systems that the test runner has mounted, for tests that fill one.

package DicomGW::SmallFs;

use strict;
use warnings;

use Exporter qw(import);
use Fcntl qw(LOCK_EX);
use File::Path ();

our @EXPORT_OK = qw(small_fs used_bytes fill_up);

use constant BLOCK => 4096;

my @held;    # locks, until the test ends

# The empty file systems, as many as there are (two), for this test alone; none if
# nobody could mount them.
sub small_fs
{
	my @fs = grep { length } map { $ENV{$_} // '' } qw(DGW_SMALL_FS DGW_SMALL_FS_2);

	for my $fs (@fs)
	{
		open my $lock, '>', "$fs.lock" or die "could not open $fs.lock: $!\n";
		flock $lock, LOCK_EX or die "could not lock $fs.lock: $!\n";
		push @held, $lock;
		File::Path::remove_tree($fs, { keep_root => 1 });
	}
	return @fs;
}

sub used_bytes
{
	my ($fs) = @_;
	my ($used) = `df -P -B1 \Q$fs\E` =~ /^\S+\s+\d+\s+(\d+)\s+\d+\s+\d+%/m;

	return $used;
}

# A file that takes all the room there is.
sub fill_up
{
	my ($file) = @_;
	my $block = "\0" x BLOCK;

	open my $fh, '>', $file or die "could not open $file: $!\n";
	1 while syswrite $fh, $block;
	close $fh;
	return;
}

1;
