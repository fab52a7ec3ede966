-- C-ECHO from SQL: what can be no application entity is refused before anybody is called.
-- What a peer answers is in test/e2e/021_tls_destination.pl.
\pset null '<NULL>'
\set VERBOSITY terse
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
SELECT dicomgw.echo('nowhere');
SELECT dicomgw.echo('127.0.0.1', 0, 'PACS');
SELECT dicomgw.echo('127.0.0.1', 104, 'A TITLE THAT IS TOO LONG');
SELECT dicomgw.echo('127.0.0.1', 104, 'PACS', 'back\slash');
SELECT dicomgw.echo('http://pacs', 104, 'PACS');
SELECT dicomgw.echo('127.0.0.1', 104, 'PACS', tls => 'on');
SELECT dicomgw.echo('127.0.0.1', NULL, 'PACS');
