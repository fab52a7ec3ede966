/*-------------------------------------------------------------------------
 *
 * frame_test.c
 *	  The protocol between workers and helper programs, taken apart.
 *
 * Every message goes round; each is then cut short at every byte, given a
 * byte too many, and followed by random garbage: a decoder must refuse, or
 * stay inside the frame, which AddressSanitizer watches (each payload is
 * copied to a block of exactly its size).  Then frames over a real socket:
 * in pieces, too long, with a descriptor beside them.
 *
 * Speaks TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int tests_run;
static int tests_failed;

static void
ok(bool passed, const char *name)
{
	tests_run++;
	if (!passed)
		tests_failed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests_run, name);
	fflush(stdout);
}

/* ---------- one sample of every message ---------- */

static DgwSlice
slice(const char *text)
{
	DgwSlice s = {text, strlen(text)};

	return s;
}

#define UID_CT slice("1.2.840.10008.5.1.4.1.1.2")
#define UID_INSTANCE slice("1.2.3.4.5")
#define UID_IMPLICIT slice("1.2.840.10008.1.2")

static const uint8_t some_sha256[DGW_SHA256_LEN] = {0xde, 0xad, [31] = 0xff};

static bool
encode_config(DgwFrameWriter *w)
{
	DgwConfig *m = calloc(1, sizeof(*m));
	bool encoded;

	if (m == NULL)
		return false;
	m->storage_path = slice("/var/lib/images");
	m->max_associations = 100;
	m->n_listeners = 2;
	for (uint32_t i = 0; i < m->n_listeners; i++)
	{
		m->listeners[i].id = i + 1;
		m->listeners[i].bind_address = slice("127.0.0.1");
		m->listeners[i].port = (uint16_t) (11112 + i);
		m->listeners[i].ae_title = slice("DICOMGW");
		m->listeners[i].max_pdu = 131072;
		m->listeners[i].association_timeout = 30;
		m->listeners[i].idle_timeout = 60;
	}
	encoded = dgw_encode_config(w, m);
	free(m);
	return encoded;
}

static bool
encode_received(DgwFrameWriter *w)
{
	DgwReceived m = {.seq = 7,
					 .path = slice("2026/11/23/abc/0001.dcm"),
					 .sop_class_uid = UID_CT,
					 .sop_instance_uid = UID_INSTANCE,
					 .transfer_syntax_uid = UID_IMPLICIT,
					 .size = UINT64_MAX,
					 .header = slice("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"CT\"]}}"),
					 .header_error = slice("")};

	memcpy(m.sha256, some_sha256, sizeof(m.sha256));
	return dgw_encode_received(w, &m);
}

static bool
encode_job(DgwFrameWriter *w)
{
	DgwJob m = {.id = 1,
				.token = 2,
				.path = slice("2026/11/23/abc/0001.dcm"),
				.sop_class_uid = UID_CT,
				.sop_instance_uid = UID_INSTANCE,
				.transfer_syntax_uid = UID_IMPLICIT,
				.size = 524288};

	memcpy(m.sha256, some_sha256, sizeof(m.sha256));
	return dgw_encode_job(w, &m);
}

/* Appends the sample of this type. */
static bool
encode_sample(DgwFrameWriter *w, uint16_t type)
{
	DgwHello hello = {DGW_PROTOCOL_VERSION, slice("dicomgw-scp 0.1.0")};
	DgwLog log = {DGW_LOG_WARNING, slice("peer closed the connection")};
	DgwListenerState state = {3, 1, slice("")};
	DgwAssociation association = {3, 4711, slice("::1"), 40000};
	DgwOpened opened = {slice("CT1"), slice("DICOMGW"), slice("1.2.3"), slice("CT_1_0")};
	DgwCommitted committed = {7};
	DgwRefused refused = {7, 0xA700, slice("out of space")};
	DgwClosed closed = {DGW_CLOSE_RELEASED, 12, slice("")};
	DgwDestination destination = {
		slice("pacs"),			 104, slice("DICOMGW"), slice("PACS"), 16384, 5, 10, 30, 500,
		slice("/var/lib/images")};
	DgwAssociated associated = {4, 3, slice("1.2.3"), slice("PACS_1")};
	DgwResult result = {1, 2, DGW_OUTCOME_RESPONSE, 0xB000, slice("coerced"), 900};
	DgwAssociationFailed failed = {DGW_FAIL_REJECTED, 1, 1, 1, 7, slice("called AE title")};
	DgwEchoResult echo = {1, 0, 700, 90, 16384, slice("1.2.3 PACS_1"), slice("")};

	switch ((DgwMessageType) type)
	{
		case DGW_MSG_HELLO:
			return dgw_encode_hello(w, &hello);
		case DGW_MSG_LOG:
			return dgw_encode_log(w, &log);
		case DGW_MSG_CONFIG:
			return encode_config(w);
		case DGW_MSG_LISTENER_STATE:
			return dgw_encode_listener_state(w, &state);
		case DGW_MSG_ASSOCIATION:
			return dgw_encode_association(w, &association);
		case DGW_MSG_OPENED:
			return dgw_encode_opened(w, &opened);
		case DGW_MSG_RECEIVED:
			return encode_received(w);
		case DGW_MSG_COMMITTED:
			return dgw_encode_committed(w, &committed);
		case DGW_MSG_REFUSED:
			return dgw_encode_refused(w, &refused);
		case DGW_MSG_CLOSED:
			return dgw_encode_closed(w, &closed);
		case DGW_MSG_DESTINATION:
			return dgw_encode_destination(w, &destination);
		case DGW_MSG_JOB:
			return encode_job(w);
		case DGW_MSG_ASSOCIATED:
			return dgw_encode_associated(w, &associated);
		case DGW_MSG_RESULT:
			return dgw_encode_result(w, &result);
		case DGW_MSG_ASSOCIATION_FAILED:
			return dgw_encode_association_failed(w, &failed);
		case DGW_MSG_ECHO:
			return dgw_encode_echo(w);
		case DGW_MSG_ECHO_RESULT:
			return dgw_encode_echo_result(w, &echo);
	}
	return false;
}

#define LAST_TYPE DGW_MSG_ECHO_RESULT

/*
 * Decode a frame of this type and, if asked to, encode it anew: what goes in
 * must come out.  The struct is on the heap for ASan to see overruns.
 */
#define DECODE(type_name, verb)                                                                    \
	do                                                                                             \
	{                                                                                              \
		type_name *m = calloc(1, sizeof(*m));                                                      \
		bool decoded = m != NULL && dgw_decode_##verb(f, m);                                       \
		if (decoded && again != NULL)                                                              \
			decoded = dgw_encode_##verb(again, m);                                                 \
		free(m);                                                                                   \
		return decoded;                                                                            \
	} while (0)

static bool
decode_sample(DgwFrame *f, DgwFrameWriter *again)
{
	switch ((DgwMessageType) f->type)
	{
		case DGW_MSG_HELLO:
			DECODE(DgwHello, hello);
		case DGW_MSG_LOG:
			DECODE(DgwLog, log);
		case DGW_MSG_CONFIG:
			DECODE(DgwConfig, config);
		case DGW_MSG_LISTENER_STATE:
			DECODE(DgwListenerState, listener_state);
		case DGW_MSG_ASSOCIATION:
			DECODE(DgwAssociation, association);
		case DGW_MSG_OPENED:
			DECODE(DgwOpened, opened);
		case DGW_MSG_RECEIVED:
			DECODE(DgwReceived, received);
		case DGW_MSG_COMMITTED:
			DECODE(DgwCommitted, committed);
		case DGW_MSG_REFUSED:
			DECODE(DgwRefused, refused);
		case DGW_MSG_CLOSED:
			DECODE(DgwClosed, closed);
		case DGW_MSG_DESTINATION:
			DECODE(DgwDestination, destination);
		case DGW_MSG_JOB:
			DECODE(DgwJob, job);
		case DGW_MSG_ASSOCIATED:
			DECODE(DgwAssociated, associated);
		case DGW_MSG_RESULT:
			DECODE(DgwResult, result);
		case DGW_MSG_ASSOCIATION_FAILED:
			DECODE(DgwAssociationFailed, association_failed);
		case DGW_MSG_ECHO_RESULT:
			DECODE(DgwEchoResult, echo_result);
		case DGW_MSG_ECHO:
			if (again != NULL && !dgw_encode_echo(again))
				return false;
			return dgw_frame_complete(f);
	}
	return false;
}

/* Decode from a block of exactly this size, so that a byte too far is caught. */
static bool
decode_exactly(uint16_t type, const char *payload, size_t len, DgwFrameWriter *again)
{
	char *copy = malloc(len ? len : 1);
	DgwFrame f = {.type = type, .payload = copy, .len = len};
	bool decoded;

	if (copy == NULL)
		return false;
	memcpy(copy, payload, len);
	decoded = decode_sample(&f, again);
	free(copy);
	return decoded;
}

static void
test_round_trips(void)
{
	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		DgwFrameWriter w = {0};
		DgwFrameWriter again = {0};
		const char *payload;
		size_t len;
		bool same;
		bool refused = true;
		char name[80];

		if (!encode_sample(&w, type))
		{
			ok(false, dgw_message_name(type));
			continue;
		}
		payload = w.data + DGW_FRAME_HEAD_SIZE;
		len = w.len - DGW_FRAME_HEAD_SIZE;
		same = decode_exactly(type, payload, len, &again) && again.len == w.len &&
			   memcmp(again.data, w.data, w.len) == 0;
		snprintf(name, sizeof(name), "%s goes round", dgw_message_name(type));
		ok(same, name);

		for (size_t cut = 0; cut < len; cut++)
			if (decode_exactly(type, payload, cut, NULL))
				refused = false;
		dgw_put_u8(&w, 0);
		if (decode_exactly(type, w.data + DGW_FRAME_HEAD_SIZE, len + 1, NULL))
			refused = false;
		snprintf(name, sizeof(name), "%s is refused when a byte is missing or left over",
				 dgw_message_name(type));
		ok(refused, name);

		dgw_writer_free(&w);
		dgw_writer_free(&again);
	}
}

/* A repeatable generator: a failure can be looked at again. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void
test_garbage(void)
{
	uint32_t random = 20261123;
	int decoded = 0;

	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		DgwFrameWriter w = {0};
		size_t len;

		if (!encode_sample(&w, type))
			continue;
		len = w.len - DGW_FRAME_HEAD_SIZE;
		for (int round = 0; round < 2000 && len > 0; round++)
		{
			char *payload = malloc(len);

			memcpy(payload, w.data + DGW_FRAME_HEAD_SIZE, len);
			for (uint32_t n = 1 + next_random(&random) % 4; n > 0; n--)
				payload[next_random(&random) % len] = (char) next_random(&random);
			decoded += decode_exactly(type, payload, len, NULL);
			free(payload);
		}
		for (int round = 0; round < 2000; round++)
		{
			char payload[256];
			size_t n = next_random(&random) % sizeof(payload);

			for (size_t i = 0; i < n; i++)
				payload[i] = (char) next_random(&random);
			decoded += decode_exactly(type, payload, n, NULL);
		}
		dgw_writer_free(&w);
	}
	ok(true, "decoders stay inside frames of garbage");
	printf("# %d mutated frames were valid messages nevertheless\n", decoded);
}

static void
test_too_many_listeners(void)
{
	DgwFrameWriter w = {0};
	bool decoded;

	dgw_frame_begin(&w, DGW_MSG_CONFIG);
	dgw_put_slice(&w, slice("/var/lib/images"));
	dgw_put_u32(&w, 1);
	dgw_put_u32(&w, DGW_MAX_LISTENERS + 1);
	for (int i = 0; i < 64 * 1024; i++)
		dgw_put_u8(&w, 0);
	ok(dgw_frame_end(&w), "a CONFIG with too many listeners can be written");
	decoded = decode_exactly(DGW_MSG_CONFIG, w.data + DGW_FRAME_HEAD_SIZE,
							 w.len - DGW_FRAME_HEAD_SIZE, NULL);
	ok(!decoded, "and is refused");
	dgw_writer_free(&w);
}

/* ---------- what may be said where ---------- */

static void
test_permissions(void)
{
	static const DgwChannelKind channels[] = {DGW_CHANNEL_CONTROL, DGW_CHANNEL_ASSOCIATION,
											  DGW_CHANNEL_SENDER};
	bool nothing = true;
	bool strict = true;
	int homeless = 0;

	for (int c = 0; c < 3; c++)
	{
		for (int way = DGW_TO_WORKER; way <= DGW_TO_HELPER; way++)
		{
			if (dgw_message_permitted(0, channels[c], way, 0) ||
				dgw_message_permitted(LAST_TYPE + 1, channels[c], way, 0) ||
				dgw_message_permitted(UINT16_MAX, channels[c], way, 0))
				nothing = false;
		}
	}
	ok(nothing, "unknown message types are permitted nowhere");

	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		bool somewhere = false;

		for (int c = 0; c < 3; c++)
		{
			for (int way = DGW_TO_WORKER; way <= DGW_TO_HELPER; way++)
			{
				somewhere |= dgw_message_permitted(type, channels[c], way, 0);
				if (dgw_message_permitted(type, channels[c], way, DGW_FRAME_MAX_PAYLOAD + 1))
					strict = false;
			}
		}
		homeless += !somewhere;
	}
	ok(homeless == 0, "every message is permitted somewhere");
	ok(strict, "no message may be longer than a frame");

	ok(!dgw_message_permitted(DGW_MSG_COMMITTED, DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, 8),
	   "a helper may not say COMMITTED");
	ok(!dgw_message_permitted(DGW_MSG_RECEIVED, DGW_CHANNEL_SENDER, DGW_TO_WORKER, 8),
	   "a sender may not say RECEIVED");
	ok(!dgw_message_permitted(DGW_MSG_LOG, DGW_CHANNEL_CONTROL, DGW_TO_WORKER, 1024 * 1024),
	   "a LOG message may not be a megabyte");
	ok(strcmp(dgw_message_name(UINT16_MAX), "unknown") == 0, "an unknown type has a name, too");
}

/* ---------- over a socket ---------- */

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

int
main(void)
{
	test_round_trips();
	test_garbage();
	test_too_many_listeners();
	test_permissions();
	test_pieces();
	test_oversize();
	test_full_socket();
	test_passed_descriptor();
	printf("1..%d\n", tests_run);
	return tests_failed == 0 ? 0 : 1;
}
