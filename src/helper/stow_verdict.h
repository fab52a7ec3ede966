/*-------------------------------------------------------------------------
 *
 * stow_verdict.h
 *	  What an HTTP answer to a STOW-RS request means: for the destination, and
 *	  for each instance.  The rules are in docs/dicomweb.md, too.
 *
 * An instance is reported as sent only if the server says so itself, in the
 * Referenced SOP Sequence of its response.  What a request with several
 * instances leaves open is found out by sending each of them alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STOW_VERDICT_H
#define DGW_STOW_VERDICT_H

#include "http_client.h"
#include "stow_response.h"

/* Whom an answer concerns. */
typedef enum DgwStowConcern
{
	DGW_STOW_CONCERNS_OBJECTS, /* each has a verdict of its own */
	DGW_STOW_CONCERNS_SERVER,  /* it would be the same with any object */
	DGW_STOW_CONCERNS_EITHER,  /* the server; but if the object was alone, it may be its fault */
	DGW_STOW_CONCERNS_TRANSFER /* as if the connection had broken */
} DgwStowConcern;

extern DgwStowConcern dgw_stow_concern(int status);

/* "server answered 503 Service Unavailable (Retry-After: 120)" */
extern void dgw_stow_describe(const DgwHttpAnswer *answer, char *text, size_t room);

typedef struct DgwStowVerdict
{
	bool again_alone; /* not known; else: */
	DgwOutcome outcome;
	uint16_t status; /* with DGW_OUTCOME_RESPONSE */
	char comment[192];
} DgwStowVerdict;

/* What becomes of one of the instances of the response. */
extern DgwStowVerdict dgw_stow_judge(const DgwHttpAnswer *answer, const DgwStowResponse *response,
									 unsigned number);

#endif /* DGW_STOW_VERDICT_H */
