/*-------------------------------------------------------------------------
 *
 * login_attempts.c
 *	  Sign-ins whose transaction was rolled back (see login_attempts.h).
 *
 * A table of fixed size; if it is full, the one that was longest ago goes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "login_attempts.h"

#define MAX_KEYS 4096
#define MAX_OPEN 2 /* of a sign-in: its user and its address */
#define REMEMBERED_MS (15 * 60 * 1000)

typedef struct Attempts
{
	uint64 key; /* 0: none */
	int32 count;
	TimestampTz at;
} Attempts;

typedef struct AttemptsShared
{
	LWLock *lock;
	Attempts keys[MAX_KEYS];
} AttemptsShared;

static AttemptsShared *shared = NULL;

/* Of the transaction that is open. */
static uint64 open_keys[MAX_OPEN];
static int n_open = 0;

PG_FUNCTION_INFO_V1(dgw_open_attempt);

Size
dgw_login_attempts_size(void)
{
	return sizeof(AttemptsShared);
}

void
dgw_login_attempts_init(LWLock *lock)
{
	bool found;

	shared = ShmemInitStruct("dicomgw login attempts", sizeof(AttemptsShared), &found);
	if (found)
		return;
	memset(shared, 0, sizeof(AttemptsShared));
	shared->lock = lock;
}

/* The entry of this key, or the one to take for it. */
static Attempts *
find(uint64 key)
{
	Attempts *oldest = &shared->keys[0];

	for (int i = 0; i < MAX_KEYS; i++)
	{
		if (shared->keys[i].key == key)
			return &shared->keys[i];
		if (shared->keys[i].at < oldest->at)
			oldest = &shared->keys[i];
	}
	return oldest;
}

static bool
is_remembered(const Attempts *attempts, uint64 key)
{
	return attempts->key == key &&
		   !TimestampDifferenceExceeds(attempts->at, GetCurrentTimestamp(), REMEMBERED_MS);
}

static void
count_if_rolled_back(XactEvent event, void *arg)
{
	if (n_open == 0)
		return;
	if (event == XACT_EVENT_ABORT)
	{
		LWLockAcquire(shared->lock, LW_EXCLUSIVE);
		for (int i = 0; i < n_open; i++)
		{
			Attempts *attempts = find(open_keys[i]);

			attempts->count = is_remembered(attempts, open_keys[i]) ? attempts->count + 1 : 1;
			attempts->key = open_keys[i];
			attempts->at = GetCurrentTimestamp();
		}
		LWLockRelease(shared->lock);
	}
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		n_open = 0;
}

/*
 * dicomgw._open_attempt(key bytea) returns integer: how often it was rolled
 * back lately; from now on this transaction counts, too, if it is.
 */
Datum
dgw_open_attempt(PG_FUNCTION_ARGS)
{
	static bool registered = false;
	bytea *name = PG_GETARG_BYTEA_PP(0);
	uint64 key =
		hash_bytes_extended((unsigned char *) VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), 0);
	Attempts *attempts;
	int32 count;

	if (shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dicomgw is not in shared_preload_libraries, so nobody can sign in")));
	if (key == 0)
		key = 1;
	if (!registered)
	{
		RegisterXactCallback(count_if_rolled_back, NULL);
		registered = true;
	}
	LWLockAcquire(shared->lock, LW_SHARED);
	attempts = find(key);
	count = is_remembered(attempts, key) ? attempts->count : 0;
	LWLockRelease(shared->lock);
	if (n_open < MAX_OPEN)
		open_keys[n_open++] = key;
	PG_RETURN_INT32(count);
}
