/* src/cmd/globals_engine.h - the engine that a command's options ask for. */
#ifndef CMD_GLOBALS_ENGINE_H
#define CMD_GLOBALS_ENGINE_H

#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "engine/engine.h"

static inline int globals_open(const struct globals *g, const struct cmd *cmd, struct engine **ret,
			       struct error *err)
{
	const struct engine_options options = { .root = g->root,
						.run_root = g->run_root,
						.looks = !(cmd->flags & CMD_MAKES) };

	return engine_open(&options, ret, err);
}

#endif
