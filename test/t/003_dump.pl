# What pg_dump keeps: the configuration, all of it and as it is, also where it is not
# what CREATE EXTENSION makes; and nothing else.  A restored database's dump is the
# first one again.

use strict;
use warnings;

use DicomGW::Gateway;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant CONFIGURATION => qw(app_user audit_repository destination destination_group destination_group_member destination_secret
  destination_window harmless_text listener pseudonym remote_ae route route_edit);

my $gateway = DicomGW::Gateway->start('dumped');
my $node    = $gateway->node;
my $dir     = PostgreSQL::Test::Utils::tempdir();
my $dumps   = 0;

# ---------- helpers ----------

sub dump_of
{
	my ($database, @options) = @_;
	my $file = sprintf '%s/%d.dump', $dir, ++$dumps;

	$node->command_ok([ 'pg_dump', '--no-sync', @options, '-f', $file, $database ],
		"pg_dump @{[ @options, $database ]}");
	return $file;
}

# Its text, without the word that psql wants at its beginning and end: that is a new one each time.
sub text_of
{
	my ($file) = @_;

	return join '', grep { !/^\\(un)?restrict / } split /^/, slurp_file($file);
}

# A new database from this dump; the workers are elsewhere.
sub restored
{
	my ($file, @pg_restore) = @_;
	my $database = "restored_$dumps";

	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
	$node->command_ok(
		@pg_restore
		? [ 'pg_restore', '--exit-on-error', @pg_restore, '-d', $database, $file ]
		: [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', $file ],
		"restored into $database");
	return $database;
}

sub configuration_of
{
	my ($database) = @_;

	return join "\n", map {
		"$_:\n" . $node->safe_psql($database, "SELECT t FROM dicomgw.$_ t ORDER BY t::text")
	} CONFIGURATION;
}

# Dump, restore, compare; the restored database.
sub round_trip
{
	my ($what, $dump_options, @pg_restore) = @_;
	my $expected = configuration_of('dicomgw');
	my $database = restored(dump_of('dicomgw', @$dump_options), @pg_restore);

	is(configuration_of($database), $expected, "$what: the configuration is the same");
	is(text_of(dump_of($database)), text_of(dump_of('dicomgw')), "$what: and so is its dump");
	return $database;
}

# ---------- as installed, then changed ----------

# in a database of its own: in the gateway's, the listener is already another one
my $fresh = 'fresh';
$node->safe_psql('postgres', "CREATE DATABASE $fresh");
$node->safe_psql($fresh,     'CREATE EXTENSION dicomgw');
my $restored = restored(dump_of($fresh));
is(configuration_of($restored), configuration_of($fresh), 'as installed: the configuration is the same');

$gateway->sql(
	q{UPDATE dicomgw.listener SET ae_titles = '{STORE,"STORE 2"}', idle_timeout = '7 minutes';
	  INSERT INTO dicomgw.listener (name, bind_address, port, ae_titles, enabled)
	  VALUES ('second', '127.0.0.2', 104, '{SECOND}', false), ('third', '::1', 104, '{THIRD}', false);
	  INSERT INTO dicomgw.remote_ae (ae_title, network, username, passcode) VALUES ('CT1', '10.0.0.0/8', 'ct1', 'secret');
	  DELETE FROM dicomgw.listener WHERE name = 'second';
	  INSERT INTO dicomgw.destination (name, host, port, ae_title, calling_ae_title, max_associations, max_pdu, connect_timeout,
		association_timeout, response_timeout, max_attempts, retry_first_delay, retry_factor, retry_max_delay, paused)
	  VALUES ('pacs', 'pacs.example', 104, 'PACS', 'US', 3, 16384, '1 s', '2 s', '3 s', 4, '5 s', 1.5, '6 s', true),
		(E'with a \\\\ backslash,\ttab, "quotes" and \'apostrophes\'', '2001:db8::1', 11112, 'A B', 'DICOMGW', 2, 131072, '10 s',
		 '30 s', '2 min', 20, '10 s', 2, '30 min', true);
	  INSERT INTO dicomgw.route (name, predicate, destination, priority, enabled)
	  SELECT 'route to ' || name, E' modality = \'CT\'\n  AND tag(\'StationName\') ~ \'^\\\\d\\\\.x$\' -- why', name, id + 2, id = 1
	  FROM dicomgw.destination});
$gateway->sql(
	q{INSERT INTO dicomgw.destination (name, kind, url, tls) VALUES ('cloud', 'dicomweb', 'https://pacs.example/dicom-web', 'verify-full');
	  SELECT dicomgw.set_credentials('cloud', username => 'gateway', password => 'secret');
	  INSERT INTO dicomgw.destination_window (destination, days, opens_at, closes_at, time_zone)
	  VALUES ('pacs', '{6,7}', '22:00', '06:00', 'Europe/Berlin');
	  INSERT INTO dicomgw.destination_group (name, kind) VALUES ('both', 'balance');
	  INSERT INTO dicomgw.destination_group_member VALUES ('both', 'pacs', 2), ('both', 'cloud', 1);
	  INSERT INTO dicomgw.route (name, destination_group) VALUES ('to both', 'both')});
# users, in whatever state
$gateway->sql(
	q{SELECT dicomgw.create_first_admin(), dicomgw.create_user('ct-viewer''s', 'viewer', '{CT1,CT2}', '{"North, main"}', 'ct');
	  SELECT dicomgw.update_user('admin', db_role => 'postgres')}) =~ /./ or die 'no passwords';
# a route that needs what else is in the database
$gateway->sql(
	q{CREATE FUNCTION public.is_sectional(modality text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN modality IN ('CT', 'MR');
	  INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('by function', 'public.is_sectional(modality)', 'pacs')});
# What was received is not configuration.
$gateway->sql(
	q{SELECT dicomgw._ingest(ARRAY[1], ARRAY['CT1'], ARRAY['DICOMGW'], ARRAY['192.0.2.1'::inet], ARRAY['1.2'], ARRAY['1.2.3'],
		ARRAY['1.2.840.10008.1.2'], ARRAY['file'], ARRAY[1], ARRAY['\x00'::bytea], ARRAY['{"00100020": {"Value": ["4711"]}}'], ARRAY[NULL]);
	  SELECT dicomgw._create_partition('instance_header', '2001-02-03')});

$restored = round_trip('as text', []);
round_trip('in the custom format', ['-Fc'], '--no-owner');
round_trip('in one transaction', ['-Fc'], '--single-transaction');
{
	# In parallel, a route may come before the destination that it names.
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	round_trip('in parallel', ['-Fd'], '--jobs=4');
}

my $text = text_of(dump_of('dicomgw'));
my %dumped = map { $_ => 1 } $text =~ /^COPY dicomgw\.(\w+)/mg;
is(join(' ', sort keys %dumped), join(' ', CONFIGURATION), 'rows of the configuration are in the dump, and of no other table');
unlike($text, qr/^CREATE \w+ (?:TABLE |VIEW |FUNCTION )?dicomgw\./m, 'what CREATE EXTENSION makes is not');
unlike($text, qr/20010203/, 'nor a partition made since');
is($node->safe_psql($restored, 'SELECT received FROM dicomgw.totals'), '0', 'a restored database has received nothing');

# It can be gone on with.
is($node->safe_psql($restored, q{INSERT INTO dicomgw.listener (name, bind_address, port) VALUES ('new', '127.0.0.9', 104) RETURNING id}),
	'4', 'a new listener gets a new number');
is($node->safe_psql($restored, q{INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('new', 'new.example', 'NEW') RETURNING id}),
	'4', 'and so does a destination');
is($node->safe_psql($restored, q{INSERT INTO dicomgw.route (name, destination) VALUES ('new', 'new') RETURNING id}),
	'5', 'and a route');
my (undef, undef, $error) = $node->psql($restored, q{UPDATE dicomgw.route SET predicate = 'nonsense' WHERE name = 'new'});
like($error, qr/column "nonsense" does not exist/, 'and predicates are checked');
is($node->safe_psql($restored, q{UPDATE dicomgw.destination SET name = 'renamed' WHERE name = 'new';
	SELECT destination FROM dicomgw.route WHERE name = 'new'}), 'renamed', 'and references hold');

# ---------- the installed listener in other states ----------

$gateway->sql(q{DELETE FROM dicomgw.listener WHERE name = 'default'});
$restored = round_trip('the default listener deleted', []);
is($node->safe_psql($restored, q{SELECT string_agg(name, ' ') FROM dicomgw.listener}), 'third', 'it has not come back');

$gateway->sql('DELETE FROM dicomgw.listener');
$restored = round_trip('no listener at all', []);
is($node->safe_psql($restored, 'SELECT count(*) FROM dicomgw.listener'), '0', 'none has come back');

# another one in its place: its number, its name, its address
$gateway->sql(q{INSERT INTO dicomgw.listener (id, name, bind_address, port, enabled) VALUES (1, 'first', '127.0.0.3', 104, false)});
round_trip('its number taken', []);
$gateway->sql(q{UPDATE dicomgw.listener SET id = 7, name = 'default'});
round_trip('its name taken', []);
$gateway->sql(q{UPDATE dicomgw.listener SET name = 'other', bind_address = '*', port = 11112});
round_trip('its address taken', []);

# ---------- rows that a person copies in ----------

# What is done for a dump must not cost anybody a listener that he has set up.
$node->safe_psql($fresh, q{UPDATE dicomgw.listener SET ae_titles = '{MINE}'});
$node->safe_psql($fresh, qq{COPY dicomgw.listener (name, bind_address) FROM stdin;\ncopied\t127.0.0.1\n\\.\n});
is($node->safe_psql($fresh, q{SELECT string_agg(name, ' ' ORDER BY name) FROM dicomgw.listener}),
	'copied default', 'COPY leaves a listener alone that was set up');

$node->stop;
done_testing();
