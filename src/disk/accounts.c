/* src/disk/accounts.c - passwd(5), group(5), shadow(5), as useradd would write them. */
#include "disk/accounts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/number.h"
#include "disk/filetree.h"
#include "disk/place.h"
#include "disk/source.h"

#define PASSWD    "etc/passwd"
#define GROUP     "etc/group"
#define SHADOW    "etc/shadow"
#define FIRST_ID  1000U
#define LAST_ID   59999U
#define SKEL_MAX  1000U /* files of a new home: more is no skeleton */
#define DAY_S     86400
#define FIELD_MAX 256

struct person {
	uint32_t uid, gid;
	char home[FIELD_MAX];
};

/* lines of such files */

static const char *find_line(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, name, n) == 0 && at[n] == ':')
			return at;
	return NULL;
}

/* Field 0 is the name.  False: it is not there, or too long. */
static bool field(const char *line, unsigned which, char ret[FIELD_MAX])
{
	size_t n;

	for (; which > 0; which--) {
		line += strcspn(line, ":\n");
		if (*line++ != ':')
			return false;
	}
	n = strcspn(line, ":\n");
	if (n >= FIELD_MAX)
		return false;
	memcpy(ret, line, n);
	ret[n] = '\0';
	return true;
}

static bool field_number(const char *line, unsigned which, uint32_t *ret)
{
	char text[FIELD_MAX];
	uint64_t number;

	if (!field(line, which, text) || number_parse(text, UINT32_MAX, &number) < 0)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool number_taken(const char *text, uint32_t number)
{
	uint32_t other;

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (field_number(at, 2, &other) && other == number)
			return true;
	return false;
}

/* The file's text, "" if it is not there. */
static int text_of(struct placing *p, const char *path, char **ret, struct error *err)
{
	int r = place_read(p, path, ret, err);

	if (r == -ENOENT) {
		*ret = xstrdup("");
		r = 0;
	}
	return r;
}

static int append(struct placing *p, const char *path, mode_t mode, const char *line,
		  struct error *err)
{
	autofree char *text = NULL, *real = NULL;
	int r = place_read(p, path, &text, err);
	size_t n = text ? strlen(text) : 0;

	if (r == -ENOENT)
		r = place_text(p, "a file for accounts", path, (struct owner) { .mode = mode }, "",
			       err);
	if (r < 0)
		return r;
	place_begin(p);
	real = place_real(p, path);
	(void)explain("a line of an account", "echo %s >>\"$tree\"/%s", sq(line), sq(real));
	place_rewrite(
		p, path,
		xasprintf("%s%s%s\n", n ? text : "", n && text[n - 1] != '\n' ? "\n" : "", line));
	return 0;
}

static int find_person(struct placing *p, const char *name, struct person *ret, struct error *err)
{
	struct person person = { .uid = 0 };
	autofree char *text = NULL;
	const char *line;
	int r = text_of(p, PASSWD, &text, err);

	if (r < 0)
		return r;
	line = find_line(text, name);
	if (!line)
		return -ENOENT;
	if (!field_number(line, 2, &person.uid) || !field_number(line, 3, &person.gid) ||
	    !field(line, 5, person.home))
		return error_set(err, -EBADMSG, "/etc/passwd: the line of %s is damaged", name);
	*ret = person;
	return 0;
}

/* what the option says */

static bool name_is_good(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= ACCOUNT_NAME_MAX && !name[n] && name[0] != '-' && name[0] != '.' &&
	       strspn(name, "0123456789") < n;
}

int account_parse(const char *text, struct account *ret, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy, *name = strsep(&rest, ":"), *uid = strsep(&rest, ":"), *group;
	struct account a = { .uid = 0 };
	uint64_t number = 0;

	if (!name_is_good(name))
		return error_set(err, -EINVAL, "--user: '%s' is no name of an account", name);
	if (uid && *uid && (number_parse(uid, LAST_ID, &number) < 0 || number == 0))
		return error_set(err, -EINVAL, "--user: '%s' is no number from 1 to %u", uid,
				 LAST_ID);
	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	a.uid = (uint32_t)number;
	while ((group = strsep(&rest, ","))) {
		if (!name_is_good(group)) {
			account_done(&a);
			return error_set(err, -EINVAL, "--user: '%s' is no name of a group", group);
		}
		strv_add(&a.groups, group);
	}
	*ret = a;
	return 0;
}

void account_done(struct account *a)
{
	strv_done(&a->groups);
}

/* groups */

/* The line gets another member, unless it has it. */
static int join_group(struct placing *p, const char *group, const char *name, struct error *err)
{
	autofree char *text = NULL, *members = NULL, *real = NULL;
	const char *line, *end;
	char *member, *rest;
	int r = text_of(p, GROUP, &text, err);

	if (r < 0)
		return r;
	line = find_line(text, group);
	if (!line)
		return error_set(err, -ENOENT, "--user: there is no group '%s' in /etc/group",
				 group);
	end = line + strcspn(line, "\n");
	members = xstrndup(line, (size_t)(end - line));
	rest = strrchr(members, ':') + 1;
	for (bool any = *rest; (member = strsep(&rest, ",")); any = true)
		if (any && strcmp(member, name) == 0)
			return 0;
	place_begin(p);
	real = place_real(p, GROUP);
	(void)explain("in a group", "sed -i -e '/^%s:/s/$/,%s/' -e '/^%s:/s/:,/:/' \"$tree\"/%s",
		      group, name, group, sq(real));
	place_rewrite(p, GROUP,
		      xasprintf("%.*s%s%s%s", (int)(end - text), text, end[-1] == ':' ? "" : ",",
				name, end));
	return 0;
}

/* The account's own group: of its name if there is one, else a new one, of its number if free. */
static int own_group(struct placing *p, const char *name, uint32_t uid, uint32_t *ret_gid,
		     struct error *err)
{
	autofree char *text = NULL, *line = NULL;
	const char *there;
	int r = text_of(p, GROUP, &text, err);

	if (r < 0)
		return r;
	there = find_line(text, name);
	*ret_gid = uid;
	if (there)
		return field_number(there, 2, ret_gid)
			       ? 0
			       : error_set(err, -EBADMSG, "/etc/group: the line of %s is damaged",
					   name);
	while (number_taken(text, *ret_gid))
		(*ret_gid)++;
	line = xasprintf("%s:x:%u:", name, *ret_gid);
	return append(p, GROUP, 0644, line, err);
}

/* homes */

struct copying {
	const struct file *from;
	struct file *to;
};

static int copy_file(struct placing *p, const struct file *from, const struct person *who,
		     struct file **ret, struct error *err)
{
	struct file *to = filetree_add(p->source->tree, from->mode);
	char *bytes = NULL;
	size_t len;
	int r;

	if (!to)
		return error_set(err, -EMFILE, "the tree has too many files");
	to->uid = who->uid;
	to->gid = who->gid;
	to->mtime = p->mtime;
	*ret = to;
	if (S_ISLNK(from->mode))
		to->target = xstrdup(from->target);
	if (!S_ISREG(from->mode))
		return 0;
	r = content_read(&from->content, PLACED_TEXT_MAX, PLACED_TEXT_MAX, &bytes, &len, err);
	if (r == 0)
		to->content = content_of_bytes(bytes, len);
	return r < 0 ? error_wrap(err, r, "/etc/skel") : 0;
}

static int make_home(struct placing *p, const char *home, const struct person *who,
		     struct error *err)
{
	const struct owner owner = { .mode = 0700, .uid = who->uid, .gid = who->gid };
	struct file *skel = filetree_resolve(p->source->tree, "etc/skel", NULL);
	struct copying *work = xcalloc(SKEL_MAX, sizeof(*work));
	autofree char *from = NULL, *to_dir = NULL;
	size_t n = 0;
	int r = place_dir(p, home, owner, err);

	if (r == 0 && skel && S_ISDIR(skel->mode)) {
		from = place_real(p, "etc/skel");
		to_dir = place_real(p, home);
		(void)explain("what every new home has",
			      "cp -a \"$tree\"/%s/. \"$tree\"/%s; chown -R %u:%u \"$tree\"/%s; "
			      "chmod 700 \"$tree\"/%s",
			      sq(from), sq(to_dir), who->uid, who->gid, sq(to_dir), sq(to_dir));
		work[n++] =
			(struct copying) { skel, filetree_resolve(p->source->tree, home, NULL) };
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; r == 0 && k < work[i].from->nnames; k++) {
			const struct name *name = &work[i].from->names[k];
			struct file *to = NULL;

			r = copy_file(p, name->file, who, &to, err);
			if (r < 0 || !to)
				break;
			dir_put(work[i].to, name->text, to);
			if (S_ISDIR(to->mode) && n < SKEL_MAX)
				work[n++] = (struct copying) { name->file, to };
		}
	free(work);
	return r;
}

/* accounts */

static uint32_t free_uid(const char *passwd)
{
	uint32_t uid = FIRST_ID;

	while (uid < LAST_ID && number_taken(passwd, uid))
		uid++;
	return uid;
}

static int make_account(struct placing *p, const struct account *a, struct error *err)
{
	const char *shell =
		filetree_resolve(p->source->tree, "bin/bash", NULL) ? "/bin/bash" : "/bin/sh";
	autofree char *passwd = NULL, *home = xasprintf("home/%s", a->name), *line = NULL,
		      *shadow = NULL;
	struct person who = { .uid = a->uid };
	int r = text_of(p, PASSWD, &passwd, err);

	if (r < 0)
		return r;
	if (!who.uid)
		who.uid = free_uid(passwd);
	else if (number_taken(passwd, who.uid))
		return error_set(err, -EEXIST, "--user %s: number %u belongs to another account",
				 a->name, who.uid);
	r = own_group(p, a->name, who.uid, &who.gid, err);
	if (r < 0)
		return r;
	line = xasprintf("%s:x:%u:%u::/%s:%s", a->name, who.uid, who.gid, home, shell);
	r = append(p, PASSWD, 0644, line, err);
	/* '!': no password opens it. */
	shadow = xasprintf("%s:!:%lld:0:99999:7:::", a->name, (long long)p->mtime.tv_sec / DAY_S);
	if (r == 0)
		r = append(p, SHADOW, 0640, shadow, err);
	return r == 0 ? make_home(p, home, &who, err) : r;
}

int account_put(struct placing *p, const struct account *a, struct error *err)
{
	struct person who = { .uid = 0 };
	int r = find_person(p, a->name, &who, err);

	if (r == 0 && a->uid && a->uid != who.uid)
		return error_set(err, -EEXIST, "--user %s: it is there and has the number %u",
				 a->name, who.uid);
	if (r == -ENOENT)
		r = make_account(p, a, err);
	for (size_t i = 0; r == 0 && i < a->groups.n; i++)
		r = join_group(p, a->groups.items[i], a->name, err);
	return r;
}

static int nobody(const char *name, struct error *err)
{
	return error_set(err, -ENOENT, "there is no account '%s': make it with --user %s", name,
			 name);
}

int account_set_hash(struct placing *p, const char *name, const char *hash, const char *how,
		     struct error *err)
{
	autofree char *text = NULL, *fresh = NULL, *real = NULL;
	struct person who = { .uid = 0 };
	const char *line, *at;
	int r = find_person(p, name, &who, err);

	if (r == -ENOENT)
		return nobody(name, err);
	if (r == 0)
		r = text_of(p, SHADOW, &text, err);
	if (r == 0 && !find_line(text, name)) {
		fresh = xasprintf("%s:!:%lld:0:99999:7:::", name,
				  (long long)p->mtime.tv_sec / DAY_S);
		r = append(p, SHADOW, 0640, fresh, err);
		free(text);
		text = NULL;
		if (r == 0)
			r = text_of(p, SHADOW, &text, err);
	}
	if (r < 0)
		return r;
	line = find_line(text, name);
	at = line + strlen(name) + 1;
	place_begin(p);
	real = place_real(p, SHADOW);
	(void)explain("its password, hashed",
		      "hash=$(%s); sed -i \"s|^%s:[^:]*|%s:$hash|\" \"$tree\"/%s", how, name, name,
		      sq(real));
	place_rewrite(p, SHADOW,
		      xasprintf("%.*s%s%s", (int)(at - text), text, hash, at + strcspn(at, ":\n")));
	return 0;
}

int account_add_keys(struct placing *p, const char *name, const char *keys, struct error *err)
{
	autofree char *dir = NULL, *path = NULL, *before = NULL, *all = NULL;
	struct person who = { .uid = 0 };
	struct owner owner = { .mode = 0700 };
	int r = find_person(p, name, &who, err);

	if (r == -ENOENT)
		return nobody(name, err);
	if (r < 0)
		return r;
	owner.uid = who.uid;
	owner.gid = who.gid;
	dir = xasprintf("%s/.ssh", who.home + strspn(who.home, "/"));
	path = xasprintf("%s/authorized_keys", dir);
	r = text_of(p, path, &before, err);
	if (r == 0)
		r = place_dir(p, dir, owner, err);
	if (r < 0)
		return r;
	owner.mode = 0600;
	all = xasprintf("%s%s%s", before, *before && before[strlen(before) - 1] != '\n' ? "\n" : "",
			keys);
	return place_text(p, "who may come by ssh", path, owner, all, err);
}
