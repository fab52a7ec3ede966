/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  Framed messages over a Unix stream socket: writing, reading, fields.
 *
 * The background workers and the helper programs talk in frames.  A frame is
 * an eight-byte head and a payload:
 *
 *		uint32	length of the payload, in bytes
 *		uint16	message type (DgwMessageType, message.h)
 *		uint16	zero
 *
 * Both ends run on one machine and are built together, so integers are in
 * host byte order; the versions are compared in the first message.  Whatever
 * a helper says is nevertheless treated as hostile: every length is checked,
 * a reader never looks past the payload, and a frame that is too long, of an
 * unknown type, or has bytes left over ends the conversation.
 *
 * This file and frame.c use neither PostgreSQL nor DCMTK: both sides link
 * them.  Buffers are malloc'ed and belong to long-lived structs, so an ERROR
 * in a worker leaks nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_FRAME_H
#define DGW_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C"
{
#endif

/* Longest payload accepted, in bytes (a header's JSON is the largest part). */
#define DGW_FRAME_MAX_PAYLOAD (16 * 1024 * 1024)
#define DGW_FRAME_HEAD_SIZE 8

	/* A counted string inside a frame: not NUL-terminated, valid as long as the frame. */
	typedef struct DgwSlice
	{
		const char *data;
		size_t len;
	} DgwSlice;

	static inline DgwSlice dgw_slice(const char *string)
	{
		DgwSlice slice = {string, strlen(string)};

		return slice;
	}

	/* Collects one or more frames to be sent; reused from message to message. */
	typedef struct DgwFrameWriter
	{
		char *data;
		size_t len;
		size_t cap;
		size_t frame_start; /* offset of the head of the frame being written */
		bool failed;		/* out of memory or payload too long: nothing can be sent */
	} DgwFrameWriter;

	extern void dgw_writer_reset(DgwFrameWriter *w);
	extern void dgw_writer_free(DgwFrameWriter *w);
	extern void dgw_frame_begin(DgwFrameWriter *w, uint16_t type);
	extern bool dgw_frame_end(DgwFrameWriter *w);

	extern void dgw_put_u8(DgwFrameWriter *w, uint8_t value);
	extern void dgw_put_u16(DgwFrameWriter *w, uint16_t value);
	extern void dgw_put_u32(DgwFrameWriter *w, uint32_t value);
	extern void dgw_put_u64(DgwFrameWriter *w, uint64_t value);
	extern void dgw_put_bytes(DgwFrameWriter *w, const void *data, size_t len);
	extern void dgw_put_slice(DgwFrameWriter *w, DgwSlice slice);

	/* Collects what comes out of a socket and cuts it into frames. */
	typedef struct DgwFrameReader
	{
		char *data;
		size_t start; /* first byte not yet consumed */
		size_t end;	  /* one past the last byte read */
		size_t cap;
		int passed_fd; /* descriptor received beside the bytes (SCM_RIGHTS), or -1 */
	} DgwFrameReader;

	/* One frame, and how far its fields have been read. */
	typedef struct DgwFrame
	{
		uint16_t type;
		const char *payload;
		size_t len;
		size_t pos;
		bool bad; /* a field ran past the end; sticky */
	} DgwFrame;

	typedef enum DgwReadResult
	{
		DGW_READ_OK,	/* got bytes (or a whole frame) */
		DGW_READ_AGAIN, /* nothing to be had now */
		DGW_READ_EOF,	/* the peer has closed */
		DGW_READ_ERROR	/* errno says why; EPROTO: the peer breaks the protocol */
	} DgwReadResult;

	extern void dgw_reader_init(DgwFrameReader *r);
	extern void dgw_reader_free(DgwFrameReader *r);

	/*
 * Read once from the socket.  A descriptor passed beside the bytes is kept in
 * passed_fd until dgw_reader_take_fd() fetches it; one is enough, because each
 * is announced by a frame of its own and the reader stops at its bytes.
 */
	extern DgwReadResult dgw_reader_fill(DgwFrameReader *r, int fd);
	extern DgwReadResult dgw_reader_next(DgwFrameReader *r, DgwFrame *frame);
	extern int dgw_reader_take_fd(DgwFrameReader *r);

	extern uint8_t dgw_get_u8(DgwFrame *f);
	extern uint16_t dgw_get_u16(DgwFrame *f);
	extern uint32_t dgw_get_u32(DgwFrame *f);
	extern uint64_t dgw_get_u64(DgwFrame *f);
	extern void dgw_get_bytes(DgwFrame *f, void *dest, size_t len);
	extern DgwSlice dgw_get_slice(DgwFrame *f);
	extern bool dgw_frame_complete(const DgwFrame *f);

	/*
 * Send the whole of a writer's bytes, with a descriptor beside the first of
 * them unless pass_fd is -1.  On a blocking socket this waits; on a
 * non-blocking one a full socket is the error EAGAIN (a peer that does not
 * read is given up, never waited for).  SIGPIPE is never raised.
 */
	extern bool dgw_writer_send(DgwFrameWriter *w, int fd, int pass_fd);

#ifdef __cplusplus
}
#endif

#endif /* DGW_FRAME_H */
