/*-------------------------------------------------------------------------
 *
 * scu.cpp
 *	  dicomgw-scu: sends stored objects to one destination (C-STORE SCU).
 *
 * Started by the forwarder, or by a backend that runs dicomgw.echo(), with a
 * sender channel (protocol/message.h) on descriptor 3.  The program reads what
 * a peer on the network says, so it holds nothing that is worth taking: no
 * database credentials, no shared memory, one association, and the name of
 * the storage folder.  If it dies, its jobs are late by one lease.
 *
 *		scu.cpp				start and end of the program
 *		sender.cpp			jobs and results
 *		sender_echo.cpp		C-ECHO
 *		outgoing.cpp		the transfer syntaxes of an object
 *		requestor.cpp		opening and ending an association
 *		exchange.cpp		one request and its response
 *		answer.cpp			a peer's refusals, in words
 *		dial.cpp			name to connected socket
 *		dataset_file.cpp	the bytes of a stored object
 *		transcoder.cpp		the same in another transfer syntax
 *		pixel_data.cpp		its images, before and after
 *		jpeg_frame.cpp		what a JPEG image says of its size
 *		codecs.cpp			DCMTK's codecs
 *		dataset_survey.cpp	is it sound enough for DCMTK
 *		dataset_reader.cpp	its elements, and vr.cpp their VRs
 *		temporary_file.cpp	a file without a name
 *		transport.cpp		the connection under DCMTK
 *		stream.cpp			its bytes over TCP
 *		tls_stream.cpp		its bytes over TLS
 *		tls_context.cpp		certificates
 *		tls_reason.cpp		why TLS failed, in words
 *		interrupt.cpp		a wait that a signal ends
 *		peer_text.cpp		what a peer calls itself
 *		dimse.cpp			DIMSE messages
 *		channel.cpp			messages from and to the worker
 *
 *-------------------------------------------------------------------------
 */
#include "channel.h"
#include "requestor.h"
#include "sender.h"

#include <csignal>
#include <cstdio>
#include <exception>

#include <unistd.h>

#include <dcmtk/oflog/oflog.h>

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

using namespace dicomgw;

namespace
{

constexpr char PROGRAM[] = "dicomgw-scu " DGW_VERSION;

int
serve_worker()
{
	Channel channel(DGW_CHANNEL_FD, DGW_CHANNEL_SENDER);
	DgwDestination message;
	DgwFrame frame;
	int exit_status;

	if (!channel.first(PROGRAM, frame, exit_status))
		return exit_status;
	if (frame.type != DGW_MSG_DESTINATION || !dgw_decode_destination(&frame, &message))
	{
		channel.log(DGW_LOG_WARNING, "dicomgw-scu needs a destination before %s",
					dgw_message_name(frame.type));
		return 1;
	}
	const Destination destination(message);

	return Sender(channel, destination).run();
}

} // namespace

int
main()
{
	die_with_parent(getppid());
	signal(SIGPIPE, SIG_IGN);

	/* What DCMTK would print can hold what a peer has sent; failures are reported by us. */
	OFLog::configure(OFLogger::OFF_LOG_LEVEL);
	try
	{
		return serve_worker();
	}
	catch (const std::exception &e)
	{
		fprintf(stderr, "dicomgw-scu: %s\n", e.what());
		return 1;
	}
}
