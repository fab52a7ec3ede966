/*-------------------------------------------------------------------------
 *
 * tls_stream.h
 *	  A byte stream over TLS (OpenSSL), at either end of a connection.
 *
 * DCMTK's own TLS connection blocks for as long as a peer likes in the middle
 * of a record, and can't be told to stop; this one never waits.  What is
 * accepted (versions, ciphers, certificates) is all in the context, see
 * tls_context.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TLS_STREAM_H
#define DGW_TLS_STREAM_H

#include <memory>
#include <openssl/ssl.h>

#include "stream.h"

namespace dicomgw
{

class TlsStream : public Stream
{
public:
	/* The descriptor becomes non-blocking.  server_name: whom a client asks for; may be empty. */
	TlsStream(int fd, SSL_CTX *context, const std::string &server_name);
	~TlsStream() override;

	ssize_t read(void *buf, size_t len) override;
	ssize_t write(const struct iovec *iov, size_t count, bool more) override;
	bool handshake(bool as_server) override;
	short events() const override
	{
		return events_;
	}
	bool pending() const override;
	bool has_input() override;
	void say_end() override;
	TlsSession session() const override;
	std::string why() const override
	{
		return why_;
	}

private:
	bool speaks_tls();
	ssize_t result(int n);
	void hear_last_words();
	std::string reason() const;

	SSL *ssl_;
	std::string server_name_;
	std::string refused_;			 /* whom a certificate that was refused is made out to */
	std::unique_ptr<char[]> record_; /* what is put together for one record */
	short events_ = 0;
	bool heard_ = false; /* the peer's first byte, which is TLS */
	bool open_ = false;	 /* the handshake is done, and nothing has failed since */
	std::string why_;
};

} // namespace dicomgw

#endif /* DGW_TLS_STREAM_H */
