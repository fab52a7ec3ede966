-- Users, passwords, tokens: what can be seen without HTTP.  The rest is in test/e2e/050_login.pl.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(34);

-- ---------- tokens ----------

SELECT is(dicomgw._sign_token('{"sub":"1234567890","name":"John Doe","iat":1516239022}', 'your-256-bit-secret'),
          'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
          'a token as everybody knows it');
SELECT matches((SELECT secret FROM dicomgw.token_secret), '^[0-9a-f]{64}$', 'the secret has 256 bits');
SELECT secret AS first FROM dicomgw.token_secret \gset
SELECT dicomgw.rotate_secret();
SELECT isnt((SELECT secret FROM dicomgw.token_secret), :'first', 'and is another one when it is rotated');

-- ---------- passwords ----------

SELECT matches(dicomgw._hash_password('x'), '^\$argon2id\$v=19\$m=19456,t=2,p=1\$', 'hashed with Argon2id, as OWASP has it');
SELECT isnt(dicomgw._hash_password('x'), dicomgw._hash_password('x'), 'with a salt');
SELECT ok(dicomgw._verify_password('Grüße', dicomgw._hash_password('Grüße')), 'the right one is right');
SELECT ok(NOT dicomgw._verify_password('Gruesse', dicomgw._hash_password('Grüße')), 'another one wrong');
SELECT throws_ok($$ SELECT dicomgw._verify_password('x', '$argon2id$nonsense') $$, 'XX000', NULL, 'a broken hash is an error');
SELECT ok(dicomgw._password_hash_is_current(dicomgw._hash_password('x')), 'a new hash is current');
SELECT ok(NOT dicomgw._password_hash_is_current('$argon2id$v=19$m=7168,t=5,p=1$x'), 'one with other parameters is not');

SELECT lives_ok(format('SELECT dicomgw._check_password(%L, %L)', 'anna', p), p)
FROM unnest('{correct horse battery,Zr8!kQw02-xxY,"пять слов подряд","anna likes her cat"}'::text[]) p;
SELECT throws_ok(format('SELECT dicomgw._check_password(%L, %L)', 'annabella', p), '22023', 'the password is not good enough', p)
FROM unnest('{short,123456789012345,Password123456!,annabella1234,aaaaaaaaaaaabbbb,administrator1}'::text[]) p;

-- ---------- users ----------

SELECT throws_ok($$ SELECT dicomgw.create_user('x', 'root') $$, '23514', NULL, 'there are four roles');
SELECT throws_ok($$ SELECT dicomgw.create_user(E'x\ny', 'viewer') $$, '23514', NULL, 'names are names');
SELECT throws_ok($$ SELECT dicomgw.create_user('(nobody)', 'viewer') $$, '23514', NULL, 'and of nobody else');
SELECT throws_ok($$ INSERT INTO dicomgw.app_user (username, role, password_hash) VALUES ('x', 'admin', 'plain') $$, '23514', NULL, 'no plain password is kept');
SELECT dicomgw.create_first_admin() AS once \gset
SELECT matches(:'once'::text, '^[0-9a-f]{5}(-[0-9a-f]{5}){3}$', 'the first admin has a one-time password');
SELECT throws_ok('SELECT dicomgw.create_first_admin()', '55000', 'there is an admin already', 'and is the only first one');
SELECT throws_ok($$ SELECT dicomgw.update_user('admin', role => 'viewer') $$, '22023', 'user "admin" is the last admin', 'the last one, too');
SELECT throws_ok($$ SELECT dicomgw.update_user('nobody') $$, '42704', 'user "nobody" does not exist', 'who is not there is not changed');
SELECT dicomgw.create_user('vera', 'viewer', '{CT1}') AS vera \gset
SELECT dicomgw.update_user('vera', scope_institutions => '{North}');
SELECT is((SELECT (scope_calling_aes, scope_institutions)::text FROM dicomgw.app_user WHERE username = 'vera'), '({CT1},{North})', 'what is not given stays');
SELECT dicomgw.update_user('vera', unlimited => true, scope_calling_aes => '{MR1}');
SELECT is((SELECT (scope_calling_aes, scope_institutions)::text FROM dicomgw.app_user WHERE username = 'vera'), '({MR1},)', 'one limit is taken away');
SELECT dicomgw.update_user('vera', unlimited => true);
SELECT is((SELECT (scope_calling_aes, scope_institutions)::text FROM dicomgw.app_user WHERE username = 'vera'), '(,)', 'limits are taken away');

-- ---------- hashes are kept up to date ----------

INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('X', 'x', :'vera'); -- another choice of parameters
UPDATE dicomgw.app_user SET password_hash = (SELECT passcode FROM dicomgw.remote_ae WHERE ae_title = 'X') WHERE username = 'vera';
SELECT ok(NOT dicomgw._password_hash_is_current(password_hash), 'a hash of yesterday''s parameters') FROM dicomgw.app_user WHERE username = 'vera';
SELECT is(dicomgw.login('vera', :'vera') ->> 'role', 'viewer', 'will do to sign in');
SELECT ok(dicomgw._password_hash_is_current(password_hash), 'and is of today''s then') FROM dicomgw.app_user WHERE username = 'vera';

SELECT * FROM finish();
ROLLBACK;
