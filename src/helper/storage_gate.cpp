/*-------------------------------------------------------------------------
 *
 * storage_gate.cpp
 *	  Whether new objects are taken just now (see storage_gate.h).
 *
 *-------------------------------------------------------------------------
 */
#include "storage_gate.h"

#include <cstring>
#include <new>
#include <sys/mman.h>

namespace dicomgw
{

StorageGate::StorageGate()
{
	void *memory =
		mmap(NULL, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		throw std::bad_alloc();
	page_ = new (memory) Page();
}

StorageGate::~StorageGate()
{
	munmap(page_, sizeof(Page));
}

void
StorageGate::set(bool accepting, const std::string &comment)
{
	std::string text = comment.substr(0, MAX_COMMENT);

	/* Written while it is open, so that nobody reads half of it. */
	if (page_->closed.load() == 0)
		memcpy(page_->comment, text.c_str(), text.size() + 1);
	page_->closed.store(accepting ? 0 : 1);
}

bool
StorageGate::accepting(std::string &comment) const
{
	if (page_->closed.load() == 0)
		return true;
	comment = page_->comment;
	return false;
}

} // namespace dicomgw
