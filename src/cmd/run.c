/* src/cmd/run.c - strake run */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/explain.h"
#include "base/terminal.h"
#include "base/id.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "engine/making.h"
#include "engine/options.h"
#include "engine/run.h"

#define LAST_WORDS_MAX 2048 /* of a program that failed, to tell what it lacked */

#define ROW(field, name, letter, operand, help)                                                    \
	OPT(struct container_options, field, name, letter, operand, help)

static const struct opt run_opts[] = {
	ROW(rootfs, "rootfs", 0, "DIR", "run this directory; it is never written to"),
	ROW(bare, "bare", 0, "FILE", "run one executable with nothing else inside"),
	ROW(with_libs, "with-libs", 0, NULL,
	    "of one executable: bring the loader and libraries it needs"),
	ROW(with, "with", 0, "NAME,...", "bring ca-certificates, tzdata, passwd, tmp or resolver"),
	ROW(print_config, "print-config", 0, NULL, "print the config.json that would be used"),
	ROW(detach, "detach", 'd', NULL, "leave it running, print its ID"),
	ROW(interactive, "interactive", 'i', NULL, "hand our standard input to it"),
	ROW(tty, "tty", 't', NULL, "give it a terminal"),
	ROW(remove, "rm", 0, NULL, "remove it when it ends"),
	ROW(name, "name", 0, "NAME", "call it NAME"),
	ROW(env, "env", 'e', "NAME[=VALUE]", "set a variable, or copy ours"),
	ROW(env_file, "env-file", 0, "FILE", "set variables from lines of FILE"),
	ROW(volumes, "volume", 'v', "SOURCE:DEST[:ro]", "mount a host path or a named volume"),
	ROW(tmpfs, "tmpfs", 0, "DEST[:OPTIONS]", "mount an empty file system in memory"),
	ROW(workdir, "workdir", 'w', "DIR", "start in DIR"),
	ROW(user, "user", 'u', "USER[:GROUP]", "run as this user, name or number"),
	ROW(hostname, "hostname", 'h', "NAME", "its host name"),
	ROW(entrypoint, "entrypoint", 0, "PROGRAM",
	    "in place of the image's, also as a JSON list; empty: none"),
	ROW(networks, "network", 0, "NETWORK",
	    "bridge (default), NAME[:ip=A,ip6=A,mac=M,alias=N,interface=I], none, host, "
	    "container:NAME, or a namespace's path"),
	ROW(pid, "pid", 0, "NAMESPACE",
	    "see the host's processes (host), or those of a namespace's path"),
	ROW(ipc, "ipc", 0, "NAMESPACE", "System V IPC: private (default), host, or a path"),
	ROW(uts, "uts", 0, "NAMESPACE", "host name: private (default), host, or a path"),
	ROW(cgroupns, "cgroupns", 0, "NAMESPACE", "control groups: private (default) or host"),
	ROW(ip, "ip", 0, "ADDRESS", "its IPv4 address in the first network"),
	ROW(ip6, "ip6", 0, "ADDRESS", "its IPv6 address in the first network"),
	ROW(mac, "mac-address", 0, "MAC", "its hardware address in the first network"),
	ROW(aliases, "network-alias", 0, "NAME", "a further name of it in its networks"),
	ROW(publish, "publish", 'p', "[IP:][HOST]:PORT",
	    "publish a port or a range: [IP:]HOST:CONTAINER[/udp]"),
	ROW(publish_all, "publish-all", 'P', NULL, "publish what is exposed, to free ports"),
	ROW(expose, "expose", 0, "PORT", "a port that --publish-all publishes, too"),
	ROW(rate_up, "bandwidth-up", 0, "RATE", "what it may send, such as 10mbit"),
	ROW(rate_down, "bandwidth-down", 0, "RATE", "what it may receive"),
	ROW(dns, "dns", 0, "ADDRESS", "name server in place of the host's"),
	ROW(dns_search, "dns-search", 0, "DOMAIN", "look names up in it; .: in none"),
	ROW(dns_option, "dns-option", 0, "OPTION", "for its resolv.conf, such as timeout:1"),
	ROW(add_host, "add-host", 0, "NAME:ADDRESS",
	    "a line for its /etc/hosts; or NAME:host-gateway"),
	ROW(memory, "memory", 'm', "SIZE", "memory limit, such as 64m or 2g"),
	ROW(memory_swap, "memory-swap", 0, "SIZE", "memory and swap together; -1: any swap"),
	ROW(cpus, "cpus", 0, "N", "CPU time limit, such as 1.5"),
	ROW(cpu_period, "cpu-period", 0, "US", "of its CPU quota, in microseconds"),
	ROW(cpu_quota, "cpu-quota", 0, "US", "CPU time in each period; -1: any"),
	ROW(cpu_shares, "cpu-shares", 0, "WEIGHT", "against others when CPUs are busy"),
	ROW(cpuset_cpus, "cpuset-cpus", 0, "CPUS", "run on these only, such as 0-3 or 0,2"),
	ROW(cpuset_mems, "cpuset-mems", 0, "NODES", "memory of these NUMA nodes only"),
	ROW(pids_limit, "pids-limit", 0, "N", "most processes and threads; -1: no limit"),
	ROW(shm_size, "shm-size", 0, "SIZE", "size of /dev/shm (default 64m)"),
	ROW(ulimits, "ulimit", 0, "NAME=SOFT[:HARD]", "a resource limit, such as nofile=1024"),
	ROW(sysctls, "sysctl", 0, "NAME=VALUE", "a kernel parameter of its namespaces"),
	ROW(read_only, "read-only", 0, NULL, "its root cannot be written to"),
	ROW(cap_add, "cap-add", 0, "NAME", "add a capability; ALL: every one"),
	ROW(cap_drop, "cap-drop", 0, "NAME", "take a capability away; ALL: every one"),
	ROW(devices, "device", 0, "PATH[:INSIDE][:rwm]", "a device of the host"),
	ROW(group_add, "group-add", 0, "GROUP", "a further group of its user"),
	ROW(security, "security-opt", 0, "OPTION",
	    "seccomp=unconfined, seccomp=FILE or no-new-privileges"),
	ROW(privileged, "privileged", 0, NULL,
	    "all capabilities and devices, no seccomp, no masks"),
	ROW(init, "init", 0, NULL, "a small init as its first process: reaps, forwards signals"),
	ROW(labels, "label", 'l', "NAME=VALUE", "a note kept with it"),
	ROW(stop_signal, "stop-signal", 0, "SIGNAL", "what 'strake stop' sends (default TERM)"),
	ROW(stop_timeout, "stop-timeout", 0, "SECONDS", "how long it gets to stop (default 10)"),
	ROW(cidfile, "cidfile", 0, "FILE", "write its ID to FILE"),
	ROW(platform, "platform", 0, "OS/ARCH", "which platform of a multi-platform image"),
	ROW(pull, "pull", 0, "WHEN", "fetch the image if missing (default), always or never"),
	{ 0 },
};

/* The first operand is a path and its options go on behind it. */
static bool goes_on(const void *args, const char *operand)
{
	const struct container_options *o = args;

	return !o->rootfs && !o->bare && root_is_path(operand);
}

static int print_config(struct engine *engine, const struct container_options *options,
			struct error *err)
{
	cleanup(json_cleanup) json_t *config = NULL;
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC), r;

	/* Nothing is made, not even the directory of a volume. */
	explain_init(EXPLAIN_DRY, nothing);
	r = making_print(engine, options, &config, err);
	if (r == 0) {
		(void)json_dumpf(config, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	}
	return r;
}

/* It ran and failed: what it said may be about something that its root has not. */
static void diagnose(struct engine *engine, const struct container_options *options)
{
	struct strv lines = { 0 };

	root_diagnose(engine, options, buf_text(options->last_words), &lines);
	for (size_t i = 0; i < lines.n; i++)
		(void)fprintf(stderr, "strake run: note: %s\n", lines.items[i]);
	strv_done(&lines);
}

static int take_operands(struct container_options *options, int argc, char **argv,
			 struct error *err)
{
	if (options->rootfs && options->bare)
		return error_set(err, -EINVAL, "--rootfs and --bare exclude each other");
	if (!options->rootfs && !options->bare) {
		if (argc == 0)
			return error_set(err, -EINVAL,
					 "what? Name an IMAGE or ./PATH, or give --rootfs DIR or "
					 "--bare FILE");
		options->image = argv[0];
		argc--;
		argv++;
	}
	options->command = argv;
	options->ncommand = (size_t)argc;
	return 0;
}

static int run_run(struct engine *engine, const void *args, int argc, char **argv,
		   struct error *err)
{
	struct container_options options = *(const struct container_options *)args;
	struct buf words = BUF_INIT(LAST_WORDS_MAX);
	char id[ID_LEN + 1];
	int r = take_operands(&options, argc, argv, err);

	if (r == 0 && options.print_config)
		return print_config(engine, &options, err);
	if (r == 0 && options.tty && options.interactive && !options.detach && !explain_dry())
		r = terminal_need_input(err);
	options.last_words = &words;
	if (r == 0)
		r = container_run(engine, &options, id, err);
	if (r == 0 && options.detach && !explain_dry())
		(void)puts(id);
	if (r > 0 && !options.detach)
		diagnose(engine, &options);
	buf_done(&words);
	return r;
}

static const struct container_options defaults = { .stop_timeout = STOP_TIMEOUT_DEFAULT };

const struct cmd cmd_run = {
	.name = "run",
	.operands = "[OPTIONS] IMAGE|./PATH|--rootfs DIR|--bare FILE [COMMAND [ARGUMENT...]]",
	.help = "Run a program in a new container",
	.details =
		"The container's root is an image, a directory, or one executable file. An image that is not\n"
		"here is pulled, as 'strake pull' does it. Changes go to the container's own layer; the image, directory or file stays as it is.\n\n"
		"In the place of IMAGE a word that starts with /, ./ or ../ is a path: a directory with a\n"
		"config.json is an OCI bundle and run as it says, any other directory is a root, an executable\n"
		"file is run alone, and a tar archive is brought into the store, once, and run as an image. Any\n"
		"other word is an image's name, never a path. Options may also stand right behind a path;\n"
		"arguments that look like options come behind --: strake run ./hello --hostname web -- -v\n\n"
		"The exit status is the program's own; 125 if strake failed, 126 if the program cannot be\n"
		"executed, 127 if it is not there, 128 + N if it died of signal N. With -it, ^P ^Q leaves it\n"
		"running; 'strake attach' comes back to it.",
	.opts = run_opts,
	.args_size = sizeof(struct container_options),
	.defaults = &defaults,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND | CMD_MAKES,
	.goes_on = goes_on,
	.error_status = 125,
	.run = run_run,
};
