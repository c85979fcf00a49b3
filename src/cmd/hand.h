/* src/cmd/hand.h - what the commands on working containers have in common. */
#ifndef CMD_HAND_H
#define CMD_HAND_H

#include "base/error.h"
#include "builder/build.h"

struct cmd;
struct hand;

/* A request of a step: SOURCE_DATE_EPOCH is heeded. */
int hand_step_request(struct build_request *ret, struct error *err) must_check;
/* Saves what was done if r is 0, and closes. */
int hand_end(struct hand *hand, int r) must_check;
/* --timestamp, else SOURCE_DATE_EPOCH; -1: neither. */
int read_timestamp(const char *text, int64_t *ret, struct error *err) must_check;
/* Names for an image, canonical. */
int read_image_names(const struct strv *names, const char *option, struct strv *ret,
		     struct error *err) must_check;

extern const struct cmd cmd_hand_from_do, cmd_hand_run_do, cmd_hand_copy_do, cmd_hand_add_do,
	cmd_hand_config_do, cmd_hand_commit_do, cmd_hand_mount_do, cmd_hand_umount_do,
	cmd_hand_ps_do, cmd_hand_rm_do;

#endif
