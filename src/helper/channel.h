/*-------------------------------------------------------------------------
 *
 * channel.h
 *	  A helper program's end of its channel to a background worker.
 *
 * The messages themselves and what may be said on which kind of channel are
 * in protocol/message.h; this class is the C++ side of it: it owns the
 * descriptor and the buffers, and lets nothing in that the table of permitted
 * messages does not have.  A helper speaks to one worker at a time and has
 * nothing else to do while it waits for it, so sending blocks.
 *
 * The channel is also how a helper learns that it is alone: end of file or an
 * error means that the worker is gone, and then the helper has to go too, at
 * once and without a word to its peer, because nobody is left to keep the
 * promises it would make.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CHANNEL_H
#define DGW_CHANNEL_H

#include <string>
#include <sys/types.h>

#include "../protocol/message.h"

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

	/* Encode and send one message; false: the worker is gone. */
	template <typename Message>
	bool send(bool (*encode)(DgwFrameWriter *, const Message *), const Message &message,
			  int pass_fd = -1)
	{
		dgw_writer_reset(&writer_);
		return encode(&writer_, &message) && dgw_writer_send(&writer_, fd_, pass_fd);
	}

	/* One line for the server's log, without patient data. */
	void log(DgwLogLevel level, const char *format, ...) __attribute__((format(printf, 3, 4)));

	int fd() const
	{
		return fd_;
	}

	/* Give the descriptor up without closing the connection for other holders. */
	void close();

private:
	int fd_;
	DgwChannelKind kind_;
	DgwFrameReader reader_;
	DgwFrameWriter writer_;
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

/*
 * Be killed when the parent dies.  expected_parent is who the parent was at
 * the time of the fork (or, after an exec, getppid() as first thing): if it
 * has died in between, exit at once.
 */
extern void die_with_parent(pid_t expected_parent);

} // namespace dicomgw

#endif /* DGW_CHANNEL_H */
