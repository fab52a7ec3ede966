/*-------------------------------------------------------------------------
 *
 * tls_stream.cpp
 *	  A byte stream over TLS (see tls_stream.h).
 *
 *-------------------------------------------------------------------------
 */
#include "tls_stream.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "peer_text.h"
#include "tls_context.h"
#include "tls_reason.h"

namespace dicomgw
{

/* The longest record that TLS has. */
constexpr size_t RECORD = 16 * 1024;

/* Every connection begins with a handshake record, or an alert (RFC 8446 5.1). */
constexpr unsigned char HANDSHAKE = 22;
constexpr unsigned char ALERT = 21;

constexpr size_t MAX_SUBJECT = 1024;

TlsStream::TlsStream(int fd, SSL_CTX *context, const std::string &server_name)
	: Stream(fd),
	  ssl_(SSL_new(context)),
	  server_name_(server_name)
{
	if (ssl_ == NULL || SSL_set_fd(ssl_, fd) != 1)
		throw std::bad_alloc();
	SSL_set_app_data(ssl_, &refused_);
	/* SNI has names only (RFC 6066 3). */
	if (!server_name.empty() && ip_address(server_name).empty() &&
		SSL_set_tlsext_host_name(ssl_, server_name.c_str()) != 1)
		throw std::bad_alloc();
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

TlsStream::~TlsStream()
{
	SSL_free(ssl_);
}

std::string
TlsStream::reason() const
{
	return tls_reason(ssl_, server_name_);
}

/* From OpenSSL's way of saying it to the system's. */
ssize_t
TlsStream::result(int n)
{
	int error = errno;

	if (n > 0)
		return n;
	switch (SSL_get_error(ssl_, n))
	{
		case SSL_ERROR_WANT_READ:
			events_ = POLLIN;
			errno = EAGAIN;
			return -1;
		case SSL_ERROR_WANT_WRITE:
			events_ = POLLOUT;
			errno = EAGAIN;
			return -1;
		case SSL_ERROR_ZERO_RETURN:
			return 0;
		case SSL_ERROR_SYSCALL:
			open_ = false;
			errno = error != 0 ? error : ECONNRESET;
			return -1;
		default:
			open_ = false;
			why_ = reason();
			errno = EPROTO;
			return -1;
	}
}

/* OpenSSL's words for what is not TLS are "wrong version number", which leads people astray. */
bool
TlsStream::speaks_tls()
{
	unsigned char first;

	if (heard_ || BIO_number_read(SSL_get_rbio(ssl_)) > 0 ||
		recv(fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return true;
	heard_ = first == HANDSHAKE || first == ALERT;
	return heard_;
}

static const char no_tls[] = "the peer speaks no TLS";

bool
TlsStream::handshake(bool as_server)
{
	if (!speaks_tls())
	{
		why_ = no_tls;
		errno = EPROTO;
		return false;
	}
	ERR_clear_error();
	errno = 0;
	ssize_t n = result(as_server ? SSL_accept(ssl_) : SSL_connect(ssl_));

	open_ = n > 0;
	/* What came so soon that OpenSSL has read it first. */
	if (n < 0 && errno == EPROTO && !heard_ &&
		ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER)
		why_ = no_tls;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
	{
		why_ = BIO_number_read(SSL_get_rbio(ssl_)) > 0
				   ? "the peer closed the connection during the TLS handshake"
				   : "the peer closed the connection instead of answering; it may speak no TLS";
		errno = ECONNRESET;
	}
	return open_;
}

ssize_t
TlsStream::read(void *buf, size_t len)
{
	ERR_clear_error();
	errno = 0;
	return result(SSL_read(ssl_, buf, (int) std::min<size_t>(len, INT_MAX)));
}

/*
 * One record: a head and its data would otherwise be two.  The same bytes come
 * again after EAGAIN, as OpenSSL demands.
 */
ssize_t
TlsStream::write(const struct iovec *iov, size_t count, bool)
{
	const void *data = iov[0].iov_base;
	size_t len = iov[0].iov_len;

	if (count > 1 && len < RECORD)
	{
		if (!record_)
			record_.reset(new char[RECORD]);
		len = 0;
		for (size_t i = 0; i < count && len < RECORD; i++)
		{
			size_t n = std::min(iov[i].iov_len, RECORD - len);

			memcpy(record_.get() + len, iov[i].iov_base, n);
			len += n;
		}
		data = record_.get();
	}
	ERR_clear_error();
	errno = 0;
	ssize_t n = result(SSL_write(ssl_, data, (int) std::min<size_t>(len, INT_MAX)));

	if (n < 0 && errno != EAGAIN)
		hear_last_words();
	return n;
}

/* A peer that takes no more may have said why in an alert, which is still here to be read. */
void
TlsStream::hear_last_words()
{
	int error = errno;
	char byte;

	ERR_clear_error();
	if (why_.empty() && SSL_peek(ssl_, &byte, 1) <= 0 &&
		ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SSL)
	{
		why_ = reason();
		error = EPROTO;
	}
	errno = error;
}

bool
TlsStream::pending() const
{
	return SSL_pending(ssl_) > 0;
}

/* Not all that comes is the peer's: tickets and new keys are TLS's own. */
bool
TlsStream::has_input()
{
	char byte;

	ERR_clear_error();
	if (SSL_peek(ssl_, &byte, 1) > 0)
		return true;
	int error = SSL_get_error(ssl_, -1);

	return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

void
TlsStream::say_end()
{
	ERR_clear_error();
	if (open_)
		(void) SSL_shutdown(ssl_);
	open_ = false;
}

/* RFC 2253, in UTF-8; who made it up is on the other side. */
static std::string
subject_of(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	std::string subject;
	char *text;

	if (bio != NULL && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
										  XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
	{
		long len = BIO_get_mem_data(bio, &text);

		subject = clean_utf8(std::string(text, len > 0 ? (size_t) len : 0), MAX_SUBJECT);
	}
	BIO_free(bio);
	return subject;
}

TlsSession
TlsStream::session() const
{
	X509 *certificate = SSL_get0_peer_certificate(ssl_);
	TlsSession session = {SSL_get_version(ssl_), SSL_get_cipher_name(ssl_), std::string()};

	if (certificate != NULL)
		session.subject = subject_of(certificate);
	return session;
}

} // namespace dicomgw
