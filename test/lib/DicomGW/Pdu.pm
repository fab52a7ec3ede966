# DicomGW::Pdu
#
# PDUs of the DICOM upper layer (PS3.8 9.3) and command sets (PS3.7), encoded and
# decoded by hand: the tests must be able to say what no polite library would.

package DicomGW::Pdu;

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

our @EXPORT_OK = qw(ASSOCIATE_RQ ASSOCIATE_AC ASSOCIATE_RJ P_DATA RELEASE_RQ RELEASE_RP ABORT
  C_STORE_RQ C_STORE_RSP C_ECHO_RQ C_ECHO_RSP
  write_pdu read_pdu read_message items_of item associate_body user_identity pdvs command_set parse_command);

use constant {
	ASSOCIATE_RQ => 1,
	ASSOCIATE_AC => 2,
	ASSOCIATE_RJ => 3,
	P_DATA       => 4,
	RELEASE_RQ   => 5,
	RELEASE_RP   => 6,
	ABORT        => 7,

	C_STORE_RQ  => 0x0001,
	C_STORE_RSP => 0x8001,
	C_ECHO_RQ   => 0x0030,
	C_ECHO_RSP  => 0x8030,

	APPLICATION_CONTEXT => '1.2.840.10008.3.1.1.1',
	IMPLEMENTATION_UID  => '1.2.826.0.1.3680043.9.7433.999',
	MAX_PDU             => 65536,
};

# False if the peer is gone.
sub write_pdu
{
	my ($socket, $type, $body) = @_;
	my $pdu = pack('C x N', $type, length $body) . $body;
	my $at = 0;

	local $SIG{PIPE} = 'IGNORE';
	while ($at < length $pdu)
	{
		my $n = syswrite $socket, $pdu, length($pdu) - $at, $at;
		return 0 unless $n;
		$at += $n;
	}
	return 1;
}

# (type, body), or nothing: the peer is gone, or silent for too long.
sub read_pdu
{
	my ($socket, $timeout) = @_;
	my $head = _read_exactly($socket, 6, $timeout) // return;
	my ($type, $length) = unpack 'C x N', $head;
	my $body = $length ? _read_exactly($socket, $length, $timeout) // return : '';

	return ($type, $body);
}

sub _read_exactly
{
	my ($socket, $wanted, $timeout) = @_;
	my $select = IO::Select->new($socket);
	my $bytes = '';

	while (length $bytes < $wanted)
	{
		return unless $select->can_read($timeout);
		my $n = sysread $socket, $bytes, $wanted - length $bytes, length $bytes;
		return unless $n;
	}
	return $bytes;
}

# Items and sub-items: type, reserved, two bytes of length.
sub item
{
	my ($type, $value) = @_;

	return pack('C x n', $type, length $value) . $value;
}

sub items_of
{
	my ($bytes) = @_;
	my @items;

	while (length $bytes >= 4)
	{
		my ($type, $length) = unpack 'C x n', $bytes;
		push @items, [ $type, substr($bytes, 4, $length) ];
		$bytes = length $bytes > 4 + $length ? substr($bytes, 4 + $length) : '';
	}
	return @items;
}

# Body of an A-ASSOCIATE-RQ or -AC around its presentation context items, and further
# sub-items of the user information.
sub associate_body
{
	my ($called, $calling, $contexts, $user_items) = @_;
	my $user = item(0x51, pack 'N', MAX_PDU) . item(0x52, IMPLEMENTATION_UID) . item(0x55, 'DICOMGW_TEST');
	$user .= $user_items // '';

	return pack('n x2 A16 A16 x32', 1, $called, $calling)
	  . item(0x10, APPLICATION_CONTEXT)
	  . $contexts
	  . item(0x50, $user);
}

# User Identity sub-item (PS3.7 D.3.3.7): a user name, and perhaps a passcode.
sub user_identity
{
	my ($username, $passcode) = @_;
	my $type = defined $passcode ? 2 : 1;

	return item(0x58, pack('C C n/a* n/a*', $type, 0, $username, $passcode // ''));
}

# A message's bytes as PDVs, each in a P-DATA-TF of its own.
sub pdvs
{
	my ($context, $is_command, $bytes, $max_pdu) = @_;
	my $chunk = ($max_pdu ? ($max_pdu < MAX_PDU ? $max_pdu : MAX_PDU) : MAX_PDU) - 6;
	my @pdvs;

	$chunk -= $chunk % 2;
	for (my $at = 0; $at == 0 || $at < length $bytes; $at += $chunk)
	{
		my $piece = substr $bytes, $at, $chunk;
		my $flags = ($is_command ? 1 : 0) | ($at + $chunk >= length $bytes ? 2 : 0);
		push @pdvs, pack('N C C', length($piece) + 2, $context, $flags) . $piece;
	}
	return @pdvs;
}

# Reads P-DATA up to the last PDV of a command set or dataset:
# (context, bytes), or (undef, type of the PDU that came instead, its body).
sub read_message
{
	my ($socket, $timeout) = @_;
	my $message = '';

	for (;;)
	{
		my ($type, $body) = read_pdu($socket, $timeout);
		return (undef, 0, '') unless defined $type;
		return (undef, $type, $body) if $type != P_DATA;
		while (length $body >= 6)
		{
			my ($length, $context, $flags) = unpack 'N C C', $body;
			$message .= substr $body, 6, $length - 2;
			return ($context, $message) if $flags & 2;
			$body = substr $body, 4 + $length;
		}
	}
}

# Command sets are implicit VR little endian.  Pairs of element number and value,
# ascending: a number becomes US, anything else UI.
sub command_set
{
	my @fields = @_;
	my $set = '';

	while (my ($element, $value) = splice @fields, 0, 2)
	{
		my $is_number = !ref $value && $value =~ /\A\d+\z/;
		my $bytes = $is_number ? pack('v', $value) : $value . (length($value) % 2 ? "\0" : '');
		$set .= pack('v v V', 0, $element, length $bytes) . $bytes;
	}
	return pack('v v V V', 0, 0, 4, length $set) . $set;
}

# element number => value, numbers and UIDs decoded
sub parse_command
{
	my ($bytes) = @_;
	my %field;

	while (length $bytes >= 8)
	{
		my ($group, $element, $length) = unpack 'v v V', $bytes;
		my $value = substr $bytes, 8, $length;

		if ($element == 0x0002 || $element == 0x1000) { $value =~ s/[\0 ]+\z//; }
		elsif ($length == 2) { $value = unpack 'v', $value; }
		$field{$element} = $value;
		$bytes = substr $bytes, 8 + $length;
	}
	return \%field;
}

1;
