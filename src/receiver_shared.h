/*-------------------------------------------------------------------------
 *
 * receiver_shared.h
 *	  What the receiver shows of itself in shared memory: open associations,
 *	  its listeners, whether it takes objects.
 *
 * The receiver is the only writer, but for one flag: a backend may ask it to
 * abort an association.  Whoever reads takes copies under the lock.  When the
 * receiver ends, nothing of it is shown any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_RECEIVER_SHARED_H
#define DGW_RECEIVER_SHARED_H

#include "datatype/timestamp.h"

#include "storage/lwlock.h"

#include "peer_address.h"
#include "protocol/message.h"

/* dicomgw.max_associations at its highest, and callers that are about to be rejected. */
#define DGW_MAX_OPEN 10100

/* An association, from the accepted connection to its end. */
typedef struct DgwAssociationInfo
{
	int64 id;	/* 0: none */
	uint32 pid; /* of its process */
	uint32 listener_id;
	bool admitted; /* the receiver has said ADMITTED */
	int peer_port;
	TimestampTz started_at;
	TimestampTz last_active_at;
	int64 objects;
	int64 bytes;
	char peer_address[DGW_ADDRESS_LEN];
	/* from REQUESTED; empty until then */
	char calling_ae[17];
	char called_ae[17];
	char implementation_class_uid[65];
	char implementation_version[17];
	char username[65];
	char tls_version[16];
	char tls_cipher[64];
	char tls_subject[256];
} DgwAssociationInfo;

/* What a listener last said of itself. */
typedef struct DgwListenerNote
{
	uint32 id;
	bool listening;
	TimestampTz certificate_expires_at; /* 0: no certificate */
	char message[256];
} DgwListenerNote;

extern Size dgw_receiver_shared_size(void);
extern void dgw_receiver_shared_init(LWLock *lock); /* while preloading */

/* The receiver begins: nothing is open; and when it ends, nothing is. */
extern void dgw_receiver_shared_begin(void);

/* Show an association; returns its slot, -1 if there is none left (then it is just not seen). */
extern int dgw_show_association(const DgwAssociationInfo *info);
extern void dgw_update_association(int slot, const DgwAssociationInfo *info);
extern void dgw_hide_association(int slot);

extern void dgw_show_listeners(const DgwListenerNote *notes, int n);
extern void dgw_show_receiving(bool accepts_objects, const char *reason);

/* The next association that a backend wants aborted: the PID of its process, or 0. */
extern uint32 dgw_take_abort(void);

#endif /* DGW_RECEIVER_SHARED_H */
