/*-------------------------------------------------------------------------
 *
 * channel.h
 *	  A helper program's end of its channel to a background worker.
 *
 * worker_channel.h for programs in C++: the same, with RAII.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CHANNEL_H
#define DGW_CHANNEL_H

#include <string>
#include <sys/types.h>

#include "worker_channel.h"

namespace dicomgw
{

class Channel
{
public:
	/* Takes the descriptor over: blocking and close-on-exec from here on. */
	Channel(int fd, DgwChannelKind kind);
	~Channel();
	Channel(const Channel &) = delete;
	Channel &operator=(const Channel &) = delete;

	/*
	 * Say HELLO and wait for the worker's.  False, with a line on stderr, if
	 * the worker is gone or speaks another version of the protocol.
	 */
	bool hello(const char *program);

	/*
	 * The next message, permitted in kind and length, valid until the next
	 * receive().  DGW_READ_AGAIN: nothing within timeout_ms (-1: wait forever).
	 * Frames already buffered are not seen by poll() on fd(): call it until it
	 * says DGW_READ_AGAIN.
	 */
	DgwReadResult receive(DgwFrame &frame, int timeout_ms = -1);

	/* See dgw_worker_channel_first(). */
	bool first(const char *program, DgwFrame &frame, int &exit_status);

	/* Encode and send one message; false: the worker is gone. */
	template <typename Message>
	bool send(bool (*encode)(DgwFrameWriter *, const Message *), const Message &message,
			  int pass_fd = -1)
	{
		return encode(dgw_worker_channel_begin(&base_), &message) &&
			   dgw_worker_channel_send(&base_, pass_fd);
	}

	/* The descriptor that came beside what was received, or -1. */
	int take_fd()
	{
		return dgw_reader_take_fd(&base_.reader);
	}

	/* One line for the server's log, without patient data. */
	void log(DgwLogLevel level, const char *format, ...) __attribute__((format(printf, 3, 4)));

	int fd() const
	{
		return base_.fd;
	}

	/* Give the descriptor up without closing the connection for other holders. */
	void close();

private:
	DgwWorkerChannel base_;
};

inline DgwSlice
slice(const std::string &text)
{
	return DgwSlice{text.data(), text.size()};
}

inline std::string
str(DgwSlice s)
{
	return std::string(s.data, s.len);
}

/* See dgw_die_with_parent(). */
inline void
die_with_parent(pid_t expected_parent)
{
	dgw_die_with_parent(expected_parent);
}

} // namespace dicomgw

#endif /* DGW_CHANNEL_H */
