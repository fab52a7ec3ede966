/*-------------------------------------------------------------------------
 *
 * worker_channel.h
 *	  A helper program's end of its channel to a background worker.
 *
 * The messages themselves and what may be said on which kind of channel are
 * in protocol/message.h; this is the descriptor and the buffers, and lets
 * nothing in that the table of permitted messages does not have.  A helper
 * speaks to one worker at a time and has nothing else to do while it waits
 * for it, so sending blocks.
 *
 * The channel is also how a helper learns that it is alone: end of file or an
 * error means that the worker is gone, and then the helper has to go too,
 * because nobody is left to keep the promises it would make.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_WORKER_CHANNEL_H
#define DGW_WORKER_CHANNEL_H

#include <stdarg.h>
#include <sys/types.h>

#include "../protocol/message.h"

#ifdef __cplusplus
extern "C"
{
#endif

	typedef struct DgwWorkerChannel
	{
		int fd;
		DgwChannelKind kind;
		DgwFrameReader reader;
		DgwFrameWriter writer;
	} DgwWorkerChannel;

	/* Takes the descriptor over: blocking and close-on-exec from here on. */
	extern void dgw_worker_channel_open(DgwWorkerChannel *channel, int fd, DgwChannelKind kind);

	/* Gives the descriptor up without closing the connection for other holders. */
	extern void dgw_worker_channel_close(DgwWorkerChannel *channel);
	extern void dgw_worker_channel_free(DgwWorkerChannel *channel);

	/*
	 * Say HELLO and wait for the worker's.  False, with a line on stderr, if
	 * the worker is gone or speaks another version of the protocol.
	 */
	extern bool dgw_worker_channel_hello(DgwWorkerChannel *channel, const char *program);

	/*
	 * The next message, permitted in kind and length, valid until the next
	 * one.  DGW_READ_AGAIN: nothing within timeout_ms (-1: wait forever).
	 * Frames already buffered are not seen by poll() on fd: call it until it
	 * says DGW_READ_AGAIN.
	 */
	extern DgwReadResult dgw_worker_channel_receive(DgwWorkerChannel *channel, DgwFrame *frame,
													int timeout_ms);

	/*
	 * HELLO, and the first message of a program that serves one request.  False:
	 * its work is over, with this exit status (0: the worker wants nothing).
	 */
	extern bool dgw_worker_channel_first(DgwWorkerChannel *channel, const char *program,
										 DgwFrame *frame, int *exit_status);

	/* Where the messages to be sent next are encoded to. */
	extern DgwFrameWriter *dgw_worker_channel_begin(DgwWorkerChannel *channel);

	/* Send them; false: the worker is gone. */
	extern bool dgw_worker_channel_send(DgwWorkerChannel *channel, int pass_fd);

	/* One line for the server's log, without patient data. */
	extern void dgw_worker_channel_log(DgwWorkerChannel *channel, DgwLogLevel level,
									   const char *format, ...)
		__attribute__((format(printf, 3, 4)));
	extern void dgw_worker_channel_vlog(DgwWorkerChannel *channel, DgwLogLevel level,
										const char *format, va_list args)
		__attribute__((format(printf, 3, 0)));

	/*
	 * Be killed when the parent dies.  expected_parent is who the parent was at
	 * the time of the fork (or, after an exec, getppid() as first thing): if it
	 * has died in between, exit at once.
	 */
	extern void dgw_die_with_parent(pid_t expected_parent);

#ifdef __cplusplus
}
#endif

#endif /* DGW_WORKER_CHANNEL_H */
