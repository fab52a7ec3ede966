/*-------------------------------------------------------------------------
 *
 * receiver_config.h
 *	  What the receiver tells dicomgw-scp, and what it keeps in mind itself:
 *	  settings, listeners, who may call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_RECEIVER_CONFIG_H
#define DGW_RECEIVER_CONFIG_H

#include "protocol/message.h"

/* Where objects go, as in the configuration sent last; absolute. */
extern char *dgw_receiver_storage;
extern char *dgw_receiver_mirror; /* NULL: there is none */

/*
 * Read the configuration (one transaction), and the policy for callers with
 * it.  The strings live in the current memory context.  The storage folder is
 * made if it is not there.
 */
extern DgwConfig *dgw_receiver_config(void);

#endif /* DGW_RECEIVER_CONFIG_H */
