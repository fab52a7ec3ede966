/*-------------------------------------------------------------------------
 *
 * scu_driver.c
 *	  A stand-in for the forwarder, to test dicomgw-scu and dicomgw-stow without
 *	  a database.
 *
 * Starts the program with a sender channel, says HELLO and DESTINATION, then
 * does what standard input says, a line at a time:
 *
 *		path <TAB> SOP class <TAB> SOP instance <TAB> transfer syntax <TAB> size <TAB> SHA-256
 *		[<TAB> edits]	a JOB; they are numbered from 1
 *		wait			until every job is answered
 *		log				until one more line is logged
 *		sleep N			that many milliseconds, though answers are still taken
 *		echo			an ECHO instead of jobs
 *		recall			close our side of the channel, whatever is outstanding
 *
 * Whatever the program says goes to standard output, one line a message,
 * fields parted by tabs.  At the end of the input, once all is answered, the
 * channel is closed, and the last line tells how the program ended.
 *
 *-------------------------------------------------------------------------
 */
#include "protocol/message.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOB_FIELDS 6
#define JOB_FIELDS_EDITED 7
#define DEFAULT_WINDOW 64

typedef struct Driver
{
	pid_t pid;
	int fd;
	unsigned window; /* most jobs outstanding */
	unsigned outstanding;
	uint64_t last_id;
	unsigned logged;	   /* LOG messages heard */
	unsigned logs_awaited; /* of them, those that the script has waited for */
	bool over;			   /* the program has said its last word, or is gone */
	DgwFrameReader reader;
	DgwFrameWriter writer;
} Driver;

static void
die(const char *what)
{
	fprintf(stderr, "scu_driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static DgwSlice
slice(const char *text)
{
	return (DgwSlice){text, strlen(text)};
}

static int
len(DgwSlice s)
{
	return (int) s.len;
}

/* A fencing token that is not the job's number, so that a mix-up shows. */
static uint64_t
token_of(uint64_t job_id)
{
	return job_id * 1000;
}

static void
start_program(Driver *driver, const char *program)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		die("socketpair");
	driver->pid = fork();
	if (driver->pid < 0)
		die("fork");
	if (driver->pid == 0)
	{
		if (fds[1] == DGW_CHANNEL_FD)
			fcntl(fds[1], F_SETFD, 0);
		else
			dup2(fds[1], DGW_CHANNEL_FD);
		execl(program, program, (char *) NULL);
		die(program);
	}
	close(fds[1]);
	driver->fd = fds[0];
}

static void
send_written(Driver *driver, bool encoded)
{
	if (!encoded)
		die("could not encode a message");
	if (!driver->over && !dgw_writer_send(&driver->writer, driver->fd, -1))
		driver->over = true;
	dgw_writer_reset(&driver->writer);
}

/* Print one message; what is not expected from a sender ends the test. */
static void
take_message(Driver *driver, DgwFrame *frame)
{
	DgwHello hello;
	DgwLog log;
	DgwAssociated associated;
	DgwResult result;
	DgwAssociationFailed failed;
	DgwEchoResult echo;

	if (!dgw_message_permitted(frame->type, DGW_CHANNEL_SENDER, DGW_TO_WORKER, frame->len))
		printf("NOT PERMITTED\t%s\n", dgw_message_name(frame->type));
	else if (frame->type == DGW_MSG_HELLO && dgw_decode_hello(frame, &hello))
		printf("HELLO\t%.*s\n", len(hello.program), hello.program.data);
	else if (frame->type == DGW_MSG_LOG && dgw_decode_log(frame, &log))
	{
		printf("LOG\t%u\t%.*s\n", log.level, len(log.text), log.text.data);
		driver->logged++;
	}
	else if (frame->type == DGW_MSG_ASSOCIATED && dgw_decode_associated(frame, &associated))
		printf("ASSOCIATED\t%u\t%u\t%.*s\n", associated.proposed, associated.accepted,
			   len(associated.implementation_version), associated.implementation_version.data);
	else if (frame->type == DGW_MSG_RESULT && dgw_decode_result(frame, &result))
	{
		if (result.token != token_of(result.id))
			printf("WRONG TOKEN\n");
		printf("RESULT\t%llu\t%u\t%04X\t%.*s\t%.*s\t%.*s\t%u\n", (unsigned long long) result.id,
			   result.outcome, result.status, len(result.comment), result.comment.data,
			   len(result.offending), result.offending.data, len(result.sent_transfer_syntax_uid),
			   result.sent_transfer_syntax_uid.data, result.duration_us);
		driver->outstanding--;
	}
	else if (frame->type == DGW_MSG_ASSOCIATION_FAILED &&
			 dgw_decode_association_failed(frame, &failed))
	{
		printf("FAILED\t%u\t%llu\t%u,%u,%u\t%.*s\n", failed.failure,
			   (unsigned long long) failed.during_job, failed.reject_result, failed.reject_source,
			   failed.reject_reason, len(failed.message), failed.message.data);
		driver->over = true;
	}
	else if (frame->type == DGW_MSG_ECHO_RESULT && dgw_decode_echo_result(frame, &echo))
	{
		printf("ECHO\t%u\t%04X\t%u\t%.*s\t%.*s\t%u\t%.*s\t%.*s\t%.*s\t%u\t%u\n", echo.ok,
			   echo.status, echo.peer_max_pdu, len(echo.implementation), echo.implementation.data,
			   len(echo.message), echo.message.data, echo.associated, len(echo.tls_version),
			   echo.tls_version.data, len(echo.tls_cipher), echo.tls_cipher.data,
			   len(echo.tls_subject), echo.tls_subject.data, echo.associate_us, echo.round_trip_us);
		driver->over = true;
	}
	else
		printf("NOT DECODED\t%s\n", dgw_message_name(frame->type));
	fflush(stdout);
}

/* Take what the program has said, waiting timeout_ms for it; false: it has ended. */
static bool
take_messages(Driver *driver, int timeout_ms)
{
	struct pollfd pfd = {.fd = driver->fd, .events = POLLIN};
	DgwReadResult result;
	DgwFrame frame;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return true;
	result = dgw_reader_fill(&driver->reader, driver->fd);
	if (result != DGW_READ_OK)
	{
		driver->over = true;
		return false;
	}
	while (dgw_reader_next(&driver->reader, &frame) == DGW_READ_OK)
		take_message(driver, &frame);
	return true;
}

static void
await_room(Driver *driver, unsigned most_outstanding)
{
	while (driver->outstanding > most_outstanding && !driver->over)
		take_messages(driver, -1);
}

static void
sleep_ms(Driver *driver, long ms)
{
	struct timespec start;
	struct timespec now;
	long left = ms;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (left > 0 && !driver->over)
	{
		take_messages(driver, (int) left);
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = ms - (now.tv_sec - start.tv_sec) * 1000 - (now.tv_nsec - start.tv_nsec) / 1000000;
	}
}

static bool
parse_sha256(const char *hex, uint8_t *sha256)
{
	for (int i = 0; i < DGW_SHA256_LEN; i++)
	{
		unsigned byte;

		if (sscanf(hex + i * 2, "%2x", &byte) != 1)
			return false;
		sha256[i] = (uint8_t) byte;
	}
	return true;
}

static void
send_job(Driver *driver, char *line)
{
	char *fields[JOB_FIELDS_EDITED];
	DgwJob job = {0};
	int n = 0;

	for (char *field; n < JOB_FIELDS_EDITED && (field = strsep(&line, "\t")) != NULL;)
		fields[n++] = field;
	if (n < JOB_FIELDS || !parse_sha256(fields[5], job.sha256))
	{
		errno = EINVAL;
		die("bad line of input");
	}
	job.id = ++driver->last_id;
	job.token = token_of(job.id);
	job.path = slice(fields[0]);
	job.sop_class_uid = slice(fields[1]);
	job.sop_instance_uid = slice(fields[2]);
	job.transfer_syntax_uid = slice(fields[3]);
	job.size = strtoull(fields[4], NULL, 10);
	if (n == JOB_FIELDS_EDITED)
		job.edits = slice(fields[6]);
	await_room(driver, driver->window - 1);
	driver->outstanding++;
	send_written(driver, dgw_encode_job(&driver->writer, &job));
}

static void
follow_script(Driver *driver)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (!driver->over && (n = getline(&line, &cap, stdin)) > 0)
	{
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strcmp(line, "wait") == 0)
			await_room(driver, 0);
		else if (strcmp(line, "recall") == 0)
		{
			shutdown(driver->fd, SHUT_WR);
			while (take_messages(driver, -1))
				;
		}
		else if (strcmp(line, "log") == 0)
		{
			driver->logs_awaited++;
			while (driver->logged < driver->logs_awaited && !driver->over)
				take_messages(driver, -1);
		}
		else if (strncmp(line, "sleep ", 6) == 0)
			sleep_ms(driver, strtol(line + 6, NULL, 10));
		else if (strcmp(line, "echo") == 0)
		{
			send_written(driver, dgw_encode_echo(&driver->writer));
			while (!driver->over)
				take_messages(driver, -1);
		}
		else
			send_job(driver, line);
	}
	free(line);
	await_room(driver, 0);
}

static void
usage(void)
{
	fputs("usage: scu_driver [-c connect_s] [-a associate_s] [-r response_s] [-l linger_ms]\n"
		  "                  [-m max_pdu] [-w window] [-t tls_check] [-A ca] [-C certificate] [-K "
		  "key]\n"
		  "                  [-N server_name] [-x conversion] [-z compression]\n"
		  "                  [-u url] [-b batch] [-U username] [-P password] [-B bearer_token]\n"
		  "                  [-p proxy]\n"
		  "                  program host port storage_path < script\n",
		  stderr);
	exit(2);
}

/* An option that is a number, and where it goes; NULL: it is none. */
static uint32_t *
number_option(int option, DgwDestination *destination, unsigned *window)
{
	switch (option)
	{
		case 'c':
			return &destination->connect_timeout;
		case 'a':
			return &destination->association_timeout;
		case 'r':
			return &destination->response_timeout;
		case 'l':
			return &destination->linger;
		case 'm':
			return &destination->max_pdu;
		case 'w':
			return window;
		case 'b':
			return &destination->batch;
		default:
			return NULL;
	}
}

static DgwSlice *
text_option(int option, DgwDestination *destination)
{
	switch (option)
	{
		case 'A':
			return &destination->tls_ca;
		case 'C':
			return &destination->tls_certificate;
		case 'K':
			return &destination->tls_key;
		case 'N':
			return &destination->tls_server_name;
		case 'z':
			return &destination->compression;
		case 'u':
			return &destination->url;
		case 'U':
			return &destination->username;
		case 'P':
			return &destination->password;
		case 'B':
			return &destination->bearer_token;
		case 'p':
			return &destination->proxy;
		default:
			return NULL;
	}
}

static void
parse_options(int argc, char **argv, DgwDestination *destination, unsigned *window)
{
	int option;

	while ((option = getopt(argc, argv, "c:a:r:l:m:w:t:A:C:K:N:x:z:u:b:U:P:B:p:")) != -1)
	{
		uint32_t *number = number_option(option, destination, window);
		DgwSlice *text = text_option(option, destination);

		if (number != NULL)
			*number = (uint32_t) strtoul(optarg, NULL, 10);
		else if (text != NULL)
			*text = slice(optarg);
		else if (option == 't')
			destination->tls = (uint8_t) atoi(optarg);
		else if (option == 'x')
			destination->conversion = (uint8_t) atoi(optarg);
		else
			usage();
	}
	if (argc - optind != 4 || *window == 0)
		usage();
}

int
main(int argc, char **argv)
{
	DgwDestination destination = {.calling_ae = slice("DRIVER"),
								  .called_ae = slice("PEER"),
								  .max_pdu = 16384,
								  .connect_timeout = 5,
								  .association_timeout = 5,
								  .response_timeout = 5};
	DgwHello hello = {DGW_PROTOCOL_VERSION, slice("scu_driver")};
	Driver driver = {.window = DEFAULT_WINDOW};
	int status;

	parse_options(argc, argv, &destination, &driver.window);
	destination.host = slice(argv[optind + 1]);
	destination.port = (uint16_t) atoi(argv[optind + 2]);
	destination.storage_path = slice(argv[optind + 3]);

	signal(SIGPIPE, SIG_IGN);
	dgw_reader_init(&driver.reader);
	start_program(&driver, argv[optind]);
	send_written(&driver, dgw_encode_hello(&driver.writer, &hello));
	send_written(&driver, dgw_encode_destination(&driver.writer, &destination));
	follow_script(&driver);

	/* What it still says is heard, then it has to end by itself. */
	shutdown(driver.fd, SHUT_WR);
	while (take_messages(&driver, -1))
		;
	if (waitpid(driver.pid, &status, 0) != driver.pid)
		die("waitpid");
	if (WIFEXITED(status))
		printf("EXIT\t%d\n", WEXITSTATUS(status));
	else
		printf("SIGNAL\t%d\n", WTERMSIG(status));
	close(driver.fd);
	dgw_reader_free(&driver.reader);
	dgw_writer_free(&driver.writer);
	return 0;
}
