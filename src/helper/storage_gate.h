/*-------------------------------------------------------------------------
 *
 * storage_gate.h
 *	  Whether new objects are taken just now: one word of the receiver's, seen
 *	  by all association processes at once.
 *
 * The parent has it in a page that its children share; the receiver's STORAGE
 * messages open and close it.  An object that is under way when it closes is
 * finished.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORAGE_GATE_H
#define DGW_STORAGE_GATE_H

#include <atomic>
#include <cstdint>
#include <string>

namespace dicomgw
{

class StorageGate
{
public:
	/* Open; throws std::bad_alloc if there is no page for it. */
	StorageGate();
	~StorageGate();
	StorageGate(const StorageGate &) = delete;
	StorageGate &operator=(const StorageGate &) = delete;

	/* In the parent.  The comment is what senders are told, at most 64 characters. */
	void set(bool accepting, const std::string &comment);

	/* In any process: true, or false and why. */
	bool accepting(std::string &comment) const;

private:
	static constexpr size_t MAX_COMMENT = 64;

	struct Page
	{
		std::atomic<uint32_t> closed;
		char comment[MAX_COMMENT + 1];
	};

	Page *page_;
};

} // namespace dicomgw

#endif /* DGW_STORAGE_GATE_H */
