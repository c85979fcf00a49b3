/* src/disk/onto.c
 *
 * The device is open with O_DIRECT where it can be: how far it is, is then true, and what is read
 * back comes from the medium.  So all places, lengths and the buffer are multiples of UNIT.
 */
#include "disk/onto.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"

#define HEAD (1 << 20)
#define STEP (4 << 20)
#define UNIT 4096 /* the coarsest sector there is; the last piece may end on an ONTO_SECTOR */

static unsigned char *buffer_new(void)
{
	void *p = NULL;

	if (posix_memalign(&p, UNIT, STEP) != 0)
		abort();
	return p;
}

static int64_t padded(const struct onto *o)
{
	return (o->size + ONTO_SECTOR - 1) / ONTO_SECTOR * ONTO_SECTOR;
}

/* Bytes of the source, zeros behind its end. */
static int get(const struct onto *o, int64_t at, int64_t len, unsigned char *to)
{
	int64_t done = 0;

	while (done < len) {
		ssize_t n = TEMP_FAILURE_RETRY(
			pread(o->from, to + done, (size_t)(len - done), at + done));

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	memset(to + done, 0, (size_t)(len - done));
	return 0;
}

static int put(const struct onto *o, int64_t at, int64_t len, const unsigned char *from)
{
	int64_t done = 0;

	while (done < len) {
		ssize_t n = TEMP_FAILURE_RETRY(
			pwrite(o->to, from + done, (size_t)(len - done), at + done));

		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		done += n;
	}
	return 0;
}

static int put_zeros(const struct onto *o, int64_t at, int64_t len)
{
	uint64_t range[2] = { (uint64_t)at, (uint64_t)len };
	autofree unsigned char *zeros = NULL;
	int r = 0;

	if (ioctl(o->to, BLKZEROOUT, range) == 0 ||
	    fallocate(o->to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len) == 0)
		return 0;
	zeros = buffer_new();
	memset(zeros, 0, STEP);
	while (r == 0 && len > 0) {
		int64_t n = MIN(len, STEP);

		r = put(o, at, n, zeros);
		at += n;
		len -= n;
	}
	return r;
}

/* The run of data or of zeros that begins at at, at most STEP long. */
static bool run_at(const struct onto *o, int64_t at, int64_t *ret_len)
{
	int64_t end = MIN(padded(o), at + STEP);
	off_t data = lseek(o->from, at, SEEK_DATA), hole;

	if (data < 0) {
		*ret_len = end - at;
		return errno != ENXIO; /* nothing but zeros follows; or it cannot tell */
	}
	data = data / UNIT * UNIT;
	if (data > at) {
		*ret_len = MIN(data, end) - at;
		return false;
	}
	hole = lseek(o->from, at, SEEK_HOLE);
	hole = hole < 0 ? end : (hole + UNIT - 1) / UNIT * UNIT;
	*ret_len = MIN(hole > at ? hole : end, end) - at;
	return true;
}

/* From start to end, in runs. */
static int copy(struct onto *o, int64_t start, int64_t end, unsigned char *buffer)
{
	int64_t len;

	for (int64_t at = start; at < end; at += len) {
		bool data = run_at(o, at, &len);
		int r;

		len = MIN(len, end - at);
		r = data ? get(o, at, len, buffer) : put_zeros(o, at, len);
		if (r == 0 && data)
			r = put(o, at, len, buffer);
		if (r < 0)
			return r;
		atomic_fetch_add(&o->written, len);
	}
	return 0;
}

static bool tell(const struct onto *o, int64_t tail)
{
	int64_t steps = padded(o) / HEAD + 1;

	(void)explain("what was there is no disk any more", "blkdiscard -f -z -l %d %s", HEAD,
		      sq(o->name));
	if (tail < o->to_size)
		(void)explain("nor has its end a second table",
			      "blkdiscard -f -z -o %lld -l %lld %s", (long long)tail,
			      (long long)(o->to_size - tail), sq(o->name));
	return explain("all but the first MiB, then that",
		       "for s in 1 0; do dd if=\"$from\" of=%s bs=1M skip=$s seek=$s "
		       "count=$((s ? %lld : 1)) oflag=direct conv=fsync status=none; done",
		       sq(o->name), (long long)steps);
}

int onto_write(struct onto *o, struct error *err)
{
	autofree unsigned char *buffer = buffer_new();
	int64_t head = MIN(HEAD, padded(o)), tail = MAX(o->to_size - HEAD, padded(o));
	int r;

	if (padded(o) > o->to_size)
		return error_set(err, -ENOSPC, "%lld bytes do not fit into %lld",
				 (long long)o->size, (long long)o->to_size);
	if (tell(o, tail))
		return 0;
	/* At the end there may be the second table of what was there, or the marks of a RAID. */
	r = put_zeros(o, 0, head);
	if (r == 0 && tail < o->to_size)
		r = put_zeros(o, tail, o->to_size - tail);
	if (r == 0)
		r = copy(o, head, padded(o), buffer);
	if (r == 0 && fsync(o->to) < 0)
		r = -errno;
	if (r == 0)
		r = copy(o, 0, head, buffer);
	if (r == 0 && fsync(o->to) < 0)
		r = -errno;
	return r < 0 ? error_sys(err, r, "write, after %lld of %lld bytes",
				 (long long)atomic_load(&o->written), (long long)o->size)
		     : 0;
}

static int read_back(const struct onto *o, int64_t at, int64_t len, unsigned char *to)
{
	int64_t done = 0;

	while (done < len) {
		ssize_t n = TEMP_FAILURE_RETRY(
			pread(o->to, to + done, (size_t)(len - done), at + done));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += n;
	}
	return 0;
}

int onto_compare(struct onto *o, struct error *err)
{
	autofree unsigned char *want = buffer_new(), *is = buffer_new();
	int64_t len;
	int r;

	if (explain("what is there is what was meant", "cmp -n %lld \"$from\" %s",
		    (long long)o->size, sq(o->name)))
		return 0;
	/* What the kernel remembers of it is not what is there. */
	if (ioctl(o->to, BLKFLSBUF, 0) < 0)
		(void)posix_fadvise(o->to, 0, 0, POSIX_FADV_DONTNEED);
	for (int64_t at = 0; at < padded(o); at += len) {
		len = MIN(STEP, padded(o) - at);
		r = get(o, at, len, want);
		if (r == 0)
			r = read_back(o, at, len, is);
		if (r < 0)
			return error_sys(err, r, "read back what was written at %lld",
					 (long long)at);
		if (memcmp(want, is, (size_t)len) != 0)
			return error_set(err, -EIO,
					 "the %lld bytes at %lld are not what was written: the "
					 "device is broken, or smaller than it says",
					 (long long)len, (long long)at);
		atomic_fetch_add(&o->compared, len);
	}
	return 0;
}
