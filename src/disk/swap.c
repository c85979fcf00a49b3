/* src/disk/swap.c - the kernel's union swap_header (include/linux/swap.h): one page. */
#include "disk/swap.h"

#include <string.h>
#include <unistd.h>

#include "base/explain.h"
#include "disk/identity.h"

#define PAGE 4096

/* Neither ends with a zero byte of its own. */
static const unsigned char label[] = { 's', 'w', 'a', 'p' };
static const unsigned char magic[] = { 'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2' };

int swap_write(int fd, int64_t offset, int64_t size, const uint8_t uuid[16], struct error *err)
{
	unsigned char page[PAGE] = { 0 };
	uint32_t last = (uint32_t)(size / PAGE - 1);
	char text[UUID_TEXT_LEN + 1];
	ssize_t n;

	uuid_text(uuid, text);
	if (explain("a swap area",
		    "truncate -s %lld \"$work/swap\"; mkswap -q -U %s -L swap \"$work/swap\" >/dev/null; "
		    "dd if=\"$work/swap\" of=\"$disk\" bs=1M seek=%lld conv=notrunc,sparse status=none",
		    (long long)size, text, (long long)offset >> 20))
		return 0;
	page[1024] = 1; /* version */
	for (int i = 0; i < 4; i++)
		page[1028 + i] = (unsigned char)(last >> (8 * i));
	memcpy(page + 1036, uuid, 16);
	memcpy(page + 1052, label, sizeof(label));
	memcpy(page + PAGE - sizeof(magic), magic, sizeof(magic));
	n = pwrite(fd, page, sizeof(page), offset);
	return n == PAGE ? 0 : error_sys(err, n < 0 ? -errno : -EIO, "write the swap area");
}
