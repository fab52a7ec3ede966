# The whole way by HTTPS, nginx and PostgREST as they are shipped: what a browser does, and what
# somebody tries who should not.  Each attempt has its 4xx, and changes nothing.

use strict;
use warnings;

use Compress::Zlib ();
use DicomGW::Web;
use DicomGW::Gateway qw(poll_until);
use Digest::SHA qw(hmac_sha256);
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant PASSWORD => 'four plain words, joined';

my $ui = PostgreSQL::Test::Utils::tempdir();
mkdir "$ui/assets";
append_to_file("$ui/index.html", '<!doctype html><title>the page</title>');
append_to_file("$ui/assets/app-1a2b3c.js", 'let plain;');
append_to_file("$ui/assets/app-1a2b3c.js.gz", Compress::Zlib::memGzip('let compressed;'));
append_to_file("$ui/.hidden", 'nobody is to see this');

my $gateway = DicomGW::Gateway->start('gateway', config => "dicomgw.argon2_memory = '8MB'\n");
ok($gateway->wait_until_up, 'the gateway is up');
$gateway->sql('SELECT dicomgw.create_roles()');
my $web = DicomGW::Web->start($gateway, ui => $ui);

# Two that take their time: somebody who ties up connections.  Their end is looked at last.
my %slow = map { $_ => $web->connect } qw(headers body);
print { $slow{headers} } "GET /api/study HTTP/1.1\r\nHost: @{[ $web->host ]}\r\nX-Slow: ";
print { $slow{body} } "POST /api/rpc/login HTTP/1.1\r\nHost: @{[ $web->host ]}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";

# ---------- helpers ----------

my $csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
  . "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

# What every answer has; an error is JSON, whoever has made it.
sub wrong_with
{
	my ($answer) = @_;
	my %header = %{ $answer->{headers} };
	my @wrong;

	push @wrong, "no CSP" if ($header{'content-security-policy'} // '') ne $csp;
	push @wrong, "no HSTS" if ($header{'strict-transport-security'} // '') ne 'max-age=31536000';
	push @wrong, "no nosniff" if ($header{'x-content-type-options'} // '') ne 'nosniff';
	push @wrong, "no $_" for grep { !$header{$_} }
	  qw(referrer-policy permissions-policy cross-origin-opener-policy cross-origin-resource-policy cache-control);
	push @wrong, "it says $_: $header{$_}" for grep { defined $header{$_} } qw(access-control-allow-origin content-location);
	push @wrong, "it names a version: $header{server}" if $header{server} =~ m{/};
	if ($answer->{status} >= 400)
	{
		my $keys = ref $answer->{json} eq 'HASH' ? join ' ', sort keys %{ $answer->{json} } : '';
		push @wrong, "not PostgREST's form of an error: $answer->{text}" if $keys ne 'code details hint message';
		push @wrong, 'it may be cached' if $header{'cache-control'} ne 'no-store';
	}
	return @wrong;
}

sub status
{
	my ($answer, $status, $what) = @_;

	return fail("$what: no answer") unless $answer;
	my @wrong = wrong_with($answer);
	push @wrong, "status $answer->{status}, not $status: $answer->{text}" if $answer->{status} != $status;
	ok(!@wrong, $what) or diag(join "\n", @wrong);
	return !@wrong;
}

sub login
{
	my ($username, $password, %args) = @_;

	return $web->call('login', { username => $username, password => $password }, %args);
}

sub curl
{
	my ($path, @options) = @_;
	my ($out, $err) = run_command([ 'curl', '--silent', '--show-error', '--include', '--noproxy', '*', '--cacert', $web->authority,
		@options, $web->origin . $path ]);
	is($err, '', "curl $path @options");
	return $out;
}

sub audited { my ($condition) = @_; return $gateway->sql("SELECT count(*) FROM dicomgw.audit_log WHERE $condition"); }

# The configuration, users, and what is queued: each row, of whatever table.
sub checksum
{
	my @tables = split /\n/, $gateway->sql(
		q{SELECT c.oid::regclass FROM pg_extension e JOIN pg_class c ON c.oid = ANY (e.extconfig) AND c.relkind = 'r' WHERE e.extname = 'dicomgw'
		  UNION SELECT unnest('{dicomgw.forward_job,dicomgw.ingest,dicomgw.token_secret}'::regclass[]) ORDER BY 1});

	return $gateway->sql(join ' UNION ALL ', map { "SELECT '$_', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM $_ t" } @tables);
}

# ---------- a browser ----------

my $answer = $web->get('/');
status($answer, 200, 'the page');
like($answer->{text}, qr/the page/, 'is the one that was installed');
is($answer->{headers}{'cache-control'}, 'no-cache', 'and is asked for anew each time');
$answer = $web->get('/study/1.2.3/series?patient_name=like.Doe*');
status($answer, 200, "a page's own address");
like($answer->{text}, qr/the page/, 'is the page, too');
$answer = $web->get('/assets/app-1a2b3c.js');
status($answer, 200, 'a script');
is($answer->{text}, 'let plain;', 'as it is');
is($answer->{headers}{'cache-control'}, 'public, max-age=31536000, immutable', 'for ever');
$answer = $web->get('/assets/app-1a2b3c.js', headers => { 'Accept-Encoding' => 'gzip' });
is($answer->{headers}{'content-encoding'}, 'gzip', 'the same, compressed');
is(Compress::Zlib::memGunzip($answer->{text}), 'let compressed;', 'by whoever has built it');
status($web->get('/assets/gone.js'), 404, 'a script that there is not');
status($web->get('/.hidden'), 404, 'a hidden file');
like(curl('/', '--http2'), qr{^HTTP/2 200}, 'HTTP/2');
for my $version (qw(1.0 1.1))
{
	my (undef, $err) = run_command([ 'openssl', 's_client', '-connect', $web->host, "-tls1_$version" =~ s/1_1\./1_/r =~ s/_0\z//r, '-cipher',
		'ALL:@SECLEVEL=0' ]);
	like($err, qr/protocol version|unsupported protocol|no protocols/, "no TLS $version");
}
my $plain = $web->connect(undef, $web->http_port);
print {$plain} "GET /x?y HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n";
like(join('', <$plain>), qr{^HTTP/1\.1 308 .*^Location: https://gateway\.example/x\?y\r$}ms, 'without TLS one is sent to where there is TLS');

status($web->get('/live'),  200, 'it lives');
status($web->get('/ready'), 200, 'and is ready');
$answer = $web->get('/api/', headers => { 'Accept-Encoding' => 'gzip' });
status({ %$answer, json => {} }, 200, 'OpenAPI');
is($answer->{headers}{'content-encoding'}, 'gzip', 'compressed');
like($answer->{headers}{vary}, qr/Accept-Encoding/, 'which caches are told');

# ---------- signing in, with a cookie ----------

my $once = $gateway->sql('SELECT dicomgw.create_first_admin()');
my $jar  = "$ui/jar";
my @json = ('--cookie-jar', $jar, '--cookie', $jar, '--header', 'Content-Type: application/json', '--header', 'Origin: ' . $web->origin,
	'--header', 'Sec-Fetch-Site: same-origin');
sub json { return ('--data', encode_json({@_})); }
like(curl('/api/rpc/login', @json, json(username => 'admin', password => 'wrong')), qr{^HTTP/2 401}, 'a wrong password');
like(curl('/api/rpc/login', @json, json(username => 'admin', password => $once)), qr{^HTTP/2 200}, 'signing in');
like(curl('/api/study', @json), qr{^HTTP/2 403.*password has to be changed}s, 'the cookie is the token; the password has to be changed');
like(curl('/api/rpc/change_password', @json, json(old => $once, new => PASSWORD)), qr{^HTTP/2 200}, 'it is');
like(curl('/api/study', @json), qr{^HTTP/2 200.*^cache-control: no-store\r$}ms, 'studies, to be kept by nobody');
like(curl('/api/rpc/logout', @json, json()), qr{^HTTP/2 200}, 'signing out');
like(curl('/api/study', @json), qr{^HTTP/2 401}, 'takes the cookie away');

my $admin = login('admin', PASSWORD)->{json}{token};
my %cookie = (Cookie => "theme=dark; __Host-dicomgw=$admin; x=y");
status($web->get('/api/session', headers => \%cookie), 200, 'a cookie among others');
status($web->get('/api/session', headers => { Cookie => "x__Host-dicomgw=$admin" }), 401, 'one of another name is none');
status($web->get('/api/session', headers => { %cookie, Authorization => 'Bearer nonsense' }), 401, 'who says who he is is not taken for another');
my $stale = $gateway->sql(
	q{SELECT dicomgw._sign_token(json_build_object('role', 'dicomgw_admin', 'username', 'admin', 'sid', gen_random_uuid(), 'exp', 1)::text, secret)
	  FROM dicomgw.token_secret});
status($web->get('/api/study', headers => { Cookie => "__Host-dicomgw=$stale" }), 401, 'a stale cookie');
$answer = login('admin', PASSWORD, headers => { Cookie => "__Host-dicomgw=$stale", Authorization => "Bearer $stale", 'Accept-Encoding' => 'gzip' });
status($answer, 200, 'does not keep anybody from signing in');
is($answer->{headers}{'content-encoding'}, undef, 'what has a secret in it is not compressed');
is($answer->{headers}{'cache-control'}, 'no-store', 'or kept');

# ---------- where it comes from ----------

login('admin', 'wrong', address => '127.0.0.5',
	headers => { 'X-Real-IP' => '203.0.113.9', 'X-Real-Ip' => '203.0.113.9', X_Real_IP => '203.0.113.9', 'X-Forwarded-For' => '203.0.113.9',
		Forwarded => 'for=203.0.113.9' });
is(audited(q{action = 'failed login' AND address = '127.0.0.5'}), 1, 'the audit log has the address that nginx has seen');
is(audited(q{address = '203.0.113.9'}), 0, 'not the one that was claimed');
$gateway->sql('DELETE FROM dicomgw.login_failure');

status($web->get('/metrics', address => '127.0.0.7'), 403, 'metrics, from an address that nginx does not know');
status($web->get('/metrics', address => '127.0.0.7', token => $admin), 403, 'whoever it is');
for my $path ('/api/rpc/metrics', '/api/rpc/%6detrics', '/api//rpc//metrics', '/x/../api/rpc/metrics')
{
	status($web->get($path, address => '127.0.0.7', token => $admin), 404, "there is no way around it: $path");
}

# ---------- what changes nothing ----------

$gateway->add_destination('pacs', PostgreSQL::Test::Cluster::get_free_port());
$gateway->sql(
	q{SELECT dicomgw.pause('pacs');
	  SELECT dicomgw._ingest(ARRAY[1], ARRAY['CT1'], ARRAY['X'], ARRAY['192.0.2.1']::inet[], ARRAY['1.2'], ARRAY['1.2.3.1'],
		ARRAY['1.2.840.10008.1.2'], ARRAY['a'], ARRAY[1], ARRAY['\x00']::bytea[],
		ARRAY['{"0020000D": {"vr": "UI", "Value": ["1.2.1"]}, "0020000E": {"vr": "UI", "Value": ["1.2.1.1"]}}'], ARRAY[NULL]);
	  SELECT dicomgw.notify_work()});
ok($gateway->wait_until_idle, 'an object is filed');
$gateway->sql(q{SELECT dicomgw.replay(array_agg(id), 'pacs') FROM dicomgw.instance});
is($gateway->sql('SELECT count(*) FROM dicomgw.forward_job'), 1, 'and is queued');
my $before = checksum();
my $last_entry = $gateway->sql('SELECT max(id) FROM dicomgw.audit_log');

# malformed, or of the wrong type
for my $bad ('', '{', '[1', '"', "\xff\xfe", '{"username": }', '[]', 'null', '5', '{"username": "x"', '{"id": "x", "id": }', "\0" x 100,
	'[' x 100_000, '{"id":' x 50_000)
{
	my $shown = length $bad > 30 ? substr($bad, 0, 6) . '...' : $bad =~ s/[^ -~]/?/gr;
	$answer = $web->request('POST', '/api/rpc/revoke_session', body => $bad, token => $admin);
	status($answer, $bad =~ /^(?:|\[\]|null|5)\z/ ? $answer->{status} : 400, "no JSON: $shown");
	like($answer->{status}, qr/^4/, "is the sender's fault: $shown");
}
for my $id (5, [], {}, JSON::PP::true, 'x', '', "1' OR '1'='1", '00000000-0000-0000-0000-00000000000g', 'x' x 100_000)
{
	status($web->call('revoke_session', { id => $id }, token => $admin), 400, 'no UUID: ' . substr encode_json([$id]), 0, 40);
}
status($web->call('create_user', { username => 'eve', role => $_ }, token => $admin), 400, 'no role: ' . encode_json([$_]))
  for 'root', '', [], 5, "admin'; --", undef;
status($web->call('create_user', { username => "eve\0", role => 'viewer' }, token => $admin), 400, 'NUL in a text');
status($web->call('create_user', { username => 'eve', role => 'viewer', scope_calling_aes => 'CT1' }, token => $admin), 400, 'text for an array');
status($web->call('create_user', { username => 'eve', role => 'viewer', admin => 1 }, token => $admin), 404, 'an argument that there is not');
status($web->call('pg_read_file', { filename => '/etc/passwd' }, token => $admin), 404, 'a function of PostgreSQL');
status($web->call('_refuse_get', {}, token => $admin), 404, 'a function of ours that is not for HTTP');
status($web->request('POST', '/api/rpc/revoke_session', body => '<id>1</id>', token => $admin, headers => { 'Content-Type' => 'application/xml' }),
	400, 'XML');

# columns, filters, and SQL in them
for my $query ('nosuch=eq.1', 'id=eq.abc', 'id=eq.1%3BDELETE', 'id=nosuch.1', 'select=nosuch', 'select=id::nosuch', 'order=nosuch',
	'select=*,pg_user(*)', 'and=(id.eq.1', 'id=eq.99999999999999999999')
{
	status($web->get("/api/study?$query", token => $admin), 400, "a query that makes no sense: $query");
}
my $studies = $web->get('/api/study', token => $admin)->{json};
is(scalar @$studies, 1, 'a study');
for my $query ('id=gt.0;DELETE', 'limit=x', 'select=(select 1)', "order=id;DROP TABLE study")
{
	is_deeply($web->get('/api/study?' . $query =~ s/ /%20/gr, token => $admin)->{json}, $studies, "what PostgREST leaves out does not count: $query");
}
for my $text ("'; DELETE FROM dicomgw.forward_job; --", "\$\$; SELECT dicomgw.drop_roles(); \$\$", "') OR true --", '\\x27; ROLLBACK;')
{
	my $quoted = join '', map { /[A-Za-z0-9]/ ? $_ : sprintf '%%%02X', ord } split //, $text;
	$answer = $web->get("/api/study?patient_id=eq.$quoted", token => $admin);
	status({ %$answer, json => {} }, 200, "SQL in a filter is a text: $text");
	is_deeply($answer->{json}, [], 'that nobody has');
	status($web->call('reset_password', { username => $text }, token => $admin), 400, 'and no user');
	status(login($text, $text, address => '127.0.0.6'), 401, 'nobody signs in with it');
}
status($web->request($_, '/api/study?id=gt.0', body => '{"patient_id": "x"}', token => $admin), 405, "studies are not changed: $_") for qw(POST PATCH DELETE);
status($web->request($_, '/api/app_user?username=eq.admin', body => '{"role": "viewer"}', token => $admin), 405, "users neither: $_") for qw(PATCH DELETE);
status($web->get($_, token => $admin), 404, "a table that is not for HTTP: $_")
  for qw(/api/forward_job /api/token_secret /api/pg_authid /api/destination_secret);
status($web->get('/api/token_secret', token => $admin, headers => { "Accept-Profile" => 'dicomgw' }), 406, 'in another schema, too');

# methods
status($web->get("/api/rpc/$_", token => $admin), 405, "by GET nothing is changed: $_")
  for 'rotate_secret', 'logout', 'login?username=admin&password=x', 'create_user?username=eve&role=admin', 'reset_password?username=admin',
  'revoke_session?id=00000000-0000-0000-0000-000000000000', 'revoke_sessions?username=admin', 'change_password?old=a&new=b';
for my $case ([ PUT => '/api/study' ], [ OPTIONS => '/api/study' ], [ TRACE => '/api/study' ], [ CONNECT => '/api/study' ], [ PROPFIND => '/api/study' ],
	[ PATCH => '/api/rpc/live' ], [ DELETE => '/api/rpc/live' ], [ POST => '/' ], [ DELETE => '/assets/app-1a2b3c.js' ], [ POST => '/live' ],
	[ POST => '/metrics' ])
{
	my ($method, $path) = @$case;
	$answer = $web->request($method, $path, token => $admin);
	status($answer, 405, "$method $path");
	ok($answer->{headers}{allow}, 'what may be is said');
}

# nginx lets those views be written to that an admin may write to, and no others
for (split /\n/, $gateway->sql(
	q{SELECT c.relname, has_table_privilege('dicomgw_admin', c.oid, 'INSERT, UPDATE, DELETE')
	  FROM pg_class c WHERE c.relnamespace = 'dicomgw_api'::regnamespace AND c.relkind = 'v' ORDER BY 1}))
{
	my ($view, $writable) = split /\|/;
	status($web->request('DELETE', "/api/$view?nosuch=eq.1", token => $admin), $writable eq 't' ? 400 : 405, "DELETE of $view");
}

# other sites
for my $headers ({ 'Sec-Fetch-Site' => 'cross-site' }, { 'Sec-Fetch-Site' => 'same-site' }, { Origin => 'https://evil.example' }, { Origin => 'null' },
	{ Origin => $web->origin . '.evil.example' }, { Origin => $web->origin =~ s/https/http/r },
	{ Origin => $web->origin, 'Sec-Fetch-Site' => 'cross-site' })
{
	my %as_browser = (%cookie, %$headers);
	my $shown = join ', ', map { "$_: $headers->{$_}" } sort keys %$headers;
	status($web->call('revoke_sessions', { username => 'admin' }, headers => \%as_browser), 403, "a write from another site: $shown");
	status($web->call('login', { username => 'admin', password => PASSWORD }, headers => \%as_browser), 403, 'signing in, too');
	status($web->request('DELETE', '/api/destination?name=eq.pacs', headers => \%as_browser), 403, 'and a DELETE');
}

# paths
my %path = (
	'/api//rpc/login'            => 405,    # these are the same path, and have the same guards
	'/api/rpc/%6cogin'           => 405,
	'/api/rpc%2flogin'           => 405,
	'/api/./rpc/x/../login'      => 405,
	'/x/%2e%2e/api/rpc/login'    => 405,
	'/api/study/../rpc/login'    => 405,
	'/api/rpc/login/'            => 404,
	'/api/rpc/login;x=y'         => 404,
	'/api/rpc/login%3bx'         => 404,
	'/api/rpc/login%0a'          => 404,
	'/api/rpc/login%20'          => 404,
	'/api/rpc%252flogin'         => 404,
	'/api/rpc/LOGIN'             => 404,
	'/api/study/1'               => 404,
	'/api/rpc/'                  => 404,
	'/api'                       => 404,
	'/api/study%00'              => 400,
	'/%00'                       => 400,
	'/api/%c0%ae%c0%ae/'         => 404,
	'/api/../../etc/passwd'      => 400,
	'/..%2f..%2fetc%2fpasswd'    => 400,
	'/%2e%2e/%2e%2e/etc/passwd'  => 400,
	'/assets/../../server.key'   => 400,
	'/assets/..%5c..%5cx'        => 404,
	'/assets/%252e%252e/x'       => 404,
	'/.git/config'               => 404,
	'/x/.env'                    => 404,
	'/.error'                    => 404,
	'/%'                         => 400,
	'/%zz'                       => 400,
	'x'                          => 400,
	'/' . 'x' x 20_000           => 414,
);
status($web->get($_), $path{$_}, 'a path: ' . substr $_, 0, 40) for sort keys %path;
status($web->get("https://evil.example/api/study"), 401, 'a URL in the place of a path');

# what is no HTTP, or too much of it
my $host = 'Host: ' . $web->host;
my %raw = (
	'no HTTP'              => [ "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n" => 400 ],
	'no Host'              => [ "GET /api/study HTTP/1.1\r\n\r\n" => 400 ],
	'two Hosts'            => [ "GET /api/study HTTP/1.1\r\n$host\r\nHost: evil.example\r\n\r\n" => 400 ],
	'NUL in a header'      => [ "GET /api/study HTTP/1.1\r\n$host\r\nX: a\0b\r\n\r\n" => 400 ],
	'two lengths'          => [ "POST /api/rpc/login HTTP/1.1\r\n$host\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}" => 400 ],
	'length and chunks'    => [ "POST /api/rpc/login HTTP/1.1\r\n$host\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" => 400 ],
	'a negative length'    => [ "POST /api/rpc/login HTTP/1.1\r\n$host\r\nContent-Length: -1\r\n\r\n" => 400 ],
	'chunks that are none' => [ "POST /api/rpc/login HTTP/1.1\r\n$host\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" => 400 ],
	'HTTP/3.7'             => [ "GET /api/study HTTP/3.7\r\n$host\r\n\r\n" => 505 ],
	'a long header'        => [ "GET /api/study HTTP/1.1\r\n$host\r\nX: " . 'x' x 20_000 . "\r\n\r\n" => 431 ],
	'a large body'         => [ "POST /api/rpc/revoke_session HTTP/1.1\r\n$host\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n" . 'x' x 1_048_577 => 413 ],
	'large chunks'         => [ "POST /api/rpc/revoke_session HTTP/1.1\r\n$host\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n"
			. 'x' x 0x100001 . "\r\n0\r\n\r\n" => 413 ]);
for my $what (sort keys %raw)
{
	my ($bytes, $status) = @{ $raw{$what} };
	status($web->exchange($bytes), $status, $what);
}
status($web->call('reset_password', { username => 'x' x 1_000_000 }, token => $admin), 400, 'just not too large a body');

# ---------- forged tokens ----------

my $secret = $gateway->sql('SELECT secret FROM dicomgw.token_secret');
my ($head, $claims, $signature) = split /\./, $admin;
my $certificate = slurp_file($web->authority);
my ($public) = run_command([ 'openssl', 'x509', '-in', $web->authority, '-noout', '-pubkey' ]);
run_command([ 'openssl', 'genrsa', '-out', "$ui/rsa.key", '2048' ]);

sub hmac_signed
{
	my ($header, $key) = @_;
	my $signed = encode_base64url(encode_json($header)) . ".$claims";

	return "$signed." . encode_base64url(hmac_sha256($signed, $key));
}

sub rsa_signed
{
	my ($header) = @_;
	my $signed = encode_base64url(encode_json($header)) . ".$claims";

	append_to_file("$ui/signed", $signed);
	system_or_bail('openssl', 'dgst', '-sha256', '-sign', "$ui/rsa.key", '-out', "$ui/signature", "$ui/signed");
	unlink "$ui/signed";
	return "$signed." . encode_base64url(slurp_file("$ui/signature"));
}

my ($modulus) = run_command([ 'openssl', 'rsa', '-in', "$ui/rsa.key", '-noout', '-modulus' ]) =~ /=(\w+)/;
my %jwk = (kty => 'RSA', e => 'AQAB', n => encode_base64url(pack 'H*', $modulus));
status($web->get('/api/session', token => hmac_signed({ alg => 'HS256', typ => 'JWT' }, $secret)), 200, 'a token that we have signed ourselves');
my %forged = (
	'alg none'                        => encode_base64url('{"alg":"none","typ":"JWT"}') . ".$claims.",
	'alg None, with a signature'      => encode_base64url('{"alg":"None"}') . ".$claims.$signature",
	'no alg'                          => hmac_signed({ typ => 'JWT' }, $secret),
	'another signature'               => "$head.$claims." . scalar reverse($signature),
	'no signature'                    => "$head.$claims.",
	'two parts'                       => "$head.$claims",
	'other claims'                    => "$head." . encode_base64url('{"role":"dicomgw_admin","username":"admin"}') . ".$signature",
	'an empty key'                    => hmac_signed({ alg => 'HS256' }, ''),
	'a kid that names a file'         => hmac_signed({ alg => 'HS256', kid => '../../../../dev/null' }, ''),
	'a kid that is SQL'               => hmac_signed({ alg => 'HS256', kid => "x' UNION SELECT 'key" }, 'key'),
	'the certificate as key'          => hmac_signed({ alg => 'HS256' }, $certificate),
	'the public key as key'           => hmac_signed({ alg => 'HS256' }, $public),
	'RS256, but signed with a secret' => hmac_signed({ alg => 'RS256' }, $secret),
	'RS256 with a key of its own'     => rsa_signed({ alg => 'RS256' }),
	'RS256 that brings its key'       => rsa_signed({ alg => 'RS256', jwk => \%jwk }),
	'RS256 that says where its key is' => rsa_signed({ alg => 'RS256', jku => 'https://evil.example/keys', kid => '1' }),
	'an extension that is critical'   => hmac_signed({ alg => 'HS256', crit => ['x'], x => 1 }, 'x'),
	'expired'                         => $stale,
	'nonsense'                        => 'nonsense',
	'long nonsense'                   => 'x' x 8000);
status($web->get('/api/session', token => $forged{$_}), 401, "a token: $_") for sort keys %forged;
status($web->get('/api/session', headers => { Cookie => "__Host-dicomgw=$forged{$_}" }), 401, "as a cookie: $_") for sort keys %forged;
status($web->get('/api/study', headers => { Authorization => $_ }), 401, "Authorization: $_") for 'Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer  ';

is(checksum(), $before, 'nothing of that has changed anything');
is(audited(qq{id > $last_entry AND action NOT IN ('failed login', 'view')}), 0, 'or says that it has');
status($web->get('/ready'), 200, 'and everything runs');

# ---------- a flood ----------

my ($refused) = grep { $_->{status} == 429 } map { $web->request('POST', '/api/rpc/login', body => '{}', address => '127.0.0.9') } 1 .. 60;
ok($refused, 'who signs in too often is stopped by nginx') and status($refused, 429, 'with an error like others');
is($refused->{json}{message}, 'there are too many requests from this address', 'which says why');
ok($refused->{headers}{'retry-after'} > 0, 'and when to try again');
status(login('admin', PASSWORD), 200, 'others may');

# ---------- the slow ones ----------

for my $what (sort keys %slow)
{
	my $ended = eval {
		local $SIG{ALRM} = sub { die "still open\n" };
		alarm 60;
		1 while sysread $slow{$what}, my $buffer, 4096;
		alarm 0;
		1;
	};
	alarm 0;
	ok($ended, "who is slow with his $what is not waited for");
}
is(audited(q{address IS NULL AND session_id IS NOT NULL}), 0, 'no request without an address');

# ---------- PostgREST is away ----------

rename $web->socket_path, $web->socket_path . '.away' or die "could not rename: $!\n";
$answer = $web->get('/api/study?patient_name=eq.Doe', token => $admin);
status($answer, 502, 'nobody answers');
is($answer->{json}{message}, 'the interface to the database is not running', 'which is said');
status($web->get('/'), 200, 'the page is there');
rename $web->socket_path . '.away', $web->socket_path or die "could not rename: $!\n";
ok(poll_until(sub { $web->get('/live')->{status} == 200 }), 'it is back');

my $logs = join '', map { slurp_file($_) } $web->log_files, $gateway->node->logfile;
like($logs, qr{^127\.0\.0\.5 \[\S+\] "POST /api/rpc/login" 401 }m, 'requests are in the log');
unlike($logs, qr/\Q$_\E/, "but not $_") for PASSWORD, $once, 'Doe', 'patient_name', $admin;

$web->stop;
$gateway->node->stop;
done_testing();
