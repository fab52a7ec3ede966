# Who is let in, and who sees it: several listeners and AE titles, remote_ae, the
# limits, the standard's own rejections, and what dicomgw.association, caller and
# listener_status say of all that.

use strict;
use warnings;

use DicomGW::Association;
use DicomGW::Gateway qw(poll_until);
use DicomGW::Part10 qw(sendable_objects);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	CALLED_AE  => [ 1, 1, 7 ],
	CALLING_AE => [ 1, 1, 3 ],
	CONGESTION => [ 2, 3, 1 ],
	LIMIT      => [ 2, 3, 2 ],
	IDENTITY   => [ 1, 1, 1 ],
};

my $gateway = DicomGW::Gateway->start('callers', config => 'dicomgw.routing = off');
my $verification = [ DicomGW::Association::VERIFICATION(), DicomGW::Gateway::IMPLICIT() ];
my ($object) = grep { length $_->{dataset} < 100_000 } @{ (sendable_objects())[0] };
my $storage = [ $object->{sop_class_uid}, $object->{transfer_syntax_uid} ];

ok($gateway->wait_until_up, 'it is up');

# An association with this caller, or its rejection.
sub call
{
	my (%args) = @_;

	return DicomGW::Association->open(
		port     => $args{port} || $gateway->port,
		contexts => [ $verification, $storage ],
		%args);
}

sub is_let_in
{
	my ($name, %args) = @_;
	my $association = call(%args);

	ok($association && !$association->rejected, $name);
	$association->release if $association && !$association->rejected;
	return;
}

sub is_rejected
{
	my ($name, $why, %args) = @_;
	my $association = call(%args);

	is_deeply($association && $association->rejected, $why, $name);
	return;
}

# A change is in force within a second after its COMMIT: as soon as the workers have seen it.
sub change
{
	my ($sql) = @_;

	$gateway->sql($sql);
	my $committed = $gateway->sql('SELECT clock_timestamp()');
	$gateway->poll("SELECT last_action_at > '$committed' FROM dicomgw.status WHERE worker = 'receiver'");
	return;
}

# ---------- AE titles ----------

change(q{UPDATE dicomgw.listener SET ae_titles = '{DICOMGW,STORE,"STORE 2"}'});
is_let_in('the first AE title', called => 'DICOMGW');
is_let_in('another one of the listener', called => 'STORE');
is_let_in('one with a space', called => 'STORE 2');
is_rejected('one that it does not have', CALLED_AE, called => 'STORE 3');
is_rejected('AE titles are case sensitive', CALLED_AE, called => 'store');

change(q{UPDATE dicomgw.listener SET accepts = 'promiscuous'});
is_let_in('a promiscuous listener takes any', called => 'WHATEVER');

# ---------- remote_ae ----------

change(q{UPDATE dicomgw.listener SET accepts = 'known_callers'});
is_rejected('nobody is known yet', CALLING_AE, calling => 'CT1');
change(q{INSERT INTO dicomgw.remote_ae (ae_title, network) VALUES ('CT1', '127.0.0.1/32'), ('CT2', '127.1.0.0/16'), ('CT3', NULL)});
is_let_in('a known caller', calling => 'CT1');
is_rejected('from another address', CALLING_AE, calling => 'CT1', from => '127.0.0.2');
is_let_in('from a network', calling => 'CT2', from => '127.1.2.3');
is_rejected('from outside of it', CALLING_AE, calling => 'CT2', from => '127.2.2.3');
is_let_in('from anywhere', calling => 'CT3', from => '127.9.9.9');
is_rejected('somebody else', CALLING_AE, calling => 'CT4');
is_rejected('the called AE title still counts', CALLED_AE, calling => 'CT1', called => 'X');

change(q{INSERT INTO dicomgw.remote_ae (ae_title, network, enabled) VALUES ('CT3', '127.9.0.0/16', false)});
is_rejected('the smallest network counts', CALLING_AE, calling => 'CT3', from => '127.9.9.9');
is_let_in('and only where it is', calling => 'CT3', from => '127.8.9.9');
change(q{UPDATE dicomgw.listener SET accepts = 'called_ae'});
is_rejected('who is not enabled is never let in', CALLING_AE, calling => 'CT3', from => '127.9.9.9');
is_let_in('who is unknown is, as in the beginning', calling => 'UNKNOWN');

# ---------- what it may do ----------

change(q{INSERT INTO dicomgw.remote_ae (ae_title, may_store) VALUES ('ONLYECHO', false);
	INSERT INTO dicomgw.remote_ae (ae_title, may_echo) VALUES ('ONLYSTORE', false)});
{
	my $association = call(calling => 'ONLYECHO');
	is($association->echo(DicomGW::Gateway::IMPLICIT()), 0, 'who may only echo: C-ECHO');
	is($association->accepted(@$storage), undef, 'has no presentation context for storage');
	$association->release;
	$association = call(calling => 'ONLYSTORE');
	is($association->store($object), 0, 'who may only store: C-STORE');
	is($association->accepted(@$verification), undef, 'has none for verification');
	$association->release;
}

# ---------- user identity ----------

change(q{INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('NAMED', 'modality', NULL), ('SECRET', 'modality', 'open sesame')});
like($gateway->sql(q{SELECT passcode FROM dicomgw.remote_ae WHERE ae_title = 'SECRET'}),
	qr/^\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$/, 'a passcode is kept as its hash');
is_rejected('no user name', IDENTITY, calling => 'NAMED');
is_rejected('the wrong one', IDENTITY, calling => 'NAMED', identity => ['somebody']);
is_let_in('the right one', calling => 'NAMED', identity => ['modality']);
is_let_in('with a passcode that nobody asked for', calling => 'NAMED', identity => [ 'modality', 'x' ]);
is_rejected('no passcode', IDENTITY, calling => 'SECRET', identity => ['modality']);
is_rejected('the wrong one', IDENTITY, calling => 'SECRET', identity => [ 'modality', 'Open sesame' ]);
is_rejected('an empty one', IDENTITY, calling => 'SECRET', identity => [ 'modality', '' ]);
is_let_in('the right one', calling => 'SECRET', identity => [ 'modality', 'open sesame' ]);
is($gateway->node->psql('dicomgw', q{UPDATE dicomgw.remote_ae SET passcode = '' WHERE ae_title = 'SECRET'}),
	3, 'an empty passcode is an error');
my $hash = $gateway->sql(q{SELECT passcode FROM dicomgw.remote_ae WHERE ae_title = 'SECRET'});
$gateway->sql(q{UPDATE dicomgw.remote_ae SET description = 'vault' WHERE ae_title = 'SECRET'});
is($gateway->sql(q{SELECT passcode FROM dicomgw.remote_ae WHERE ae_title = 'SECRET'}), $hash, 'another change leaves it alone');

# ---------- limits ----------

# Opens as many as are let in, up to a number; then looks at the next one.
sub is_limited
{
	my ($name, $allowed, $why, %args) = @_;
	my @open;

	for (1 .. $allowed)
	{
		my $association = call(%args);
		push @open, $association if $association && !$association->rejected;
	}
	is(scalar @open, $allowed, "$name: $allowed are let in");
	is_rejected("$name: the next one is rejected", $why, %args);
	return @open;
}

change(q{UPDATE dicomgw.listener SET max_associations_per_ae = 2});
{
	my @open = is_limited('per AE title', 2, LIMIT, calling => 'BUSY');
	is_let_in('another caller has room', calling => 'QUIET');
	(shift @open)->release;
	ok(poll_until(sub { my $a = call(calling => 'BUSY'); my $in = $a && !$a->rejected; $a->release if $in; $in }),
		'when one has ended, the next is let in');
	$_->abort for @open;
}
change(q{INSERT INTO dicomgw.remote_ae (ae_title, max_associations) VALUES ('BUSY', 3)});
$_->release for is_limited('remote_ae goes before', 3, LIMIT, calling => 'BUSY');
change(q{UPDATE dicomgw.listener SET max_associations_per_ae = NULL, max_associations = 4});
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.open_associations())'), 'all have ended');
$_->release for is_limited('per listener', 4, LIMIT);
change('UPDATE dicomgw.listener SET max_associations = NULL');
ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.open_associations())'), 'all have ended');
$gateway->sql('ALTER SYSTEM SET dicomgw.max_associations = 5');
$gateway->node->reload;
ok($gateway->poll(q{SELECT current_setting('dicomgw.max_associations') = '5'}), 'the gateway as a whole may have 5');
change('UPDATE dicomgw.listener SET enabled = enabled');
$_->release for is_limited('in all', 5, CONGESTION);
$gateway->sql('ALTER SYSTEM RESET dicomgw.max_associations');
$gateway->node->reload;

# ---------- what is seen of it ----------

ok($gateway->poll('SELECT NOT EXISTS (SELECT FROM dicomgw.open_associations())'), 'all have ended');
{
	my $association = call(calling => 'SEEN', identity => ['me']);
	is($association->store($object), 0, 'an object');
	ok($gateway->poll(q{SELECT objects = 1 FROM dicomgw.association WHERE state = 'open'}), 'an open association is seen');
	is($gateway->sql(q{SELECT concat_ws(' ', listener, peer_address, calling_ae, called_ae, username, implementation_version, objects, bytes,
				ended_at IS NULL, bytes_per_second > 0) FROM dicomgw.association WHERE state = 'open'}),
		"default 127.0.0.1 SEEN DICOMGW me DICOMGW_TEST 1 @{[ length $object->{dataset} ]} t t", 'with all that is known of it');
	is($gateway->sql('SELECT associations FROM dicomgw.listener_status'), 1, 'its listener counts it');

	my $id = $gateway->sql(q{SELECT id FROM dicomgw.association WHERE state = 'open'});
	is($gateway->sql("SELECT dicomgw.abort_association($id)"), 't', 'it is aborted');
	my ($type) = DicomGW::Pdu::read_pdu($association->socket, 30);
	is($type, DicomGW::Pdu::ABORT(), 'its caller gets an A-ABORT');
	ok($gateway->poll("SELECT state = 'aborted by us' AND objects = 1 FROM dicomgw.association WHERE id = $id"),
		'which is how it ended');
	is($gateway->sql("SELECT dicomgw.abort_association($id)"), 'f', 'once is enough');
	is($gateway->sql('SELECT dicomgw.abort_association(0)'), 'f', 'there is none of number 0');
}
{
	my $silent = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port);
	syswrite $silent, "\1";
	ok($gateway->poll(q{SELECT count(*) = 1 FROM dicomgw.association WHERE state = 'connected'}), 'a connection that says nothing is seen');
	my $id = $gateway->sql(q{SELECT id FROM dicomgw.association WHERE state = 'connected'});
	$gateway->sql("SELECT dicomgw.abort_association($id)");
	ok($gateway->poll("SELECT state = 'aborted by us' FROM dicomgw.association WHERE id = $id"), 'and can be aborted');
}
is($gateway->sql(q{SELECT count(*) > 0 FROM dicomgw.association WHERE state = 'rejected' AND peer_address = '127.9.9.9'
		AND reason = 'calling AE title not recognised: "CT3" is not enabled in remote_ae'}), 't',
	'a rejected one is seen, with its address and the reason');
is($gateway->sql(q{SELECT concat_ws(' ', associations, refused, objects, last_refusal) FROM dicomgw.caller
		WHERE (calling_ae, peer_address) = ('SECRET', '127.0.0.1')}),
	'1 3 0 user identity not accepted', 'and counted for its caller');
is($gateway->sql(q{SELECT concat_ws(' ', associations, refused, objects, bytes, last_refusal) FROM dicomgw.caller WHERE calling_ae = 'SEEN'}),
	"1 0 1 @{[ length $object->{dataset} ]}", 'so is what was received');

# ---------- listeners come, go and fail one by one ----------

my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', ReuseAddr => 0);
my $second = PostgreSQL::Test::Cluster::get_free_port();
my $open = call(calling => 'STAYS');
$gateway->sql(qq{INSERT INTO dicomgw.listener (name, bind_address, port, ae_titles) VALUES
	('second', '127.0.0.1', $second, '{SECOND}'), ('taken', '127.0.0.1', @{[ $taken->sockport ]}, '{TAKEN}')});
ok($gateway->poll(q{SELECT listening FROM dicomgw.listener_status WHERE name = 'second'}), 'a second listener listens');
is_let_in('with an AE title of its own', port => $second, called => 'SECOND');
is_rejected('and of no other', CALLED_AE, port => $second, called => 'DICOMGW');
ok($gateway->poll(q{SELECT NOT listening AND problem ~ 'could not bind .* Address already in use' FROM dicomgw.listener_status WHERE name = 'taken'}),
	'a port that is taken is a problem of its listener');
ok($gateway->poll(q{SELECT last_error ~ 'listener \d+ is not listening: could not bind .* Address already in use' FROM dicomgw.status WHERE worker = 'receiver'}),
	'and an error of the receiver');
is_let_in('the first one goes on');
is($open->store($object), 0, 'as do associations that are open');
ok($gateway->poll(q{SELECT last_error IS NOT NULL FROM dicomgw.status WHERE worker = 'receiver'}), 'the error stays while it lasts');
close $taken;
ok($gateway->poll(q{SELECT listening AND problem IS NULL FROM dicomgw.listener_status WHERE name = 'taken'}),
	'when the port is free, it is opened by itself');
ok($gateway->poll(q{SELECT last_error IS NULL FROM dicomgw.status WHERE worker = 'receiver'}), 'and the error is gone');
$gateway->sql(q{DELETE FROM dicomgw.listener WHERE name <> 'second'});
ok(poll_until(sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port) }), 'a deleted listener closes its port');
is($open->store($object), 0, 'its open association stays');
$open->release;
is_let_in('the other listener goes on', port => $second, called => 'SECOND');

# ---------- changes of remote_ae are configuration ----------

is($gateway->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'dicomgw %'}), DicomGW::Gateway::WORKERS(),
	'all workers are as they were');
$gateway->node->stop;
done_testing();
