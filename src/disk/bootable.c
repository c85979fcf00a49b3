/* src/disk/bootable.c
 *
 * Links such as /vmlinuz are not asked: some distributions have none, some have broken ones.  The
 * names in /boot are, and /usr/lib/modules/VERSION/vmlinuz, where Fedora's lies.
 */
#include "disk/bootable.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/content.h"
#include "disk/filetree.h"

#define KERNEL_MAX (512U << 20)
#define HEAD_LEN   (64U << 10) /* of a kernel: its header, and the version behind it */

/* Documentation/x86/boot.rst: "HdrS" at 0x202, at 0x20e the version's place, less 0x200. */
#define MAGIC_AT   0x202
#define VERSION_AT 0x20e

#define ARM64_MAGIC_AT 56U

bool kernel_is_arm64(const struct content *kernel)
{
	autofree char *bytes = NULL;
	size_t len = 0;

	return content_read(kernel, KERNEL_MAX, ARM64_MAGIC_AT + 4, &bytes, &len, NULL) == 0 &&
	       len == ARM64_MAGIC_AT + 4 && memcmp(bytes + ARM64_MAGIC_AT, "ARM\x64", 4) == 0;
}

int kernel_version(const struct content *kernel, char ret[KERNEL_VERSION_MAX], struct error *err)
{
	autofree char *bytes = NULL;
	size_t len = 0, at, n;
	int r = content_read(kernel, KERNEL_MAX, HEAD_LEN, &bytes, &len, err);

	if (r < 0)
		return r;
	if (kernel_is_arm64(kernel)) {
		ret[0] = '\0';
		return 0;
	}
	if (len < VERSION_AT + 2 || memcmp(bytes + MAGIC_AT, "HdrS", 4) != 0)
		return error_set(err, -ENOEXEC, "the kernel is no x86 bzImage, and no arm64 Image");
	at = ((size_t)(unsigned char)bytes[VERSION_AT] |
	      (size_t)(unsigned char)bytes[VERSION_AT + 1] << 8) +
	     0x200;
	n = at < len ? strcspn(bytes + at, " ") : 0;
	if (n >= KERNEL_VERSION_MAX)
		n = 0;
	memcpy(ret, n ? bytes + at : "", n);
	ret[n] = '\0';
	return 0;
}

/* kernels */

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void take_kernel(struct bootable *b, const char *dir, const char *name, struct file *file,
			const char *order, char **best)
{
	if (!S_ISREG(file->mode) || file->content.size == 0)
		return;
	if (*best && strverscmp(order, *best) <= 0)
		return;
	free(*best);
	*best = xstrdup(order);
	b->kernel = file;
	free(b->kernel_path);
	b->kernel_path = xasprintf("%s/%s", dir, name);
}

static void look_in_boot(const struct filetree *t, struct bootable *b, char **best)
{
	autofree char *real = NULL;
	const struct file *boot = filetree_resolve(t, "boot", &real);

	for (size_t i = 0; boot && i < boot->nnames; i++) {
		const char *name = boot->names[i].text;
		const char *order = starts(name, "vmlinuz-")  ? name + 8
				    : starts(name, "vmlinuz") ? name + 7
				    : starts(name, "kernel-") ? name + 7
				    : starts(name, "bzImage") ? name + 7
							      : NULL;

		if (order && !strstr(name, "rescue"))
			take_kernel(b, real, name, boot->names[i].file, order, best);
	}
}

static void look_in_modules(const struct filetree *t, struct bootable *b, char **best)
{
	autofree char *real = NULL;
	const struct file *modules = filetree_resolve(t, "lib/modules", &real);

	for (size_t i = 0; modules && i < modules->nnames; i++) {
		const struct name *n = &modules->names[i];
		struct file *file = S_ISDIR(n->file->mode) ? dir_find(n->file, "vmlinuz") : NULL;
		autofree char *dir = xasprintf("%s/%s", real, n->text);

		if (file)
			take_kernel(b, dir, "vmlinuz", file, n->text, best);
	}
}

/* The initrd of the kernel's name: Debian and Ubuntu, Fedora, Alpine, SUSE. */
static void find_initrd(const struct filetree *t, struct bootable *b, const char *order)
{
	static const char *const forms[] = { "boot/initrd.img-%s", "boot/initramfs-%s.img",
					     "boot/initramfs-%s",  "boot/initrd-%s",
					     "boot/initrd.img%s",  "boot/initramfs%s.img" };
	const char *names[] = { order, b->version };

	for (size_t i = 0; i < ARRAY_SIZE(forms) && !b->initrd; i++)
		for (size_t k = 0; k < ARRAY_SIZE(names) && !b->initrd; k++) {
			autofree char *path = xasprintf(forms[i], names[k]), *real = NULL;
			struct file *file = filetree_resolve(t, path, &real);

			if (!file || !S_ISREG(file->mode))
				continue;
			b->initrd = file;
			b->initrd_path = steal_ptr(&real);
		}
}

/* Images with busybox have a link /sbin/init to it, which alone is no operating system. */
static bool starts_something(const struct filetree *t, const char *init)
{
	autofree char *real = NULL;
	const char *slash;

	if (!filetree_resolve(t, init, &real))
		return false;
	slash = strrchr(real, '/');
	return strcmp(slash ? slash + 1 : real, "busybox") != 0 ||
	       filetree_resolve(t, "sbin/openrc", NULL) ||
	       filetree_resolve(t, "etc/init.d/rcS", NULL);
}

static void find_init(const struct filetree *t, struct bootable *b)
{
	static const char *const inits[] = { "sbin/init", "etc/init", "lib/systemd/systemd" };

	for (size_t i = 0; i < ARRAY_SIZE(inits) && !b->init; i++) {
		const struct file *file = filetree_resolve(t, inits[i], NULL);

		if (file && S_ISREG(file->mode) && (file->mode & 0111) &&
		    starts_something(t, inits[i]))
			b->init = xasprintf("/%s", inits[i]);
	}
}

int bootable_find(const struct filetree *t, struct bootable *ret, struct error *err)
{
	struct bootable b = { .kernel = NULL };
	autofree char *best = NULL, *modules = NULL;
	int r = 0;

	look_in_boot(t, &b, &best);
	look_in_modules(t, &b, &best);
	if (b.kernel) {
		r = kernel_version(&b.kernel->content, b.version, err);
		find_initrd(t, &b, best);
	}
	if (r < 0) {
		r = error_wrap(err, r, "/%s", b.kernel_path);
		bootable_done(&b);
		return r;
	}
	modules = xasprintf("lib/modules/%s", b.version);
	b.has_modules = *b.version && filetree_resolve(t, modules, NULL);
	find_init(t, &b);
	*ret = b;
	return 0;
}

void bootable_done(struct bootable *b)
{
	free(b->kernel_path);
	free(b->initrd_path);
	free(b->init);
	*b = (struct bootable) { .kernel = NULL };
}
