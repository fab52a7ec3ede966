/*-------------------------------------------------------------------------
 *
 * space.h
 *	  How full the storage's file systems are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SPACE_H
#define DGW_SPACE_H

typedef struct DgwSpace
{
	uint64 total;	  /* bytes */
	uint64 available; /* bytes that we may still use */
	int used_percent; /* as df shows it, rounded up */
} DgwSpace;

/* False with errno set if the file system can't be asked. */
extern bool dgw_space_of(const char *path, DgwSpace *space);

#endif /* DGW_SPACE_H */
