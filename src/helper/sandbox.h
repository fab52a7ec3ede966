/*-------------------------------------------------------------------------
 *
 * sandbox.h
 *	  What a program that decodes images may still do: compute.
 *
 * Decoders are the oldest and most attacked code that there is in imaging, and
 * an image may be a bomb.  So before a byte of it is read the program gives up
 * what it does not need: memory and time beyond a bound, and all system calls
 * but those on descriptors that it has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SANDBOX_H
#define DGW_SANDBOX_H

namespace dicomgw
{

enum class Files
{
	Closed,	 /* no file can be opened */
	Readable /* files can be opened for reading: character sets are tables in files */
};

/* For the rest of the process; false: the system has no such thing. */
extern bool enter_sandbox(Files files);

} // namespace dicomgw

#endif /* DGW_SANDBOX_H */
