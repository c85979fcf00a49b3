/* src/registry/certs.c */
#include "registry/certs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "registry/http.h"

#define PEM_MAX (1U << 20)

static bool ends_with(const char *name, const char *tail)
{
	size_t a = strlen(name), b = strlen(tail);

	return a > b && strcmp(name + a - b, tail) == 0;
}

static int add_pem(int dir, const char *name, char **ret, struct error *err)
{
	autofree char *text = NULL;
	char *joined;
	int r = file_read_at(dir, name, PEM_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	joined = xasprintf("%s%s%s", *ret ? *ret : "", *ret ? "\n" : "", text);
	free(*ret);
	*ret = joined;
	return 0;
}

static int add_client(int dir, const char *path, const char *cert, struct tls *ret,
		      struct error *err)
{
	autofree char *key = xasprintf("%.*s.key", (int)(strlen(cert) - strlen(".cert")), cert);
	int r;

	if (ret->cert) /* the first by name is taken: one connection shows one */
		return 0;
	if (faccessat(dir, key, F_OK, 0) < 0)
		return error_set(err, -ENOENT, "%s/%s has no %s beside it", path, cert, key);
	r = add_pem(dir, cert, &ret->cert, err);
	return r < 0 ? r : add_pem(dir, key, &ret->key, err);
}

/* given: somebody named it, so it has to be there. */
static int load_dir(const char *path, bool given, struct tls *ret, struct error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **list = NULL;
	int n, r = 0;

	if (fd < 0)
		return !given && (errno == ENOENT || errno == ENOTDIR)
			       ? 0
			       : error_sys(err, -errno, "open %s%s", given ? "--cert-dir " : "",
					   path);
	n = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (r == 0 && ends_with(name, ".crt"))
			r = add_pem(fd, name, &ret->ca, err);
		else if (r == 0 && ends_with(name, ".cert"))
			r = add_client(fd, path, name, ret, err);
		free(list[i]);
	}
	free(list);
	return r < 0 ? error_wrap(err, r, "%s", path) : 0;
}

int certs_load(const char *dir, const char *host, struct tls *ret, struct error *err)
{
	static const char *const places[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };
	const char *home = getenv("HOME");
	int r = 0;

	if (dir)
		return load_dir(dir, true, ret, err);
	if (home && *home) {
		autofree char *path = xasprintf("%s/.config/containers/certs.d/%s", home, host);

		r = load_dir(path, false, ret, err);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++) {
		autofree char *path = xasprintf("%s/%s", places[i], host);

		r = load_dir(path, false, ret, err);
	}
	return r;
}
