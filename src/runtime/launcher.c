/* src/runtime/launcher.c - a program of its own: the last of us that runs in a container.
 *
 * An image may say that its program is /proc/self/exe, or a script whose interpreter is.  Whoever
 * executes that must not be a file that matters, because the container then holds it open and
 * overwrites it (CVE-2019-5736).  So a child of ours becomes this first: some hundred bytes out of
 * a sealed memory file (launch.c), with nothing open but the program's descriptors and one more,
 * on which it says why the program could not be executed.
 *
 * There is no C library: the start of one costs more than all the rest.
 *
 * Of "exec" it makes the process, too.  One in the container with CAP_SYS_PTRACE has each process
 * there in its hands from the first instruction: so it must be this program that makes one, with
 * no more rights than the program will have, while all that is ours is outside.
 *
 * argv: descriptor, another one or "-" (on which the pid is told of a process to make), "t" if
 * descriptor 0 is to be the controlling terminal, number of candidates, candidates, one error for
 * each of launch_errnos, and then the program's own.
 */
#include <asm/unistd.h>
#include <errno.h>

#include "base/error.h"
#include "runtime/launch.h"

#define FD_CLOEXEC   1 /* fcntl.h */
#define F_SETFD      2
#define CLONE_PARENT 0x8000 /* linux/sched.h */
#define TIOCSCTTY    0x540e /* asm-generic/ioctls.h */

enum { ARG_SYNC, ARG_PID, ARG_TERMINAL, ARG_N, ARG_CANDIDATES };

#if defined(__x86_64__)
static long call(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall launch\n");
#elif defined(__aarch64__)
static long call(long nr, long a, long b, long c)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
			 x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl launch\n");
#else
#error "how does this machine call its kernel?"
#endif

static const int launch_errnos[] = LAUNCH_ERRNOS;

static int number(const char *text)
{
	int n = 0;

	while (*text >= '0' && *text <= '9')
		n = n * 10 + (*text++ - '0');
	return n;
}

/* As execvp(3) has it: what is there and cannot be executed is the better reason. */
static int try_all(char **candidates, int n, char **argv, char **env)
{
	int best = -ENOENT;

	for (int i = 0; i < n; i++) {
		int r = (int)call(__NR_execve, (long)candidates[i], (long)argv, (long)env);

		if (n == 1 || (r != -ENOENT && r != -ENOTDIR))
			best = r;
	}
	return best;
}

static void report(int fd, int r, char **texts)
{
	static struct error err; /* all of it goes out: what is not written here is 0 */
	int i = 0;

	while (i < LAUNCH_N_ERRNOS - 1 && launch_errnos[i] != -r)
		i++;
	err.code = r;
	err.status = LAUNCH_STATUS(r);
	for (unsigned at = 0; at < sizeof(err.text) - 1 && texts[i][at]; at++)
		err.text[at] = texts[i][at];
	(void)call(__NR_write, fd, (long)&err, sizeof(err));
}

static _Noreturn void leave(int status)
{
	for (;;)
		(void)call(__NR_exit_group, status, 0, 0);
}

/* Returns in the child, which is our parent's, in a session of its own. */
static int give_birth(int pid_fd, int terminal)
{
	int pid = (int)call(__NR_clone, CLONE_PARENT, 0, 0), r;

	if (pid > 0)
		leave(call(__NR_write, pid_fd, (long)&pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	if (pid < 0)
		return pid;
	(void)call(__NR_close, pid_fd, 0, 0);
	r = (int)call(__NR_setsid, 0, 0, 0);
	return r >= 0 && terminal ? (int)call(__NR_ioctl, 0, TIOCSCTTY, 0) : r;
}

__attribute__((used, noreturn)) void launch(long *stack);

void launch(long *stack)
{
	int argc = (int)stack[0], n, fd, r = 0;
	char **argv = (char **)(stack + 1), **env = argv + argc + 1, **texts;

	/* A container that executes this itself gets nothing out of it. */
	if (argc < ARG_CANDIDATES || (n = number(argv[ARG_N])) < 1 || n > LAUNCH_CANDIDATES_MAX ||
	    argc < ARG_CANDIDATES + n + LAUNCH_N_ERRNOS)
		leave(127);
	texts = argv + ARG_CANDIDATES + n;
	fd = number(argv[ARG_SYNC]);
	if (argv[ARG_PID][0] != '-')
		r = give_birth(number(argv[ARG_PID]), argv[ARG_TERMINAL][0] == 't');
	(void)call(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
	if (r >= 0)
		r = try_all(argv + ARG_CANDIDATES, n, texts + LAUNCH_N_ERRNOS, env);
	report(fd, r, texts);
	leave(LAUNCH_STATUS(r));
}
