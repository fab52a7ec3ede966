/*-------------------------------------------------------------------------
 *
 * job_results.h
 *	  Recording what the lanes have said: how jobs ended, which destinations
 *	  answer; and keeping the leases of what is still on its way.
 *
 * All in the forwarder's transaction, one statement a kind for all lanes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_JOB_RESULTS_H
#define DGW_JOB_RESULTS_H

#include "lane.h"

/*
 * Record how jobs ended; returns how many were sent.  A destination that takes
 * nothing any more is added to the news.
 */
extern int dgw_results_record(DgwReports *reports);

/* Give back jobs that were not tried. */
extern void dgw_results_release(const DgwReports *reports);

/* Record which destinations answer, and which don't; true if that changed anything. */
extern bool dgw_news_record(const DgwReports *reports);

/* This one is being asked. */
extern void dgw_probing_record(DgwTarget *target);

/* Prolong the leases of everything that the lanes hold. */
extern void dgw_leases_renew(dlist_head *lanes);

/* Void those of the forwarder before: its senders died with it. */
extern void dgw_leases_void(void);

/* Show how many associations each destination has, and may have. */
extern void dgw_concurrency_record(void);

#endif /* DGW_JOB_RESULTS_H */
