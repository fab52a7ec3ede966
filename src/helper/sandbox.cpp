/*-------------------------------------------------------------------------
 *
 * sandbox.cpp
 *	  What a program that decodes images may still do (see sandbox.h).
 *
 *-------------------------------------------------------------------------
 */
#include "sandbox.h"

#include <cerrno>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/resource.h>

namespace dicomgw
{

namespace
{

/* A sanitizer takes terabytes of address space, and looks through pipes whether memory is there. */
#if defined(__SANITIZE_ADDRESS__)
constexpr bool SANITIZED = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool SANITIZED = true;
#else
constexpr bool SANITIZED = false;
#endif
#else
constexpr bool SANITIZED = false;
#endif

constexpr rlim_t MAX_MEMORY = rlim_t(1536) * 1024 * 1024;
constexpr rlim_t MAX_OUTPUT = rlim_t(64) * 1024 * 1024;
constexpr rlim_t MAX_CPU_SECONDS = 10;

const int permitted[] = {SCMP_SYS(read),
						 SCMP_SYS(pread64),
						 SCMP_SYS(readv),
						 SCMP_SYS(write),
						 SCMP_SYS(writev),
						 SCMP_SYS(lseek),
						 SCMP_SYS(close),
						 SCMP_SYS(fstat),
						 SCMP_SYS(newfstatat),
						 SCMP_SYS(recvmsg),
						 SCMP_SYS(sendmsg),
						 SCMP_SYS(poll),
						 SCMP_SYS(mmap),
						 SCMP_SYS(munmap),
						 SCMP_SYS(mremap),
						 SCMP_SYS(mprotect),
						 SCMP_SYS(madvise),
						 SCMP_SYS(brk),
						 SCMP_SYS(futex),
						 SCMP_SYS(clock_gettime),
						 SCMP_SYS(gettimeofday),
						 SCMP_SYS(getrandom),
						 SCMP_SYS(getpid),
						 SCMP_SYS(gettid),
						 SCMP_SYS(tgkill),
						 SCMP_SYS(rt_sigaction),
						 SCMP_SYS(rt_sigprocmask),
						 SCMP_SYS(rt_sigreturn),
						 SCMP_SYS(sigaltstack),
						 SCMP_SYS(exit),
						 SCMP_SYS(restart_syscall),
						 SCMP_SYS(exit_group)};

void
limit(__rlimit_resource resource, rlim_t most)
{
	const rlimit value = {most, most};

	(void) setrlimit(resource, &value);
}

bool
permit(scmp_filter_ctx filter, Files files)
{
	for (int call : permitted)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0)
			return false;
	if (SANITIZED && (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pipe), 0) != 0 ||
					  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pipe2), 0) != 0))
		return false;
	return files == Files::Closed ||
		   seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
							SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY)) == 0;
}

} // namespace

bool
enter_sandbox(Files files)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, MAX_OUTPUT);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_CPU, MAX_CPU_SECONDS);
	if (!SANITIZED)
		limit(RLIMIT_AS, MAX_MEMORY);

	/* What is not permitted fails, as if the system did not have it. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	const bool loaded = filter != nullptr && permit(filter, files) && seccomp_load(filter) == 0;

	seccomp_release(filter);
	return loaded;
}

} // namespace dicomgw
