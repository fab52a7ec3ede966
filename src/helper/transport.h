/*-------------------------------------------------------------------------
 *
 * transport.h
 *	  The transport under DCMTK's upper layer, for both helper programs.
 *
 * DCMTK reads every PDU head with a system call of its own, writes head and
 * data apart, never asks for quick acknowledgements, and has no limit in time
 * for a whole PDU: a peer that drips one byte a minute holds an association
 * for ever.  This layer replaces its connection class with one that
 *
 *	- reads through a buffer;
 *	- sends the head of a P-DATA-TF PDU together with its data;
 *	- acknowledges at once what is not all of a message (TCP_QUICKACK), which
 *	  cures peers that leave Nagle's algorithm on (they wait for our
 *	  acknowledgement before they send the rest: 40 to 90 ms an object); what
 *	  is all of it is acknowledged by our answer, in the same packet;
 *	- honours a deadline, after which every read and write fails, and an
 *	  interrupt, which ends every wait for the peer;
 *	- speaks TLS where it is told to, under the same deadline.
 *
 * The bytes themselves go through a Stream (stream.h), of which there are two
 * kinds, TCP and TLS.
 *
 * A helper process has one association at a time, so the layer stands for
 * "the connection": it keeps the deadline, and answers what DCMTK's upper
 * layer cannot (which descriptor, is something buffered, why did it fail).
 * It is installed with ASC_setTransportLayer(network, &layer, 0) and must
 * outlive the associations.
 *
 * dcmSocketSendTimeout and dcmSocketReceiveTimeout keep their meaning: the
 * longest wait, in seconds, for the peer to take or give anything at all.
 * Zero or less means no limit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TRANSPORT_H
#define DGW_TRANSPORT_H

#include <chrono>
#include <memory>
#include <openssl/ssl.h>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>

#include "interrupt.h"
#include "stream.h"

namespace dicomgw
{

using MonotonicClock = std::chrono::steady_clock;

class BufferedConnection;

class TransportLayer : public DcmTransportLayer
{
public:
	TransportLayer() = default;
	~TransportLayer() override;

	/* Called by DCMTK; a secure connection is refused unless use_tls() came before. */
	DcmTransportConnection *createConnection(DcmNativeSocketType fd, OFBool secure) override;

	/*
	 * The next connection that DCMTK opens becomes this one: its own descriptor
	 * is replaced by fd (see requestor.cpp).  The layer owns fd until then.
	 */
	void substitute(int fd);
	bool substitution_pending() const;

	/* Secure connections from here on have this context, which must live as long as they do. */
	void use_tls(SSL_CTX *context, const std::string &server_name = std::string());

	/* What was agreed on in the handshake. */
	const TlsSession &tls_session() const
	{
		return tls_session_;
	}

	/* Why there is no TLS session; empty if nothing went wrong. */
	const std::string &tls_error() const
	{
		return tls_error_;
	}

	/*
	 * What is raised makes every read fail, and every write that would have to
	 * wait (ECANCELED); NULL: nothing does.
	 */
	void set_interrupt(const Interrupt *interrupt);

	/*
	 * From here on everything must be read and written before this moment; what
	 * failed earlier is forgotten.
	 */
	void set_deadline(MonotonicClock::time_point when);
	void set_deadline_after(std::chrono::milliseconds span);
	void clear_deadline();
	bool deadline_passed() const;

	/* Past DCMTK: a whole PDU that it does not know to be possible.  False: there is no way. */
	bool send(const void *data, size_t len);

	/*
	 * Read until the peer closes, and forget it: what is left unread when we
	 * close would make the kernel take back what was sent last.
	 */
	void drain();

	/* More follows at once: let the kernel put it into the same segment. */
	void set_more(bool more);

	/* Descriptor of the open connection, for poll(); -1 if there is none. */
	int fd() const;
	/* Bytes are here that poll() would not see. */
	bool buffered() const;
	/* Something of the peer's, or its end, is here to be read; of TLS, poll() sees more. */
	bool has_input() const;
	/*
	 * Why the last read or write failed: an errno, ETIMEDOUT if a timeout or
	 * the deadline passed, ECANCELED if it was interrupted, EPROTO if TLS was
	 * broken, 0 if the peer closed its end in order.
	 */
	int last_error() const;
	/* The same in words, and with what TLS has to say of it. */
	std::string error_text() const;
	/* The peer has closed its end, and all that it sent has been read. */
	bool at_end() const;

private:
	friend class BufferedConnection;

	/* Milliseconds for poll(): until the deadline, at most "seconds" (<= 0: no limit). */
	int wait_ms(int seconds) const;

	BufferedConnection *connection_ = nullptr;
	MonotonicClock::time_point deadline_{};
	bool has_deadline_ = false;
	bool interrupted() const;
	bool failed(int error);

	SSL_CTX *tls_context_ = nullptr;
	std::string tls_server_name_;
	TlsSession tls_session_;
	std::string tls_error_;
	std::string broken_; /* why TLS was broken after the handshake */
	const Interrupt *interrupt_ = nullptr;
	bool more_ = false;
	int error_ = 0;
	bool at_end_ = false;
	int substitute_ = -1;
};

} // namespace dicomgw

#endif /* DGW_TRANSPORT_H */
