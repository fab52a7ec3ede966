/*-------------------------------------------------------------------------
 *
 * peer_address.c
 *	  Network addresses of peers (see peer_address.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/inet.h"

#include "peer_address.h"

/* A scoped IPv6 address is taken without its scope, which inet can't hold. */
Datum
dgw_inet_of(const char *address)
{
	char plain[DGW_ADDRESS_LEN];

	strlcpy(plain, address, sizeof(plain));
	plain[strcspn(plain, "%")] = '\0';
	return DirectFunctionCall1(inet_in, CStringGetDatum(plain));
}
