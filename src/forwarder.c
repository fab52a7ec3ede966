/*-------------------------------------------------------------------------
 *
 * forwarder.c
 *	  The worker "dicomgw forwarder": the queue manager.
 *
 * One turn: read what the senders have said; then, in one short transaction,
 * record it, look for new jobs, and claim as many as the lanes have room for;
 * then hand them out.  No transaction is open while anything is on the
 * network.  Neither results nor claims wait for the disk: what a crash takes
 * back is sent once more, and at least once is the promise.
 *
 *	target.h		what is known of each destination
 *	queue_head.h	where its next jobs are
 *	lane.h			a sender program and the jobs that it holds
 *	job_results.h	writing down what the lanes say
 *	pace.h			how fast a destination may be sent to
 *
 * The active set is bounded: DGW_LANE_WINDOW jobs a lane, as many lanes to a
 * destination as it has earned (from one to max_associations), and
 * dicomgw.max_senders in all.  A destination that is down, paused, or whose
 * window is closed has none; when that happens its lanes are recalled.
 *
 * Senders that wait for an answer from a destination that may never give one
 * have a bound of their own, as large: however many destinations are dead,
 * those that are not have all of dicomgw.max_senders.
 *
 * All leases are the forwarder's: there is one forwarder, and it voids those
 * of its predecessor at its start, whose senders died with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "job_results.h"
#include "lane.h"
#include "queue_head.h"
#include "target.h"
#include "worker.h"

/* A lane whose association is not answered leaves its place to others after (ms). */
#define LANE_ANSWER_MS 1000

/* A lane without jobs is ended after (ms). */
#define LANE_IDLE_MS 30000

/* One that is always busy makes way for a destination that has none, after (ms). */
#define LANE_TURN_MS 30000

/* Read the destinations anew (ms). */
#define REFRESH_MS 500

/* Jobs of groups that are moved to another member at a time. */
#define PLACE_AT_A_TIME 2000

#define MAX_EVENTS 128

static int epoll_fd = -1;
static dlist_head lanes = DLIST_STATIC_INIT(lanes);
static int n_lanes;
static int n_unanswered; /* of these, at the beginning of the turn, and the probes since */
static MemoryContext turn_context;
static TimestampTz renewed_at;
static TimestampTz refreshed_at;
static uint64 refreshed_generation;
static uint64 n_sent;

static bool
is_time(TimestampTz since, int ms)
{
	return TimestampDifferenceExceeds(since, GetCurrentTimestamp(), ms);
}

/* ---------- lanes ---------- */

static void
open_lane(DgwTarget *target, bool probe)
{
	DgwLane *lane = dgw_lane_start(target, probe);

	dlist_push_tail(&lanes, &lane->node);
	n_lanes++;
	n_unanswered += probe;
	dgw_channel_watch(&lane->sender.channel, epoll_fd, lane);
}

static bool
is_unanswered(const DgwLane *lane)
{
	return lane->probe || (!lane->associated && is_time(lane->opened_at, LANE_ANSWER_MS));
}

static void
count_unanswered(void)
{
	dlist_iter iter;

	n_unanswered = 0;
	dlist_foreach(iter, &lanes) n_unanswered +=
		is_unanswered(dlist_container(DgwLane, node, iter.cur));
}

static int
count_working(const DgwTarget *target)
{
	dlist_iter iter;
	int n = 0;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		n += lane->target == target && lane->associated && !lane->retiring;
	}
	return n;
}

/*
 * A lane that fails before it was ever associated, beside others that work,
 * says that the destination takes no more of them, not that it is down.
 */
static void
end_lane(DgwLane *lane, DgwReports *reports)
{
	DgwTarget *target = lane->target;
	bool never_associated = !lane->associated && !lane->probe;
	int n_working;

	dlist_delete(&lane->node);
	n_lanes--;
	dgw_lane_end(lane, reports);

	n_working = never_associated ? count_working(target) : 0;
	if (n_working > 0)
	{
		ListCell *lc;

		foreach (lc, reports->news)
		{
			DgwNews *news = lfirst(lc);

			if (news->target == target && news->reason != NULL)
				reports->news = foreach_delete_current(reports->news, lc);
		}
		dgw_target_crowded(target, n_working);
	}
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

/* More than it may have: max_associations was lowered, or the peer takes fewer. */
static bool
has_too_many_lanes(const DgwTarget *target)
{
	dlist_iter iter;
	int n = 0;

	if (target->n_lanes <= target->concurrency)
		return false;
	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		n += lane->target == target && !lane->probe && !lane->retiring;
	}
	return n > target->concurrency;
}

/* End lanes that have nothing to do; recall those that should not do what they do. */
static void
retire_lanes(DgwReports *reports)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->probe)
			continue;
		if (!dgw_target_open(lane->target) || lane->version != lane->target->version ||
			has_too_many_lanes(lane->target))
			dgw_lane_recall(lane);
		if (lane->n_held == 0 && (lane->retiring || is_time(lane->busy_at, LANE_IDLE_MS)))
			end_lane(lane, reports);
	}
}

static void
flush_lanes(void)
{
	dlist_iter iter;

	dlist_foreach(iter, &lanes) dgw_lane_flush(dlist_container(DgwLane, node, iter.cur));
}

/*
 * All senders are in use, and a destination has none.  Another one gives up
 * one that idles, or its second, or, after a while, its only one.
 */
static void
make_way(void)
{
	DgwLane *idle = NULL;
	DgwLane *second = NULL;
	DgwLane *oldest = NULL;
	dlist_iter iter;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (is_unanswered(lane))
			continue; /* it has no place to give up */
		if (lane->retiring)
			return; /* there is one on its way out */
		if (lane->n_held == 0)
			idle = lane;
		if (second == NULL && lane->target->n_lanes > 1)
			second = lane;
		if (oldest == NULL) /* they are in the order in which they were opened */
			oldest = lane;
	}
	if (idle != NULL)
		dgw_lane_recall(idle);
	else if (second != NULL)
		dgw_lane_recall(second);
	else if (oldest != NULL && is_time(oldest->opened_at, LANE_TURN_MS))
		dgw_lane_recall(oldest);
}

/* ---------- claiming ---------- */

/* Where a job goes: the lane that has the series' jobs before it, else the one with the most room. */
static DgwLane *
choose_lane(const DgwTarget *target, int64 series_id)
{
	DgwLane *best = NULL;
	dlist_iter iter;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->target != target || dgw_lane_room(lane) == 0)
			continue;
		if (series_id != 0 && lane->series_id == series_id)
			return lane;
		if (best == NULL || dgw_lane_room(lane) > dgw_lane_room(best))
			best = lane;
	}
	return best;
}

static int
room_of(const DgwTarget *target)
{
	dlist_iter iter;
	int room = 0;
	int held = 0;

	dlist_foreach(iter, &lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		if (lane->target != target)
			continue;
		room += dgw_lane_room(lane);
		held += lane->n_held;
	}
	if (target->on_trial)
		return held == 0 ? Min(room, 1) : 0;
	return room;
}

/*
 * A further lane, if that may help: one to begin with, and others when those
 * there are all associated and full.
 */
static bool
add_lane(DgwTarget *target)
{
	if (target->n_lanes >= (target->on_trial ? 1 : target->concurrency) ||
		(target->n_lanes > 0 && count_working(target) < target->n_lanes))
		return false;
	if (n_lanes - Min(n_unanswered, dgw_max_senders) >= dgw_max_senders)
	{
		if (target->n_lanes == 0)
			make_way();
		return false;
	}
	open_lane(target, false);
	return true;
}

/* Jobs that were claimed in this turn, and have failed by that. */
static DgwReports not_edited;

static void
hand_out(DgwTarget *target, DgwClaimedJob *claimed, int n)
{
	for (int i = 0; i < n; i++)
	{
		DgwLane *lane;

		if (claimed[i].edit_error != NULL)
		{
			dgw_report_not_edited(&not_edited, target, &claimed[i].job, claimed[i].edit_error);
			continue;
		}
		lane = choose_lane(target, claimed[i].series_id);
		dgw_lane_add(lane, &claimed[i].job, claimed[i].priority);
		lane->series_id = claimed[i].series_id;
		dgw_pace_take(&target->pace, claimed[i].job.size);
	}
}

static void
serve_target(DgwTarget *target)
{
	while (dgw_target_open(target) && dgw_target_has_jobs(target))
	{
		int room = room_of(target);
		int limit = dgw_pace_allows(&target->pace, room > 0 ? room : 1);
		DgwClaimedJob *claimed;
		int n;

		if (limit == 0)
			return;
		if (room == 0)
		{
			if (!add_lane(target))
				return;
			continue;
		}
		n = dgw_queue_claim(target, limit, &claimed);
		hand_out(target, claimed, n);
		if (n < limit || limit < room)
			return;
	}
}

/* Each turn another destination is the first. */
static void
serve_targets(void)
{
	dlist_head *targets = dgw_targets();
	dlist_iter iter;

	dlist_foreach(iter, targets) serve_target(dlist_container(DgwTarget, node, iter.cur));
	if (!dlist_is_empty(targets))
		dlist_push_tail(targets, dlist_pop_head_node(targets));
}

/* ---------- destinations ---------- */

static void
refresh_targets(void)
{
	dgw_targets_refresh();
	refreshed_at = GetCurrentTimestamp();
	refreshed_generation = dgw_config_generation();
}

static void
start_probes(void)
{
	TimestampTz now = GetCurrentTimestamp();
	dlist_iter iter;

	dlist_foreach(iter, dgw_targets())
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (!target->listed || target->probing || target->state == DGW_TARGET_UP ||
			target->next_probe_at > now || n_unanswered >= dgw_max_senders)
			continue;
		dgw_probing_record(target);
		open_lane(target, true);
	}
}

/* Jobs of groups wait for a member that can take them. */
static void
place_jobs(void)
{
	static SPIPlanPtr plan = NULL;

	dgw_plan(&plan, "SELECT dicomgw._place_jobs($1)", 1, (Oid[]){INT4OID});
	if (SPI_execute_plan(plan, (Datum[]){Int32GetDatum(PLACE_AT_A_TIME)}, NULL, false, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not move jobs between the members of a group");
}

/* ---------- the worker ---------- */

static void
one_turn(DgwReports *reports)
{
	bool changed;

	dgw_begin("recording results and claiming jobs");
	n_sent += dgw_results_record(reports);
	dgw_results_release(reports);
	changed = dgw_news_record(reports);
	if (changed || refreshed_generation != dgw_config_generation() ||
		is_time(refreshed_at, REFRESH_MS))
		refresh_targets();
	if (is_time(renewed_at, DGW_LEASE_SECONDS * 1000 / 3))
	{
		dgw_leases_renew(&lanes);
		renewed_at = GetCurrentTimestamp();
	}
	dgw_queue_arrivals();
	if (dgw_queue_sweep())
	{
		place_jobs();
		dgw_concurrency_record();
	}
	serve_targets();
	(void) dgw_results_record(&not_edited);
	not_edited = (DgwReports){0};
	start_probes();
	dgw_commit();
	dgw_targets_forget();
}

/* How long nothing can be due (ms). */
static long
time_to_wait(void)
{
	long wait = Min(REFRESH_MS, dgw_queue_sweep_wait());
	dlist_iter iter;

	dlist_foreach(iter, dgw_targets())
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (dgw_target_open(target) && dgw_target_has_jobs(target))
		{
			long pace = dgw_pace_wait(&target->pace);

			if (pace > 0)
				wait = Min(wait, pace);
		}
	}
	return wait;
}

static void
show_idle(void)
{
	dlist_iter iter;
	int n_held = 0;

	dlist_foreach(iter, &lanes) n_held += dlist_container(DgwLane, node, iter.cur)->n_held;
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
	dgw_begin("voiding the leases of the forwarder before");
	dgw_leases_void();
	dgw_commit();

	for (;;)
	{
		TimestampTz began = GetCurrentTimestamp();

		(void) dgw_between_turns();
		MemoryContextSwitchTo(turn_context);
		read_lanes(&reports);
		retire_lanes(&reports);
		count_unanswered();
		one_turn(&reports);
		MemoryContextReset(turn_context);
		reports = (DgwReports){0};

		flush_lanes();
		show_idle();
		dgw_rest(began);
		dgw_wait(wait_set, time_to_wait());
	}
}
