/*-------------------------------------------------------------------------
 *
 * sync.c
 *	  dicomgw-sync: puts files on the disk that were received already.
 *
 * Started by the receiver, with a sync channel (protocol/message.h) on
 * descriptor 3.  Until a file is on the disk, the journal has its bytes
 * (../journal.h); here is who does the waiting for the disk, which nobody else
 * is to wait for.  It opens files by name and reads nothing of them.
 *
 * Files are synced in portions.  All of a portion are first told to be written,
 * so that the disk has them at once, and one commit of the file system's own
 * journal takes along what all of them need.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../directory_sync.h"
#include "worker_channel.h"

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

static const char PROGRAM[] = "dicomgw-sync " DGW_VERSION;

#define PORTION 128

/* One path of a SYNC, and how it went. */
typedef struct File
{
	DgwSlice path;
	int fd;
	int error; /* errno; 0: on the disk */
} File;

static DgwDirectories directories;

/* ---------- a portion ---------- */

static void
start_writing(const char *root, File *file)
{
	char name[PATH_MAX];
	int n = snprintf(name, sizeof(name), "%s/%.*s", root, (int) file->path.len, file->path.data);

	file->fd = -1;
	file->error = ENAMETOOLONG;
	if (n < 0 || (size_t) n >= sizeof(name))
		return;
	file->fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	file->error = file->fd < 0 ? errno : 0;
	if (file->fd >= 0)
		(void) sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
finish_writing(File *file)
{
	if (file->fd < 0)
		return;
	if (fdatasync(file->fd) != 0)
		file->error = errno;
	close(file->fd);
}

/* The names come last: they are of no use without the bytes. */
static void
sync_portion(const char *root, File *files, int n)
{
	for (int i = 0; i < n; i++)
		start_writing(root, &files[i]);
	for (int i = 0; i < n; i++)
		finish_writing(&files[i]);
	dgw_directories_begin(&directories, root);
	for (int i = 0; i < n; i++)
		if (files[i].error == 0 &&
			!dgw_directories_sync(&directories, files[i].path.data, files[i].path.len))
			files[i].error = errno;
}

/* ---------- a request ---------- */

/* What has failed so far. */
typedef struct Failures
{
	char *paths; /* room for all of the request's */
	size_t len;
	int error; /* of the first */
} Failures;

static void
note_failures(Failures *failures, const File *files, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (files[i].error == 0)
			continue;
		if (failures->error == 0)
			failures->error = files[i].error;
		memcpy(failures->paths + failures->len, files[i].path.data, files[i].path.len);
		failures->len += files[i].path.len;
		failures->paths[failures->len++] = '\n';
	}
}

/* The next path of the list, which shrinks; false if there is none. */
static bool
next_path(DgwSlice *list, DgwSlice *path)
{
	const char *end = list->len > 0 ? memchr(list->data, '\n', list->len) : NULL;

	if (end == NULL)
		return false;
	path->data = list->data;
	path->len = (size_t) (end - list->data);
	list->data = end + 1;
	list->len -= path->len + 1;
	return true;
}

static void
sync_all(const char *root, DgwSlice paths, Failures *failures)
{
	File files[PORTION];
	int n;

	do
	{
		for (n = 0; n < PORTION && next_path(&paths, &files[n].path); n++)
			;
		sync_portion(root, files, n);
		note_failures(failures, files, n);
	} while (n == PORTION);
}

/* False: the worker is gone, or there is no memory. */
static bool
serve(DgwWorkerChannel *channel, const DgwSync *request)
{
	char *root = strndup(request->root.data, request->root.len);
	Failures failures = {.paths = malloc(request->paths.len + 1)};
	DgwSynced answer;
	bool sent = false;

	if (root != NULL && failures.paths != NULL)
	{
		sync_all(root, request->paths, &failures);
		answer.failed = (DgwSlice){failures.paths, failures.len};
		answer.message = dgw_slice(failures.error != 0 ? strerror(failures.error) : "");
		sent = dgw_encode_synced(dgw_worker_channel_begin(channel), &answer) &&
			   dgw_worker_channel_send(channel, -1);
	}
	directories.root = NULL;
	free(failures.paths);
	free(root);
	return sent;
}

/* Until the worker closes its end. */
static int
serve_worker(DgwWorkerChannel *channel)
{
	DgwReadResult result;
	DgwFrame frame;
	DgwSync request;

	if (!dgw_worker_channel_hello(channel, PROGRAM))
		return 1;
	while ((result = dgw_worker_channel_receive(channel, &frame, -1)) == DGW_READ_OK)
	{
		if (frame.type != DGW_MSG_SYNC || !dgw_decode_sync(&frame, &request))
		{
			dgw_worker_channel_log(channel, DGW_LOG_WARNING, "dicomgw-sync cannot use message %s",
								   dgw_message_name(frame.type));
			return 1;
		}
		if (!serve(channel, &request))
			return 1;
	}
	return result == DGW_READ_EOF ? 0 : 1;
}

int
main(void)
{
	DgwWorkerChannel channel;
	int exit_status;

	dgw_die_with_parent(getppid());
	signal(SIGPIPE, SIG_IGN);
	dgw_worker_channel_open(&channel, DGW_CHANNEL_FD, DGW_CHANNEL_SYNC);
	exit_status = serve_worker(&channel);
	dgw_worker_channel_free(&channel);
	return exit_status;
}
