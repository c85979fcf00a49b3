/* src/network/firewalld_bus.c */
#include "network/firewalld_bus.h"

#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME       "org.fedoraproject.FirewallD1"
#define PATH       "/org/fedoraproject/FirewallD1"
#define ZONES      NAME ".zone"
#define ZONE       "trusted"
#define TIMEOUT_US 5000000U

struct call {
	sd_bus *bus;
	sd_bus_message *reply;
	sd_bus_error error;
};

static void call_done(struct call *c)
{
	sd_bus_error_free(&c->error);
	(void)sd_bus_message_unref(c->reply);
	(void)sd_bus_flush_close_unref(c->bus);
}

/* Its errors are all of one name, and begin with a word in capitals. */
static bool says(const struct call *c, const char *word)
{
	return c->error.message && strncmp(c->error.message, word, strlen(word)) == 0;
}

static bool is_absent(const struct call *c)
{
	return sd_bus_error_has_name(&c->error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(&c->error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static int knows(struct call *c, const char *link)
{
	const char *zone = "";
	int r = sd_bus_call_method(c->bus, NAME, PATH, ZONES, "getZoneOfInterface", &c->error,
				   &c->reply, "s", link);

	if (r >= 0)
		r = sd_bus_message_read(c->reply, "s", &zone);
	return r < 0 ? r : !*zone;
}

/* Its lasting configuration, too: a reload forgets what only the running one knows, and nobody of
 * ours is there who could hear of it.
 */
static int lasting(struct call *c, const char *method, const char *link)
{
	const char *zone;
	int r = sd_bus_call_method(c->bus, NAME, PATH "/config", NAME ".config", "getZoneByName",
				   &c->error, &c->reply, "s", ZONE);

	if (r >= 0)
		r = sd_bus_message_read(c->reply, "o", &zone);
	if (r >= 0)
		r = sd_bus_call_method(c->bus, NAME, zone, NAME ".config.zone", method, &c->error,
				       NULL, "s", link);
	return r < 0 && (says(c, "ALREADY_ENABLED") || says(c, "NOT_ENABLED")) ? 0 : r;
}

static int add(struct call *c, const char *link)
{
	int r = sd_bus_call_method(c->bus, NAME, PATH, ZONES, "changeZoneOfInterface", &c->error,
				   NULL, "ss", ZONE, link);

	if (r < 0 && says(c, "ZONE_ALREADY_SET"))
		r = 0;
	if (r < 0)
		return r;
	sd_bus_error_free(&c->error);
	return lasting(c, "addInterface", link);
}

static int take_back(struct call *c, const char *link)
{
	int r = sd_bus_call_method(c->bus, NAME, PATH, ZONES, "removeInterface", &c->error, NULL,
				   "ss", ZONE, link);

	if (r < 0 && (says(c, "UNKNOWN_INTERFACE") || says(c, "ZONE_CONFLICT")))
		r = 0;
	if (r < 0)
		return r;
	sd_bus_error_free(&c->error);
	return lasting(c, "removeInterface", link);
}

int firewalld_bus(const char *verb, const char *link, struct error *err)
{
	struct call c = { .error = SD_BUS_ERROR_NULL };
	int r = sd_bus_open_system(&c.bus);

	if (r < 0) {
		call_done(&c);
		return 0; /* then nobody is there who could have rules */
	}
	(void)sd_bus_set_method_call_timeout(c.bus, TIMEOUT_US);
	(void)sd_bus_set_allow_interactive_authorization(c.bus, 0);
	if (strcmp(verb, "knows") == 0)
		r = knows(&c, link);
	else
		r = strcmp(verb, "add") == 0 ? add(&c, link) : take_back(&c, link);
	if (r < 0 && is_absent(&c))
		r = 0;
	if (r < 0)
		(void)error_set(err, r, "ask firewalld to %s link %s: %s", verb, link,
				c.error.message ? c.error.message : strerror(-r));
	call_done(&c);
	return r < 0 ? r : r > 0 && strcmp(verb, "knows") == 0;
}
