/*-------------------------------------------------------------------------
 *
 * interrupt.cpp
 *	  SIGTERM as something that can be polled for (see interrupt.h).
 *
 *-------------------------------------------------------------------------
 */
#include "interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace dicomgw
{

static volatile sig_atomic_t interrupted = 0;
static int event_fd = -1;

static void
note(int)
{
	int saved_errno = errno;
	uint64_t one = 1;

	interrupted = 1;
	/* It can fail only when it is readable already. */
	ssize_t written = write(event_fd, &one, sizeof(one));

	(void) written;
	errno = saved_errno;
}

bool
Interrupt::install()
{
	struct sigaction action = {};
	sigset_t set;

	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event_fd < 0)
		return false;
	action.sa_handler = note;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return true;
}

bool
Interrupt::raised() const
{
	return interrupted != 0;
}

int
Interrupt::fd() const
{
	return event_fd;
}

} // namespace dicomgw
