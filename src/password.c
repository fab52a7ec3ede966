/*-------------------------------------------------------------------------
 *
 * password.c
 *	  Passwords of users are kept as Argon2id hashes (see password.h).
 *
 * A backend computes them: that takes the time and memory that
 * dicomgw.argon2_time and dicomgw.argon2_memory say, and cannot be
 * interrupted.  How many do so at the same time is bounded by whoever calls
 * (sql/sign_in.sql).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <argon2.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "guc.h"
#include "password.h"

#define PARALLELISM 1
#define SALT_LEN 16
#define HASH_LEN 32

PG_FUNCTION_INFO_V1(dgw_hash_password);
PG_FUNCTION_INFO_V1(dgw_verify_password);
PG_FUNCTION_INFO_V1(dgw_password_hash_is_current);

static void
report_argon2(int result, const char *what)
{
	ereport(ERROR, (errcode(result == ARGON2_MEMORY_ALLOCATION_ERROR ? ERRCODE_OUT_OF_MEMORY
																	 : ERRCODE_INTERNAL_ERROR),
					errmsg("could not hash the %s: %s", what, argon2_error_message(result))));
}

char *
dgw_argon2_hash(const char *secret, int time_cost, int memory_kib, const char *what)
{
	char salt[SALT_LEN];
	size_t len =
		argon2_encodedlen(time_cost, memory_kib, PARALLELISM, SALT_LEN, HASH_LEN, Argon2_id);
	char *encoded = palloc(len);
	int result;

	if (!pg_strong_random(salt, sizeof(salt)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random salt")));
	result = argon2id_hash_encoded(time_cost, memory_kib, PARALLELISM, secret, strlen(secret), salt,
								   sizeof(salt), HASH_LEN, encoded, len);
	if (result != ARGON2_OK)
		report_argon2(result, what);
	return encoded;
}

/* dicomgw._hash_password(text) returns text */
Datum
dgw_hash_password(PG_FUNCTION_ARGS)
{
	char *password = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *encoded = dgw_argon2_hash(password, dgw_argon2_time, dgw_argon2_memory, "password");

	explicit_bzero(password, strlen(password));
	PG_RETURN_TEXT_P(cstring_to_text(encoded));
}

/* dicomgw._verify_password(password text, hash text) returns boolean */
Datum
dgw_verify_password(PG_FUNCTION_ARGS)
{
	char *password = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *encoded = text_to_cstring(PG_GETARG_TEXT_PP(1));
	int result = argon2id_verify(encoded, password, strlen(password));

	explicit_bzero(password, strlen(password));
	if (result != ARGON2_OK && result != ARGON2_VERIFY_MISMATCH)
		report_argon2(result, "password");
	PG_RETURN_BOOL(result == ARGON2_OK);
}

/* dicomgw._password_hash_is_current(hash text) returns boolean: made with the parameters of now */
Datum
dgw_password_hash_is_current(PG_FUNCTION_ARGS)
{
	char *encoded = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *expected = psprintf("%sv=%d$m=%d,t=%d,p=%d$", DGW_ARGON2_PREFIX, ARGON2_VERSION_NUMBER,
							  dgw_argon2_memory, dgw_argon2_time, PARALLELISM);

	PG_RETURN_BOOL(strncmp(encoded, expected, strlen(expected)) == 0);
}
