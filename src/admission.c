/*-------------------------------------------------------------------------
 *
 * admission.c
 *	  Who may open an association, and what for (see admission.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/memutils.h"

#include "admission.h"
#include "guc.h"
#include "worker.h"

/* User-Identity-Type, PS3.7 D.3.3.7.1 */
#define IDENTITY_USERNAME 1
#define IDENTITY_PASSCODE 2

typedef enum Accepts
{
	ACCEPTS_PROMISCUOUS,
	ACCEPTS_CALLED_AE,
	ACCEPTS_KNOWN_CALLERS
} Accepts;

/* What a row of listener says of callers. */
typedef struct ListenerPolicy
{
	uint32 id;
	Accepts accepts;
	int n_ae_titles;
	char **ae_titles;
	int max_associations; /* 0: no limit */
	int max_associations_per_ae;
	uint64 max_object_size;
	DgwDuplicates duplicates;
	bool keep_mismatch;
	int n_transfer_syntaxes;
	char **transfer_syntaxes;
} ListenerPolicy;

/* A row of remote_ae. */
typedef struct RemoteAe
{
	char *ae_title;
	inet *network; /* NULL: any */
	bool enabled;
	bool may_store;
	bool may_echo;
	int max_associations; /* 0: what the listener says */
	char *username;		  /* NULL: none is asked for */
	char *passcode_hash;
} RemoteAe;

static MemoryContext policy_context;
static ListenerPolicy *listeners;
static int n_listeners;
static RemoteAe *remote_aes;
static int n_remote_aes;

/* Why an A-ASSOCIATE-RJ is sent: result, source and reason of PS3.8 9.3.4. */
typedef struct Rejection
{
	DgwRejected code;
	const char *words;
} Rejection;

static const Rejection identity_not_accepted = {{1, 1, 1}, "user identity not accepted"};
static const Rejection calling_not_recognised = {{1, 1, 3}, "calling AE title not recognised"};
static const Rejection called_not_recognised = {{1, 1, 7}, "called AE title not recognised"};
static const Rejection congestion = {{2, 3, 1}, "temporary congestion"};
static const Rejection limit_exceeded = {{2, 3, 2}, "local limit exceeded"};

/* ---------- loading ---------- */

static HeapTuple row;
static TupleDesc desc;

/* A column of the row under way as text in policy_context, or NULL. */
static char *
text_at(int column)
{
	char *value = SPI_getvalue(row, desc, column);

	return value == NULL ? NULL : MemoryContextStrdup(policy_context, value);
}

static int64
number_at(int column)
{
	char *value = SPI_getvalue(row, desc, column);

	return value == NULL ? 0 : strtoll(value, NULL, 10);
}

static bool
bool_at(int column)
{
	return SPI_getvalue(row, desc, column)[0] == 't';
}

static char **
texts_at(int column, int *n)
{
	bool isnull;
	Datum value = SPI_getbinval(row, desc, column, &isnull);
	Datum *elements;
	char **texts;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
					  n);
	texts = MemoryContextAlloc(policy_context, Max(*n, 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
		texts[i] = MemoryContextStrdup(policy_context, TextDatumGetCString(elements[i]));
	return texts;
}

static void
load_listener(ListenerPolicy *l)
{
	const char *accepts = SPI_getvalue(row, desc, 2);
	const char *duplicates = SPI_getvalue(row, desc, 7);

	l->id = (uint32) number_at(1);
	l->accepts = strcmp(accepts, "promiscuous") == 0	 ? ACCEPTS_PROMISCUOUS
				 : strcmp(accepts, "known_callers") == 0 ? ACCEPTS_KNOWN_CALLERS
														 : ACCEPTS_CALLED_AE;
	l->ae_titles = texts_at(3, &l->n_ae_titles);
	l->max_associations = (int) number_at(4);
	l->max_associations_per_ae = (int) number_at(5);
	l->max_object_size = (uint64) number_at(6);
	l->duplicates = strcmp(duplicates, "ignore") == 0	? DGW_DUPLICATES_IGNORE
					: strcmp(duplicates, "refuse") == 0 ? DGW_DUPLICATES_REFUSE
														: DGW_DUPLICATES_KEEP;
	l->keep_mismatch = bool_at(8);
	l->transfer_syntaxes = texts_at(9, &l->n_transfer_syntaxes);
}

static void
load_remote_ae(RemoteAe *r)
{
	bool isnull;
	Datum network = SPI_getbinval(row, desc, 2, &isnull);
	MemoryContext caller = MemoryContextSwitchTo(policy_context);

	r->network = isnull ? NULL : (inet *) PG_DETOAST_DATUM_COPY(network);
	MemoryContextSwitchTo(caller);
	r->ae_title = text_at(1);
	r->enabled = bool_at(3);
	r->may_store = bool_at(4);
	r->may_echo = bool_at(5);
	r->max_associations = (int) number_at(6);
	r->username = text_at(7);
	r->passcode_hash = text_at(8);
}

/* Run a query that gives the rows of a table; returns an array for them, zeroed. */
static void *
read_rows(const char *query, size_t size, int *n)
{
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read who may call");
	desc = SPI_tuptable->tupdesc;
	*n = (int) SPI_processed;
	return MemoryContextAllocZero(policy_context, Max(*n, 1) * size);
}

void
dgw_admission_load(void)
{
	if (policy_context == NULL)
		policy_context =
			AllocSetContextCreate(TopMemoryContext, "dicomgw admission", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(policy_context);
	n_listeners = n_remote_aes = 0;

	listeners = read_rows("SELECT id, accepts, ae_titles::text[], max_associations,"
						  " max_associations_per_ae, max_object_size, duplicates,"
						  " mismatch = 'store', transfer_syntaxes::text[] FROM dicomgw.listener",
						  sizeof(ListenerPolicy), &n_listeners);
	for (int i = 0; i < n_listeners; i++)
	{
		row = SPI_tuptable->vals[i];
		load_listener(&listeners[i]);
	}
	/* The smallest network first: the first row that fits is the one that counts. */
	remote_aes =
		read_rows("SELECT ae_title, network, enabled, may_store, may_echo, max_associations,"
				  " username, passcode FROM dicomgw.remote_ae"
				  " ORDER BY ae_title, masklen(network) DESC NULLS LAST",
				  sizeof(RemoteAe), &n_remote_aes);
	for (int i = 0; i < n_remote_aes; i++)
	{
		row = SPI_tuptable->vals[i];
		load_remote_ae(&remote_aes[i]);
	}
}

/* ---------- deciding ---------- */

static const ListenerPolicy *
find_listener(uint32 id)
{
	for (int i = 0; i < n_listeners; i++)
		if (listeners[i].id == id)
			return &listeners[i];
	return NULL;
}

static const RemoteAe *
find_remote_ae(const char *ae_title, const char *peer_address)
{
	Datum address = dgw_inet_of(peer_address);

	for (int i = 0; i < n_remote_aes; i++)
	{
		const RemoteAe *r = &remote_aes[i];

		if (strcmp(r->ae_title, ae_title) == 0 &&
			(r->network == NULL ||
			 DatumGetBool(DirectFunctionCall2(network_supeq, InetPGetDatum(r->network), address))))
			return r;
	}
	return NULL;
}

static bool
has_ae_title(const ListenerPolicy *l, const char *ae_title)
{
	for (int i = 0; i < l->n_ae_titles; i++)
		if (strcmp(l->ae_titles[i], ae_title) == 0)
			return true;
	return false;
}

static void reject(DgwDecision *d, const Rejection *why, const char *fmt, ...)
	pg_attribute_printf(3, 4);

static void
reject(DgwDecision *d, const Rejection *why, const char *fmt, ...)
{
	char detail[sizeof(d->reason)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	d->rejection = why->code;
	snprintf(d->reason, sizeof(d->reason), "%s: %s", why->words, detail);
}

/* True if all limits leave room for one more. */
static bool
is_within_limits(DgwDecision *d, const ListenerPolicy *l, const RemoteAe *r,
				 const DgwOpenCounts *open)
{
	if (open->total >= dgw_max_associations)
		reject(d, &congestion, "%d associations are open (dicomgw.max_associations)", open->total);
	else if (l->max_associations > 0 && open->listener >= l->max_associations)
		reject(d, &limit_exceeded, "%d associations are open here (listener.max_associations)",
			   open->listener);
	else if (r != NULL && r->max_associations > 0 && open->ae >= r->max_associations)
		reject(d, &limit_exceeded, "it has %d associations open (remote_ae.max_associations)",
			   open->ae);
	else if ((r == NULL || r->max_associations == 0) && l->max_associations_per_ae > 0 &&
			 open->listener_ae >= l->max_associations_per_ae)
		reject(d, &limit_exceeded,
			   "it has %d associations open here (listener.max_associations_per_ae)",
			   open->listener_ae);
	else
		return true;
	return false;
}

static bool
is_welcome(DgwDecision *d, const ListenerPolicy *l, const RemoteAe *r,
		   const DgwAssociationInfo *info, int identity_type)
{
	if (l->accepts != ACCEPTS_PROMISCUOUS && !has_ae_title(l, info->called_ae))
		reject(d, &called_not_recognised, "\"%s\"", info->called_ae);
	else if (r != NULL && !r->enabled)
		reject(d, &calling_not_recognised, "\"%s\" is not enabled in remote_ae", info->calling_ae);
	else if (r == NULL && l->accepts == ACCEPTS_KNOWN_CALLERS)
		reject(d, &calling_not_recognised, "\"%s\" from %s is not in remote_ae", info->calling_ae,
			   info->peer_address);
	else if (r != NULL && r->username != NULL && identity_type != IDENTITY_USERNAME &&
			 identity_type != IDENTITY_PASSCODE)
		reject(d, &identity_not_accepted, "\"%s\" presented no user name", info->calling_ae);
	else if (r != NULL && r->username != NULL && strcmp(r->username, info->username) != 0)
		reject(d, &identity_not_accepted, "\"%s\" presented another user name", info->calling_ae);
	else
		return true;
	return false;
}

static void
set_terms(DgwDecision *d, const ListenerPolicy *l, const RemoteAe *r)
{
	d->terms.may_store = r == NULL || r->may_store;
	d->terms.may_echo = r == NULL || r->may_echo;
	d->terms.keep_mismatch = l->keep_mismatch;
	d->terms.max_object_size = l->max_object_size;
	d->terms.passcode_hash =
		dgw_slice(r != NULL && r->passcode_hash != NULL ? r->passcode_hash : "");
	d->terms.n_transfer_syntaxes = Min(l->n_transfer_syntaxes, DGW_MAX_TRANSFER_SYNTAXES);
	for (uint32_t i = 0; i < d->terms.n_transfer_syntaxes; i++)
		d->terms.transfer_syntaxes[i] = dgw_slice(l->transfer_syntaxes[i]);
	d->duplicates = l->duplicates;
}

void
dgw_admission_decide(const DgwAssociationInfo *info, int identity_type, const DgwOpenCounts *open,
					 DgwDecision *decision)
{
	const ListenerPolicy *l = find_listener(info->listener_id);
	const RemoteAe *r = find_remote_ae(info->calling_ae, info->peer_address);

	memset(decision, 0, sizeof(*decision));
	if (l == NULL)
		reject(decision, &congestion, "the listener has just been removed");
	else if (is_welcome(decision, l, r, info, identity_type) &&
			 is_within_limits(decision, l, r, open))
	{
		decision->admitted = true;
		set_terms(decision, l, r);
	}
}
