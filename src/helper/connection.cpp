/*-------------------------------------------------------------------------
 *
 * connection.cpp
 *	  The connection of an association process, as DCMTK has it
 *	  (see connection.h).
 *
 *-------------------------------------------------------------------------
 */
#include "connection.h"

#include "dcmtk/dcmnet/dcmtrans.h"
#include "dcmtk/dcmnet/dul.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <fcntl.h>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>

namespace dicomgw
{

/* Limits of DCMTK's upper layer. */
constexpr uint32_t MIN_PDU = 4096;
constexpr uint32_t MAX_PDU = 131072;

/* Seconds for the peer to close a connection that has ended. */
constexpr int CLOSING_TIMEOUT = 5;

/* Stands for "no timeout" where DCMTK wants a number of seconds. */
constexpr int FOREVER = INT_MAX / 1000;

/* With what a TLS connection begins (RFC 8446 5.1); no PDU has this type. */
constexpr unsigned char TLS_HANDSHAKE = 22;

int
seconds(uint32_t timeout)
{
	return timeout == 0 ? FOREVER : (int) std::min<uint32_t>(timeout, FOREVER);
}

Connection::Connection(const AssociationStart &start)
	: start_(start)
{
	int idle_timeout = seconds(start.listener.idle_timeout);

	tune_socket(start.peer_fd);
	(void) !recv(start.peer_fd, &first_byte_, 1, MSG_PEEK | MSG_DONTWAIT);
	/* Has to be said before the network is initialized, or DCMTK would listen itself. */
	dcmExternalSocketHandle.set(start.peer_fd);
	dcmSocketReceiveTimeout.set(idle_timeout);
	dcmSocketSendTimeout.set(idle_timeout);
	if (start.listener.tls_context)
		layer.use_tls(start.listener.tls_context->native());
	else
		spare_fd_ = fcntl(start.peer_fd, F_DUPFD_CLOEXEC, 0);
	layer.set_interrupt(&start.interrupt);
	layer.set_deadline(start.deadline);
}

Connection::~Connection()
{
	layer.set_interrupt(nullptr);
	if (assoc != NULL)
	{
		layer.set_deadline_after(std::chrono::seconds(CLOSING_TIMEOUT));
		(void) ASC_dropSCPAssociation(assoc, CLOSING_TIMEOUT);
		(void) ASC_destroyAssociation(&assoc);
	}
	if (network_ != NULL)
		(void) ASC_dropNetwork(&network_);
	if (spare_fd_ >= 0)
		close(spare_fd_);
}

/* DCMTK takes it for success when something else or nothing came. */
bool
Connection::nothing_came() const
{
	const DUL_ASSOCIATESERVICEPARAMETERS &asked = params()->DULparams;

	return asked.applicationContextName[0] == '\0' && asked.requestedPresentationContext == NULL;
}

bool
Connection::receive(DgwCloseReason &reason, std::string &message)
{
	int timeout = seconds(start_.listener.association_timeout);
	bool tls = start_.listener.tls;
	OFCondition cond = ASC_initializeNetwork(NET_ACCEPTOR, 0, timeout, &network_);

	if (cond.good())
		cond = ASC_setTransportLayer(network_, &layer, 0);
	if (cond.bad())
	{
		reason = DGW_CLOSE_FAILURE;
		message = cond.text();
		return false;
	}
	cond = ASC_receiveAssociation(network_, &assoc,
								  (long) std::clamp(start_.listener.max_pdu, MIN_PDU, MAX_PDU),
								  NULL, NULL, tls, DUL_NOBLOCK, timeout);
	requested_ = cond.good() && !nothing_came();
	if (requested_)
		return true;

	message.clear();
	if (start_.interrupt.raised())
		reason = DGW_CLOSE_TOLD;
	else if ((cond.bad() || !layer.at_end()) && timed_out())
	{
		reason = DGW_CLOSE_TIMEOUT;
		message = "no complete A-ASSOCIATE-RQ in time";
	}
	else if (!layer.tls_error().empty())
	{
		reason = DGW_CLOSE_TLS;
		message = layer.tls_error();
	}
	else if (!tls && first_byte_ == TLS_HANDSHAKE)
	{
		reason = DGW_CLOSE_PROTOCOL;
		message = "the peer speaks TLS, which this listener does not";
	}
	else if (cond == DUL_PEERABORTEDASSOCIATION)
		reason = DGW_CLOSE_PEER_ABORTED;
	/* Gone so fast, perhaps, that not even its address could be asked for. */
	else if (cond == DUL_NETWORKCLOSED || layer.at_end() || (cond.bad() && layer.fd() < 0))
		reason = DGW_CLOSE_PEER_GONE;
	else if (cond == DUL_UNSUPPORTEDPEERPROTOCOL)
	{
		reason = DGW_CLOSE_REJECTED;
		message = "protocol version not supported";
	}
	else
	{
		reason = DGW_CLOSE_PROTOCOL;
		message = cond.bad() ? cond.text() : "not an A-ASSOCIATE-RQ";
	}
	return false;
}

/* DCMTK's enumerations are the standard's numbers (PS3.8 9.3.4). */
void
Connection::reject(unsigned result, unsigned source, unsigned reason)
{
	T_ASC_RejectParameters parameters = {(T_ASC_RejectParametersResult) result,
										 (T_ASC_RejectParametersSource) source,
										 (T_ASC_RejectParametersReason) (source << 8 | reason)};

	(void) ASC_rejectAssociation(assoc, &parameters);
}

/*
 * The peer is given a while of its own to take the A-ABORT and close.  To DCMTK
 * there is nothing to abort before a request has come; it may have closed then.
 */
void
Connection::abort()
{
	static const unsigned char a_abort[] = {DUL_TYPEABORT, 0, 0, 0, 0, 4, 0, 0, 0, 0};
	std::unique_ptr<DcmTransportConnection> reopened;

	layer.set_interrupt(nullptr);
	if (!requested_ && layer.fd() < 0 && spare_fd_ >= 0)
	{
		reopened.reset(layer.createConnection(spare_fd_, OFFalse));
		spare_fd_ = -1;
	}
	layer.set_deadline_after(std::chrono::seconds(CLOSING_TIMEOUT));
	if (requested_)
		(void) ASC_abortAssociation(assoc);
	else if (layer.tls_error().empty())
		(void) layer.send(a_abort, sizeof(a_abort));
	layer.drain();
}

void
Connection::start_idle_timer()
{
	layer.set_deadline_after(std::chrono::seconds(seconds(start_.listener.idle_timeout)));
}

} // namespace dicomgw
