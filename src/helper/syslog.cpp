/*-------------------------------------------------------------------------
 *
 * syslog.cpp
 *	  dicomgw-syslog: hands audit messages to one audit repository, by syslog
 *	  over TLS (DICOM PS3.15 A.6, IHE ITI-20, RFC 5424 and 5425).
 *
 * Started by the audit worker with an audit channel (protocol/message.h) on
 * descriptor 3, once for each batch: told where to, it connects, sends what
 * follows, and when the worker has no more to say it ends the connection so
 * that it is known that all has arrived.  Then it says so, and exits.  Files
 * of keys and certificates are read for each batch, so renewed ones count at
 * once.  It holds no database credentials, shares no memory, and leaves no
 * core; if it dies, its batch is sent again.
 *
 *		syslog.cpp			start and end of the program; messages' headers
 *		syslog_session.cpp	the connection
 *		dial.cpp			name to connected socket
 *		stream.cpp			its bytes over TCP
 *		tls_stream.cpp		its bytes over TLS
 *		tls_context.cpp		certificates
 *		tls_reason.cpp		why TLS failed, in words
 *		peer_text.cpp		what a peer calls itself
 *		channel.cpp			messages from and to the worker
 *
 *-------------------------------------------------------------------------
 */
#include "channel.h"
#include "peer_text.h"
#include "syslog_session.h"

#include <csignal>
#include <cstdio>
#include <exception>

#include <sys/resource.h>
#include <unistd.h>

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

using namespace dicomgw;

namespace
{

constexpr char PROGRAM[] = "dicomgw-syslog " DGW_VERSION;

/* PS3.15 A.6.1. */
constexpr char MESSAGE_ID[] = "DICOM+RFC3881";

/* Before what is UTF-8 (RFC 5424 6.4). */
constexpr char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

/* RFC 5424 6.2.4: 255 printable characters, or none. */
std::string
host_name()
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0)
		return "-";
	std::string text = printable_ascii(name);

	for (char &c : text)
		if (c == ' ')
			c = '?';
	return text.empty() ? "-" : text;
}

/* The head of RFC 5424 6, and the audit message. */
std::string
syslog_message(const DgwAuditRecord &record)
{
	static const std::string from = " " + host_name() + " dicomgw " + std::to_string(getppid()) +
									" " + MESSAGE_ID + " - " + BYTE_ORDER_MARK;

	return "<" + std::to_string(record.priority) + ">1 " + str(record.at) + from + str(record.xml);
}

SyslogReceiver
receiver_of(const DgwAuditRepository &m)
{
	SyslogReceiver receiver;

	receiver.host = str(m.host);
	receiver.port = m.port;
	receiver.tls.check = (DgwTlsCheck) m.tls;
	receiver.tls.server_name = m.tls_server_name.len > 0 ? str(m.tls_server_name) : receiver.host;
	receiver.tls.ca = str(m.tls_ca);
	receiver.tls.certificate = str(m.tls_certificate);
	receiver.tls.key = str(m.tls_key);
	receiver.needs_close = m.needs_close != 0;
	receiver.connect_timeout = std::chrono::seconds(m.connect_timeout);
	receiver.response_timeout = std::chrono::seconds(m.response_timeout);
	return receiver;
}

/*
 * All that the worker says, until it closes its side.  -1: it has said something
 * else; 0: the connection failed; 1: all is sent, and position is the last one's.
 */
int
relay(Channel &channel, SyslogSession &session, uint64_t &position)
{
	DgwAuditRecord record;
	DgwFrame frame;
	DgwReadResult result;

	if (!session.open())
		return 0;
	while ((result = channel.receive(frame)) == DGW_READ_OK)
	{
		if (frame.type != DGW_MSG_AUDIT_RECORD || !dgw_decode_audit_record(&frame, &record))
			return -1;
		if (!session.send(syslog_message(record)))
			return 0;
		position = record.position;
	}
	if (result != DGW_READ_EOF)
		return -1;
	return session.finish() ? 1 : 0;
}

int
serve_repository(Channel &channel, const SyslogReceiver &receiver)
{
	SyslogSession session(receiver);
	uint64_t position = 0;

	switch (relay(channel, session, position))
	{
		case 1:
			return channel.send(dgw_encode_audit_delivered, DgwAuditDelivered{position}) ? 0 : 1;
		case 0:
			return channel.send(dgw_encode_audit_failed, DgwAuditFailed{slice(session.why())}) ? 0
																							   : 1;
		default:
			channel.log(DGW_LOG_WARNING, "dicomgw-syslog was told what is no audit record");
			return 1;
	}
}

int
serve_worker()
{
	Channel channel(DGW_CHANNEL_FD, DGW_CHANNEL_AUDIT);
	DgwAuditRepository message;
	DgwFrame frame;
	int exit_status;

	if (!channel.first(PROGRAM, frame, exit_status))
		return exit_status;
	if (frame.type != DGW_MSG_AUDIT_REPOSITORY || !dgw_decode_audit_repository(&frame, &message))
	{
		channel.log(DGW_LOG_WARNING, "dicomgw-syslog needs a repository before %s",
					dgw_message_name(frame.type));
		return 1;
	}
	return serve_repository(channel, receiver_of(message));
}

} // namespace

int
main()
{
	die_with_parent(getppid());
	signal(SIGPIPE, SIG_IGN);
	/* A core would have the key in it, and names of patients. */
	const struct rlimit none = {0, 0};

	(void) setrlimit(RLIMIT_CORE, &none);
	try
	{
		return serve_worker();
	}
	catch (const std::exception &e)
	{
		fprintf(stderr, "dicomgw-syslog: %s\n", e.what());
		return 1;
	}
}
