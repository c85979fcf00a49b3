/* src/network/endpoint.c */
#include "network/endpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/id.h"
#include "base/number.h"
#include "network/lease.h"

#define RATE_MIN 8000            /* a kilobyte a second */
#define RATE_MAX 100000000000ULL /* 100 Gbit/s */

void endpoint_option_done(struct endpoint_option *option)
{
	free(option->text);
	strv_done(&option->aliases);
	*option = (struct endpoint_option) { .text = NULL };
}

static int set_ip(uint8_t family, const char *value, struct ip *ret, struct error *err)
{
	struct ip ip;

	if (ip_parse(value, &ip) < 0 || ip.family != family)
		return error_set(err, -EINVAL, "'%.100s' is not an IPv%d address", value,
				 family == AF_INET ? 4 : 6);
	*ret = ip;
	return 0;
}

static int set_mac(const char *value, unsigned char ret[NETWORK_MAC_LEN], struct error *err)
{
	int r = mac_parse(value, ret);

	if (r == -EADDRNOTAVAIL)
		return error_set(
			err, -EINVAL,
			"'%.100s' is no station's hardware address: all zeros is none, and "
			"an odd first byte makes it a group's (multicast)",
			value);
	if (r < 0)
		return error_set(err, -EINVAL,
				 "'%.100s' is not a hardware address such as 02:53:00:00:00:01",
				 value);
	return 0;
}

int endpoint_option_set(struct endpoint_option *o, const char *key, const char *value,
			struct error *err)
{
	if (strcmp(key, "ip") == 0 && strchr(value, ':'))
		key = "ip6";
	if (strcmp(key, "ip") == 0)
		return set_ip(AF_INET, value, &o->req.ip, err);
	if (strcmp(key, "ip6") == 0)
		return set_ip(AF_INET6, value, &o->req.ip6, err);
	if (strcmp(key, "mac") == 0) {
		o->req.has_mac = true;
		return set_mac(value, o->req.mac, err);
	}
	if (strcmp(key, "alias") == 0) {
		if (!name_is_valid(value))
			return error_set(err, -EINVAL, "'%.100s' is not a name for an alias",
					 value);
		strv_add(&o->aliases, value);
		return 0;
	}
	if (strcmp(key, "interface") == 0 || strcmp(key, "interface_name") == 0) {
		if (!interface_name_is_valid(value))
			return error_set(err, -EINVAL, "'%.100s' is not a name for an interface",
					 value);
		o->req.interface = value;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "unknown key '%.100s'; there are ip, ip6, mac, alias, interface", key);
}

static int set_pair(struct endpoint_option *o, char *pair, const char *text, struct error *err)
{
	char *value = strchr(pair, '=');
	int r;

	if (!value)
		return error_set(err, -EINVAL,
				 "--network '%.100s': expected KEY=VALUE, not '%.100s'", text,
				 pair);
	*value++ = '\0';
	r = endpoint_option_set(o, pair, value, err);
	return r < 0 ? error_wrap(err, r, "--network '%.100s'", text) : 0;
}

int endpoint_option_parse(const char *text, struct endpoint_option *ret, struct error *err)
{
	char *rest, *pair;
	int r = 0;

	*ret = (struct endpoint_option) { .text = xstrdup(text) };
	ret->req.aliases = &ret->aliases;
	rest = ret->text;
	if (strncmp(rest, "name=", 5) == 0) {
		rest += 5;
		ret->req.network = strsep(&rest, ",");
	} else {
		ret->req.network = strsep(&rest, ":");
	}
	if (!name_is_valid(ret->req.network))
		r = error_set(err, -EINVAL, "--network '%.100s': expected NAME[:KEY=VALUE,...]",
			      text);
	while (r == 0 && (pair = strsep(&rest, ",")))
		r = set_pair(ret, pair, text, err);
	if (r < 0)
		endpoint_option_done(ret);
	return r;
}

int rate_parse(const char *text, uint64_t *ret, struct error *err)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = { { "", 1 },           { "bit", 1 },          { "k", 1000 },
		      { "kbit", 1000 },    { "m", 1000000 },      { "mbit", 1000000 },
		      { "g", 1000000000 }, { "gbit", 1000000000 } };
	size_t digits = strspn(text, "0123456789.");
	autofree char *number = xstrndup(text, digits);
	uint64_t thousandths, rate;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(units[i].unit, text + digits) != 0)
			continue;
		if (number_parse_fixed(number, 3, &thousandths) < 0 ||
		    __builtin_mul_overflow(thousandths, units[i].factor, &rate))
			break;
		rate /= 1000;
		if (rate < RATE_MIN || rate > RATE_MAX)
			break;
		*ret = rate;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "'%.100s' is not a rate such as 10mbit or 500kbit, from 8kbit to 100gbit",
			 text);
}
