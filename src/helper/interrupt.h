/*-------------------------------------------------------------------------
 *
 * interrupt.h
 *	  SIGTERM as something that can be polled for.
 *
 * The parent of an association process sends it when a person wants the
 * association to end.  A handler notes it and makes a descriptor readable that
 * is in every poll() for the peer, so it can't come unnoticed between a look
 * at the note and the wait.  Everything else goes on undisturbed (SA_RESTART):
 * a file is written to its end, an answer of the receiver's is waited for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_INTERRUPT_H
#define DGW_INTERRUPT_H

namespace dicomgw
{

class Interrupt
{
public:
	/*
	 * Once in a process, with SIGTERM blocked since before it could come: it is
	 * unblocked here.  False: the system has no descriptor for it.
	 */
	bool install();

	bool raised() const;

	/* Readable from then on. */
	int fd() const;
};

} // namespace dicomgw

#endif /* DGW_INTERRUPT_H */
