/*-------------------------------------------------------------------------
 *
 * render_driver.c
 *	  A stand-in for the backend, to test dicomgw-render without a database.
 *
 *		render_driver PROGRAM
 *
 * For each line of standard input, fields parted by tabs, it starts the program
 * and asks it once:
 *
 *		what (1 picture, 2 image, 3 header) <TAB> file <TAB> offset of the dataset <TAB>
 *		transfer syntax <TAB> frame <TAB> width <TAB> height <TAB> window ("center,width" or
 *		"-") <TAB> file for the picture or header, or "-"
 *
 * The answer is a line: outcome, message, rows, columns, frames, samples, bits stored,
 * photometric interpretation, window, range, bytes of the picture, whether the
 * program was confined by seccomp (2) when it said so, how it ended.
 * A program that gives no answer in time is killed: "NONE" and how it ended.
 *
 *-------------------------------------------------------------------------
 */
#include "protocol/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIELDS 9
#define PATIENCE_MS 60000

enum
{
	WHAT,
	FILE_NAME,
	OFFSET,
	SYNTAX,
	FRAME,
	WIDTH,
	HEIGHT,
	WINDOW,
	RESULT
};

static void
die(const char *what)
{
	fprintf(stderr, "render_driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static DgwSlice
slice(const char *text)
{
	return (DgwSlice){text, strlen(text)};
}

static pid_t
start(const char *program, int *fd)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		die("socketpair");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
	{
		if (fds[1] == DGW_CHANNEL_FD)
			fcntl(fds[1], F_SETFD, 0);
		else
			dup2(fds[1], DGW_CHANNEL_FD);
		execl(program, program, (char *) NULL);
		_exit(127);
	}
	close(fds[1]);
	*fd = fds[0];
	return pid;
}

static bool
next_frame(DgwFrameReader *reader, int fd, DgwFrame *frame)
{
	for (;;)
	{
		DgwReadResult result = dgw_reader_next(reader, frame);
		struct pollfd pfd = {.fd = fd, .events = POLLIN};

		if (result == DGW_READ_OK &&
			!dgw_message_permitted(frame->type, DGW_CHANNEL_RENDER, DGW_TO_WORKER, frame->len))
			return false;
		if (result != DGW_READ_AGAIN)
			return result == DGW_READ_OK;
		if (poll(&pfd, 1, PATIENCE_MS) <= 0 || dgw_reader_fill(reader, fd) != DGW_READ_OK)
			return false;
	}
}

static void
ask(int fd, char **field, int object)
{
	DgwFrameWriter w = {0};
	DgwRender m = {.what = (uint8_t) atoi(field[WHAT]),
				   .dataset_offset = strtoull(field[OFFSET], NULL, 10),
				   .transfer_syntax_uid = slice(field[SYNTAX]),
				   .frame = (uint32_t) strtoul(field[FRAME], NULL, 10),
				   .width = (uint32_t) strtoul(field[WIDTH], NULL, 10),
				   .height = (uint32_t) strtoul(field[HEIGHT], NULL, 10)};

	m.has_window = sscanf(field[WINDOW], "%lf,%lf", &m.window_center, &m.window_width) == 2;
	dgw_encode_hello(&w, &(DgwHello){DGW_PROTOCOL_VERSION, slice("render_driver")});
	dgw_encode_render(&w, &m);
	dgw_writer_send(&w, fd, object);
	dgw_writer_free(&w);
}

static int
seccomp_of(pid_t pid)
{
	char path[64];
	char line[256];
	int mode = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
	status = fopen(path, "r");
	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		(void) sscanf(line, "Seccomp: %d", &mode);
	if (status != NULL)
		fclose(status);
	return mode;
}

static void
keep(const char *name, const char *data, size_t len)
{
	FILE *file = strcmp(name, "-") == 0 ? NULL : fopen(name, "wb");

	if (file != NULL)
	{
		fwrite(data, 1, len, file);
		fclose(file);
	}
}

static void
keep_picture(const char *name, int fd, size_t len)
{
	char *data = malloc(len);

	if (data == NULL || pread(fd, data, len, 0) != (ssize_t) len)
		die("picture");
	keep(name, data, len);
	free(data);
}

static void
show(const DgwRendered *m, char **field, int picture, pid_t pid)
{
	const DgwImage *i = &m->image;

	printf("%d\t%.*s\t%u\t%u\t%u\t%u\t%u\t%.*s\t", m->outcome, (int) m->message.len,
		   m->message.data, i->rows, i->columns, i->frames, i->samples, i->bits_stored,
		   (int) i->photometric_interpretation.len, i->photometric_interpretation.data);
	if (i->has_window)
		printf("%.17g,%.17g", i->window_center, i->window_width);
	printf("\t");
	if (i->has_range)
		printf("%.17g,%.17g", i->pixel_min, i->pixel_max);
	printf("\t%llu\t%d\t", (unsigned long long) m->png_size, seccomp_of(pid));
	if (m->png_size > 0)
		keep_picture(field[RESULT], picture, m->png_size);
	else if (m->header.len > 0)
		keep(field[RESULT], m->header.data, m->header.len);
}

static void
run(const char *program, char **field)
{
	int object = open(field[FILE_NAME], O_RDONLY | O_CLOEXEC);
	DgwFrameReader reader;
	DgwFrame frame;
	DgwHello hello;
	DgwRendered m;
	int status;
	int fd;
	pid_t pid = start(program, &fd);

	if (object < 0)
		die(field[FILE_NAME]);
	ask(fd, field, object);
	close(object);
	dgw_reader_init(&reader);
	if (next_frame(&reader, fd, &frame) && frame.type == DGW_MSG_HELLO &&
		dgw_decode_hello(&frame, &hello) && next_frame(&reader, fd, &frame) &&
		frame.type == DGW_MSG_RENDERED && dgw_decode_rendered(&frame, &m))
	{
		int picture = dgw_reader_take_fd(&reader);

		show(&m, field, picture, pid);
		if (picture >= 0)
			close(picture);
	}
	else
	{
		printf("NONE\t");
		kill(pid, SIGKILL);
	}
	close(fd);
	dgw_reader_free(&reader);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("exit %d\n", WEXITSTATUS(status));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	char line[8192];

	if (argc != 2)
		return 2;
	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char *field[FIELDS];
		char *at = line;

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < FIELDS; i++)
		{
			field[i] = strsep(&at, "\t");
			if (field[i] == NULL)
				return 2;
		}
		run(argv[1], field);
	}
	return 0;
}
