/*-------------------------------------------------------------------------
 *
 * target.c
 *	  What the forwarder knows of a destination (see target.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lane.h"
#include "target.h"
#include "worker.h"

/* A further lane is tried when the peer has taken so many jobs a lane. */
#define SUCCESSES_PER_LANE 8

/* After a further lane was turned away, try no other for (ms). */
#define CROWDED_MS 60000

static dlist_head targets = DLIST_STATIC_INIT(targets);

dlist_head *
dgw_targets(void)
{
	return &targets;
}

DgwTarget *
dgw_target_find(int32 id)
{
	dlist_iter iter;

	dlist_foreach(iter, &targets)
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (target->id == id)
			return target;
	}
	return NULL;
}

/* ---------- from the database ---------- */

static DgwTarget *
new_target(int32 id)
{
	DgwTarget *target = MemoryContextAllocZero(TopMemoryContext, sizeof(DgwTarget));

	target->id = id;
	target->concurrency = 1;
	for (int i = 0; i < DGW_N_PRIORITIES; i++)
		target->cursor[i] = DGW_NO_JOB;
	target->context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw destination", ALLOCSET_SMALL_SIZES);
	dlist_push_tail(&targets, &target->node);
	return target;
}

/* What its senders are told; a new version if that is not what they were told before. */
static void
take_settings(DgwTarget *target)
{
	DgwFrameWriter writer = {0};

	dgw_destination_encode(&writer, &target->row, DGW_LANE_LINGER_MS);
	if (target->settings == NULL || writer.len != target->settings_len ||
		memcmp(writer.data, target->settings, writer.len) != 0)
	{
		if (target->settings != NULL)
			pfree(target->settings);
		target->settings = MemoryContextAlloc(TopMemoryContext, writer.len);
		memcpy(target->settings, writer.data, writer.len);
		target->settings_len = writer.len;
		target->version++;
	}
	dgw_writer_free(&writer);
}

static double
limit_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(tuple, desc, column, &isnull);

	return isnull ? 0 : DatumGetFloat8(value);
}

static void
read_target(HeapTuple tuple, TupleDesc desc)
{
	int column = DGW_N_DESTINATION_COLUMNS;
	bool isnull;
	int32 id = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));
	DgwTarget *target = dgw_target_find(id);
	Datum state;

	if (target == NULL)
		target = new_target(id);
	target->listed = true;
	MemoryContextReset(target->context);
	dgw_destination_read(&target->row, tuple, desc, target->context);
	take_settings(target);

	target->may_send = DatumGetBool(SPI_getbinval(tuple, desc, ++column, &isnull));
	state = SPI_getbinval(tuple, desc, ++column, &isnull);
	target->recorded = !isnull;
	target->state = isnull ? DGW_TARGET_UP : (DgwTargetState) DatumGetInt32(state);
	target->failures = DatumGetInt32(SPI_getbinval(tuple, desc, ++column, &isnull));
	target->next_probe_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, ++column, &isnull));
	dgw_pace_set(&target->pace, limit_column(tuple, desc, column + 1),
				 limit_column(tuple, desc, column + 2));

	if (target->state != DGW_TARGET_UP)
		target->on_trial = true;
	else if (target->failures == 0)
		target->on_trial = false;
	target->concurrency = Min(target->concurrency, target->row.max_associations);
}

void
dgw_targets_refresh(void)
{
	static SPIPlanPtr plan = NULL;
	SPITupleTable *rows;
	dlist_iter iter;

	dgw_plan(&plan,
			 "SELECT " DGW_DESTINATION_COLUMNS ", may_send, state, failures, next_probe_at,"
			 " max_objects_per_second, max_bytes_per_second FROM dicomgw.forward_target",
			 0, NULL);
	/* not as "read only": it is to see what this transaction has just recorded */
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.forward_target");
	rows = SPI_tuptable;
	dlist_foreach(iter, &targets) dlist_container(DgwTarget, node, iter.cur)->listed = false;
	for (uint64 i = 0; i < rows->numvals; i++)
		read_target(rows->vals[i], rows->tupdesc);
	SPI_freetuptable(rows);
}

void
dgw_targets_forget(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &targets)
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (target->listed || target->n_lanes > 0 || target->probing)
			continue;
		dlist_delete(&target->node);
		MemoryContextDelete(target->context);
		if (target->settings != NULL)
			pfree(target->settings);
		pfree(target);
	}
}

/* ---------- its part of the queue ---------- */

bool
dgw_target_open(const DgwTarget *target)
{
	return target->listed && target->may_send && target->state == DGW_TARGET_UP;
}

void
dgw_target_lower(DgwTarget *target, int priority, int64 id)
{
	Assert(priority >= 0 && priority < DGW_N_PRIORITIES);
	target->cursor[priority] = Min(target->cursor[priority], id);
}

bool
dgw_target_has_jobs(const DgwTarget *target)
{
	for (int i = 0; i < DGW_N_PRIORITIES; i++)
		if (target->cursor[i] != DGW_NO_JOB)
			return true;
	return false;
}

/* ---------- what its lanes make of it ---------- */

void
dgw_target_succeeded(DgwTarget *target)
{
	target->n_troubled = 0;
	target->on_trial = false;
	if (++target->successes < SUCCESSES_PER_LANE * target->concurrency ||
		target->concurrency >= target->row.max_associations ||
		target->n_lanes < target->concurrency || target->crowded_until > GetCurrentTimestamp())
		return;
	target->concurrency++;
	target->successes = 0;
}

bool
dgw_target_troubled(DgwTarget *target, int64 job, bool broken)
{
	bool known = false;

	target->successes = 0;
	for (int i = 0; i < target->n_troubled; i++)
		known = known || target->troubled[i] == job;
	if (!known && target->n_troubled < DGW_MOST_REFUSED)
		target->troubled[target->n_troubled++] = job;
	/* On trial it had one chance, and that was it. */
	return target->on_trial || target->n_troubled >= (broken ? DGW_MOST_BROKEN : DGW_MOST_REFUSED);
}

void
dgw_target_crowded(DgwTarget *target, int n_working)
{
	target->concurrency = Max(n_working, 1);
	target->successes = 0;
	target->crowded_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CROWDED_MS);
}

void
dgw_target_broken(DgwTarget *target)
{
	target->concurrency = Max(target->concurrency / 2, 1);
	target->successes = 0;
}
