/*-------------------------------------------------------------------------
 *
 * syslog_session.h
 *	  One connection to a syslog receiver over TLS (RFC 5425), from its
 *	  beginning to an end that says that all has arrived.
 *
 * Syslog has no answers.  But RFC 5425 4.4 has the receiver answer our
 * close_notify with one of its own, and TLS hands it over in order: whoever
 * answers has read everything before it.  One that ends the connection for
 * reasons of its own, as if it answered, must not be taken for that.  So our
 * word is said only when its kernel has everything and nothing has come from
 * it; and after its word the connection has to come to its end without a
 * reset, which is what becomes of one that is closed with bytes unread, or
 * before they come.
 *
 * A receiver that closes the connection in this order, but without that word,
 * has read everything, too; only it can't be told from somebody on the way
 * who takes its place, so this has to be permitted.
 *
 * Whatever else happens (a reset, silence, words where none are due) means
 * that nobody knows what has arrived, and all of it is sent again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SYSLOG_SESSION_H
#define DGW_SYSLOG_SESSION_H

#include <chrono>
#include <memory>
#include <string>

#include "stream.h"
#include "tls_context.h"

namespace dicomgw
{

struct SyslogReceiver
{
	std::string host;
	uint16_t port = 0;
	TlsPeerCheck tls;
	bool needs_close = false; /* a TCP FIN alone does not do */
	std::chrono::seconds connect_timeout{};
	std::chrono::seconds response_timeout{};
};

class SyslogSession
{
public:
	explicit SyslogSession(const SyslogReceiver &receiver)
		: receiver_(receiver)
	{
	}
	~SyslogSession();
	SyslogSession(const SyslogSession &) = delete;
	SyslogSession &operator=(const SyslogSession &) = delete;

	/* Each: false, and why() says why; then nothing else may be done with it. */
	bool open();
	bool send(const std::string &message); /* framed by its length (RFC 5425 4.3) */
	bool finish();						   /* true: all has been read at the other end */

	const std::string &why() const
	{
		return why_;
	}

private:
	bool fail(const char *what);
	bool fail_last_words(const char *what);
	bool await(short events, std::chrono::steady_clock::time_point deadline, const char *what);
	bool shake_hands();
	bool write_all(const std::string &bytes);
	bool await_acknowledged(std::chrono::steady_clock::time_point deadline);
	bool hear_end(std::chrono::steady_clock::time_point deadline);
	bool await_fin(std::chrono::steady_clock::time_point deadline);

	const SyslogReceiver &receiver_;
	std::shared_ptr<const TlsContext> context_; /* outlives the stream */
	std::unique_ptr<Stream> stream_;
	int fd_ = -1;
	std::string why_;
};

} // namespace dicomgw

#endif /* DGW_SYSLOG_SESSION_H */
