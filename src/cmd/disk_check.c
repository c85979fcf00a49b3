/* src/cmd/disk_check.c - strake-disk check and inspect */
#include <stdio.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "disk/chain.h"
#include "disk/reading.h"

static void show(void *data, const char *link, bool holds, const char *text)
{
	(void)data;
	(void)printf("%-16s %-7s ", link, holds ? "found" : "LACKS");
	for (; *text; text++)
		(void)putchar((unsigned char)*text < ' ' ? '?' : *text);
	(void)putchar('\n');
}

static int check_run(const void *globals, const void *data, int argc, char **argv,
		     struct error *err)
{
	cleanup(disk_cleanup) struct disk *d = NULL;
	int r = disk_open(argv[0], 0, &d, err);

	(void)globals;
	(void)data;
	(void)argc;
	if (r == 0)
		r = chain_check(d, show, NULL, err);
	return r > 0 ? 1 : r;
}

const struct cmd cmd_disk_check = {
	.name = "check",
	.operands = "FILE",
	.help = "Follow a disk's way from firmware to init, and say what lacks",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = check_run,
};

/* inspect */

static json_t *describe_partition(const struct disk *d, size_t i)
{
	static const char *const kinds[] = {
		[PARTITION_ESP] = "esp",       [PARTITION_ROOT] = "linux",
		[PARTITION_DATA] = "linux",    [PARTITION_SWAP] = "swap",
		[PARTITION_HASHES] = "hashes", [PARTITION_OTHER] = "other"
	};
	const struct partition *p = &d->parts[i];
	const struct volume *v = &d->volumes[i];
	json_t *o =
		json_pack("{s:s, s:I, s:I, s:s}", "type", kinds[p->kind], "offset",
			  (json_int_t)p->offset, "size", (json_int_t)p->size, "partuuid", p->uuid);

	if (o && *v->type) {
		(void)json_object_set_new(o, "filesystem", json_string(v->type));
		(void)json_object_set_new(o, "uuid", json_string(v->uuid));
		(void)json_object_set_new(o, "label", json_string(v->label));
	}
	if (o && (int)i == d->root)
		(void)json_object_set_new(o, "root", json_true());
	return o;
}

static int inspect_run(const void *globals, const void *data, int argc, char **argv,
		       struct error *err)
{
	static const char *const tables[] = {
		[TABLE_NONE] = "none", [TABLE_GPT] = "gpt", [TABLE_MBR] = "mbr"
	};
	cleanup(disk_cleanup) struct disk *d = NULL;
	cleanup(json_cleanup) json_t *doc = json_object(), *parts = json_array();
	autofree char *text = NULL;
	int r = disk_open(argv[0], 0, &d, err);

	(void)globals;
	(void)data;
	(void)argc;
	if (r < 0)
		return r;
	for (size_t i = 0; i < d->nparts; i++)
		(void)json_array_append_new(parts, describe_partition(d, i));
	(void)json_object_set_new(doc, "file", json_string(argv[0]));
	(void)json_object_set_new(doc, "format", json_string(format_name(d->format)));
	(void)json_object_set_new(doc, "size", json_integer((json_int_t)d->size));
	(void)json_object_set_new(doc, "table", json_string(tables[d->table]));
	(void)json_object_set(doc, "partitions", parts);
	text = json_dumps(doc, JSON_INDENT(4));
	(void)puts(text ? text : "{}");
	return 0;
}

const struct cmd cmd_disk_inspect = {
	.name = "inspect",
	.operands = "FILE",
	.help = "Show a disk's partitions as JSON",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = inspect_run,
};
