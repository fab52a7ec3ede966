/*-------------------------------------------------------------------------
 *
 * placed_file.h
 *	  One copy of an object in one place: the storage folder, or its mirror.
 *
 * The copy has no name at all (O_TMPFILE), or one that says ".tmp-", until
 * place() gives it the final one; sync() then puts its bytes and its name on the
 * disk.  settle() instead leaves both for later.  A step that fails leaves
 * nothing behind, neither a file nor a name.
 *
 * Each process syncs the directories of its own objects.  One that did it for
 * all would be slower: its sync would have to wait for the bytes of all files
 * that have got a name there meanwhile, and nobody would have an answer
 * until then.
 *
 * The folders below the root are made as they are needed; the root never is:
 * where a file system should be mounted and is not, nothing may be written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PLACED_FILE_H
#define DGW_PLACED_FILE_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "../directory_sync.h"

namespace dicomgw
{

class PlacedFile
{
public:
	explicit PlacedFile(const std::string &root);
	~PlacedFile();
	PlacedFile(const PlacedFile &) = delete;
	PlacedFile &operator=(const PlacedFile &) = delete;

	/*
	 * From an empty file to one that is in place.  Each returns false with
	 * errno set when it can't be done; the copy is then gone.
	 */
	bool create(const std::string &path);
	bool write(const char *data, size_t len);
	bool place();
	bool sync();
	void settle();

	/* Have the kernel write what it has of the file, without waiting for it. */
	void start_writeback();

	/* Drop a copy that is not in place yet, or not synced. */
	void abandon();

	/* The same, and what is in place is not ours any more. */
	void reset();

	/* Delete the copy, how far it may have come; true if there is none. */
	bool remove();

	/* Between create() and the end of sync() or settle(). */
	bool is_open() const
	{
		return fd_ >= 0;
	}

	/* After sync() or settle(). */
	bool in_place() const
	{
		return in_place_;
	}

private:
	bool open_unnamed();
	bool make_directories();
	bool link_to_path();
	bool sync_directory();
	bool fail();

	const std::string root_;
	DgwDirectories directories_ = {};
	int fd_ = -1;
	bool in_place_ = false;
	size_t directory_len_ = 0; /* of path_, up to its last folder */
	std::string path_;		   /* of the final name, root included */
	std::string name_;		   /* what it is called on the way, likewise; empty: nothing */
	uint64_t written_ = 0;
	uint64_t writeback_ = 0; /* bytes that the kernel was told to write */
};

} // namespace dicomgw

#endif /* DGW_PLACED_FILE_H */
