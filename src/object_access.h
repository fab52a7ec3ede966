/*-------------------------------------------------------------------------
 *
 * object_access.h
 *	  A stored object as a person asks for it: may he, and where is its file?
 *
 * Objects are looked up with the caller's rights, so that row level security
 * decides what there is for him, and that he looks is noted in the audit log
 * before he sees anything.  Both in one place: nothing of an object's file comes
 * out of the database by another way.
 *
 * Errors are what they are over HTTP, too: SQLSTATE PTnnn is the status nnn.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_OBJECT_ACCESS_H
#define DGW_OBJECT_ACCESS_H

#include "storage_file.h"

#define DGW_ERRCODE_NOT_FOUND MAKE_SQLSTATE('P', 'T', '4', '0', '4')
#define DGW_ERRCODE_GONE MAKE_SQLSTATE('P', 'T', '4', '1', '0')
#define DGW_ERRCODE_TOO_LARGE MAKE_SQLSTATE('P', 'T', '4', '1', '3')
#define DGW_ERRCODE_CANNOT_SHOW MAKE_SQLSTATE('P', 'T', '4', '2', '2')
#define DGW_ERRCODE_UNAVAILABLE MAKE_SQLSTATE('P', 'T', '5', '0', '3')

/* Strings are palloc'ed in the context of dgw_object_find(). */
typedef struct DgwObject
{
	int64 id;
	char *sop_instance_uid;
	char *transfer_syntax_uid;
	char *file_path;
	int64 size; /* of the dataset */
	uint8 sha256[DGW_SHA256_SIZE];
} DgwObject;

/*
 * The object with this number, whose file is kept; an error if there is none for
 * the caller.  action: as in dicomgw.note_view().
 */
extern void dgw_object_find(int64 id, const char *action, DgwObject *object);

/*
 * Open its file in one place, for the rest of the transaction at most (close it by
 * CloseTransientFile).  -1: there is none, or one of another size.
 */
extern int dgw_object_open_at(const DgwObject *object, DgwPlace place, int64 *file_size);

/* The same in the storage, or in the mirror if need be; an error if it is in neither. */
extern int dgw_object_open(const DgwObject *object, int64 *file_size);

/* Neither copy can be used. */
extern void dgw_object_unavailable(const DgwObject *object) pg_attribute_noreturn();

#endif /* DGW_OBJECT_ACCESS_H */
