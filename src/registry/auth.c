/* src/registry/auth.c */
#include "registry/auth.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "registry/helper.h"

#define FILE_MAX_BYTES (1U << 20)
#define SECRET_MAX     (64U << 10) /* tokens of cloud registries have a few KiB */
#define HUB_KEY        "https://index.docker.io/v1/"

void credentials_done(struct credentials *c)
{
	free(c->user);
	free(c->secret);
	free(c->identity_token);
	free(c->registry_token);
	free(c->from);
	*c = (struct credentials) { .user = NULL };
}

void auth_answer_done(struct auth_answer *a)
{
	credentials_done(&a->credentials);
	free(a->helper);
	free(a->helper_key);
	*a = (struct auth_answer) { .helper = NULL };
}

int credentials_parse(const char *text, const char *from, struct credentials *ret,
		      struct error *err)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text)
		return error_set(err, -EINVAL, "%s: USER:PASSWORD is expected", from);
	*ret = (struct credentials) {
		.user = xstrndup(text, (size_t)(colon - text)),
		.secret = xstrdup(colon + 1),
		.from = xstrdup(from),
	};
	return 0;
}

/* keys */

static bool is_hub(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0 ||
	       strcmp(host, "registry-1.docker.io") == 0;
}

/* "https://HOST/v1/" to "HOST": how old files name a registry. */
static char *key_plain(const char *key)
{
	const char *start = strstr(key, "://");
	char *plain = xstrdup(start ? start + 3 : key);
	size_t len = strlen(plain);

	while (len > 0 && plain[len - 1] == '/')
		plain[--len] = '\0';
	if (start && len > 3 &&
	    (strcmp(plain + len - 3, "/v1") == 0 || strcmp(plain + len - 3, "/v2") == 0))
		plain[len - 3] = '\0';
	return plain;
}

static bool key_matches(const char *key, const char *wanted)
{
	autofree char *plain = key_plain(key);

	return strcmp(plain, wanted) == 0 || (is_hub(plain) && is_hub(wanted));
}

static const json_t *find_key(const json_t *table, const char *wanted, const char **ret_key)
{
	const json_t *exact = json_object_get(table, wanted);
	const char *key;
	json_t *value;

	*ret_key = wanted;
	if (exact)
		return exact;
	json_object_foreach ((json_t *)(uintptr_t)table, key, value) {
		if (!key_matches(key, wanted))
			continue;
		*ret_key = key;
		return value;
	}
	return NULL;
}

static int decode(const char *text, const char *from, struct credentials *ret, struct error *err)
{
	size_t len = strlen(text), pad = 0;
	autofree char *plain = NULL;
	int n;

	if (len > SECRET_MAX)
		return error_set(err, -EFBIG, "%s: 'auth' is too long", from);
	plain = xcalloc(1, len + 4);
	n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)len);
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (n < (int)pad)
		return error_set(err, -EBADMSG, "%s: 'auth' is not base64", from);
	plain[n - (int)pad] = '\0';
	return credentials_parse(plain, from, ret, err);
}

/* Older Docker ended the password with zero bytes; a C text ends there anyway. */
static int read_entry(const json_t *entry, const char *what, const char *key,
		      struct credentials *ret, struct error *err)
{
	autofree char *from = xasprintf("%s, key %.200s", what, key);
	const char *auth, *user, *secret, *identity, *token;
	struct json_reader rd;
	int r = 0;

	json_reader_init(&rd, what, err);
	auth = json_read_string(&rd, entry, "auth", "");
	user = json_read_string(&rd, entry, "username", "");
	secret = json_read_string(&rd, entry, "password", "");
	identity = json_read_string(&rd, entry, "identitytoken", "");
	token = json_read_string(&rd, entry, "registrytoken", "");
	if (rd.r < 0)
		return rd.r;
	if (*auth)
		r = decode(auth, from, ret, err);
	else if (*user)
		*ret = (struct credentials) { .user = xstrdup(user), .secret = xstrdup(secret) };
	if (r < 0)
		return r;
	if (*identity)
		ret->identity_token = xstrdup(identity);
	if (*token)
		ret->registry_token = xstrdup(token);
	if (!ret->from && credentials_given(ret))
		ret->from = xstrdup(from);
	return 0;
}

/* "host/a/b", "host/a", "host": the last "/" cut off each time; false at the end. */
static bool shorten(char *key)
{
	char *slash = strrchr(key, '/');

	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static void ask_helper(struct auth_answer *ret, const char *helper, const char *key)
{
	ret->helper = xstrdup(helper);
	ret->helper_key = xstrdup(is_hub(key) ? HUB_KEY : key);
}

int auth_lookup(const json_t *doc, const char *what, const char *host, const char *path,
		struct auth_answer *ret, struct error *err)
{
	autofree char *key = xasprintf("%s%s%s", host, *path ? "/" : "", path);
	const json_t *helpers, *auths;
	const char *store, *found;
	struct json_reader rd;

	json_reader_init(&rd, what, err);
	helpers = json_read_object(&rd, doc, "credHelpers");
	auths = json_read_object(&rd, doc, "auths");
	/* .dockercfg is the inner table alone. */
	if (!auths && !json_object_get(doc, "auths") && strstr(what, ".dockercfg"))
		auths = doc;
	store = json_read_string(&rd, doc, "credsStore", "");
	if (rd.r < 0)
		return rd.r;
	do {
		const char *name = json_string_value(find_key(helpers, key, &found));
		const json_t *entry = find_key(auths, key, &found);

		if (name) {
			ask_helper(ret, name, key);
			return 0;
		}
		/* With a general helper an entry is a mark that it knows the key. */
		if (entry && *store && json_object_size(entry) == 0) {
			ask_helper(ret, store, found);
			return 0;
		}
		if (json_is_object(entry)) {
			int r = read_entry(entry, what, found, &ret->credentials, err);

			if (r < 0 || credentials_given(&ret->credentials))
				return r;
		}
	} while (shorten(key));
	if (*store)
		ask_helper(ret, store, host);
	return 0;
}

/* files */

static char *runtime_file(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	return dir && *dir ? xasprintf("%s/containers/auth.json", dir)
			   : xasprintf("/run/containers/%u/auth.json", (unsigned)getuid());
}

static void list_files(const char *file, struct strv *ret)
{
	const char *home = getenv("HOME"), *env = getenv("REGISTRY_AUTH_FILE"),
		   *docker = getenv("DOCKER_CONFIG"), *config = getenv("XDG_CONFIG_HOME");

	if (file || (env && *env)) {
		strv_add(ret, file ? file : env);
		return;
	}
	strv_take(ret, runtime_file());
	if (config && *config)
		strv_addf(ret, "%s/containers/auth.json", config);
	else if (home)
		strv_addf(ret, "%s/.config/containers/auth.json", home);
	if (docker && *docker)
		strv_addf(ret, "%s/config.json", docker);
	else if (home)
		strv_addf(ret, "%s/.docker/config.json", home);
	if (home)
		strv_addf(ret, "%s/.dockercfg", home);
}

/* 0 and *ret NULL if it is not there. */
static int read_file(const char *path, json_t **ret, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, &len, err);

	if (r == -ENOENT || r == -ENOTDIR || (r == 0 && strspn(text, " \t\r\n") == len))
		return 0;
	if (r == 0)
		r = json_load_bytes(text, len, path, ret, err);
	if (r == 0 && !json_is_object(*ret))
		r = error_set(err, -EBADMSG, "%s is no JSON object", path);
	return r;
}

static int find_in(const char *path, const char *host, const char *repo, struct credentials *ret,
		   struct strv *looked, struct error *err)
{
	cleanup(auth_answer_done) struct auth_answer answer = { .helper = NULL };
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = read_file(path, &doc, err);

	if (r < 0 || !doc)
		return r;
	strv_add(looked, path);
	r = auth_lookup(doc, path, host, repo, &answer, err);
	if (r < 0)
		return r;
	if (answer.helper) {
		r = helper_get(answer.helper, answer.helper_key, ret, err);
		return r < 0 ? error_wrap(err, r, "%s", path) : r;
	}
	if (!credentials_given(&answer.credentials))
		return 0;
	*ret = answer.credentials;
	answer.credentials = (struct credentials) { .user = NULL };
	return 1;
}

int auth_find(const char *file, const char *host, const char *path, struct credentials *ret,
	      struct strv *looked, struct error *err)
{
	struct strv files = { 0 };
	int r = 0;

	if (file && access(file, F_OK) < 0)
		return error_sys(err, -errno, "--authfile %s", file);
	list_files(file, &files);
	for (size_t i = 0; r == 0 && i < files.n; i++)
		r = find_in(files.items[i], host, path, ret, looked, err);
	strv_done(&files);
	return r;
}

/* login and logout */

struct auth_file {
	char *path;
	int lock; /* the directory's: two logins at once keep both */
	json_t *doc;
};

static void auth_file_done(struct auth_file *f)
{
	free(f->path);
	if (f->lock >= 0)
		(void)close(f->lock);
	json_decref(f->doc);
}

static int open_file(const char *file, struct auth_file *ret, struct error *err)
{
	const char *env = getenv("REGISTRY_AUTH_FILE"), *slash;
	autofree char *dir = NULL;
	int r;

	ret->path = file ? xstrdup(file) : env && *env ? xstrdup(env) : runtime_file();
	slash = strrchr(ret->path, '/');
	dir = slash ? xstrndup(ret->path, (size_t)MAX(slash - ret->path, 1)) : xstrdup(".");
	r = dir_ensure_at(AT_FDCWD, dir, 0700, &ret->lock, err);
	if ((r == -EACCES || r == -ENOENT) && !file && !(env && *env) && getuid() != 0)
		return error_wrap(
			err, r,
			"XDG_RUNTIME_DIR, where logins are kept, is not set; set it, or name "
			"a file with --authfile or REGISTRY_AUTH_FILE");
	if (r == 0 && flock(ret->lock, LOCK_EX) < 0)
		r = error_sys(err, -errno, "lock %s", dir);
	if (r == 0)
		r = read_file(ret->path, &ret->doc, err);
	if (r == 0 && !ret->doc)
		ret->doc = json_object();
	return r;
}

static const char *helper_of(const json_t *doc, const char *host)
{
	const char *found, *name = json_string_value(
				   find_key(json_object_get(doc, "credHelpers"), host, &found));

	return name ? name : json_string_value(json_object_get(doc, "credsStore"));
}

static int save_file(const struct auth_file *f, struct error *err)
{
	return json_save_at(AT_FDCWD, f->path, f->doc, true, err);
}

static json_t *entry_new(const struct credentials *c)
{
	autofree char *plain =
		xasprintf("%s:%s", c->user ? c->user : "", c->secret ? c->secret : "");
	size_t len = strlen(plain);
	autofree char *coded = xcalloc(1, (len + 2) / 3 * 4 + 1);
	json_t *entry = json_object();

	(void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)plain, (int)len);
	(void)json_object_set_new(entry, "auth", json_string(coded));
	if (c->identity_token)
		(void)json_object_set_new(entry, "identitytoken", json_string(c->identity_token));
	return entry;
}

int auth_store(const char *file, const char *host, const struct credentials *c, char **ret_where,
	       struct error *err)
{
	cleanup(auth_file_done) struct auth_file f = { .lock = -1 };
	const char *helper, *key = host;
	json_t *auths;
	int r = open_file(file, &f, err);

	if (r < 0)
		return r;
	helper = helper_of(f.doc, host);
	if (helper) {
		r = helper_store(helper, is_hub(host) ? HUB_KEY : host, c, err);
		if (r == 0)
			*ret_where = xasprintf("docker-credential-%s", helper);
		return r;
	}
	auths = json_object_get(f.doc, "auths");
	if (!json_is_object(auths)) {
		auths = json_object();
		(void)json_object_set_new(f.doc, "auths", auths);
	}
	(void)find_key(auths, host, &key);
	(void)json_object_set_new(auths, key, entry_new(c));
	r = save_file(&f, err);
	if (r == 0)
		*ret_where = xstrdup(f.path);
	return r;
}

int auth_erase(const char *file, const char *host, char **ret_where, struct error *err)
{
	cleanup(auth_file_done) struct auth_file f = { .lock = -1 };
	const char *helper, *key = host;
	json_t *auths;
	int r = open_file(file, &f, err);

	if (r < 0)
		return r;
	helper = helper_of(f.doc, host);
	if (helper) {
		r = helper_erase(helper, is_hub(host) ? HUB_KEY : host, err);
		if (r == 0)
			*ret_where = xasprintf("docker-credential-%s", helper);
		return r;
	}
	auths = json_object_get(f.doc, "auths");
	if (!find_key(auths, host, &key))
		return error_set(err, -ENOENT, "not logged in to %.200s (%s)", host, f.path);
	{
		autofree char *copy = xstrdup(key);

		(void)json_object_del(auths, copy);
	}
	r = save_file(&f, err);
	if (r == 0)
		*ret_where = xstrdup(f.path);
	return r;
}
