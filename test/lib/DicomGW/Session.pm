# DicomGW::Session
#
# A session of its own in the gateway's database, which stays open: for a transaction or
# a lock that lasts while the test does something else.

package DicomGW::Session;

use strict;
use warnings;

use IPC::Run ();

sub open
{
	my ($class, $gateway) = @_;
	my $self = bless { in => '', out => '' }, $class;

	$self->{psql} =
	  IPC::Run::start([ 'psql', '-XAtq', '-d', $gateway->node->connstr('dicomgw') ], '<', \$self->{in}, '>', \$self->{out});
	return $self;
}

# Run statements and wait until they are done.
sub run
{
	my ($self, $sql) = @_;

	$self->{out} = '';
	$self->{in} .= "$sql;\nSELECT 'done';\n";
	$self->{psql}->pump until $self->{out} =~ /^done$/m;
	return;
}

# Its transaction is rolled back, its locks are released.
sub close
{
	my ($self) = @_;

	$self->{psql}->finish if $self->{psql};
	$self->{psql} = undef;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	local $?;
	$self->close;
	return;
}

1;
