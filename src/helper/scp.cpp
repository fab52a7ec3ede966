/*-------------------------------------------------------------------------
 *
 * scp.cpp
 *	  dicomgw-scp: listens for associations and receives objects (C-STORE SCP).
 *
 * Started by the receiver with its control channel (protocol/message.h) on
 * descriptor 3.  This process reads nothing from the network: it accepts
 * connections and forks an association process for each, which inherits the
 * connection and one end of a channel of its own; the other end goes to the
 * receiver.  So whatever a peer sends can only bring down its own association.
 *
 *		scp.cpp				accepting, forking, reaping
 *		listener.cpp		listening sockets
 *		association.cpp		one association
 *		negotiation.cpp		presentation contexts
 *		store.cpp			one C-STORE
 *		storage_gate.cpp	whether objects are taken at all
 *		object_file.cpp		its file
 *		header_json.cpp		its header as JSON
 *		dataset_reader.cpp	elements of a dataset
 *		json_value.cpp		their values
 *		character_set.cpp	text into UTF-8
 *		dimse.cpp			DIMSE messages
 *		transport.cpp		TCP under DCMTK
 *		channel.cpp			messages from and to the receiver
 *
 * When all associations are in use, a bounded number of short-lived processes
 * tell further callers so (A-ASSOCIATE-RJ, which can be sent only after the
 * request was read); beyond these, connections are just closed.
 *
 *-------------------------------------------------------------------------
 */
#include "association.h"
#include "channel.h"
#include "listener.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmnet/dul.h"
#include "dcmtk/oflog/oflog.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <netdb.h>
#include <netinet/in.h>
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

using std::chrono::steady_clock;

constexpr char PROGRAM[] = "dicomgw-scp " DGW_VERSION;
constexpr unsigned MAX_REFUSERS = 16;

/* Connections taken from one listener before the others have their turn. */
constexpr int ACCEPT_BATCH = 16;

/* Rest after an accept() that failed for want of something (descriptors, memory). */
constexpr std::chrono::milliseconds ACCEPT_PAUSE(100);

/* Seconds between two complaints about the same thing. */
constexpr std::chrono::seconds COMPLAINT_INTERVAL(10);

namespace
{

struct Peer
{
	int fd;
	std::string address;
	uint16_t port;
};

class Parent
{
public:
	Parent()
		: worker_(DGW_CHANNEL_FD, DGW_CHANNEL_CONTROL)
	{
	}
	int run();

private:
	bool catch_children();
	void wait();
	void read_worker();
	void configure(const DgwConfig &message);
	void accept_from(const Listener &listener);
	void start_association(const Peer &peer, const ListenerConfig &config);
	void start_refuser(const Peer &peer, const ListenerConfig &config);
	bool start_child(pid_t &pid);
	void become_child(pid_t parent);
	void reap();
	void complain(const char *what, const char *detail);

	Channel worker_;
	ListenerSet listeners_;
	std::string storage_path_;
	std::string mirror_path_;
	bool mirror_needed_ = false;
	StorageGate gate_;
	uint32_t max_associations_ = 0;
	int signal_fd_ = -1;
	unsigned associations_ = 0;
	unsigned refusers_ = 0;
	std::map<pid_t, bool> children_; /* true: an association, false: a refuser */
	steady_clock::time_point accept_after_;
	steady_clock::time_point complain_after_;
};

} // namespace

int
Parent::run()
{
	if (!worker_.hello(PROGRAM) || !catch_children())
		return 1;
	if (!dcmDataDict.isDictionaryLoaded())
		worker_.log(DGW_LOG_WARNING,
					"no DICOM data dictionary: headers in implicit VR stay unread");
	/* The first configuration may have come together with the HELLO. */
	read_worker();
	for (;;)
		wait();
}

/* SIGCHLD becomes something to poll. */
bool
Parent::catch_children()
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
	std::vector<struct pollfd> fds = {{worker_.fd(), POLLIN, 0}, {signal_fd_, POLLIN, 0}};
	bool paused = steady_clock::now() < accept_after_;
	int timeout = listeners_.retry_in();

	if (paused)
		timeout = timeout < 0 ? (int) ACCEPT_PAUSE.count()
							  : std::min<int>(timeout, (int) ACCEPT_PAUSE.count());
	for (const Listener &listener : listeners_.all())
		fds.push_back({listener.fd, (short) (paused ? 0 : POLLIN), 0});
	if (poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR)
		_exit(1);

	for (size_t i = 0; i < listeners_.all().size(); i++)
	{
		if (fds[i + 2].revents & POLLIN)
			accept_from(listeners_.all()[i]);
	}
	if (fds[1].revents)
		reap();
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
	DgwFrame frame;
	DgwReadResult result;

	while ((result = worker_.receive(frame, 0)) == DGW_READ_OK)
	{
		if (frame.type == DGW_MSG_STORAGE && dgw_decode_storage(&frame, &storage))
			gate_.set(storage.accepting != 0, str(storage.comment));
		else if (frame.type == DGW_MSG_CONFIG && dgw_decode_config(&frame, &config))
			configure(config);
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
	max_associations_ = message.max_associations;
	for (uint32_t i = 0; i < message.n_listeners; i++)
	{
		const DgwListener &l = message.listeners[i];

		configs.push_back(
			{l.id, str(l.bind_address), l.port, l.max_pdu, l.association_timeout, l.idle_timeout});
	}
	listeners_.apply(configs, worker_);
}

/* Say something that a flood of callers could make us say without end. */
void
Parent::complain(const char *what, const char *detail)
{
	steady_clock::time_point now = steady_clock::now();

	if (now < complain_after_)
		return;
	complain_after_ = now + COMPLAINT_INTERVAL;
	worker_.log(DGW_LOG_WARNING, "%s%s", what, detail);
}

/* ---------- connections ---------- */

/* The address as text; IPv4 looks like IPv4 on a socket for both. */
static void
describe(const struct sockaddr_storage &address, socklen_t len, Peer &peer)
{
	const std::string mapped = "::ffff:";
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *) &address, len, host, sizeof(host), port, sizeof(port),
					NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	peer.address = host;
	if (peer.address.rfind(mapped, 0) == 0 && peer.address.find('.') != std::string::npos)
		peer.address.erase(0, mapped.size());
	peer.port = (uint16_t) strtoul(port, NULL, 10);
}

void
Parent::accept_from(const Listener &listener)
{
	for (int i = 0; i < ACCEPT_BATCH; i++)
	{
		struct sockaddr_storage address = {};
		socklen_t len = sizeof(address);
		Peer peer = {};

		peer.fd = accept4(listener.fd, (struct sockaddr *) &address, &len, SOCK_CLOEXEC);
		if (peer.fd < 0)
		{
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			{
				complain("could not accept a connection: ", strerror(errno));
				accept_after_ = steady_clock::now() + ACCEPT_PAUSE;
			}
			return;
		}
		describe(address, len, peer);
		if (associations_ < max_associations_)
			start_association(peer, listener.config);
		else
		{
			complain("all associations are in use: callers are refused", "");
			if (refusers_ < MAX_REFUSERS)
				start_refuser(peer, listener.config);
		}
		close(peer.fd);
	}
}

/* Fork.  True in the parent, if there is a child; in the child pid is 0. */
bool
Parent::start_child(pid_t &pid)
{
	pid_t parent = getpid();

	pid = fork();
	if (pid == 0)
		become_child(parent);
	if (pid < 0)
		complain("could not fork: ", strerror(errno));
	return pid >= 0;
}

/* Nothing of the parent's stays with the child but what it needs. */
void
Parent::become_child(pid_t parent)
{
	sigset_t none;

	die_with_parent(parent);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(signal_fd_);
	listeners_.close_all();
	worker_.close();
}

void
Parent::start_association(const Peer &peer, const ListenerConfig &config)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
	{
		complain("could not create an association channel: ", strerror(errno));
		return;
	}
	/* A copy, because the child gives up the listeners, where the original is. */
	ListenerConfig listener = config;

	if (!start_child(pid))
	{
		close(ends[0]);
		close(ends[1]);
		return;
	}
	if (pid == 0)
	{
		close(ends[0]);
		Channel channel(ends[1], DGW_CHANNEL_ASSOCIATION);

		StoragePlaces places = {storage_path_, mirror_path_, mirror_needed_, gate_};

		_exit(serve_association(peer.fd, channel, listener, places));
	}

	DgwAssociation message = {config.id, (uint32_t) pid, slice(peer.address), peer.port};

	children_[pid] = true;
	associations_++;
	close(ends[1]);
	if (!worker_.send(dgw_encode_association, message, ends[0]))
		_exit(1);
	close(ends[0]);
}

void
Parent::start_refuser(const Peer &peer, const ListenerConfig &config)
{
	ListenerConfig listener = config;
	pid_t pid;

	if (!start_child(pid))
		return;
	if (pid == 0)
		_exit(refuse_association(peer.fd, listener));
	children_[pid] = false;
	refusers_++;
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
		auto child = children_.find(pid);

		if (WIFSIGNALED(status))
			worker_.log(DGW_LOG_WARNING,
						"association process (PID %d) was terminated by signal %d: %s", (int) pid,
						WTERMSIG(status), strsignal(WTERMSIG(status)));
		if (child == children_.end())
			continue;
		(child->second ? associations_ : refusers_)--;
		children_.erase(child);
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
