/* bench/clock.c - runs contestants in turns and writes down what each turn took.
 *
 * Usage: clock [-n ROUNDS] [-w WARM-UPS] [-p PAUSE_MS] [-e ERRORS] CONTESTANTS >SAMPLES
 *
 * CONTESTANTS has one line each: a name and the words of a command, separated by tabs.  In every
 * round each contestant has one turn, and every round begins with another one, so that what the
 * machine does beside this meets all alike.  Before a turn comes the pause.
 *
 * A turn's wall time ends when the command ends.  What it left running (monitors, clean-up) falls
 * to this process, a subreaper, which waits for it before the next turn and counts its CPU time and
 * memory in: work that is only moved behind the exit is not free.
 *
 * A sample: name, round, microseconds of wall, user, system and of the time until all was quiet,
 * peak KiB of the largest process, page faults, exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTESTANTS_MAX 16
#define WORDS_MAX       64
#define QUIET_MS        5000 /* how long leftovers may take; more is a container left running */

extern char **environ;

struct contestant {
	char *words[WORDS_MAX + 1]; /* the name, then the command */
};

struct sample {
	int64_t wall_us, quiet_us, user_us, system_us;
	long peak_kib, faults;
	int status;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t timeval_us(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void die(const char *what)
{
	fprintf(stderr, "clock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t contestants_read(const char *path, struct contestant *ret)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0, n = 0;

	if (!file)
		die(path);
	while (n < CONTESTANTS_MAX && getline(&line, &size, file) > 0) {
		char *rest = line, *word;
		size_t words = 0;

		line[strcspn(line, "\n")] = '\0';
		while (words < WORDS_MAX && (word = strsep(&rest, "\t")))
			ret[n].words[words++] = word;
		if (words > 1)
			n++;
		line = NULL; /* the words stay for good */
		size = 0;
	}
	fclose(file);
	return n;
}

static void sample_add(struct sample *s, const struct rusage *usage)
{
	s->user_us += timeval_us(usage->ru_utime);
	s->system_us += timeval_us(usage->ru_stime);
	s->faults += usage->ru_minflt;
	if (usage->ru_maxrss > s->peak_kib)
		s->peak_kib = usage->ru_maxrss;
}

/* Everything that the command left behind; SIGCHLD is blocked and waited for. */
static void leftovers_wait(struct sample *s, const sigset_t *child)
{
	const int64_t end = now_us() + QUIET_MS * 1000;
	const struct timespec a_while = { .tv_nsec = 100 * 1000 * 1000 };
	struct rusage usage;
	pid_t pid;
	int status;

	while (now_us() < end) {
		pid = wait4(-1, &status, WNOHANG, &usage);
		if (pid > 0)
			sample_add(s, &usage);
		else if (pid < 0)
			return;
		else
			sigtimedwait(child, NULL, &a_while);
	}
	fprintf(stderr, "clock: something did not end\n");
}

static struct sample turn(const struct contestant *who, const posix_spawn_file_actions_t *files,
			  const posix_spawnattr_t *attributes, const sigset_t *child)
{
	struct sample s = { 0 };
	struct rusage usage;
	int64_t start = now_us();
	pid_t pid, ended;
	int status;

	errno = posix_spawnp(&pid, who->words[1], files, attributes, who->words + 1, environ);
	if (errno)
		die(who->words[1]);
	do {
		ended = wait4(-1, &status, 0, &usage);
		if (ended < 0)
			die("wait");
		if (ended == pid)
			s.wall_us = now_us() - start;
		sample_add(&s, &usage);
	} while (ended != pid);
	s.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	leftovers_wait(&s, child);
	s.quiet_us = now_us() - start;
	return s;
}

static void pause_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	if (ms > 0)
		nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	static struct contestant who[CONTESTANTS_MAX];
	const char *errors = "/dev/null";
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t child, none;
	long rounds = 10, warm = 1, pause = 0;
	size_t n;
	int c;

	while ((c = getopt(argc, argv, "n:w:p:e:")) != -1)
		switch (c) {
		case 'n':
			rounds = strtol(optarg, NULL, 10);
			break;
		case 'w':
			warm = strtol(optarg, NULL, 10);
			break;
		case 'p':
			pause = strtol(optarg, NULL, 10);
			break;
		case 'e':
			errors = optarg;
			break;
		default:
			return 2;
		}
	if (optind + 1 != argc)
		return 2;
	n = contestants_read(argv[optind], who);

	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("subreaper");
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0644);

	for (long round = -warm; round < rounds; round++)
		for (size_t i = 0; i < n; i++) {
			const struct contestant *one = &who[(i + (size_t)(round + warm)) % n];
			struct sample s;

			pause_ms(pause);
			s = turn(one, &files, &attributes, &child);
			if (round < 0 && s.status == 0)
				continue;
			printf("%s\t%ld\t%lld\t%lld\t%lld\t%lld\t%ld\t%ld\t%d\n", one->words[0],
			       round, (long long)s.wall_us, (long long)s.user_us,
			       (long long)s.system_us, (long long)s.quiet_us, s.peak_kib, s.faults,
			       s.status);
			fflush(stdout);
		}
	return 0;
}
