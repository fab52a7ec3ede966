/*-------------------------------------------------------------------------
 *
 * stream.h
 *	  One connected byte stream that never blocks: TCP, or TLS over it.
 *
 * Who waits, for how long and for what else at the same time is the
 * transport's business (transport.cpp); a stream only says for what to wait.
 * So a deadline holds for a TLS handshake as it does for a PDU.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STREAM_H
#define DGW_STREAM_H

#include <cstddef>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>

namespace dicomgw
{

/* What was agreed on with the peer; all empty: no TLS. */
struct TlsSession
{
	std::string version; /* "TLSv1.3" */
	std::string cipher;
	std::string subject; /* of the peer's certificate, RFC 2253, cleaned; empty: it sent none */
};

class Stream
{
public:
	/* The descriptor stays the caller's, and is closed by it. */
	explicit Stream(int fd)
		: fd_(fd)
	{
	}
	virtual ~Stream() = default;
	Stream(const Stream &) = delete;
	Stream &operator=(const Stream &) = delete;

	/*
	 * What came or went: at least one byte; 0 (of read) when the peer has closed
	 * its end in order; -1 with errno, EAGAIN when events() have to be waited for
	 * before the same is tried again.  more: what follows may share a segment.
	 */
	virtual ssize_t read(void *buf, size_t len) = 0;
	virtual ssize_t write(const struct iovec *iov, size_t count, bool more) = 0;

	/* To be done first: true, or false with errno as above. */
	virtual bool handshake(bool as_server) = 0;

	/* For poll(), after EAGAIN. */
	virtual short events() const = 0;

	/* Bytes are here that poll() would not see. */
	virtual bool pending() const
	{
		return false;
	}

	/* Something of the peer's, or its end, is here to be read. */
	virtual bool has_input() = 0;

	/* Tell the peer that nothing follows, if that can be done at once. */
	virtual void say_end()
	{
	}

	virtual TlsSession session() const
	{
		return TlsSession();
	}

	/* More on the last failure than errno has room for; may be empty. */
	virtual std::string why() const
	{
		return std::string();
	}

	int fd() const
	{
		return fd_;
	}

private:
	int fd_;
};

class TcpStream : public Stream
{
public:
	using Stream::Stream;

	ssize_t read(void *buf, size_t len) override;
	ssize_t write(const struct iovec *iov, size_t count, bool more) override;
	bool handshake(bool as_server) override;
	bool has_input() override;
	short events() const override
	{
		return events_;
	}

private:
	short events_ = 0;
};

/* No delay in sending, quick acknowledgements, and keepalive probes. */
extern void tune_socket(int fd);

/* Acknowledge what came at once.  The kernel forgets it, so this is said again and again. */
extern void quick_ack(int fd);

} // namespace dicomgw

#endif /* DGW_STREAM_H */
