/*-------------------------------------------------------------------------
 *
 * token.c
 *	  JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256: what a session of
 *	  the HTTP interface shows of itself.  PostgREST verifies them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/base64.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

PG_FUNCTION_INFO_V1(dgw_sign_token);

/* base64url without padding (RFC 7515 2). */
static void
append_base64url(StringInfo token, const char *data, int len)
{
	int size = pg_b64_enc_len(len);
	char *encoded = palloc(size + 1);
	int n = pg_b64_encode(data, len, encoded, size);

	for (int i = 0; i < n && encoded[i] != '='; i++)
		appendStringInfoChar(token, encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i]);
	pfree(encoded);
}

/* dicomgw._sign_token(claims text, secret text) returns text */
Datum
dgw_sign_token(PG_FUNCTION_ARGS)
{
	text *claims = PG_GETARG_TEXT_PP(0);
	text *secret = PG_GETARG_TEXT_PP(1);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;
	StringInfoData token;

	initStringInfo(&token);
	append_base64url(&token, HEADER, sizeof(HEADER) - 1);
	appendStringInfoChar(&token, '.');
	append_base64url(&token, VARDATA_ANY(claims), VARSIZE_ANY_EXHDR(claims));
	if (HMAC(EVP_sha256(), VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret),
			 (const unsigned char *) token.data, token.len, digest, &digest_len) == NULL)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not sign a token")));
	appendStringInfoChar(&token, '.');
	append_base64url(&token, (const char *) digest, digest_len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token.data, token.len));
}
