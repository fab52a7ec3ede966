# DicomGW::Certificate
#
# Certificates for TLS that are their own authority, made with the openssl program.

package DicomGW::Certificate;

use strict;
use warnings;

use Exporter qw(import);
use PostgreSQL::Test::Utils;

our @EXPORT_OK = qw(make_certificate);

# NAME.pem and NAME.key in this folder, good for so many days from now (or before).
sub make_certificate
{
	my ($dir, $name, $subject, $days) = @_;

	for my $command (
		[ 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', "$dir/$name.key", '-out', "$dir/$name.csr", '-subj', $subject ],
		[ 'x509', '-req', '-in', "$dir/$name.csr", '-signkey', "$dir/$name.key", '-out', "$dir/$name.pem", '-days', $days ])
	{
		my (undef, $err) = run_command([ 'openssl', @$command ]);
		$? == 0 or die "could not make certificate $name: $err\n";
	}
	return;
}

1;
