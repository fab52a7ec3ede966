/*-------------------------------------------------------------------------
 *
 * stow_sender.h
 *	  The jobs of dicomgw-stow: what is sent next, and what the worker hears.
 *
 * The worker keeps a number of jobs outstanding; they wait here in the order
 * in which they came.  Those that are there when a request begins go into it
 * together (stow_request.h says which may), and each is answered with one
 * RESULT, or all that are left with one ASSOCIATION_FAILED, after which the
 * program ends.
 *
 *		                 JOB          answered
 *		wait ------------------> request ------> a RESULT each --> wait
 *		                          |    ^
 *		    it broke, or leaves   |    |  one instance
 *		    open what was stored  |    |  alone
 *		                          +----+
 *		                          |
 *		                          v   no connection, broke with one instance alone,
 *		           ASSOCIATION_FAILED  or an answer that concerns the whole server
 *
 * ASSOCIATED is said once: when the server has first answered a request in a
 * way that concerns objects, which shows that it is there and lets us in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STOW_SENDER_H
#define DGW_STOW_SENDER_H

#include "http_client.h"
#include "stow_request.h"
#include "worker_channel.h"

typedef struct DgwStowSender
{
	DgwWorkerChannel *channel;
	DgwHttpClient *client;
	uint32_t linger; /* ms that an idle connection is kept */
	unsigned batch;	 /* most instances in a request */
	TAILQ_HEAD(DgwStowQueue, DgwStowJob) queue;
	DgwStowRequest request;
	bool asked;		 /* something, of the server */
	bool associated; /* said so to the worker */
	bool finished;
	int exit_status;
} DgwStowSender;

/* Until the worker closes the channel or the server fails; the exit status. */
extern int dgw_stow_run(DgwWorkerChannel *channel, DgwHttpClient *client,
						const DgwDestination *destination, const char *storage_path);

/* Ask the server whether it is there and lets us in, and tell the worker. */
extern void dgw_stow_echo(DgwWorkerChannel *channel, DgwHttpClient *client);

#endif /* DGW_STOW_SENDER_H */
