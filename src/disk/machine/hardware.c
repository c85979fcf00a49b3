/* src/disk/machine/hardware.c */
#include "disk/machine/hardware.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN 512

static void add_device(struct hardware *h, const char *bus, const char *device)
{
	char path[320];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/sys/bus/%s/devices/%.200s/modalias", bus, device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, h->text + h->len, sizeof(h->text) - 1 - h->len);
	(void)close(fd);
	h->len += n > 0 ? (size_t)n : 0;
}

static void look(struct hardware *h)
{
	static const char *const buses[] = { "pci", "virtio", "vmbus" };

	h->len = 0;
	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
		char path[64];
		const struct dirent *item;
		DIR *dir;

		(void)snprintf(path, sizeof(path), "/sys/bus/%s/devices", buses[i]);
		dir = opendir(path);
		while (dir && (item = readdir(dir)))
			if (item->d_name[0] != '.')
				add_device(h, buses[i], item->d_name);
		if (dir)
			(void)closedir(dir);
	}
	h->text[h->len] = '\0';
	h->known = true;
}

/* Of wildcards these patterns have '*' alone; fnmatch() would bring 20 KB along. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool hardware_matches(const struct hardware *h, const char *pattern)
{
	const char *at = h->text;

	while (*at) {
		char line[LINE_MAX_LEN];
		size_t n = strcspn(at, "\n");

		if (n < sizeof(line)) {
			memcpy(line, at, n);
			line[n] = '\0';
			if (matches(pattern, line))
				return true;
		}
		at += n + (at[n] == '\n');
	}
	return false;
}

bool hardware_has(struct hardware *h, const char *pattern)
{
	if (!h->known)
		look(h);
	return hardware_matches(h, pattern);
}
