/*-------------------------------------------------------------------------
 *
 * channel.cpp
 *	  A helper program's end of its channel to a background worker
 *	  (see channel.h).
 *
 *-------------------------------------------------------------------------
 */
#include "channel.h"

namespace dicomgw
{

Channel::Channel(int fd, DgwChannelKind kind)
{
	dgw_worker_channel_open(&base_, fd, kind);
}

Channel::~Channel()
{
	dgw_worker_channel_free(&base_);
}

void
Channel::close()
{
	dgw_worker_channel_close(&base_);
}

bool
Channel::hello(const char *program)
{
	return dgw_worker_channel_hello(&base_, program);
}

DgwReadResult
Channel::receive(DgwFrame &frame, int timeout_ms)
{
	return dgw_worker_channel_receive(&base_, &frame, timeout_ms);
}

bool
Channel::first(const char *program, DgwFrame &frame, int &exit_status)
{
	return dgw_worker_channel_first(&base_, program, &frame, &exit_status);
}

void
Channel::log(DgwLogLevel level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	dgw_worker_channel_vlog(&base_, level, format, args);
	va_end(args);
}

} // namespace dicomgw
