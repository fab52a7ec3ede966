/*-------------------------------------------------------------------------
 *
 * transport.cpp
 *	  The transport under DCMTK's upper layer (see transport.h).
 *
 *-------------------------------------------------------------------------
 */
#include "transport.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <dcmtk/dcmnet/dcmtrans.h>

#include "tls_stream.h"

namespace dicomgw
{

namespace
{

/* Holds the answers to some hundred small objects, or a PDU of the usual size. */
constexpr size_t BUFFER_SIZE = 64 * 1024;

/* DCMTK writes a P-DATA-TF PDU as one write of this size, then one of the data. */
constexpr size_t DATA_HEAD_SIZE = 12;
constexpr unsigned char DATA_PDU_TYPE = 0x04;

/* More than is under way on any line when a peer hears of the end. */
constexpr size_t MAX_DRAINED = 16 * 1024 * 1024;

bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

} // namespace

class BufferedConnection : public DcmTCPConnection
{
public:
	BufferedConnection(std::unique_ptr<Stream> stream, TransportLayer &layer,
					   std::unique_ptr<unsigned char[]> buffer)
		: DcmTCPConnection(stream->fd()),
		  stream_(std::move(stream)),
		  layer_(layer),
		  buffer_(std::move(buffer)),
		  send_timeout_(dcmSocketSendTimeout.get()),
		  receive_timeout_(dcmSocketReceiveTimeout.get())
	{
	}

	~BufferedConnection() override
	{
		stream_->say_end();
		if (layer_.connection_ == this)
			layer_.connection_ = nullptr;
	}

	OFCondition serverSideHandshake() override
	{
		return handshake(true);
	}

	OFCondition clientSideHandshake() override
	{
		return handshake(false);
	}

	ssize_t read(void *buf, size_t nbyte) override;
	ssize_t write(void *buf, size_t nbyte) override;
	OFBool networkDataAvailable(int timeout) override;

	/*
	 * "Transparent" makes DCMTK poll the descriptor behind our back, where
	 * buffered bytes are not seen.
	 */
	OFBool isTransparentConnection() override
	{
		return OFFalse;
	}

	void close() override
	{
		stream_->say_end();
		DcmTCPConnection::close();
	}

	int descriptor()
	{
		return getSocket();
	}

	bool buffered() const
	{
		return start_ < end_ || stream_->pending();
	}

	bool has_input()
	{
		return start_ < end_ || stream_->has_input();
	}

private:
	OFCondition handshake(bool as_server);
	void note_failure();
	ssize_t receive(void *buf, size_t nbyte);
	bool send_all(struct iovec *iov, size_t iov_count);
	bool await(short events, int wait_ms);
	bool await_more(short events, int timeout);

	std::unique_ptr<Stream> stream_;
	TransportLayer &layer_;
	std::unique_ptr<unsigned char[]> buffer_;
	size_t start_ = 0; /* first byte not yet given to DCMTK */
	size_t end_ = 0;   /* one past the last byte received */
	unsigned char head_[DATA_HEAD_SIZE] = {};
	bool head_held_ = false; /* the data's write must follow */
	bool answered_ = false;	 /* nothing has come since what we sent last */
	int send_timeout_;
	int receive_timeout_;
};

/* Wait for the socket; false when the time is up (ETIMEDOUT), or nobody wants to wait any more. */
bool
BufferedConnection::await(short events, int wait_ms)
{
	auto start = MonotonicClock::now();
	int left = wait_ms;

	for (;;)
	{
		struct pollfd fds[2] = {
			{getSocket(), events, 0},
			{layer_.interrupt_ != nullptr ? layer_.interrupt_->fd() : -1, POLLIN, 0}};
		int n = poll(fds, 2, left);

		if (n > 0 && fds[1].revents != 0)
		{
			errno = ECANCELED;
			return false;
		}
		/* POLLHUP and POLLERR count as ready: the call that follows says why. */
		if (n > 0)
			return true;
		if (n == 0)
		{
			errno = ETIMEDOUT;
			return false;
		}
		if (errno != EINTR)
			return false;
		if (wait_ms >= 0)
		{
			auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
				MonotonicClock::now() - start);

			left = std::max(0, wait_ms - static_cast<int>(spent.count()));
		}
	}
}

/* The peer may have more to send, and wait for us to say that we have what came. */
bool
BufferedConnection::await_more(short events, int timeout)
{
	if (!answered_)
		quick_ack(getSocket());
	if (!await(events, layer_.wait_ms(timeout)))
		return false;
	answered_ = false;
	return true;
}

/*
 * DCMTK asks for it as soon as there is a connection; a peer that drips its
 * part of it has no more time than any other.
 */
OFCondition
BufferedConnection::handshake(bool as_server)
{
	while (!stream_->handshake(as_server))
	{
		if (would_block(errno) && !layer_.failed(0) &&
			await(stream_->events(), layer_.wait_ms(receive_timeout_)))
			continue;
		/* Interrupted or too late is noted already. */
		if (!would_block(errno))
			(void) layer_.failed(errno);
		layer_.tls_error_ = stream_->why().empty() ? strerror(layer_.error_) : stream_->why();
		return makeOFCondition(0, 0, OF_error, "no TLS session");
	}
	layer_.tls_session_ = stream_->session();
	return EC_Normal;
}

/* Keep errno, and what the stream can add to it. */
void
BufferedConnection::note_failure()
{
	layer_.error_ = errno;
	layer_.broken_ = errno == EPROTO ? stream_->why() : std::string();
}

/* Whatever the socket has, waiting for the first byte. */
ssize_t
BufferedConnection::receive(void *buf, size_t nbyte)
{
	/* A peer that drips keeps every single wait short: look at the clock each time. */
	if (layer_.failed(0))
	{
		errno = layer_.error_;
		return -1;
	}
	for (;;)
	{
		ssize_t n = stream_->read(buf, nbyte);

		if (n < 0 && would_block(errno) && await_more(stream_->events(), receive_timeout_))
			continue;
		answered_ = answered_ && n < 0;
		return n;
	}
}

ssize_t
BufferedConnection::read(void *buf, size_t nbyte)
{
	if (start_ == end_)
	{
		/* What would fill the buffer anyhow goes straight to its place. */
		bool direct = nbyte >= BUFFER_SIZE;
		ssize_t n = direct ? receive(buf, nbyte) : receive(buffer_.get(), BUFFER_SIZE);

		if (n <= 0)
		{
			if (n < 0)
				note_failure();
			else
				layer_.error_ = 0;
			layer_.at_end_ = n == 0;
			return n;
		}
		if (direct)
			return n;
		start_ = 0;
		end_ = static_cast<size_t>(n);
	}
	size_t n = std::min(nbyte, end_ - start_);

	memcpy(buf, buffer_.get() + start_, n);
	start_ += n;
	return static_cast<ssize_t>(n);
}

/* DCMTK takes a short write for a failure, so all of it goes out here. */
bool
BufferedConnection::send_all(struct iovec *iov, size_t iov_count)
{
	if (layer_.deadline_passed())
	{
		errno = ETIMEDOUT;
		return false;
	}
	while (iov_count > 0)
	{
		ssize_t n = stream_->write(iov, iov_count, layer_.more_);

		if (n < 0)
		{
			if (!would_block(errno) || !await(stream_->events(), layer_.wait_ms(send_timeout_)))
				return false;
			continue;
		}
		size_t sent = static_cast<size_t>(n);

		while (iov_count > 0 && sent >= iov->iov_len)
		{
			sent -= iov->iov_len;
			iov++;
			iov_count--;
		}
		if (iov_count > 0)
		{
			iov->iov_base = static_cast<char *>(iov->iov_base) + sent;
			iov->iov_len -= sent;
		}
	}
	answered_ = true;
	return true;
}

ssize_t
BufferedConnection::write(void *buf, size_t nbyte)
{
	struct iovec iov[2];
	size_t iov_count = 0;

	/* No other PDU is as short as the head of a P-DATA-TF of any size. */
	if (!head_held_ && nbyte == DATA_HEAD_SIZE &&
		*static_cast<const unsigned char *>(buf) == DATA_PDU_TYPE)
	{
		memcpy(head_, buf, DATA_HEAD_SIZE);
		head_held_ = true;
		return static_cast<ssize_t>(nbyte);
	}
	if (head_held_)
		iov[iov_count++] = {head_, DATA_HEAD_SIZE};
	iov[iov_count++] = {buf, nbyte};
	head_held_ = false;
	if (!send_all(iov, iov_count))
	{
		note_failure();
		/* Not EINTR, on which DCMTK would write the data again. */
		return -1;
	}
	return static_cast<ssize_t>(nbyte);
}

OFBool
BufferedConnection::networkDataAvailable(int timeout)
{
	if (buffered())
		return OFTrue;
	if (layer_.failed(0))
		return OFFalse;
	/* DCMTK may compute a wait below zero; poll() would take that for "for ever". */
	if (timeout > 0 ? await_more(POLLIN, timeout) : await(POLLIN, 0))
		return OFTrue;
	layer_.error_ = errno;
	return OFFalse;
}

/* ---------- the layer ---------- */

TransportLayer::~TransportLayer()
{
	if (substitute_ >= 0)
		::close(substitute_);
}

DcmTransportConnection *
TransportLayer::createConnection(DcmNativeSocketType fd, OFBool secure)
{
	if (secure && tls_context_ == nullptr)
		return nullptr;
	if (substitute_ >= 0)
	{
		/* DCMTK goes on using its own number for the descriptor. */
		int replaced = dup3(substitute_, fd, O_CLOEXEC);

		::close(substitute_);
		substitute_ = -1;
		if (replaced < 0)
			return nullptr;
	}
	error_ = 0;
	at_end_ = false;
	more_ = false;
	tls_session_ = TlsSession();
	tls_error_.clear();
	broken_.clear();
	try
	{
		/* Not zeroed: pages that no byte reaches cost nothing. */
		std::unique_ptr<unsigned char[]> buffer(new unsigned char[BUFFER_SIZE]);
		std::unique_ptr<Stream> stream;

		if (secure)
			stream = std::make_unique<TlsStream>(fd, tls_context_, tls_server_name_);
		else
			stream = std::make_unique<TcpStream>(fd);
		connection_ = new BufferedConnection(std::move(stream), *this, std::move(buffer));
	}
	catch (const std::bad_alloc &)
	{
		return nullptr;
	}
	return connection_;
}

void
TransportLayer::use_tls(SSL_CTX *context, const std::string &server_name)
{
	tls_context_ = context;
	tls_server_name_ = server_name;
}

void
TransportLayer::set_interrupt(const Interrupt *interrupt)
{
	interrupt_ = interrupt;
}

bool
TransportLayer::interrupted() const
{
	return interrupt_ != nullptr && interrupt_->raised();
}

/* Note why it failed: for this reason, or because it may not even be tried. */
bool
TransportLayer::failed(int error)
{
	if (error == 0 && interrupted())
		error = ECANCELED;
	else if (error == 0 && deadline_passed())
		error = ETIMEDOUT;
	if (error != 0)
		error_ = error;
	return error != 0;
}

void
TransportLayer::substitute(int fd)
{
	if (substitute_ >= 0)
		::close(substitute_);
	substitute_ = fd;
}

bool
TransportLayer::substitution_pending() const
{
	return substitute_ >= 0;
}

void
TransportLayer::set_deadline(MonotonicClock::time_point when)
{
	deadline_ = when;
	has_deadline_ = true;
	error_ = 0;
	broken_.clear();
}

void
TransportLayer::set_deadline_after(std::chrono::milliseconds span)
{
	set_deadline(MonotonicClock::now() + span);
}

void
TransportLayer::clear_deadline()
{
	has_deadline_ = false;
}

bool
TransportLayer::deadline_passed() const
{
	return has_deadline_ && MonotonicClock::now() >= deadline_;
}

void
TransportLayer::set_more(bool more)
{
	more_ = more;
}

bool
TransportLayer::send(const void *data, size_t len)
{
	return connection_ != nullptr && connection_->write(const_cast<void *>(data), len) >= 0;
}

void
TransportLayer::drain()
{
	char bytes[4096];
	size_t drained = 0;
	ssize_t n;

	while (connection_ != nullptr && drained < MAX_DRAINED &&
		   (n = connection_->read(bytes, sizeof(bytes))) > 0)
		drained += static_cast<size_t>(n);
}

int
TransportLayer::fd() const
{
	return connection_ != nullptr ? connection_->descriptor() : -1;
}

bool
TransportLayer::buffered() const
{
	return connection_ != nullptr && connection_->buffered();
}

bool
TransportLayer::has_input() const
{
	return connection_ != nullptr && connection_->has_input();
}

int
TransportLayer::last_error() const
{
	return error_;
}

std::string
TransportLayer::error_text() const
{
	return broken_.empty() ? strerror(error_) : broken_;
}

bool
TransportLayer::at_end() const
{
	return at_end_;
}

int
TransportLayer::wait_ms(int seconds) const
{
	using std::chrono::milliseconds;
	long long wait = seconds > 0 ? seconds * 1000LL : -1;

	if (has_deadline_)
	{
		/* Rounded up, so that a wait never ends just before its deadline. */
		long long left =
			std::chrono::duration_cast<milliseconds>(deadline_ - MonotonicClock::now()).count() + 1;

		left = std::max(0LL, left);
		wait = wait < 0 ? left : std::min(wait, left);
	}
	return static_cast<int>(std::min<long long>(wait, INT_MAX));
}

} // namespace dicomgw
