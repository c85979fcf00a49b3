/* src/cmd/lab_look_options.h - the options of what observes a lab, as in lab_options.h. */
#ifndef CMD_LAB_LOOK_OPTIONS_H
#define CMD_LAB_LOOK_OPTIONS_H

#include "base/opt.h"

struct lab_json_args {
	bool json;
};

static const struct opt lab_json_opts[] = {
	OPT(struct lab_json_args, json, "json", 0, NULL, "as JSON"),
	{ 0 },
};

struct lab_send_args {
	const char *to, *from, *type, *hex;
	int vlan, times;
	bool json;
};

static const struct opt lab_send_opts[] = {
	OPT(struct lab_send_args, to, "to", 't', "MAC|NODE[:IF]",
	    "whom it is for (default: ff:ff:ff:ff:ff:ff, all)"),
	OPT(struct lab_send_args, from, "from", 0, "MAC|NODE[:IF]",
	    "whom it is from (default: the interface that sends it)"),
	OPT(struct lab_send_args, type, "type", 0, "NUMBER", "its EtherType (default: 0x7a05)"),
	OPT(struct lab_send_args, vlan, "vlan", 0, "ID", "with a tag, 1 to 4094"),
	OPT(struct lab_send_args, hex, "hex", 'x', "BYTES",
	    "what is in it as hexadecimal digits, in place of a text"),
	OPT(struct lab_send_args, times, "count", 'c', "N", "how often (default: 1)"),
	OPT(struct lab_send_args, json, "json", 0, NULL, "as JSON"),
	{ 0 },
};

struct lab_capture_args {
	const char *output, *command;
	int times;
	bool json, all;
};

static const struct opt lab_capture_opts[] = {
	OPT(struct lab_capture_args, output, "output", 'o', "FILE",
	    "write a pcap file in place of lines; - is standard output"),
	OPT(struct lab_capture_args, command, "command", 0, "COMMAND",
	    "run this shell command and end with it"),
	OPT(struct lab_capture_args, times, "count", 'c', "N", "end after so many frames"),
	OPT(struct lab_capture_args, all, "all", 'a', NULL,
	    "what other observers send (frames of type 0x7a05), too"),
	OPT(struct lab_capture_args, json, "json", 0, NULL, "an object of JSON on each line"),
	{ 0 },
};

struct lab_ping_args {
	const char *command;
	int times, size;
	bool json, dont_fragment;
};

static const struct opt lab_ping_opts[] = {
	OPT(struct lab_ping_args, times, "count", 'c', "N", "how often (default: 1)"),
	OPT(struct lab_ping_args, command, "command", 0, "COMMAND",
	    "run this shell command meanwhile, and say for how long nothing was answered"),
	OPT(struct lab_ping_args, size, "size", 's', "BYTES", "length of the whole IP packet"),
	OPT(struct lab_ping_args, dont_fragment, "dont-fragment", 'M', NULL,
	    "no router may split the packet"),
	OPT(struct lab_ping_args, json, "json", 0, NULL, "as JSON"),
	{ 0 },
};

struct lab_matrix_args {
	bool json, all, v6;
};

static const struct opt lab_matrix_opts[] = {
	OPT(struct lab_matrix_args, all, "all", 'a', NULL,
	    "routers and switches with addresses, too"),
	OPT(struct lab_matrix_args, v6, "ipv6", '6', NULL, "by IPv6 where a node has both"),
	OPT(struct lab_matrix_args, json, "json", 0, NULL, "as JSON"),
	{ 0 },
};

struct lab_draw_args {
	const char *output;
	bool svg, play;
};

static const struct opt lab_draw_opts[] = {
	OPT(struct lab_draw_args, output, "output", 'o', "FILE",
	    "write it there; an SVG if the name ends in .svg"),
	OPT(struct lab_draw_args, svg, "svg", 0, NULL, "an SVG in place of text"),
	OPT(struct lab_draw_args, play, "play", 0, NULL,
	    "a page that plays the frames of one ping between two nodes"),
	{ 0 },
};

#endif
