/* src/base/process.c */
#include "base/process.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"

#define STAT_BYTES 1024
#define ARGS_BYTES 4096 /* of a command line that is looked through */

#define FDINFO_BYTES 4096
#define NS_PER_S     1000000000LL

/* *ret is what follows the name: ") S 1 ...". */
static int read_stat(pid_t pid, char text[STAT_BYTES], const char **ret)
{
	char path[64];
	autoclose int fd = -1;
	const char *name_end;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = TEMP_FAILURE_RETRY(read(fd, text, STAT_BYTES - 1));
	if (n < 0)
		return -errno;
	text[n] = '\0';
	/* The name, field 2, may hold blanks and parentheses: count from the last one. */
	name_end = strrchr(text, ')');
	if (!name_end || name_end[1] != ' ')
		return -EPROTO;
	*ret = name_end;
	return 0;
}

int process_start_time(pid_t pid, uint64_t *ret)
{
	char text[STAT_BYTES];
	const char *p = NULL;
	char *end;
	int r = read_stat(pid, text, &p);

	if (r < 0)
		return r;
	assert(p);
	if (p[2] == 'Z' || p[2] == 'X')
		return -ESRCH;
	for (int field = 2; field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (!p)
			return -EPROTO;
	}
	*ret = strtoull(p + 1, &end, 10);
	return *end == ' ' ? 0 : -EPROTO;
}

int64_t process_started_ns(uint64_t start_time)
{
	struct timespec booted;

	(void)clock_gettime(CLOCK_BOOTTIME, &booted);
	return clock_now_ns() - clock_from_timespec(&booted) +
	       (int64_t)start_time * (NS_PER_S / sysconf(_SC_CLK_TCK));
}

bool process_is_stopped(pid_t pid)
{
	char text[STAT_BYTES];
	const char *p = NULL;

	return read_stat(pid, text, &p) == 0 && p && (p[2] == 'T' || p[2] == 't');
}

/* text: len bytes of a command line, each word ended by a zero, and one more behind them. */
static bool has_words(const char *text, size_t len, const char *name, const char *argument)
{
	const char *end = text + len;

	if (strcmp(text, name) != 0)
		return false;
	for (const char *word = text; word < end; word += strlen(word) + 1)
		if (strcmp(word, argument) == 0)
			return true;
	return false;
}

pid_t process_find(const char *name, const char *argument)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	pid_t pid = 0;

	while (dir && !pid && (entry = readdir(dir))) {
		char path[64], text[ARGS_BYTES + 1];
		autoclose int fd = -1;
		struct stat st;
		ssize_t n;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%.20s/cmdline", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
			continue;
		n = TEMP_FAILURE_RETRY(read(fd, text, ARGS_BYTES));
		if (n <= 0)
			continue;
		text[n] = '\0';
		if (has_words(text, (size_t)n, name, argument))
			pid = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (dir)
		(void)closedir(dir);
	return pid;
}

/* "lock:	1: FLOCK  ADVISORY  WRITE ..." stands there for the description that has it, and not
 * for another of the same file, nor for one that waits ("->").
 */
static bool descriptor_has_lock(const char *pid, const char *fd)
{
	char path[64];
	autofree char *text = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	return file_read_at(AT_FDCWD, path, FDINFO_BYTES, &text, NULL, NULL) == 0 &&
	       strstr(text, "FLOCK  ADVISORY  WRITE") != NULL;
}

static bool has_lock(const char *pid, const struct stat *file)
{
	char path[64];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		struct stat st;

		found = isdigit((unsigned char)entry->d_name[0]) &&
			fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
			descriptor_has_lock(pid, entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

pid_t process_find_locker(int fd)
{
	const struct dirent *entry;
	pid_t found = 0;
	struct stat file;
	DIR *dir;

	if (fstat(fd, &file) < 0)
		return 0;
	dir = opendir("/proc");
	while (dir && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || !has_lock(entry->d_name, &file))
			continue;
		found = pid;
		if (process_is_stopped(pid))
			break;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
	uint64_t now = 0;

	return pid > 0 && process_start_time(pid, &now) == 0 && now == start_time;
}

int process_open(pid_t pid, uint64_t start_time, int *ret_pidfd)
{
	autoclose int fd = -1;

	if (pid <= 0)
		return -ESRCH;
	/* The order matters: once the descriptor is ours the pid cannot be given to another. */
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	if (!process_is_alive(pid, start_time))
		return -ESRCH;
	*ret_pidfd = steal_fd(&fd);
	return 0;
}

void process_allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int boot_id(char ret[BOOT_ID_LEN + 1], struct error *err)
{
	autofree char *text = NULL;
	int r = file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL, err);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != BOOT_ID_LEN)
		return error_set(err, -EPROTO, "the kernel's boot ID is not a UUID");
	memcpy(ret, text, BOOT_ID_LEN + 1);
	return 0;
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },       { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT },     { "BUS", SIGBUS },   { "FPE", SIGFPE },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE }, { "ALRM", SIGALRM },     { "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT },     { "STOP", SIGSTOP }, { "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN }, { "TTOU", SIGTTOU },     { "URG", SIGURG },   { "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH },
	{ "IO", SIGIO },     { "PWR", SIGPWR },       { "SYS", SIGSYS },   { "POLL", SIGPOLL },
	{ "IOT", SIGABRT },  { "CLD", SIGCHLD },
};

int signal_parse(const char *text)
{
	uint64_t number;
	int64_t offset;

	if (number_parse(text, 64, &number) == 0)
		return number > 0 ? (int)number : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].number;
	if (strncasecmp(text, "RTMIN", 5) == 0) {
		if (!text[5])
			return SIGRTMIN;
		if (text[5] == '+' && number_parse_signed(text + 6, 0, 30, &offset) == 0)
			return SIGRTMIN + (int)offset;
	}
	if (strncasecmp(text, "RTMAX", 5) == 0) {
		if (!text[5])
			return SIGRTMAX;
		if (number_parse_signed(text + 5, -30, 0, &offset) == 0)
			return SIGRTMAX + (int)offset;
	}
	return -EINVAL;
}

const char *signal_name(int sig)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number == sig)
			return signals[i].name;
	return NULL;
}
