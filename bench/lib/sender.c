/*-------------------------------------------------------------------------
 *
 * sender.c
 *	  The modality of the benchmarks: many objects over one association, with
 *	  as little work of its own as can be, and the same for every peer.
 *
 * It shares the machine with what is measured, and storescu would take more of
 * it than the receiver does: that parses and encodes each object anew.  Here
 * the PDUs of one C-STORE are put together once; between two objects only the
 * UIDs and the message ID in them change.  The file has to carry the UIDs of
 * template.py, whose last sixteen digits are replaced by the object's number
 * (SOP Instance), by a hundredth of it (series) and a four-hundredth (study).
 * So whoever knows the number of an object knows its bytes.
 *
 * Usage: sender [-a called] [-c calling] [-n count] [-t seconds] [-i milliseconds]
 *               [-s senders] [-f first] [-l] [-w] port file
 *
 *	-s	processes with an association each (1); their numbers are 10^12 apart
 *	-n	objects of each; -t seconds in which new ones are begun
 *	-i	pause between the begins of two objects
 *	-l	say for each: number, nanoseconds at its begin, at its answer (CLOCK_MONOTONIC)
 *	-w	keep the associations until standard input ends
 *
 * It prints for each sender "number of the first, how many were acknowledged",
 * and at the end "seconds" from the first connect to the last answer.  Anything
 * but success ends it with exit status 1.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIGITS 16 /* of an object's number, in its UIDs */
#define SENDER_GAP 1000000000000
#define UID_LENGTH (6 + DIGITS) /* 2.25.1 and the number */
#define MAX_PDU (128 * 1024)
#define PDU_HEAD 6
#define PDV_HEAD 6

typedef struct Buffer
{
	uint8_t data[2048];
	size_t len;
} Buffer;

/* What is sent, and how. */
static struct
{
	const char *called, *calling;
	long count, pause_ms, senders;
	double seconds;
	uint64_t first;
	bool log, wait;
	uint16_t port;
	uint8_t *dataset;
	size_t dataset_len;
	char sop_class[65], transfer_syntax[65];
} job = {.called = "DICOMGW", .calling = "BENCH", .count = 1, .senders = 1, .first = 1};

/* One C-STORE as it goes out, and where in it what changes is. */
typedef struct Message
{
	uint8_t *data;
	size_t len;
	uint8_t *id, *affected, *sop, *series, *study;
} Message;

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void
put(Buffer *b, const void *bytes, size_t len)
{
	if (b->len + len > sizeof(b->data))
		errx(1, "too long");
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
}

/* ---------- the file ---------- */

/* A UID of the file meta group, without its padding. */
static void
meta_uid(const uint8_t *at, const uint8_t *end, uint16_t element, char *uid)
{
	while (at + 8 <= end)
	{
		uint16_t number = (uint16_t) (at[2] | at[3] << 8), len = (uint16_t) (at[6] | at[7] << 8);
		bool long_form = memcmp(at + 4, "OB", 2) == 0;
		size_t head = long_form ? 12 : 8;
		size_t size = long_form
						  ? (size_t) (at[8] | at[9] << 8 | at[10] << 16 | (uint32_t) at[11] << 24)
						  : len;

		if (number == element && size <= 64)
		{
			memcpy(uid, at + head, size);
			uid[size] = '\0';
			return;
		}
		at += head + size;
	}
	errx(1, "the file's meta group lacks (0002,%04x)", element);
}

static void
read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(64 << 20);
	size_t len, meta;

	if (!f || !data)
		err(1, "could not open \"%s\"", path);
	len = fread(data, 1, 64 << 20, f);
	fclose(f);
	if (len < 144 || memcmp(data + 128, "DICM\2\0\0\0UL\4\0", 12) != 0)
		errx(1, "\"%s\" is no Part 10 file", path);
	meta = 144 + (size_t) (data[140] | data[141] << 8);
	if (meta > len)
		errx(1, "\"%s\" is cut off", path);
	meta_uid(data + 144, data + meta, 0x0002, job.sop_class);
	meta_uid(data + 144, data + meta, 0x0010, job.transfer_syntax);
	job.dataset = data + meta;
	job.dataset_len = len - meta;
}

/* ---------- the connection ---------- */

static void
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0)
	{
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "could not send");
		data += n;
		len -= (size_t) n;
	}
}

/* The next PDU's body into the buffer; its type. */
static int
read_pdu(int fd, Buffer *body)
{
	uint8_t head[PDU_HEAD];
	size_t len;

	if (recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
		errx(1, "the peer closed the connection");
	len = (size_t) head[2] << 24 | (size_t) head[3] << 16 | (size_t) head[4] << 8 | head[5];
	if (len > sizeof(body->data) || recv(fd, body->data, len, MSG_WAITALL) != (ssize_t) len)
		errx(1, "a PDU of the peer is too long or cut off");
	body->len = len;
	return head[0];
}

static void
put_item(Buffer *b, uint8_t type, const void *value, size_t len)
{
	uint8_t head[4] = {type, 0, (uint8_t) (len >> 8), (uint8_t) len};

	put(b, head, 4);
	put(b, value, len);
}

static void
put_ae(Buffer *b, const char *title)
{
	char padded[17];

	snprintf(padded, sizeof(padded), "%-16.16s", title);
	put(b, padded, 16);
}

static void
request_association(int fd)
{
	static const uint8_t unlimited[4] = {0, 1, 0, 0};
	Buffer context = {.data = {1, 0, 0, 0}, .len = 4}, user = {.len = 0},
		   body = {.data = {0, 1, 0, 0}, .len = 4};
	uint8_t head[PDU_HEAD] = {1};

	put_item(&context, 0x30, job.sop_class, strlen(job.sop_class));
	put_item(&context, 0x40, job.transfer_syntax, strlen(job.transfer_syntax));
	put_item(&user, 0x51, unlimited, 4);
	put_item(&user, 0x52, "2.25.4", 6);
	put_ae(&body, job.called);
	put_ae(&body, job.calling);
	body.len += 32;
	put_item(&body, 0x10, "1.2.840.10008.3.1.1.1", 21);
	put_item(&body, 0x20, context.data, context.len);
	put_item(&body, 0x50, user.data, user.len);
	head[4] = (uint8_t) (body.len >> 8);
	head[5] = (uint8_t) body.len;
	write_all(fd, head, sizeof(head));
	write_all(fd, body.data, body.len);
}

/* Walk the items of an A-ASSOCIATE-AC; the PDU size that the peer takes. */
static size_t
accepted_pdu(const uint8_t *at, const uint8_t *end)
{
	size_t max_pdu = MAX_PDU;

	while (at + 4 <= end)
	{
		size_t len = (size_t) at[2] << 8 | at[3];

		if (at[0] == 0x21 && at + 8 <= end && at[6] != 0)
			errx(1, "the peer does not take such objects");
		if (at[0] == 0x51 && at + 8 <= end)
			max_pdu = (size_t) at[4] << 24 | (size_t) at[5] << 16 | (size_t) at[6] << 8 | at[7];
		at += at[0] == 0x50 ? 4 : 4 + len;
	}
	return max_pdu == 0 || max_pdu > MAX_PDU ? MAX_PDU : max_pdu;
}

static int
associate(size_t *max_pdu)
{
	struct sockaddr_in peer = {
		.sin_family = AF_INET, .sin_port = htons(job.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	Buffer answer;

	if (fd < 0 || connect(fd, (struct sockaddr *) &peer, sizeof(peer)) != 0)
		err(1, "could not connect to port %d", job.port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	request_association(fd);
	if (read_pdu(fd, &answer) != 2 || answer.len < 68)
		errx(1, "the peer refused the association");
	*max_pdu = accepted_pdu(answer.data + 68, answer.data + answer.len);
	return fd;
}

/* ---------- the message ---------- */

static void
put_element(Buffer *b, uint16_t number, const void *value, size_t len)
{
	size_t even = len + len % 2;
	uint8_t head[8] = {[2] = (uint8_t) number, (uint8_t) (number >> 8), (uint8_t) even};

	put(b, head, 8);
	put(b, value, len);
	if (len % 2 != 0)
		put(b, "", 1);
}

/* A PDU with one PDV around the bytes. */
static uint8_t *
put_pdu(uint8_t *at, const uint8_t *bytes, size_t len, int flags)
{
	uint32_t pdu = htonl((uint32_t) (len + PDV_HEAD)), pdv = htonl((uint32_t) (len + 2));

	at[0] = 4;
	at[1] = 0;
	memcpy(at + 2, &pdu, 4);
	memcpy(at + 6, &pdv, 4);
	at[10] = 1;
	at[11] = (uint8_t) flags;
	memcpy(at + 12, bytes, len);
	return at + 12 + len;
}

/* Where in the message the digits of a UID with this beginning are. */
static uint8_t *
digits_of(uint8_t *data, size_t len, const char *beginning)
{
	char uid[UID_LENGTH + 1];
	uint8_t *at;

	snprintf(uid, sizeof(uid), "%s%0*d", beginning, DIGITS, 0);
	at = memmem(data, len, uid, UID_LENGTH);
	if (!at)
		errx(1, "the file lacks the UID %s, or a PDU ends in it", uid);
	return at + UID_LENGTH - DIGITS;
}

static Message
make_message(size_t max_pdu)
{
	static const uint8_t store[2] = {1, 0}, priority[2] = {0, 0}, has_dataset[2] = {1, 0},
						 no_id[2] = {0, 0};
	size_t part = (max_pdu - PDV_HEAD) & ~(size_t) 1, done = 0;
	Buffer elements = {.len = 0}, command = {.len = 0};
	uint8_t length[4] = {0}, *at;
	char uid[UID_LENGTH + 1];
	Message m;

	snprintf(uid, sizeof(uid), "2.25.1%0*d", DIGITS, 0);
	put_element(&elements, 0x0002, job.sop_class, strlen(job.sop_class));
	put_element(&elements, 0x0100, store, 2);
	put_element(&elements, 0x0110, no_id, 2);
	put_element(&elements, 0x0700, priority, 2);
	put_element(&elements, 0x0800, has_dataset, 2);
	put_element(&elements, 0x1000, uid, UID_LENGTH);
	length[0] = (uint8_t) elements.len;
	put_element(&command, 0x0000, length, 4);
	put(&command, elements.data, elements.len);

	m.data = malloc(job.dataset_len + (job.dataset_len / part + 3) * 12 + command.len);
	if (!m.data)
		err(1, "malloc");
	at = put_pdu(m.data, command.data, command.len, 3);
	m.id = memmem(m.data, 200, "\x10\x01\x02\0\0\0", 6);
	m.affected = at - DIGITS;
	m.sop = at;
	for (; done < job.dataset_len; done += part)
	{
		size_t n = job.dataset_len - done < part ? job.dataset_len - done : part;

		at = put_pdu(at, job.dataset + done, n, done + n == job.dataset_len ? 2 : 0);
	}
	m.len = (size_t) (at - m.data);
	m.study = digits_of(m.sop, (size_t) (at - m.sop), "2.25.3");
	m.series = digits_of(m.sop, (size_t) (at - m.sop), "2.25.2");
	m.sop = digits_of(m.sop, (size_t) (at - m.sop), "2.25.1");
	if (!m.id)
		errx(1, "the command set lacks a message ID");
	m.id += 6;
	return m;
}

static void
put_digits(uint8_t *at, uint64_t number)
{
	for (int i = DIGITS - 1; i >= 0; i--, number /= 10)
		at[i] = (uint8_t) ('0' + number % 10);
}

static void
number_message(Message *m, uint64_t number)
{
	put_digits(m->affected, number);
	put_digits(m->sop, number);
	put_digits(m->series, number / 100);
	put_digits(m->study, number / 400);
	m->id[0] = (uint8_t) number;
	m->id[1] = (uint8_t) (number >> 8);
}

/* The C-STORE-RSP, implicit little endian after the head of its PDV: its status (0000,0900). */
static unsigned
read_status(int fd)
{
	Buffer body;
	int type = read_pdu(fd, &body);
	size_t at = PDV_HEAD;

	while (type == 4 && at + 10 <= body.len)
	{
		const uint8_t *element = body.data + at;

		if (element[2] == 0 && element[3] == 9)
			return (unsigned) (element[8] | element[9] << 8);
		at += 8 + (size_t) (element[4] | element[5] << 8);
	}
	errx(1, "the peer answered with a PDU of type %d and no status", type);
}

/* ---------- senders ---------- */

static void
pause_until(uint64_t when)
{
	struct timespec ts = {.tv_sec = (time_t) (when / 1000000000),
						  .tv_nsec = (long) (when % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void
release(int fd)
{
	static const uint8_t request[10] = {5, 0, 0, 0, 0, 4};
	Buffer body;

	write_all(fd, request, sizeof(request));
	if (read_pdu(fd, &body) != 6)
		errx(1, "the peer did not release the association");
}

static void
send_all(uint64_t first)
{
	uint64_t start = now_ns(), number;
	long sent;
	size_t max_pdu;
	int fd = associate(&max_pdu);
	Message message = make_message(max_pdu);

	for (sent = 0;
		 job.seconds > 0 ? (double) (now_ns() - start) / 1e9 < job.seconds : sent < job.count;
		 sent++)
	{
		uint64_t begin;
		unsigned status;

		if (job.pause_ms > 0)
			pause_until(start + (uint64_t) (sent + 1) * (uint64_t) job.pause_ms * 1000000);
		number = first + (uint64_t) sent;
		number_message(&message, number);
		begin = now_ns();
		write_all(fd, message.data, message.len);
		status = read_status(fd);
		if (status != 0)
			errx(1, "the peer answered %04XH", status);
		if (job.log)
			printf("object %llu %llu %llu\n", (unsigned long long) number,
				   (unsigned long long) begin, (unsigned long long) now_ns());
	}
	printf("sent %llu %ld\n", (unsigned long long) first, sent);
	fflush(stdout);
	if (job.wait)
		while (getchar() != EOF)
			;
	release(fd);
	free(message.data);
}

int
main(int argc, char **argv)
{
	int option, status, failed = 0;
	uint64_t start;

	while ((option = getopt(argc, argv, "a:c:n:t:i:s:f:lw")) != -1)
	{
		switch (option)
		{
			case 'a':
				job.called = optarg;
				break;
			case 'c':
				job.calling = optarg;
				break;
			case 'n':
				job.count = atol(optarg);
				break;
			case 't':
				job.seconds = atof(optarg);
				break;
			case 'i':
				job.pause_ms = atol(optarg);
				break;
			case 's':
				job.senders = atol(optarg);
				break;
			case 'f':
				job.first = strtoull(optarg, NULL, 10);
				break;
			case 'l':
				job.log = true;
				break;
			case 'w':
				job.wait = true;
				break;
			default:
				return 2;
		}
	}
	if (argc - optind != 2)
		errx(2, "a port and a file are missing");
	job.port = (uint16_t) atoi(argv[optind]);
	read_file(argv[optind + 1]);

	start = now_ns();
	for (long i = 0; i < job.senders; i++)
	{
		pid_t pid = fork();

		if (pid < 0)
			err(1, "could not fork");
		if (pid == 0)
		{
			send_all(job.first + (uint64_t) i * SENDER_GAP);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	printf("seconds %.6f\n", (double) (now_ns() - start) / 1e9);
	return failed;
}
