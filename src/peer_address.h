/*-------------------------------------------------------------------------
 *
 * peer_address.h
 *	  Network addresses of peers, as helper programs write them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PEER_ADDRESS_H
#define DGW_PEER_ADDRESS_H

/* Room for any numeric address, with its scope. */
#define DGW_ADDRESS_LEN 64

/* As an inet, palloc'ed; ERROR if it is no address. */
extern Datum dgw_inet_of(const char *address);

#endif /* DGW_PEER_ADDRESS_H */
