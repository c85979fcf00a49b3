/* src/cmd/hand_options.c */
#include "cmd/hand_options.h"

const struct opt hand_from_opts[] = {
	OPT(struct hand_from_args, name, "name", 0, "NAME",
	    "of the working container (default: IMAGE-working-container)"),
	OPT(struct hand_from_args, pull, "pull", 0, "WHEN",
	    "fetch the image: missing (default), always, never"),
	OPT(struct hand_from_args, platform, "platform", 0, "OS/ARCH[/VARIANT]",
	    "what the image is for (default: this machine)"),
	{ 0 },
};

const struct opt hand_run_opts[] = {
	OPT(struct hand_run_args, env, "env", 'e', "NAME=VALUE",
	    "a variable for this command alone; a bare NAME copies ours"),
	OPT(struct hand_run_args, user, "user", 'u', "USER[:GROUP]",
	    "who runs it (default: the working container's)"),
	OPT(struct hand_run_args, workdir, "workingdir", 'w', "DIR",
	    "where it starts (default: the working container's)"),
	OPT(struct hand_run_args, run.volumes, "volume", 'v', "SOURCE:DEST[:OPTIONS]",
	    "show a directory of the host or a volume; no part of the image"),
	OPT(struct hand_run_args, mounts, "mount", 0, "type=TYPE,...", "as of RUN --mount"),
	OPT(struct hand_run_args, secrets, "secret", 0, "id=NAME[,src=FILE|,env=NAME]",
	    "for --mount type=secret"),
	OPT(struct hand_run_args, ssh, "ssh", 0, "default|ID[=SOCKET|KEY[,KEY]]",
	    "for --mount type=ssh: our agent, or keys"),
	OPT(struct hand_run_args, network, "network", 0, "MODE",
	    "default, none, host, or the name of one"),
	OPT(struct hand_run_args, run.add_host, "add-host", 0, "NAME:ADDRESS", "in its /etc/hosts"),
	OPT(struct hand_run_args, run.no_hosts, "no-hosts", 0, NULL,
	    "it finds the image's /etc/hosts"),
	OPT(struct hand_run_args, run.no_hostname, "no-hostname", 0, NULL,
	    "it finds the image's /etc/hostname"),
	OPT(struct hand_run_args, run.dns, "dns", 0, "ADDRESS", "its name server"),
	OPT(struct hand_run_args, run.dns_search, "dns-search", 0, "DOMAIN",
	    "where it looks names up"),
	OPT(struct hand_run_args, run.dns_option, "dns-option", 0, "OPTION", "for its resolv.conf"),
	OPT(struct hand_run_args, run.hostname, "hostname", 0, "NAME", "its host name"),
	OPT(struct hand_run_args, run.memory, "memory", 'm', "SIZE", "limit"),
	OPT(struct hand_run_args, run.ulimits, "ulimit", 0, "NAME=SOFT[:HARD]", "nofile=1024"),
	OPT(struct hand_run_args, run.cap_add, "cap-add", 0, "NAME", "a capability more"),
	OPT(struct hand_run_args, run.cap_drop, "cap-drop", 0, "NAME", "one less; ALL: none"),
	OPT(struct hand_run_args, run.security, "security-opt", 0, "OPTION",
	    "seccomp=unconfined, seccomp=FILE or no-new-privileges"),
	OPT(struct hand_run_args, run.devices, "device", 0, "PATH[:INSIDE][:rwm]",
	    "a device of the host"),
	OPT(struct hand_run_args, run.group_add, "group-add", 0, "GROUP",
	    "a further group of its user"),
	OPT(struct hand_run_args, run.pid, "pid", 0, "NAMESPACE",
	    "processes that it sees: private (default), host, or a path"),
	OPT(struct hand_run_args, run.ipc, "ipc", 0, "NAMESPACE", "the same of System V IPC"),
	OPT(struct hand_run_args, run.uts, "uts", 0, "NAMESPACE", "the same of the host name"),
	OPT(struct hand_run_args, run.cgroupns, "cgroupns", 0, "NAMESPACE",
	    "the same of control groups"),
	OPT(struct hand_run_args, tty, "tty", 't', NULL, "a terminal (default: if ours is one)"),
	{ 0 },
};

const struct opt hand_copy_opts[] = {
	OPT(struct hand_copy_args, chown, "chown", 0, "USER[:GROUP]", "owner of what is copied"),
	OPT(struct hand_copy_args, chmod, "chmod", 0, "MODE", "its mode: 0755, u=rwX,go=rX"),
	OPT(struct hand_copy_args, exclude, "exclude", 0, "PATTERN", "leave those out"),
	OPT(struct hand_copy_args, from, "from", 0, "IMAGE", "files of an image, not ours"),
	OPT(struct hand_copy_args, context, "contextdir", 0, "DIR",
	    "where sources start, and what no link leads out of"),
	OPT(struct hand_copy_args, ignore_file, "ignorefile", 0, "FILE",
	    "with --contextdir: what of it is left out"),
	{ 0 },
};

const struct opt hand_config_opts[] = {
	OPT(struct hand_config_args, env, "env", 'e', "NAME=VALUE",
	    "a variable; $NAME in it is the working container's"),
	OPT(struct hand_config_args, labels, "label", 'l', "NAME=VALUE", "a label"),
	OPT(struct hand_config_args, workdir, "workingdir", 0, "DIR",
	    "where commands start; it is made if it is not there"),
	OPT(struct hand_config_args, user, "user", 'u', "USER[:GROUP]", "who runs commands"),
	OPT(struct hand_config_args, ports, "port", 'p', "PORT[/PROTO]", "what it listens at"),
	OPT(struct hand_config_args, volumes, "volume", 'v', "DIR", "what is meant to be a volume"),
	OPT(struct hand_config_args, shell, "shell", 0, "WORDS|[\"JSON\"]", "what runs a line"),
	OPT(struct hand_config_args, entrypoint, "entrypoint", 0, "LINE|[\"JSON\"]",
	    "the program; a line is for the shell"),
	OPT(struct hand_config_args, cmd, "cmd", 0, "WORDS|[\"JSON\"]",
	    "the command, or the program's arguments"),
	OPT(struct hand_config_args, stop_signal, "stop-signal", 0, "SIGNAL", "what ends it"),
	OPT(struct hand_config_args, health, "healthcheck", 0, "CMD LINE|NONE",
	    "a command that says whether it is well"),
	OPT(struct hand_config_args, health_interval, "healthcheck-interval", 0, "TIME",
	    "between two checks"),
	OPT(struct hand_config_args, health_timeout, "healthcheck-timeout", 0, "TIME",
	    "for one check"),
	OPT(struct hand_config_args, health_start, "healthcheck-start-period", 0, "TIME",
	    "in which a failure does not count"),
	OPT(struct hand_config_args, health_retries, "healthcheck-retries", 0, "N",
	    "failures until it is unwell"),
	OPT(struct hand_config_args, onbuild, "onbuild", 0, "INSTRUCTION",
	    "for whoever builds on the image"),
	OPT(struct hand_config_args, author, "author", 0, "TEXT", "who made it"),
	OPT(struct hand_config_args, created_by, "created-by", 0, "TEXT",
	    "what the history says of the last layer"),
	OPT(struct hand_config_args, annotations, "annotation", 'a', "NAME=VALUE",
	    "for the image's manifest"),
	{ 0 },
};

const struct opt hand_commit_opts[] = {
	OPT(struct hand_commit_args, squash, "squash", 0, NULL,
	    "one layer, the image's below in it"),
	OPT(struct hand_commit_args, timestamp, "timestamp", 0, "SECONDS",
	    "no time of its own layers is later (default: SOURCE_DATE_EPOCH)"),
	OPT(struct hand_commit_args, iidfile, "iidfile", 0, "FILE", "write the image's ID there"),
	OPT(struct hand_commit_args, remove, "rm", 0, NULL, "remove the working container"),
	OPT(struct hand_commit_args, quiet, "quiet", 'q', NULL, "print nothing"),
	{ 0 },
};

const struct opt hand_rm_opts[] = {
	OPT(struct hand_all_args, all, "all", 'a', NULL, "every working container"),
	{ 0 },
};

const struct opt hand_umount_opts[] = {
	OPT(struct hand_all_args, all, "all", 'a', NULL, "every one that is mounted"),
	{ 0 },
};

const struct opt hand_ps_opts[] = {
	OPT(struct hand_ps_args, quiet, "quiet", 'q', NULL, "only IDs"),
	OPT(struct hand_ps_args, no_trunc, "no-trunc", 0, NULL, "whole IDs"),
	OPT(struct hand_ps_args, format, "format", 0, "FORMAT",
	    "table (default), json, or such as '{{.Name}} {{.Image}}'"),
	{ 0 },
};
