# bench/check: what it calls slower, and what noise.

use strict;
use warnings;

use File::Basename qw(dirname);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $check = dirname(__FILE__) . '/../../bench/check';
my $dir   = PostgreSQL::Test::Utils::tempdir();

sub result
{
	my ($name, %runs) = @_;
	my %figures = map { $_ => { unit => 'x', better => /latency/ ? 'lower' : 'higher', runs => $runs{$_} } } keys %runs;

	PostgreSQL::Test::Utils::append_to_file("$dir/$name", encode_json({ figures => \%figures }));
	return "$dir/$name";
}

sub compare
{
	my ($after) = @_;

	return run_command([ $check, "$dir/before", $after ]);
}

sub is_fine
{
	my ($what, $after) = @_;
	my ($said, $complained) = compare($after);

	is($complained, '', "$what: no complaint");
	like($said, qr/none worse by more than the noise$/, $what);
	command_ok([ $check, "$dir/before", $after ], "$what: exit status");
	return $said;
}

sub is_worse
{
	my ($what, $pattern, $after) = @_;
	my ($said) = compare($after);

	like($said, $pattern, $what);
	command_fails([ $check, "$dir/before", $after ], "$what: exit status");
	return;
}

result('before', rate => [ 95, 100, 105 ], latency => [ 10, 10, 10 ]);

is_fine('the same', "$dir/before");
is_fine('ranges that overlap', result('overlap', rate => [ 88, 92, 96 ], latency => [ 10, 10, 10 ]));
is_fine('less than five percent', result('little', rate => [ 95, 100, 105 ], latency => [ 10.4, 10.4, 10.4 ]));
like(is_fine('faster', result('faster', rate => [ 190, 200, 210 ], latency => [ 5, 5, 5 ])), qr/^better .*rate.*^better .*latency|^better .*latency.*^better .*rate/ms,
	'what got faster is said');

is_worse('a lower rate', qr/^worse +rate: 100\.0 -> 80\.0 x \(20%, noise 6%\)$/m,
	result('slower', rate => [ 79, 80, 81 ], latency => [ 10, 10, 10 ]));
is_worse('a longer latency', qr/^worse +latency/m, result('later', rate => [ 95, 100, 105 ], latency => [ 11, 11, 11 ]));
is_worse('a figure that is missing', qr/^missing +latency$/m, result('missing', rate => [ 95, 100, 105 ]));

done_testing();
