/*-------------------------------------------------------------------------
 *
 * storage_file.h
 *	  The stored files, for those who look after them: check, remove, tidy.
 *
 * A place is the storage path or its mirror; a file is named by its path below
 * it, the same in both.  Whatever comes here as a path is held to the one shape
 * that the receiver gives its files (src/helper/object_file.h), so that
 * nothing outside the storage can be named:
 *
 *		YYYY/MM/DD/HHMM/<32 hexadecimal digits>.dcm		an object
 *		YYYY/MM/DD/HHMM/.tmp-<token>					one that was being written
 *
 * The dataset is the file's last bytes, as many as its row says; before it is
 * the head that we wrote: preamble and file meta group.  Nothing of either is
 * parsed here.
 *
 * Runs in any backend.  Functions that read a whole file check for interrupts,
 * use a fixed amount of memory, and need a resource owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORAGE_FILE_H
#define DGW_STORAGE_FILE_H

typedef enum DgwPlace
{
	DGW_STORAGE,
	DGW_MIRROR
} DgwPlace;

#define DGW_N_PLACES (DGW_MIRROR + 1)

#define DGW_SHA256_SIZE 32
#define DGW_READ_SIZE (256 * 1024)

/* What the head of a file may measure: preamble, "DICM", group length; and the longest UIDs. */
#define DGW_HEAD_MIN 144
#define DGW_HEAD_MAX 1024

typedef enum DgwFileKind
{
	DGW_FILE_OTHER,
	DGW_FILE_OBJECT,
	DGW_FILE_TEMPORARY
} DgwFileKind;

extern const char *dgw_place_name(DgwPlace place);

/* The place of this name; an error if there is none. */
extern DgwPlace dgw_place_named(const char *name);

/* Its folder as an absolute path, palloc'ed; NULL: there is no such place (no mirror). */
extern char *dgw_place_root(DgwPlace place);

/* What a file is, by its name alone, or by its path below the place. */
extern DgwFileKind dgw_file_kind(const char *name);
extern DgwFileKind dgw_path_kind(const char *file_path);

/* Full path of a file, palloc'ed; NULL with errno set if it can't be one of ours. */
extern char *dgw_file_full_path(DgwPlace place, const char *file_path);

/* Does a file of so many bytes have room for this dataset, and for a head, and no more? */
extern bool dgw_file_size_fits(int64 file_size, int64 dataset_size);

/*
 * What is wrong with an object's file, in words (DGW_MISSING if it is not
 * there), or NULL.  Without a digest only its size is looked at.
 */
#define DGW_MISSING "missing"
extern const char *dgw_file_problem(DgwPlace place, const char *file_path, int64 dataset_size,
									const uint8 *sha256);

/* Remove a file; true also if there was none.  Else errno says why. */
extern bool dgw_file_remove(DgwPlace place, const char *file_path);

#endif /* DGW_STORAGE_FILE_H */
