/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  Framed messages over a Unix stream socket (see frame.h).
 *
 *-------------------------------------------------------------------------
 */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK (64 * 1024)

/* ---------- writing ---------- */

void
dgw_writer_reset(DgwFrameWriter *w)
{
	w->len = 0;
	w->frame_start = 0;
	w->failed = false;
}

void
dgw_writer_free(DgwFrameWriter *w)
{
	free(w->data);
	memset(w, 0, sizeof(*w));
}

static char *
writer_reserve(DgwFrameWriter *w, size_t len)
{
	char *at;

	if (w->failed)
		return NULL;
	if (len > DGW_FRAME_MAX_PAYLOAD)
	{
		w->failed = true;
		return NULL;
	}
	if (w->len + len > w->cap)
	{
		size_t cap = w->cap ? w->cap : 1024;
		char *grown;

		while (cap < w->len + len)
			cap *= 2;
		grown = realloc(w->data, cap);
		if (grown == NULL)
		{
			w->failed = true;
			return NULL;
		}
		w->data = grown;
		w->cap = cap;
	}
	at = w->data + w->len;
	w->len += len;
	return at;
}

static void
writer_append(DgwFrameWriter *w, const void *data, size_t len)
{
	char *at = writer_reserve(w, len);

	if (at != NULL && len > 0)
		memcpy(at, data, len);
}

void
dgw_frame_begin(DgwFrameWriter *w, uint16_t type)
{
	uint32_t length = 0;
	uint16_t zero = 0;

	w->frame_start = w->len;
	writer_append(w, &length, sizeof(length));
	writer_append(w, &type, sizeof(type));
	writer_append(w, &zero, sizeof(zero));
}

/* Fill in the length; false if the frame can't be sent (too long, no memory). */
bool
dgw_frame_end(DgwFrameWriter *w)
{
	size_t payload;
	uint32_t length;

	if (w->failed)
		return false;
	payload = w->len - w->frame_start - DGW_FRAME_HEAD_SIZE;
	if (payload > DGW_FRAME_MAX_PAYLOAD)
	{
		w->failed = true;
		return false;
	}
	length = (uint32_t) payload;
	memcpy(w->data + w->frame_start, &length, sizeof(length));
	return true;
}

void
dgw_put_u8(DgwFrameWriter *w, uint8_t value)
{
	writer_append(w, &value, sizeof(value));
}

void
dgw_put_u16(DgwFrameWriter *w, uint16_t value)
{
	writer_append(w, &value, sizeof(value));
}

void
dgw_put_u32(DgwFrameWriter *w, uint32_t value)
{
	writer_append(w, &value, sizeof(value));
}

void
dgw_put_u64(DgwFrameWriter *w, uint64_t value)
{
	writer_append(w, &value, sizeof(value));
}

void
dgw_put_bytes(DgwFrameWriter *w, const void *data, size_t len)
{
	writer_append(w, data, len);
}

void
dgw_put_slice(DgwFrameWriter *w, DgwSlice slice)
{
	dgw_put_u32(w, (uint32_t) slice.len);
	writer_append(w, slice.data, slice.len);
}

bool
dgw_writer_send(DgwFrameWriter *w, int fd, int pass_fd)
{
	size_t sent = 0;

	if (w->failed)
	{
		errno = EMSGSIZE;
		return false;
	}
	while (sent < w->len)
	{
		union
		{
			struct cmsghdr align;
			char space[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec iov = {.iov_base = w->data + sent, .iov_len = w->len - sent};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		if (pass_fd >= 0 && sent == 0)
		{
			struct cmsghdr *cmsg;

			memset(&control, 0, sizeof(control));
			msg.msg_control = control.space;
			msg.msg_controllen = sizeof(control.space);
			cmsg = CMSG_FIRSTHDR(&msg);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(cmsg), &pass_fd, sizeof(int));
		}
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (n < 0)
		{
			if (errno == EINTR)
				continue;
			return false;
		}
		sent += (size_t) n;
	}
	return true;
}

/* ---------- reading ---------- */

void
dgw_reader_init(DgwFrameReader *r)
{
	memset(r, 0, sizeof(*r));
	r->passed_fd = -1;
}

void
dgw_reader_free(DgwFrameReader *r)
{
	free(r->data);
	if (r->passed_fd >= 0)
		close(r->passed_fd);
	dgw_reader_init(r);
}

/* Make room for at least one more chunk, moving what is left to the front. */
static bool
reader_make_room(DgwFrameReader *r)
{
	if (r->start > 0)
	{
		memmove(r->data, r->data + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	if (r->cap - r->end < READ_CHUNK)
	{
		size_t cap = r->cap ? r->cap * 2 : READ_CHUNK;
		char *grown = realloc(r->data, cap);

		if (grown == NULL)
			return false;
		r->data = grown;
		r->cap = cap;
	}
	return true;
}

/*
 * Keep a descriptor that came beside the bytes.  A second one, be it in the
 * same message or with the first still unclaimed, is an error; all that came
 * must be closed then, or a peer could use up our descriptors.
 */
static bool
reader_keep_fd(DgwFrameReader *r, struct msghdr *msg)
{
	bool ok = true;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg))
	{
		size_t count;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++)
		{
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (r->passed_fd >= 0 || count != 1)
			{
				close(fd);
				ok = false;
			}
			else
				r->passed_fd = fd;
		}
	}
	return ok;
}

DgwReadResult
dgw_reader_fill(DgwFrameReader *r, int fd)
{
	for (;;)
	{
		union
		{
			struct cmsghdr align;
			char space[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec iov;
		struct msghdr msg = {0};
		ssize_t n;

		if (!reader_make_room(r))
		{
			errno = ENOMEM;
			return DGW_READ_ERROR;
		}
		iov.iov_base = r->data + r->end;
		iov.iov_len = r->cap - r->end;
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);

		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
		if (n > 0)
		{
			r->end += (size_t) n;
			if (!reader_keep_fd(r, &msg) || (msg.msg_flags & MSG_CTRUNC))
			{
				errno = EPROTO;
				return DGW_READ_ERROR;
			}
			return DGW_READ_OK;
		}
		if (n == 0)
			return DGW_READ_EOF;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return DGW_READ_AGAIN;
		return DGW_READ_ERROR;
	}
}

/*
 * Cut the next frame out of what has been read.  Its payload stays valid until
 * the next dgw_reader_fill().
 */
DgwReadResult
dgw_reader_next(DgwFrameReader *r, DgwFrame *frame)
{
	size_t avail = r->end - r->start;
	uint32_t length;
	uint16_t type;
	uint16_t zero;

	if (avail < DGW_FRAME_HEAD_SIZE)
		return DGW_READ_AGAIN;
	memcpy(&length, r->data + r->start, sizeof(length));
	memcpy(&type, r->data + r->start + 4, sizeof(type));
	memcpy(&zero, r->data + r->start + 6, sizeof(zero));
	if (length > DGW_FRAME_MAX_PAYLOAD || zero != 0)
	{
		errno = EPROTO;
		return DGW_READ_ERROR;
	}
	if (avail < DGW_FRAME_HEAD_SIZE + (size_t) length)
		return DGW_READ_AGAIN;

	frame->type = type;
	frame->payload = r->data + r->start + DGW_FRAME_HEAD_SIZE;
	frame->len = length;
	frame->pos = 0;
	frame->bad = false;
	r->start += DGW_FRAME_HEAD_SIZE + (size_t) length;
	return DGW_READ_OK;
}

int
dgw_reader_take_fd(DgwFrameReader *r)
{
	int fd = r->passed_fd;

	r->passed_fd = -1;
	return fd;
}

/* ---------- fields ---------- */

void
dgw_get_bytes(DgwFrame *f, void *dest, size_t len)
{
	if (f->bad || f->len - f->pos < len)
	{
		f->bad = true;
		memset(dest, 0, len);
		return;
	}
	memcpy(dest, f->payload + f->pos, len);
	f->pos += len;
}

uint8_t
dgw_get_u8(DgwFrame *f)
{
	uint8_t value;

	dgw_get_bytes(f, &value, sizeof(value));
	return value;
}

uint16_t
dgw_get_u16(DgwFrame *f)
{
	uint16_t value;

	dgw_get_bytes(f, &value, sizeof(value));
	return value;
}

uint32_t
dgw_get_u32(DgwFrame *f)
{
	uint32_t value;

	dgw_get_bytes(f, &value, sizeof(value));
	return value;
}

uint64_t
dgw_get_u64(DgwFrame *f)
{
	uint64_t value;

	dgw_get_bytes(f, &value, sizeof(value));
	return value;
}

DgwSlice
dgw_get_slice(DgwFrame *f)
{
	DgwSlice slice = {"", 0};
	uint32_t len = dgw_get_u32(f);

	if (f->bad || f->len - f->pos < len)
	{
		f->bad = true;
		return slice;
	}
	slice.data = f->payload + f->pos;
	slice.len = len;
	f->pos += len;
	return slice;
}

/* Every field was there, and nothing is left over. */
bool
dgw_frame_complete(const DgwFrame *f)
{
	return !f->bad && f->pos == f->len;
}
