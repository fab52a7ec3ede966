/*-------------------------------------------------------------------------
 *
 * journal.h
 *	  The journal: small objects are durable by PostgreSQL's WAL until their
 *	  files are on the disk.
 *
 * A sender waits until its object can't be lost.  For a large object that takes
 * a sync of its file.  The bytes of a small one (dicomgw.journal_size) are
 * instead written to a table, in the transaction that records it, whose WAL
 * has to be flushed anyway; the file is written, but not synced.  dicomgw-sync
 * syncs many such files together, once a second, and the table is emptied.
 * After a crash every file of which the table has the bytes is compared with
 * them and, where it is not the same, written anew; no other worker starts
 * before that is done.
 *
 *	journal.c		what is in the journal; emptying it
 *	journal_sync.c	dicomgw-sync, and what is left for it to do
 *	journal_mend.c	files that are not as they should be
 *
 * The table is two, which take turns (sql/journal.sql).  All of this is the
 * receiver's, which alone writes and empties them.  Where objects have a copy at
 * a mirror there is no journal: both copies are synced.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_JOURNAL_H
#define DGW_JOURNAL_H

#include "receiver_batch.h"

#define DGW_N_HALVES 2

/* ---------- journal.c ---------- */

/*
 * At the receiver's start: put right what a crash has left.  ERROR if a file
 * can't be written.
 */
extern void dgw_journal_begin(void);

/* The largest dataset that need not be synced, in bytes; 0: all are. */
extern uint64 dgw_journal_size(void);

/* Not so much is in it already that files had better be synced at once. */
extern bool dgw_journal_has_room(void);

/* In the transaction that records them: write the arrivals that have content. */
extern void dgw_journal_write(const DgwArrival *arrivals, int n);

/* When that is committed. */
extern void dgw_journal_written(const DgwArrival *arrivals, int n);

/* Now and then: see to files that are not on the disk yet; empty what is not needed. */
extern void dgw_journal_turn(int epoll_fd);

/* So many files of each half are on the disk. */
extern void dgw_journal_settled(const int n[DGW_N_HALVES]);

/* ---------- journal_sync.c ---------- */

/* A file that is to be synced. */
extern void dgw_journal_sync_later(int half, DgwSlice path);

/* Start a program, or a round, if it is time. */
extern void dgw_journal_sync_turn(int epoll_fd);

/* What stands for the program in the epoll set, and its messages. */
extern void *dgw_journal_sync_key(void);
extern void dgw_journal_sync_read(void);

/* ---------- journal_mend.c ---------- */

/*
 * Compare these files (paths, each ended by a newline) with the journal, and write
 * anew those that differ or are gone.  One that no object has any more is
 * left alone.  NULL, or in words why a file could not be written.
 */
extern const char *dgw_journal_mend(DgwSlice paths);

#endif /* DGW_JOURNAL_H */
