# DicomGW::Png
#
# A PNG file taken apart, as strictly as the specification has it: chunks and their
# checksums, the compressed stream, as many rows as it says.

package DicomGW::Png;

use strict;
use warnings;

use Compress::Zlib qw(crc32 uncompress);
use Exporter qw(import);

our @EXPORT_OK = qw(read_png);

use constant SIGNATURE => "\x89PNG\r\n\x1a\n";

# A hash: width, height, samples, pixels (rows without padding); or (undef, what is wrong).
# Of the kinds of PNG the two that a preview is: grey and RGB of eight bits.
sub read_png
{
	my ($bytes) = @_;
	my ($header, $data, $at, $type) = ('', '', 8, '');

	return (undef, 'no signature') unless substr($bytes, 0, 8) eq SIGNATURE;
	while ($type ne 'IEND')
	{
		return (undef, 'cut short') if $at + 12 > length $bytes;
		(my $length, $type) = unpack 'N a4', substr($bytes, $at, 8);
		return (undef, "chunk $type is cut short") if $at + 12 + $length > length $bytes;
		my $content = substr $bytes, $at + 8, $length;
		return (undef, "chunk $type has another checksum")
		  if crc32($type . $content) != unpack 'N', substr($bytes, $at + 8 + $length, 4);
		$header = $content if $type eq 'IHDR';
		$data .= $content  if $type eq 'IDAT';
		$at += 12 + $length;
	}
	return (undef, 'something follows its end') if $at != length $bytes;

	my ($width, $height, $bits, $colour, @methods) = unpack 'N N C5', $header;
	my $samples = { 0 => 1, 2 => 3 }->{$colour};
	return (undef, 'of another kind') unless $bits == 8 && $samples && "@methods" eq '0 0 0';
	my $rows = uncompress($data) // return (undef, 'cannot be inflated');
	return (undef, 'another number of bytes') if length $rows != $height * (1 + $width * $samples);
	return { width => $width, height => $height, samples => $samples };
}

1;
