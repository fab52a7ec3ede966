# Every view and function of the HTTP interface, asked for by every role: each may do
# what the table in docs/api.md says, and nothing else.  Whoever may do it and sends
# nonsense is told so, by a status of the 400s, and has changed nothing.

use strict;
use warnings;

use DicomGW::Gateway;
use DicomGW::Rest;
use File::Basename qw(dirname);
use JSON::PP qw(encode_json);
use PostgreSQL::Test::Utils;
use Test::More;

use constant PASSWORD => 'four plain words, joined';
use constant ROLES => qw(anonymous viewer operator admin metrics);
use constant { DOCUMENT => dirname(__FILE__) . '/../../docs/api.md', REFUSED => qr/^(401|403)$/, INJECTION => q{'"; DROP TABLE dicomgw.route; --} };

# What the walk must not call when it is permitted: it would end the sessions that it walks with.
my %tried_last = map { $_ => 1 } qw(logout() rotate_secret());

my $gateway = DicomGW::Gateway->start('gateway', config => "dicomgw.argon2_memory = '8MB'\n");

ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql('SELECT dicomgw.create_roles()');
my $rest = DicomGW::Rest->start($gateway);

# ---------- helpers ----------

sub rows { my ($query) = @_; return map { [ split /\|/, $_, -1 ] } split /\n/, $gateway->sql($query); }

sub token
{
	my ($username) = @_;
	my $once = $gateway->sql("SELECT dicomgw.create_user('$username', '@{[ $username =~ s/\d//gr ]}')");
	my $token = $rest->call('login', { username => $username, password => $once })->{json}{token};

	$rest->call('change_password', { old => $once, new => PASSWORD }, token => $token)->{status} == 200 or die "no password for $username\n";
	return $token;
}

# What the document says: object => { role => 'r', 'rw', 'x' or '' }.
sub documented
{
	my %may;

	for (split /\n/, slurp_file(DOCUMENT))
	{
		my @cell = map { s/^\s+|\s+$//gr } split /\|/;

		next unless @cell >= 7 && $cell[1] =~ /^`([\w()]+)`$/;
		$may{$1} = { map { ((ROLES)[$_] => $cell[ 2 + $_ ]) } 0 .. 4 };
	}
	return %may;
}

# All that a request could have changed but for the sessions, the audit log, and checks of the storage, which may be asked for without a word.
sub contents
{
	return $gateway->sql(
		q{SELECT md5(string_agg(query_to_xml(format('SELECT * FROM dicomgw.%I t ORDER BY t::text', c.relname), true, true, '')::text, '' ORDER BY c.relname))
		  FROM pg_class c WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		    AND c.relname NOT IN ('session', 'audit_log', 'audit_chain', 'login_failure', 'storage_check', 'storage_epoch', 'destination_state', 'task', 'task_portion', 'measurement', 'measurement_fold', 'counter',
								  'traffic_minute', 'traffic_hour', 'audit_export', 'attribute',
								  'app_user', 'privilege', 'deidentification_rule')});
}

# One request and the role that sends it; a server that makes an error of its own is always wrong.
sub ask
{
	my ($role, $method, $path, $body) = @_;
	my $token  = token_of($role);
	my $answer = $rest->request($method, $path, body => $body // '', $token ? (token => $token) : ());

	cmp_ok($answer->{status}, '<', 500, "$role: $method " . substr($path, 0, 60) . ' is no error of the server')
	  || diag(substr($body // '', 0, 200), "\n", substr($answer->{text}, 0, 500))
	  if $answer->{status} >= 500;
	return $answer;
}

my %token = map { $_ => token($_) } grep { $_ ne 'anonymous' } ROLES;
sub token_of { my ($role) = @_; return $token{$role}; }

# ---------- the document names what there is ----------

my %may = documented();
my %arguments = map { ("$_->[0]()" => [ map { [ split / / ] } split /,/, $_->[1] ]) } rows(
	q{SELECT p.proname, coalesce((SELECT string_agg(format('%s %s %s', a.name, replace(format_type(a.type, NULL), ' ', '_'),
							CASE WHEN a.n <= p.pronargs - p.pronargdefaults THEN 'required' ELSE 'optional' END), ',' ORDER BY a.n)
		FROM unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) WITH ORDINALITY AS a(name, type, n)), '')
	  FROM pg_proc p WHERE p.pronamespace = 'dicomgw_api'::regnamespace});
my %column = map { ($_->[0] => $_->[1]) } rows(
	q{SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
	  WHERE c.relnamespace = 'dicomgw_api'::regnamespace AND c.relkind = 'v'});
is(join(' ', sort keys %may), join(' ', sort(keys %arguments, keys %column)), 'docs/api.md has each view and each function in its table');

# ---------- who may do what ----------

$gateway->sql(q{INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', '127.0.0.1', 1, 'PACS');
	INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('ct', 'modality = ''CT''', 'pacs')});
my $before = contents();

sub agrees
{
	my ($role, $object, $what, $may, $status) = @_;
	my $is_refused = $status =~ REFUSED;

	# signing in is refused in its own way: the name is wrong
	$is_refused = 0 if $object eq 'login()' && $role eq 'anonymous';
	return ok(!$may == $is_refused, "$role: $what $object is " . ($may ? 'permitted' : 'refused')) || diag("status $status");
}

for my $role (ROLES)
{
	for my $view (sort keys %column)
	{
		my $right = $may{$view}{$role} // '';
		my $none  = "/$view?$column{$view}=is.null";

		agrees($role, $view, 'to read', $right =~ /r/, ask($role, 'GET', "/$view?limit=1")->{status});
		agrees($role, $view, 'to add to', $right =~ /w/, ask($role, 'POST', "/$view", encode_json({ $column{$view} => undef }))->{status});
		agrees($role, $view, 'to change', $right =~ /w/, ask($role, 'PATCH', $none, encode_json({ $column{$view} => undef }))->{status});
		agrees($role, $view, 'to delete from', $right =~ /w/, ask($role, 'DELETE', $none)->{status});
	}
	for my $function (sort keys %arguments)
	{
		my $may = ($may{$function}{$role} // '') eq 'x';

		next if $may && $tried_last{$function};
		my %nonsense = map { $_->[2] eq 'required' ? ($_->[0] => nonsense($_->[1])) : () } @{ $arguments{$function} };
		agrees($role, $function, 'to call', $may, ask($role, 'POST', '/rpc/' . $function =~ s/\W//gr, encode_json(\%nonsense))->{status});
	}
}
is(contents(), $before, 'all of this has changed nothing');

# ---------- nonsense ----------

sub nonsense
{
	my ($type, $value) = @_;

	$value //= -1;
	return $type =~ /\[\]$/ ? [ nonsense($type =~ s/\[\]$//r, $value) ] : $type =~ /int|double|numeric/ ? $value
	  : $type =~ /bool/ ? \0 : $type eq 'uuid' ? '00000000-0000-0000-0000-000000000000' : $type =~ /timestamp/ ? '2000-01-01'
	  : $type eq 'interval' ? '1 day' : INJECTION;
}

# name => a value for an argument of this type
my %kind = (
	'what is in no range'   => sub { my ($type) = @_; return $type =~ /int/ ? '9' x 30 : nonsense($type); },
	'largest numbers'       => sub { return nonsense($_[0], $_[0] =~ /big/ ? 9223372036854775807 : 2147483647); },
	'long texts'            => sub { return $_[0] eq 'text' ? 'x' x 100_000 : nonsense($_[0]); },
	'NUL characters'        => sub { return $_[0] eq 'text' ? "a\0b" : nonsense($_[0]); },
	'nothing'               => sub { return undef; },
	'lists'                 => sub { return [ [ 1, 2 ], [ 'x' ] ]; },
	'objects'               => sub { return { a => { b => 'c' } }; },
	'empty texts and lists' => sub { return $_[0] =~ /\[\]$/ ? [] : ''; },
	'times without end'     => sub { return $_[0] =~ /timestamp/ ? 'infinity' : $_[0] eq 'interval' ? '178000000 years' : nonsense($_[0]); },
);
for my $function (sort keys %arguments)
{
	my $role = (grep { ($may{$function}{$_} // '') eq 'x' } qw(admin anonymous metrics))[0];
	my $path = '/rpc/' . $function =~ s/\W//gr;
	my @refused;

	# the whole storage is checked, or a session ended, whatever is sent
	next if $tried_last{$function} || $function =~ /check_storage/;
	for my $kind (sort keys %kind)
	{
		my %sent = map { ($_->[0] => $kind{$kind}->($_->[1])) } @{ $arguments{$function} };
		my $status = ask($role, 'POST', $path, encode_json(\%sent))->{status};

		push @refused, $kind if $status >= 400;
		ask($role, 'POST', $path, encode_json({ $_->[0] => $sent{ $_->[0] } })) for @{ $arguments{$function} };
	}
	cmp_ok(ask($role, 'POST', $path, encode_json({ no_such_argument => 1 }))->{status}, '==', 404, "$function has no such argument");
	cmp_ok(ask($role, 'POST', $path, '{"broken')->{status}, '==', 400, "$function takes JSON only") if @{ $arguments{$function} };
	ok(@refused, "$function refuses nonsense") || diag("all of it passed") if grep { $_->[2] eq 'required' } @{ $arguments{$function} };
}
is($gateway->sql('SELECT count(*) FROM dicomgw.app_user'), 4, 'nonsense makes no users');
is(contents(), $before, 'and has changed nothing');

# ---------- OpenAPI ----------

for my $role (ROLES)
{
	my $openapi = ask($role, 'GET', '/')->{json};
	my @paths   = sort grep { $_ ne '/' } keys %{ $openapi->{paths} };
	my @may     = sort map { /^(\w+)\(\)$/ ? "/rpc/$1" : "/$_" } grep { $may{$_}{$role} } keys %may;

	is(join(' ', @paths), join(' ', @may), "$role: OpenAPI has what the role may, and nothing else");
	my @silent = map { my $path = $_; grep { my $o = $openapi->{paths}{$path}{$_}; !($o->{summary} || $o->{description}) } qw(get post patch delete) } ();
	for my $path (@paths)
	{
		my ($operation) = grep { defined } @{ $openapi->{paths}{$path} }{qw(get post)};
		push @silent, $path unless $operation->{summary} || $operation->{description};
	}
	for my $view (keys %{ $openapi->{definitions} || {} })
	{
		my $properties = $openapi->{definitions}{$view}{properties};
		push @silent, map { "$view.$_" } grep { !$properties->{$_}{description} } keys %$properties;
	}
	is(join(' ', @silent), '', "$role: and says of each what it is");
}

# ---------- what ends sessions ----------

is(ask('viewer', 'POST', '/rpc/logout', '{}')->{status}, 200, 'signing out is permitted');
is(ask('metrics', 'POST', '/rpc/rotate_secret', '{}')->{status}, 403, 'a new secret is an admin\'s');
is(ask('admin', 'POST', '/rpc/rotate_secret', '{}')->{status}, 200, 'an admin may make one');

$rest->stop;
$gateway->node->stop;
done_testing();
