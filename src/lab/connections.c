/* src/lab/connections.c */
#include "lab/connections.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

#define TABLE_MAX (4U << 20) /* bytes of the table; a lab has few connections */

/* "src=10.0.0.1 dst=... sport=... dport=..." from *at on, which is moved behind it. */
static bool take_tuple(const char **at, char from[CONNECTION_END_LEN], char to[CONNECTION_END_LEN])
{
	char src[IP_TEXT_LEN] = "", dst[IP_TEXT_LEN] = "";
	unsigned sport = 0, dport = 0;
	const char *begin = strstr(*at, "src=");
	struct ip ip;

	if (!begin || sscanf(begin, "src=%45s dst=%45s", src, dst) != 2 || ip_parse(src, &ip) < 0 ||
	    ip_parse(dst, &ip) < 0)
		return false;
	*at = strstr(begin, "dst=") + 4;
	if (sscanf(*at, "%*s sport=%u dport=%u", &sport, &dport) != 2)
		sport = dport = 0;
	(void)snprintf(from, CONNECTION_END_LEN, sport ? "%s:%u" : "%s", src, sport & 0xffff);
	(void)snprintf(to, CONNECTION_END_LEN, dport ? "%s:%u" : "%s", dst, dport & 0xffff);
	return true;
}

bool connection_parse(const char *line, struct connection *ret)
{
	struct connection c;

	memset(&c, 0, sizeof(c));
	if (sscanf(line, "%*s %*u %7s", c.protocol) != 1 || !take_tuple(&line, c.from, c.to) ||
	    !take_tuple(&line, c.back_from, c.back_to))
		return false;
	c.translated = strcmp(c.from, c.back_to) != 0 || strcmp(c.to, c.back_from) != 0;
	*ret = c;
	return true;
}

static int read_table(void *data, struct error *err)
{
	char **text = data;

	(void)err;
	if (file_read_at(AT_FDCWD, "/proc/thread-self/net/nf_conntrack", TABLE_MAX, text, NULL,
			 NULL) < 0)
		*text = NULL;
	return 0;
}

int connections_read(struct lab *lab, size_t node, struct connection **ret, size_t *ret_n,
		     struct error *err)
{
	autofree char *text = NULL;
	struct connection *list = NULL;
	size_t n = 0, room = 0;
	char *rest, *line;
	int r = lab_inside(lab, node, read_table, &text, err);

	for (rest = text; r == 0 && rest && (line = strsep(&rest, "\n"));) {
		VEC_GROW(list, n, room);
		n += connection_parse(line, &list[n]);
	}
	*ret = list;
	*ret_n = n;
	return r;
}
