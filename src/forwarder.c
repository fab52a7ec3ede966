/*-------------------------------------------------------------------------
 *
 * forwarder.c
 *	  The worker "dicomgw forwarder": the queue manager.
 *
 * One turn: read what the senders have said; then, in one short transaction,
 * record results and answers, and claim more jobs for the lanes that have
 * room; then hand them out.  No transaction is open while anything is on the
 * network.  Neither results nor claims wait for the disk: what a crash takes
 * back is sent once more, and at least once is the promise.
 *
 * The active set is bounded: DGW_LANE_WINDOW jobs a lane, and as many lanes to
 * a destination as it allows.  A further lane is opened when those there are
 * full and jobs are left; if the destination turns it away while others work,
 * no further one is tried for a while.
 *
 * All leases are the forwarder's: there is one forwarder, and it voids those
 * of its predecessor at its start, whose senders died with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lane.h"
#include "worker.h"

/* A claim is good for so long unless renewed; it is renewed every third of that. */
#define LEASE_SECONDS 60

/* A lane without jobs is ended after (ms). */
#define LANE_IDLE_MS 30000

/* After a further lane was turned away, try no other for (ms). */
#define CROWDED_MS 60000

/* Look for jobs that have become due (backoff, probes) that often (ms). */
#define LOOK_INTERVAL_MS 1000

#define MAX_EVENTS 128

/* A destination that turned a further lane away. */
typedef struct Crowded
{
	int32 destination_id;
	int lanes; /* as many it does take */
	TimestampTz until;
} Crowded;

static int epoll_fd = -1;
static dlist_head lanes = DLIST_STATIC_INIT(lanes);
static List *crowded_destinations = NIL;
static MemoryContext turn_context;
static TimestampTz renewed_at;
static uint64 n_sent;

/* ---------- lanes ---------- */

static int
count_lanes(int32 destination_id, bool only_associated)
{
	dlist_iter iter;
	int n = 0;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		n += lane->destination_id == destination_id && !lane->retiring &&
			 (lane->associated || !only_associated);
	}
	return n;
}

static int
room_of(int32 destination_id)
{
	dlist_iter iter;
	int room = 0;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->destination_id == destination_id)
			room += dgw_lane_room(lane);
	}
	return room;
}

static Crowded *
find_crowded(int32 destination_id)
{
	ListCell *lc;

	foreach (lc, crowded_destinations)
		if (((Crowded *) lfirst(lc))->destination_id == destination_id)
			return lfirst(lc);
	return NULL;
}

static void
note_crowded(int32 destination_id, int n_lanes)
{
	Crowded *crowded = find_crowded(destination_id);

	if (crowded == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		crowded = palloc(sizeof(Crowded));
		crowded->destination_id = destination_id;
		crowded_destinations = lappend(crowded_destinations, crowded);
		MemoryContextSwitchTo(caller);
	}
	crowded->lanes = n_lanes;
	crowded->until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CROWDED_MS);
}

/* How many lanes a destination may have now. */
static int
lane_limit(const DgwDestinationRow *destination)
{
	Crowded *crowded = find_crowded(destination->id);

	if (crowded == NULL || crowded->until < GetCurrentTimestamp())
		return destination->max_associations;
	return Min(destination->max_associations, crowded->lanes);
}

static void
open_lane(const DgwDestinationRow *destination)
{
	DgwLane *lane = dgw_lane_start(destination, dgw_config_generation());

	dlist_push_tail(&lanes, &lane->node);
	dgw_channel_watch(&lane->sender.channel, epoll_fd, lane);
}

/*
 * A lane that fails before it was ever associated, beside others that work,
 * says that the destination takes no more of them, not that it is down.
 */
static void
end_lane(DgwLane *lane, DgwReports *reports)
{
	int others;

	dlist_delete(&lane->node);
	others = count_lanes(lane->destination_id, true);
	if (!lane->associated && others > 0)
	{
		ListCell *lc;

		foreach (lc, reports->answers)
			if (((DgwAnswer *) lfirst(lc))->destination_id == lane->destination_id)
				reports->answers = foreach_delete_current(reports->answers, lc);
		note_crowded(lane->destination_id, others);
	}
	dgw_lane_end(lane, reports);
}

static void
read_lanes(DgwReports *reports)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(epoll_fd, events, MAX_EVENTS, 0);

	for (int i = 0; i < n; i++)
	{
		DgwLane *lane = events[i].data.ptr;

		if (!dgw_lane_read(lane, reports))
			end_lane(lane, reports);
	}
}

/* End lanes that have nothing to do, and those of an older configuration once they are empty. */
static void
retire_lanes(DgwReports *reports)
{
	uint64 generation = pg_atomic_read_u64(&dgw_shared->config_generation);
	TimestampTz now = GetCurrentTimestamp();
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->config_generation != generation)
			lane->retiring = true;
		if (lane->n_held == 0 &&
			(lane->retiring || TimestampDifferenceExceeds(lane->busy_at, now, LANE_IDLE_MS)))
			end_lane(lane, reports);
	}
}

/* ---------- recording ---------- */

typedef struct JobArrays
{
	ArrayBuildState *id;
	ArrayBuildState *token;
} JobArrays;

static ArrayBuildState *
append(ArrayBuildState *array, Datum value, Oid type)
{
	return accumArrayResult(array, value, false, type, CurrentMemoryContext);
}

static void
record_results(List *jobs)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *arrays[6] = {NULL};
	Datum parameters[6];
	ListCell *lc;
	bool isnull;

	foreach (lc, jobs)
	{
		DgwReport *r = lfirst(lc);

		if (r->release)
			continue;
		arrays[0] = append(arrays[0], Int64GetDatum(r->id), INT8OID);
		arrays[1] = append(arrays[1], Int64GetDatum(r->token), INT8OID);
		arrays[2] = append(arrays[2], Int32GetDatum(r->outcome), INT4OID);
		arrays[3] = append(arrays[3], Int32GetDatum(r->status), INT4OID);
		arrays[4] = append(arrays[4], CStringGetTextDatum(r->comment), TEXTOID);
		arrays[5] = append(arrays[5], Int64GetDatum((int64) r->duration_us), INT8OID);
	}
	if (arrays[0] == NULL)
		return;
	for (int i = 0; i < 6; i++)
		parameters[i] = makeArrayResult(arrays[i], CurrentMemoryContext);
	dgw_plan(&plan, "SELECT sent FROM dicomgw._record_results($1, $2, $3, $4, $5, $6)", 6,
			 (Oid[]){INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
					 INT8ARRAYOID});
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record results");
	n_sent +=
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* dicomgw._release() or _renew() for many jobs. */
static void
execute_for_jobs(SPIPlanPtr *plan, const char *sql, JobArrays *arrays)
{
	Datum parameters[2];

	if (arrays->id == NULL)
		return;
	parameters[0] = makeArrayResult(arrays->id, CurrentMemoryContext);
	parameters[1] = makeArrayResult(arrays->token, CurrentMemoryContext);
	dgw_plan(plan, sql, 2, (Oid[]){INT8ARRAYOID, INT8ARRAYOID});
	if (SPI_execute_plan(*plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
}

static void
release_jobs(List *jobs)
{
	static SPIPlanPtr plan = NULL;
	JobArrays arrays = {0};
	ListCell *lc;

	foreach (lc, jobs)
	{
		DgwReport *r = lfirst(lc);

		if (!r->release)
			continue;
		arrays.id = append(arrays.id, Int64GetDatum(r->id), INT8OID);
		arrays.token = append(arrays.token, Int64GetDatum(r->token), INT8OID);
	}
	execute_for_jobs(&plan, "SELECT dicomgw._release($1, $2)", &arrays);
}

static void
record_answers(List *answers)
{
	static SPIPlanPtr plan = NULL;
	ListCell *lc;

	foreach (lc, answers)
	{
		DgwAnswer *answer = lfirst(lc);
		Datum parameters[2] = {Int32GetDatum(answer->destination_id),
							   answer->reason ? CStringGetTextDatum(answer->reason) : (Datum) 0};

		dgw_plan(&plan, "SELECT dicomgw._destination_answered($1, $2)", 2,
				 (Oid[]){INT4OID, TEXTOID});
		if (SPI_execute_plan(plan, parameters, answer->reason ? "  " : " n", false, 1) !=
			SPI_OK_SELECT)
			elog(ERROR, "could not record the state of a destination");
	}
}

/* Prolong the leases of everything that the lanes hold. */
static void
renew_leases(void)
{
	static SPIPlanPtr plan = NULL;
	JobArrays arrays = {0};
	dlist_iter iter;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		for (int i = 0; i < lane->n_held; i++)
		{
			arrays.id = append(arrays.id, Int64GetDatum(lane->held[i].id), INT8OID);
			arrays.token = append(arrays.token, Int64GetDatum(lane->held[i].token), INT8OID);
		}
	}
	execute_for_jobs(
		&plan, "SELECT dicomgw._renew($1, $2, interval '" CppAsString2(LEASE_SECONDS) " seconds')",
		&arrays);
	renewed_at = GetCurrentTimestamp();
}

/* ---------- claiming ---------- */

static DgwSlice
text_slice(HeapTuple tuple, TupleDesc desc, int column)
{
	return dgw_slice(SPI_getvalue(tuple, desc, column));
}

static int64
int8_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetInt64(SPI_getbinval(tuple, desc, column, &isnull));
}

/* The lane of a destination that has the most room, or NULL. */
static DgwLane *
roomiest_lane(int32 destination_id)
{
	DgwLane *best = NULL;
	dlist_iter iter;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->destination_id == destination_id && dgw_lane_room(lane) > 0 &&
			(best == NULL || dgw_lane_room(lane) > dgw_lane_room(best)))
			best = lane;
	}
	return best;
}

static void
hand_out(int32 destination_id, HeapTuple tuple, TupleDesc desc)
{
	DgwJob job = {
		.id = (uint64) int8_column(tuple, desc, 1),
		.token = (uint64) int8_column(tuple, desc, 2),
		.path = text_slice(tuple, desc, 3),
		.sop_class_uid = text_slice(tuple, desc, 4),
		.sop_instance_uid = text_slice(tuple, desc, 5),
		.transfer_syntax_uid = text_slice(tuple, desc, 6),
		.size = (uint64) int8_column(tuple, desc, 7),
	};
	bool isnull;
	bytea *sha256 = DatumGetByteaPP(SPI_getbinval(tuple, desc, 8, &isnull));

	memcpy(job.sha256, VARDATA_ANY(sha256), Min(VARSIZE_ANY_EXHDR(sha256), DGW_SHA256_LEN));
	dgw_lane_add(roomiest_lane(destination_id), &job);
}

/* Claim as many jobs of a destination as its lanes have room for; returns how many. */
static uint64
claim_for(int32 destination_id, int room)
{
	static SPIPlanPtr plan = NULL;
	SPITupleTable *rows;

	dgw_plan(
		&plan,
		"SELECT * FROM dicomgw._claim($1, $2, interval '" CppAsString2(LEASE_SECONDS) " seconds')",
		2, (Oid[]){INT4OID, INT4OID});
	if (SPI_execute_plan(plan, (Datum[]){Int32GetDatum(destination_id), Int32GetDatum(room)}, NULL,
						 false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not claim jobs");
	rows = SPI_tuptable;
	for (uint64 i = 0; i < rows->numvals; i++)
		hand_out(destination_id, rows->vals[i], rows->tupdesc);
	return rows->numvals;
}

/*
 * Fill the lanes of one destination, opening further ones as long as that
 * helps.  A destination that has not been associated with yet gets one lane:
 * it may be down, and then one refusal is enough.
 */
static void
serve_destination(const DgwDestinationRow *destination)
{
	for (;;)
	{
		int n_lanes = count_lanes(destination->id, false);
		int room = room_of(destination->id);

		if (room == 0)
		{
			if (n_lanes >= lane_limit(destination) ||
				(n_lanes > 0 && count_lanes(destination->id, true) < n_lanes))
				return;
			open_lane(destination);
			room = DGW_LANE_WINDOW;
		}
		if (claim_for(destination->id, room) < (uint64) room)
			return;
	}
}

static void
claim_jobs(void)
{
	static SPIPlanPtr plan = NULL;
	SPITupleTable *rows;

	dgw_plan(&plan, "SELECT " DGW_DESTINATION_COLUMNS " FROM dicomgw._destinations_due()", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for destinations with jobs");
	rows = SPI_tuptable;
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		DgwDestinationRow destination;

		dgw_destination_read(&destination, rows->vals[i], rows->tupdesc, turn_context);
		serve_destination(&destination);
	}
}

/* ---------- the worker ---------- */

static bool
is_time(TimestampTz since, int ms)
{
	return TimestampDifferenceExceeds(since, GetCurrentTimestamp(), ms);
}

static void
flush_lanes(DgwReports *reports)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (!dgw_lane_flush(lane))
			end_lane(lane, reports);
	}
}

static void
one_turn(DgwReports *reports)
{
	dgw_begin("recording results and claiming jobs");
	record_results(reports->jobs);
	release_jobs(reports->jobs);
	record_answers(reports->answers);
	if (is_time(renewed_at, LEASE_SECONDS * 1000 / 3))
		renew_leases();
	claim_jobs();
	dgw_commit();
}

static void
void_old_leases(void)
{
	static SPIPlanPtr plan = NULL;

	dgw_begin("voiding the leases of the forwarder before");
	dgw_plan(&plan, "SELECT dicomgw._release_all()", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not void old leases");
	dgw_commit();
}

static void
show_idle(void)
{
	dlist_iter iter;
	int n_lanes = 0;
	int n_held = 0;

	dlist_foreach(iter, &lanes)
	{
		n_lanes++;
		n_held += dlist_container(DgwLane, node, iter.cur)->n_held;
	}
	dgw_idle("%d sender(s) with %d job(s); " UINT64_FORMAT " sent", n_lanes, n_held, n_sent);
}

void
dgw_forwarder_run(void)
{
	WaitEventSet *wait_set;
	DgwReports reports = {0};

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create epoll set: %m")));
	turn_context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw forwarder turn", ALLOCSET_DEFAULT_SIZES);
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
	wait_set = dgw_wait_set(epoll_fd);
	void_old_leases();

	for (;;)
	{
		(void) dgw_between_turns();
		MemoryContextSwitchTo(turn_context);
		read_lanes(&reports);
		retire_lanes(&reports);
		one_turn(&reports);
		MemoryContextReset(turn_context);
		reports = (DgwReports){0};

		MemoryContextSwitchTo(turn_context);
		flush_lanes(&reports);
		show_idle();
		dgw_wait(wait_set, reports.jobs != NIL ? 0 : LOOK_INTERVAL_MS);
	}
}
