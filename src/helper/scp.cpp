/*-------------------------------------------------------------------------
 *
 * scp.cpp
 *	  dicomgw-scp: listens for associations and receives objects (C-STORE SCP).
 *
 * Started by the receiver with its control channel (protocol/message.h) on
 * descriptor 3.  This process reads nothing from the network: it accepts
 * connections, and when one has something to say it forks an association
 * process, which inherits the connection and one end of a channel of its own;
 * the other end goes to the receiver.  So whatever a peer sends can only bring
 * down its own association.
 *
 *		scp.cpp				accepting, forking, reaping
 *		listener.cpp		listening sockets
 *		listener_config.h	what the receiver says of them
 *		tls_context.cpp		their certificates
 *		tls_reason.cpp		why TLS failed, in words
 *		caller.cpp			accepted connections
 *		waiting_room.cpp	those that have no process
 *		association_processes.cpp	whether there is room for one more
 *		turned_away.cpp		connections for which there was none
 *		association.cpp		one association
 *		connection.cpp		its connection, as DCMTK has it
 *		admission.cpp		who calls, and what the receiver says to that
 *		identity.cpp		user identity and passcode
 *		negotiation.cpp		presentation contexts
 *		store.cpp			one C-STORE
 *		storage_gate.cpp	whether objects are taken at all
 *		object_file.cpp		its file, in storage and mirror
 *		placed_file.cpp		one copy of it
 *		header_json.cpp		its header as JSON
 *		dataset_reader.cpp	elements of a dataset
 *		vr.cpp				their VRs
 *		json_value.cpp		their values
 *		character_set.cpp	text into UTF-8
 *		dimse.cpp			DIMSE messages
 *		transport.cpp		the transport under DCMTK
 *		stream.cpp			bytes over TCP
 *		tls_stream.cpp		bytes over TLS
 *		interrupt.cpp		SIGTERM
 *		peer_text.cpp		text that a peer made up
 *		channel.cpp			messages from and to the receiver
 *
 *-------------------------------------------------------------------------
 */
#include "association.h"
#include "association_processes.h"
#include "channel.h"
#include "listener.h"
#include "turned_away.h"
#include "waiting_room.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmnet/dul.h"
#include "dcmtk/oflog/oflog.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

namespace dicomgw
{

constexpr char PROGRAM[] = "dicomgw-scp " DGW_VERSION;

/* Connections taken from one listener before the others have their turn. */
constexpr int ACCEPT_BATCH = 64;

/* Rest after an accept() that failed for want of something (descriptors, memory). */
constexpr std::chrono::milliseconds ACCEPT_PAUSE(100);

/* Seconds between two complaints about the same thing. */
constexpr std::chrono::seconds COMPLAINT_INTERVAL(10);

/* From here on memory is the kernel's again as soon as it is free, and costs nothing unused. */
constexpr int LARGE_BLOCK = 64 * 1024;

namespace
{

class Parent
{
public:
	Parent()
		: worker_(DGW_CHANNEL_FD, DGW_CHANNEL_CONTROL),
		  waiting_(turned_away_)
	{
	}
	int run();

private:
	bool catch_signals();
	void wait();
	void read_worker();
	void configure(const DgwConfig &message);
	void accept_from(const Listener &listener);
	void start_associations();
	void start_association(const Caller &caller);
	[[noreturn]] void become_association(const Caller &caller, int channel_fd, pid_t parent);
	void abort_association(pid_t pid);
	void read_admissions();
	void reap();
	void complain(const char *what, const char *detail);

	Channel worker_;
	ListenerSet listeners_;
	TurnedAway turned_away_;
	WaitingRoom waiting_;
	AssociationProcesses processes_;
	std::string storage_path_;
	std::string mirror_path_;
	bool mirror_needed_ = false;
	uint64_t journal_size_ = 0;
	StorageGate gate_;
	int signal_fd_ = -1;
	int admissions_[2] = {-1, -1}; /* a pipe: each process that is admitted says who it is */
	Clock::time_point accept_after_;
	Clock::time_point complain_after_;
};

} // namespace

int
Parent::run()
{
	if (!worker_.hello(PROGRAM) || !catch_signals() ||
		pipe2(admissions_, O_CLOEXEC | O_NONBLOCK) != 0)
		return 1;
	if (!dcmDataDict.isDictionaryLoaded())
		worker_.log(DGW_LOG_WARNING,
					"no DICOM data dictionary: headers in implicit VR stay unread");
	/* The first configuration may have come together with the HELLO. */
	read_worker();
	for (;;)
		wait();
}

/* SIGCHLD becomes something to poll; so does SIGTERM, in an association process (interrupt.h). */
bool
Parent::catch_signals()
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signal_fd_ >= 0;
}

/* Wait for something to do, and do it. */
void
Parent::wait()
{
	std::vector<struct pollfd> fds = {{worker_.fd(), POLLIN, 0},
									  {signal_fd_, POLLIN, 0},
									  {admissions_[0], POLLIN, 0},
									  {waiting_.fd(), POLLIN, 0}};
	const size_t first_listener = fds.size();
	bool paused = Clock::now() < accept_after_;
	int timeout =
		earlier(listeners_.retry_in(), earlier(waiting_.expires_in(), turned_away_.due_in()));

	if (paused)
		timeout = earlier(timeout, ms_until(accept_after_));
	for (const Listener &listener : listeners_.all())
		fds.push_back({listener.fd, (short) (paused ? 0 : POLLIN), 0});
	if (poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR)
		_exit(1);

	for (size_t i = 0; i < listeners_.all().size(); i++)
	{
		if (fds[first_listener + i].revents & POLLIN)
			accept_from(listeners_.all()[i]);
	}
	if (fds[1].revents)
		reap();
	read_admissions();
	waiting_.look();
	start_associations();
	waiting_.expire();
	turned_away_.report(worker_);
	listeners_.retry(worker_);
	/* Last, because it may change the listeners. */
	if (fds[0].revents)
		read_worker();
}

/* ---------- the receiver ---------- */

void
Parent::read_worker()
{
	DgwConfig config;
	DgwStorage storage;
	DgwAbort abort;
	DgwFrame frame;
	DgwReadResult result;

	while ((result = worker_.receive(frame, 0)) == DGW_READ_OK)
	{
		if (frame.type == DGW_MSG_STORAGE && dgw_decode_storage(&frame, &storage))
			gate_.set(storage.accepting != 0, str(storage.comment));
		else if (frame.type == DGW_MSG_CONFIG && dgw_decode_config(&frame, &config))
			configure(config);
		else if (frame.type == DGW_MSG_ABORT && dgw_decode_abort(&frame, &abort))
			abort_association((pid_t) abort.pid);
		else
			_exit(1);
	}
	if (result != DGW_READ_AGAIN)
		_exit(result == DGW_READ_EOF ? 0 : 1);
}

void
Parent::configure(const DgwConfig &message)
{
	std::vector<ListenerConfig> configs;

	storage_path_ = str(message.storage_path);
	mirror_path_ = str(message.mirror_path);
	mirror_needed_ = message.mirror_needed != 0;
	journal_size_ = message.journal_size;
	processes_.set_max_associations(message.max_associations);
	for (uint32_t i = 0; i < message.n_listeners; i++)
	{
		const DgwListener &l = message.listeners[i];

		configs.push_back({l.id,
						   str(l.bind_address),
						   l.port,
						   l.max_pdu,
						   l.association_timeout,
						   l.idle_timeout,
						   l.tls != 0,
						   {str(l.tls_certificate), str(l.tls_key), str(l.tls_ca), str(l.tls_crl),
							(DgwClientCertificate) l.tls_client},
						   nullptr});
	}
	listeners_.apply(std::move(configs), worker_);
}

/* Say something that a flood of callers could make us say without end. */
void
Parent::complain(const char *what, const char *detail)
{
	Clock::time_point now = Clock::now();

	if (now < complain_after_)
		return;
	complain_after_ = now + COMPLAINT_INTERVAL;
	worker_.log(DGW_LOG_WARNING, "%s%s", what, detail);
}

/* ---------- connections ---------- */

void
Parent::accept_from(const Listener &listener)
{
	uint32_t timeout = listener.config->association_timeout;

	for (int i = 0; i < ACCEPT_BATCH; i++)
	{
		Caller caller = accept_caller(listener.fd);

		if (caller.fd < 0)
		{
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			{
				complain("could not accept a connection: ", strerror(errno));
				accept_after_ = Clock::now() + ACCEPT_PAUSE;
			}
			return;
		}
		caller.listener = listener.config;
		caller.deadline =
			timeout == 0 ? Clock::time_point::max() : Clock::now() + std::chrono::seconds(timeout);
		waiting_.enter(caller);
	}
}

void
Parent::start_associations()
{
	Caller caller;

	while (waiting_.next(processes_, caller))
	{
		start_association(caller);
		close(caller.fd);
	}
}

void
Parent::start_association(const Caller &caller)
{
	pid_t parent = getpid();
	sigset_t set;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
	{
		turned_away_.add(caller.listener->id, caller.address,
						 std::string("could not create its channel: ") + strerror(errno));
		return;
	}

	/* The process unblocks it when it can be told to end in order. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t pid = fork();

	if (pid == 0)
		become_association(caller, ends[1], parent);
	int fork_errno = errno;

	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(ends[1]);
	if (pid < 0)
		turned_away_.add(caller.listener->id, caller.address,
						 std::string("could not start its process: ") + strerror(fork_errno));
	else
	{
		DgwAssociation message = {caller.listener->id, (uint32_t) pid, slice(caller.address),
								  caller.port};

		processes_.started(pid, caller.network);
		if (!worker_.send(dgw_encode_association, message, ends[0]))
			_exit(1);
	}
	close(ends[0]);
}

/* Close all descriptors but these and the first three: some thousand, perhaps. */
static void
keep_only(std::vector<int> fds)
{
	unsigned next = STDERR_FILENO + 1;

	std::sort(fds.begin(), fds.end());
	for (int fd : fds)
	{
		if ((unsigned) fd > next)
			close_range(next, (unsigned) fd - 1, 0);
		next = (unsigned) fd + 1;
	}
	close_range(next, ~0U, 0);
}

/* In the new process: nothing of the parent's stays with it but what it needs. */
void
Parent::become_association(const Caller &caller, int channel_fd, pid_t parent)
{
	sigset_t set;
	Interrupt interrupt;
	int admission = admissions_[1];

	die_with_parent(parent);
	keep_only({caller.fd, channel_fd, admission});
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (!interrupt.install())
		_exit(1);

	Channel channel(channel_fd, DGW_CHANNEL_ASSOCIATION);
	StoragePlaces places = {storage_path_, mirror_path_, mirror_needed_, journal_size_, gate_};
	auto tell_parent = [admission]
	{
		pid_t self = getpid();

		/* If the pipe is full, the parent learns later that there is room: when we end. */
		(void) !write(admission, &self, sizeof(self));
		close(admission);
	};

	_exit(serve_association(
		{caller.fd, *caller.listener, places, interrupt, caller.deadline, tell_parent}, channel));
}

/* It says why it ends, and ends in order; if it is not there any more, it has. */
void
Parent::abort_association(pid_t pid)
{
	if (processes_.has(pid))
		kill(pid, SIGTERM);
}

void
Parent::read_admissions()
{
	pid_t pids[64];
	ssize_t n;

	while ((n = read(admissions_[0], pids, sizeof(pids))) > 0)
	{
		for (size_t i = 0; i < (size_t) n / sizeof(pid_t); i++)
			processes_.admitted(pids[i]);
	}
}

void
Parent::reap()
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(signal_fd_, &info, sizeof(info)) == (ssize_t) sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
	{
		if (WIFSIGNALED(status))
			worker_.log(DGW_LOG_WARNING,
						"association process (PID %d) was terminated by signal %d: %s", (int) pid,
						WTERMSIG(status), strsignal(WTERMSIG(status)));
		processes_.ended(pid);
	}
}

} // namespace dicomgw

/* A descriptor for every association and its channel: take all there are. */
static void
raise_descriptor_limit()
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main()
{
	dicomgw::die_with_parent(getppid());
	close_range(DGW_CHANNEL_FD + 1, ~0U, 0);
	raise_descriptor_limit();
	/* Ctrl-C at a server in the foreground reaches us too; the receiver decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_MMAP_THRESHOLD, dicomgw::LARGE_BLOCK);
	/* DCMTK leaves Nagle's algorithm on unless told so; and no look-ups of names. */
	setenv("TCP_NODELAY", "1", 1);
	dcmDisableGethostbyaddr.set(OFTrue);
	/* Its words are for developers, and come as often as a peer likes. */
	OFLog::configure(OFLogger::OFF_LOG_LEVEL);
	try
	{
		return dicomgw::Parent().run();
	}
	catch (const std::exception &e)
	{
		fprintf(stderr, "%s: %s\n", dicomgw::PROGRAM, e.what());
		return 1;
	}
}
