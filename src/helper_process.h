/*-------------------------------------------------------------------------
 *
 * helper_process.h
 *	  Starting helper programs and talking with them (the worker's side).
 *
 * A helper is forked and exec'ed with nothing but stdin on /dev/null, our
 * stderr, and one end of a socket pair as descriptor 3.  It has no database
 * credentials and no shared memory; the kernel kills it when we die.  All
 * reading here is non-blocking: a worker never waits for a helper, and one that
 * breaks the protocol, or does not read what it is sent, is given up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_HELPER_PROCESS_H
#define DGW_HELPER_PROCESS_H

#include "protocol/message.h"

/* Our end of a conversation. */
typedef struct DgwChannel
{
	int fd;		  /* -1: closed */
	int epoll_fd; /* the epoll set that watches it, or -1 */
	DgwChannelKind kind;
	DgwFrameReader reader;
	DgwFrameWriter writer;
} DgwChannel;

extern void dgw_channel_open(DgwChannel *channel, int fd, DgwChannelKind kind);
extern void dgw_channel_close(DgwChannel *channel);

/*
 * Let an epoll set say when there is something to read, with this pointer.
 * dgw_channel_close() takes it out again by name: closing alone does not,
 * as long as any process still has a copy of the descriptor.
 */
extern void dgw_channel_watch(DgwChannel *channel, int epoll_fd, void *whose);

/* Read what is there, once.  DGW_READ_ERROR has been logged. */
extern DgwReadResult dgw_channel_fill(DgwChannel *channel);

/*
 * The next message that is complete: DGW_READ_OK, or DGW_READ_AGAIN.  One that
 * the table in message.h does not permit is DGW_READ_ERROR, and logged; LOG
 * messages are dealt with here.
 */
extern DgwReadResult dgw_channel_next(DgwChannel *channel, DgwFrame *frame);

/* A message that is permitted but not well-formed; logged. */
extern DgwReadResult dgw_channel_malformed(DgwChannel *channel, const DgwFrame *frame);

/* Send what the channel's writer holds, and empty it; false if the helper doesn't take it. */
extern bool dgw_channel_send(DgwChannel *channel);

/* The same, with a descriptor beside it. */
extern bool dgw_channel_send_fd(DgwChannel *channel, int pass_fd);

/* What a peer says in its own words may be anything; the database takes UTF-8 only.  palloc'ed. */
extern char *dgw_peer_words(DgwSlice words);

typedef struct DgwHelper
{
	const char *program; /* file name: "dicomgw-scp" */
	pid_t pid;			 /* 0: not running */
	bool greeted;		 /* its HELLO has come and is of our version */
	DgwChannel channel;
} DgwHelper;

/*
 * Start it; ERROR if that can't be done.  Our HELLO is in the channel's writer
 * and goes out with the first dgw_channel_send().
 */
extern void dgw_helper_start(DgwHelper *helper, const char *program, DgwChannelKind kind);

/* Check its HELLO; false if it is none, or (logged) of another version. */
extern bool dgw_helper_greet(DgwHelper *helper, DgwFrame *frame);

/*
 * For a backend that asks a helper one thing: wait for the answer of this type.
 * False if the helper ends, says something else, or takes too long.  The wait can
 * be cancelled.
 */
extern bool dgw_helper_await(DgwHelper *helper, uint16 type, long timeout_ms, DgwFrame *frame);

/*
 * Kill it if it still runs, close the channel, and reap it.  Returns how it
 * ended, palloc'ed: "exited with status 1", "was killed by signal 11".
 */
extern char *dgw_helper_stop(DgwHelper *helper);

#endif /* DGW_HELPER_PROCESS_H */
