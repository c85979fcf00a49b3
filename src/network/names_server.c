/* src/network/names_server.c */
#include "network/names_server.h"

int names_server_start(const struct network_site *site, const struct network *network,
		       struct error *err)
{
	(void)site;
	(void)network;
	(void)err;
	return 0;
}

int names_server_changed(const struct network_site *site, const struct network *network,
			 struct error *err)
{
	(void)site;
	(void)network;
	(void)err;
	return 0;
}

int names_server_stop(const struct network_site *site, const struct network *network,
		      struct error *err)
{
	(void)site;
	(void)network;
	(void)err;
	return 0;
}
