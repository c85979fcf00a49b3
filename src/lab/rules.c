/* src/lab/rules.c */
#include "lab/rules.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "lab/lab.h"

#define RULES_MAX (4U << 20)

char *rules_read(struct lab *lab, size_t node)
{
	autoclose int out = -1;
	autofree char *text = NULL;
	int fds[2], ns = lab_netns(lab, node, NULL), null, r;
	pid_t pid;

	if (ns < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return xstrdup("");
	out = fds[0];
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (setns(ns, CLONE_NEWNET) == 0 && dup2(fds[1], STDOUT_FILENO) >= 0 &&
		    dup2(null, STDERR_FILENO) >= 0)
			(void)execlp("nft", "nft", "list", "ruleset", (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	if (pid < 0)
		return xstrdup("");
	r = file_read_fd(out, "rules", RULES_MAX, &text, NULL, NULL);
	(void)waitpid(pid, NULL, 0);
	return r < 0 ? xstrdup("") : steal_ptr(&text);
}

/* One line of the listing, without blanks around. */
static bool next_line(const char **at, const char **ret, size_t *ret_len)
{
	const char *end;

	if (!**at)
		return false;
	end = strchrnul(*at, '\n');
	*ret = *at + strspn(*at, " \t");
	*ret_len = *ret < end ? (size_t)(end - *ret) : 0;
	*at = *end ? end + 1 : end;
	return true;
}

static bool has(const char *line, size_t len, const char *word)
{
	return memmem(line, len, word, strlen(word)) != NULL;
}

static bool begins(const char *line, size_t len, const char *word)
{
	return len >= strlen(word) && strncmp(line, word, strlen(word)) == 0;
}

static bool drops(const char *line, size_t len)
{
	return (len >= 4 && strncmp(line + len - 4, "drop", 4) == 0) || has(line, len, "reject") ||
	       has(line, len, " drop ");
}

char *rules_find_drop(const char *rules, const char *hook)
{
	char table[64] = "", chain[64] = "";
	const char *line, *wanted_policy = "policy drop";
	bool right_hook = true;
	size_t len;

	while (next_line(&rules, &line, &len)) {
		if (begins(line, len, "table ")) {
			(void)snprintf(table, sizeof(table), "%.*s", (int)(len > 2 ? len - 2 : len),
				       line);
		} else if (begins(line, len, "chain ")) {
			(void)snprintf(chain, sizeof(chain), "%.*s", (int)(len > 2 ? len - 2 : len),
				       line);
			right_hook = true;
		} else if (begins(line, len, "type ")) {
			autofree char *word = xasprintf("hook %s ", hook);

			right_hook = has(line, len, word);
			if (right_hook && has(line, len, wanted_policy))
				return xasprintf("%s, %s: its policy is drop", table, chain);
		} else if (right_hook && drops(line, len)) {
			return xasprintf("%s, %s: %.*s", table, chain, (int)MIN(len, (size_t)120),
					 line);
		}
	}
	return NULL;
}

bool rules_masquerade(const char *rules)
{
	return strstr(rules, "masquerade") || strstr(rules, "snat");
}
