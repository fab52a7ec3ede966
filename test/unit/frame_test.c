/*-------------------------------------------------------------------------
 *
 * frame_test.c
 *	  Frames over a socket: in pieces, too long, with descriptors beside them.
 *
 * Speaks TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "samples.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
open_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
	{
		perror("could not make a socket pair");
		exit(1);
	}
}

/* Every message, written a few bytes at a time, comes out whole and in order. */
static void
test_pieces(void)
{
	int pair[2];
	DgwFrameWriter w = {0};
	DgwFrameReader r;
	DgwFrame f;
	size_t at = 0;
	uint16_t expected = 1;
	bool in_order = true;

	open_pair(pair);
	dgw_reader_init(&r);
	for (uint16_t type = 1; type <= LAST_TYPE; type++)
		if (!encode_sample(&w, type))
			in_order = false;
	while (at < w.len)
	{
		size_t n = w.len - at < 7 ? w.len - at : 7;

		if (write(pair[0], w.data + at, n) != (ssize_t) n ||
			dgw_reader_fill(&r, pair[1]) != DGW_READ_OK)
			in_order = false;
		at += n;
		while (dgw_reader_next(&r, &f) == DGW_READ_OK)
			if (f.type != expected++ || !decode_sample(&f, NULL))
				in_order = false;
	}
	ok(in_order && expected == LAST_TYPE + 1, "frames in pieces of seven bytes are put together");

	close(pair[0]);
	ok(dgw_reader_fill(&r, pair[1]) == DGW_READ_EOF, "the end of the stream is seen");
	close(pair[1]);
	dgw_reader_free(&r);
	dgw_writer_free(&w);
}

static bool
head_is_refused(uint32_t length, uint16_t zero)
{
	int pair[2];
	DgwFrameReader r;
	DgwFrame f;
	char head[DGW_FRAME_HEAD_SIZE];
	uint16_t type = DGW_MSG_LOG;
	bool refused;

	open_pair(pair);
	dgw_reader_init(&r);
	memcpy(head, &length, sizeof(length));
	memcpy(head + 4, &type, sizeof(type));
	memcpy(head + 6, &zero, sizeof(zero));
	refused = write(pair[0], head, sizeof(head)) == (ssize_t) sizeof(head) &&
			  dgw_reader_fill(&r, pair[1]) == DGW_READ_OK &&
			  dgw_reader_next(&r, &f) == DGW_READ_ERROR && errno == EPROTO;
	close(pair[0]);
	close(pair[1]);
	dgw_reader_free(&r);
	return refused;
}

static void
test_oversize(void)
{
	DgwFrameWriter w = {0};
	char *big = calloc(1, DGW_FRAME_MAX_PAYLOAD);
	DgwSlice too_big = {big, DGW_FRAME_MAX_PAYLOAD};
	DgwLog log = {DGW_LOG_INFO, too_big};

	ok(head_is_refused(DGW_FRAME_MAX_PAYLOAD + 1, 0), "a frame announced too long is refused");
	ok(head_is_refused(UINT32_MAX, 0), "also at the far end of the range");
	ok(head_is_refused(0, 1), "a head whose last field is not zero is refused");

	ok(big != NULL && !dgw_encode_log(&w, &log), "a payload that is too long is not encoded");
	errno = 0;
	ok(!dgw_writer_send(&w, -1, -1) && errno == EMSGSIZE, "and nothing of it is sent");
	dgw_writer_reset(&w);
	ok(dgw_encode_echo(&w), "the writer can be used again after a reset");
	dgw_writer_free(&w);
	free(big);
}

static void
test_full_socket(void)
{
	int pair[2];
	DgwFrameWriter w = {0};
	bool gave_up = false;

	open_pair(pair);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 100000 && !gave_up; i++)
	{
		dgw_writer_reset(&w);
		if (!encode_sample(&w, DGW_MSG_RECEIVED) || !dgw_writer_send(&w, pair[0], -1))
			gave_up = errno == EAGAIN;
	}
	ok(gave_up, "a peer that does not read is an error, not a wait");
	close(pair[1]);
	ok(!dgw_writer_send(&w, pair[0], -1) && errno == EPIPE,
	   "a peer that is gone raises no SIGPIPE");
	close(pair[0]);
	dgw_writer_free(&w);
}

/* ---------- descriptors beside the bytes ---------- */

static void
test_passed_descriptor(void)
{
	int pair[2];
	int pipe_fds[2];
	int fd;
	char byte = 'x';
	DgwFrameWriter w = {0};
	DgwFrameReader r;
	DgwFrame f;

	open_pair(pair);
	dgw_reader_init(&r);
	if (pipe(pipe_fds) != 0)
		exit(1);

	ok(encode_sample(&w, DGW_MSG_ASSOCIATION) && dgw_writer_send(&w, pair[0], pipe_fds[1]),
	   "a descriptor is sent beside a frame");
	ok(dgw_reader_fill(&r, pair[1]) == DGW_READ_OK && dgw_reader_next(&r, &f) == DGW_READ_OK &&
		   f.type == DGW_MSG_ASSOCIATION,
	   "the frame arrives");
	fd = dgw_reader_take_fd(&r);
	ok(fd >= 0 && write(fd, &byte, 1) == 1 && read(pipe_fds[0], &byte, 1) == 1,
	   "the descriptor with it, and it works");
	ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "it does not survive an exec");
	ok(dgw_reader_take_fd(&r) == -1, "it can be fetched only once");
	close(fd);

	/* One that is never fetched, then a second one: a protocol error, and no leak. */
	dgw_writer_send(&w, pair[0], pipe_fds[1]);
	ok(dgw_reader_fill(&r, pair[1]) == DGW_READ_OK, "a descriptor waits to be fetched");
	dgw_writer_send(&w, pair[0], pipe_fds[1]);
	ok(dgw_reader_fill(&r, pair[1]) == DGW_READ_ERROR && errno == EPROTO,
	   "another one meanwhile is a protocol error");
	dgw_reader_free(&r);
	close(pipe_fds[1]);
	ok(read(pipe_fds[0], &byte, 1) == 0, "no copy of it was left open");

	close(pipe_fds[0]);
	close(pair[0]);
	close(pair[1]);
	dgw_writer_free(&w);
}

/* How many descriptors are open. */
static int
open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* Two in one message, as nobody of ours sends them: refused, and none is left open. */
static void
test_two_descriptors_at_once(void)
{
	union
	{
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
						 .msg_iovlen = 1,
						 .msg_control = control.space,
						 .msg_controllen = sizeof(control.space)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2];
	int before;
	DgwFrameReader r;

	open_pair(pair);
	dgw_reader_init(&r);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(cmsg), pair, 2 * sizeof(int));
	before = open_descriptors();
	ok(sendmsg(pair[0], &msg, 0) == 1 && dgw_reader_fill(&r, pair[1]) == DGW_READ_ERROR &&
		   errno == EPROTO,
	   "two descriptors at once are a protocol error");
	dgw_reader_free(&r);
	ok(open_descriptors() == before, "and neither is left open");
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	test_pieces();
	test_oversize();
	test_full_socket();
	test_passed_descriptor();
	test_two_descriptors_at_once();
	return done();
}
