/* tests/fuzz/fuzz_users.c - USER NUL PASSWD NUL GROUP */
#include "engine/root_view.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *dir = fuzz_dir();
	autofree char *etc = xasprintf("%s/etc", dir), *who = fuzz_text(&data, &size);
	autofree char *passwd = fuzz_text(&data, &size);
	struct user user = { .home = NULL };
	struct strv layers = { 0 };
	struct error err = { 0 };

	fuzz_must(dir_make_at(AT_FDCWD, etc, 0755, NULL) == 0);
	fuzz_put(etc, "passwd", passwd, strlen(passwd));
	fuzz_put(etc, "group", data, size);
	strv_add(&layers, dir);
	if (user_resolve(&layers, who, &user, &err) < 0) {
		fuzz_must(err.text[0]);
	} else {
		fuzz_must(user.home && user.ngroups <= USER_GROUPS_MAX);
		fuzz_must(user.uid != (uid_t)-1 && user.gid != (gid_t)-1);
		user_done(&user);
	}
	strv_done(&layers);
	return 0;
}
