/* src/disk/network_plan.c */
#include "disk/network_plan.h"

#include <string.h>

#include "base/alloc.h"

static int refuse(const char *word, struct error *err)
{
	return error_set(err, -EINVAL,
			 "--network wants dhcp, none, or ADDRESS/LENGTH with gateway=ADDRESS and "
			 "dns=ADDRESS behind commas, and maybe interface=NAME, not '%s'",
			 word);
}

static int take_interface(struct network_plan *plan, const char *name, struct error *err)
{
	if (!*name || strlen(name) > PLAN_INTERFACE_MAX || strpbrk(name, "/: \t\"'\\[]*?") ||
	    name[0] == '.')
		return error_set(err, -EINVAL, "--network: '%s' is no name of an interface", name);
	(void)snprintf(plan->interface, sizeof(plan->interface), "%s", name);
	return 0;
}

static int take_address(struct network_plan *plan, const char *word, struct error *err)
{
	struct ip_net *to = &plan->addresses[plan->naddresses];

	if (!strchr(word, '/') || plan->naddresses == PLAN_ADDRESSES_MAX ||
	    ip_net_parse(word, to) < 0)
		return refuse(word, err);
	plan->naddresses++;
	plan->way = NETWORK_STATIC;
	return 0;
}

static int take_ip(const char *word, struct ip *list, size_t *n, size_t max, struct error *err)
{
	if (*n == max || ip_parse(word, &list[*n]) < 0)
		return refuse(word, err);
	(*n)++;
	return 0;
}

static int take(struct network_plan *plan, const char *word, struct error *err)
{
	if (strcmp(word, "dhcp") == 0 || strcmp(word, "none") == 0) {
		plan->way = *word == 'd' ? NETWORK_DHCP : NETWORK_NONE;
		return 0;
	}
	if (strncmp(word, "interface=", 10) == 0)
		return take_interface(plan, word + 10, err);
	if (strncmp(word, "gateway=", 8) == 0)
		return take_ip(word + 8, plan->gateways, &plan->ngateways, PLAN_GATEWAYS_MAX, err);
	if (strncmp(word, "dns=", 4) == 0)
		return take_ip(word + 4, plan->dns, &plan->ndns, PLAN_DNS_MAX, err);
	return take_address(plan, word, err);
}

/* A gateway that no address' subnet holds is one that the kernel refuses. */
static int check(const struct network_plan *plan, const char *text, struct error *err)
{
	if (plan->way == NETWORK_UNSAID || (plan->naddresses && plan->way != NETWORK_STATIC) ||
	    (plan->way != NETWORK_STATIC && (plan->ngateways || plan->ndns)))
		return refuse(text, err);
	for (size_t i = 0; i < plan->ngateways; i++) {
		bool reached = false;

		for (size_t k = 0; k < plan->naddresses; k++) {
			struct ip_net net = ip_net_of(&plan->addresses[k]);

			reached = reached || ip_net_has(&net, &plan->gateways[i]);
		}
		if (!reached &&
		    !(plan->gateways[i].family == AF_INET6 && plan->gateways[i].bytes[0] == 0xfe))
			return error_set(err, -EINVAL,
					 "--network: no address's subnet has the gateway of '%s'",
					 text);
	}
	return 0;
}

int network_plan_parse(const char *text, struct network_plan *ret, struct error *err)
{
	struct network_plan plan = { .way = NETWORK_UNSAID };
	autofree char *copy = xstrdup(text ? text : "");
	char *rest = copy, *word;
	int r = 0;

	while (text && r == 0 && (word = strsep(&rest, ",")))
		r = take(&plan, word, err);
	if (text && r == 0)
		r = check(&plan, text, err);
	if (r == 0)
		*ret = plan;
	return r;
}
