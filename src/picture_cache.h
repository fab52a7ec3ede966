/*-------------------------------------------------------------------------
 *
 * picture_cache.h
 *	  Pictures that were drawn, kept for a while in case they are looked at again.
 *
 * Files in the storage folder, below "cache", each named by a digest of what it
 * shows and how: an object never changes, so neither does its picture.  To find one
 * takes a name, not a right; who may see it has been settled before.
 *
 * Whatever goes wrong here costs time, never a picture: nothing is an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PICTURE_CACHE_H
#define DGW_PICTURE_CACHE_H

/* The folder's name; the check of the storage passes it over. */
#define DGW_PICTURE_CACHE "cache"

/* The picture of this description, palloc'ed; NULL: it is not there. */
extern bytea *dgw_picture_cache_get(const char *description);
extern void dgw_picture_cache_put(const char *description, const bytea *png);

#endif /* DGW_PICTURE_CACHE_H */
