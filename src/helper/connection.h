/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  The connection of an association process, as DCMTK has it.
 *
 * DCMTK's association and network objects, our transport under them, and how
 * the two together are brought up to the A-ASSOCIATE-RQ and down again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CONNECTION_H
#define DGW_CONNECTION_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"

#include "association.h"
#include "transport.h"

namespace dicomgw
{

/* As DCMTK wants them; 0, "no timeout", becomes a very long one. */
extern int seconds(uint32_t timeout);

class Connection
{
public:
	explicit Connection(const AssociationStart &start);
	~Connection();
	Connection(const Connection &) = delete;
	Connection &operator=(const Connection &) = delete;

	/*
	 * Wait for the A-ASSOCIATE-RQ, after a TLS handshake if it is that kind of
	 * listener.  False if there is none; then reason and message say why.
	 */
	bool receive(DgwCloseReason &reason, std::string &message);

	void reject(unsigned result, unsigned source, unsigned reason);

	/* Tell the peer, if there is still a way, and close. */
	void abort();

	/* The next PDU, read or written, has the listener's idle timeout. */
	void start_idle_timer();

	bool timed_out() const
	{
		return layer.last_error() == ETIMEDOUT || layer.deadline_passed();
	}

	T_ASC_Parameters *params() const
	{
		return assoc->params;
	}

	TransportLayer layer;
	T_ASC_Association *assoc = NULL;

private:
	bool nothing_came() const;

	const AssociationStart &start_;
	unsigned char first_byte_ = 0; /* that the peer sent; 0: it could not be seen */
	int spare_fd_ = -1; /* the connection once more, if DCMTK closes it too early; not with TLS */
	T_ASC_Network *network_ = NULL;
	bool requested_ = false; /* an A-ASSOCIATE-RQ has come */
};

} // namespace dicomgw

#endif /* DGW_CONNECTION_H */
