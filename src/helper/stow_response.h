/*-------------------------------------------------------------------------
 *
 * stow_response.h
 *	  What a STOW-RS server says of each instance (PS3.18 10.5.3, PS3.18 I).
 *
 * The payload of the response is a dataset, as DICOM JSON or as a Native
 * DICOM Model in XML; servers differ in how well they label it, so its first
 * character decides.  Of it three sequences are read: Referenced SOP
 * (0008,1199), Failed SOP (0008,1198) and Other Failures (0008,119A).
 *
 * Only the instances that were asked for are looked for, so a server can make
 * the answer no larger than the question.  An instance that is in none of the
 * sequences stays unknown: nothing is taken for stored that is not said to be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STOW_RESPONSE_H
#define DGW_STOW_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most instances in a request. */
#define DGW_STOW_MAX_INSTANCES 32

/* Sequences in sequences, arrays in arrays; what is deeper is not read. */
#define DGW_STOW_MAX_DEPTH 32

typedef enum DgwStowSequence
{
	DGW_STOW_NO_SEQUENCE,
	DGW_STOW_REFERENCED,
	DGW_STOW_FAILED,
	DGW_STOW_OTHER_FAILURES
} DgwStowSequence;

/* One item of such a sequence. */
typedef struct DgwStowItem
{
	char sop_instance_uid[65]; /* empty: none, or too long for one */
	bool has_reason;
	uint16_t reason; /* Failure Reason (0008,1197) or Warning Reason (0008,1196) */
} DgwStowItem;

typedef enum DgwStowFate
{
	DGW_STOW_UNKNOWN,
	DGW_STOW_STORED,
	DGW_STOW_REFUSED /* whatever else is said of it */
} DgwStowFate;

typedef struct DgwStowInstance
{
	const char *sop_instance_uid; /* the caller's */
	DgwStowFate fate;
	bool has_reason;
	uint16_t reason;
} DgwStowInstance;

typedef struct DgwStowResponse
{
	/* asked */
	unsigned n_instances;
	DgwStowInstance instances[DGW_STOW_MAX_INSTANCES];

	/* answered */
	bool readable;		 /* it is such a dataset */
	unsigned n_items;	 /* in all three sequences */
	DgwStowInstance any; /* the last of them, whatever its UID */
} DgwStowResponse;

/* Reads a payload; instances must be filled in, their fates unknown. */
extern void dgw_stow_response_read(DgwStowResponse *response, const char *payload, size_t len);

/* For the readers of the two formats: take down one item. */
extern void dgw_stow_response_item(DgwStowResponse *response, DgwStowSequence sequence,
								   const DgwStowItem *item);

/* Which sequence a tag ("00081199") is, and whether a tag is a reason in it. */
extern DgwStowSequence dgw_stow_sequence(const char *tag);
extern bool dgw_stow_is_reason(const char *tag, DgwStowSequence sequence);
#define DGW_STOW_REFERENCED_SOP_INSTANCE_UID "00081155"

/* From a value's text; what is no UID or no number leaves the item as it is. */
extern void dgw_stow_item_uid(DgwStowItem *item, const char *text, size_t len);
extern void dgw_stow_item_reason(DgwStowItem *item, const char *text, size_t len);

/* The two formats: false if the payload is not well-formed, or too deep. */
extern bool dgw_stow_json_read(DgwStowResponse *response, const char *payload, size_t len);
extern bool dgw_stow_xml_read(DgwStowResponse *response, const char *payload, size_t len);

#endif /* DGW_STOW_RESPONSE_H */
