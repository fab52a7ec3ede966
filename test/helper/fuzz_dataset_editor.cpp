/*-------------------------------------------------------------------------
 *
 * fuzz_dataset_editor.cpp
 *	  libFuzzer target: any bytes as a dataset, and any as the plan of its edits.
 *
 * The input is a Part 10 file, so that real objects can be the corpus.  The
 * first byte, of its preamble, chooses one of some plans, or the rest of the
 * preamble, up to a NUL, is the plan.  Whatever comes of it, the file is not
 * touched, a failure has words, and what was edited can be read to its end.
 *
 *-------------------------------------------------------------------------
 */
#include "dataset_editor.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/stat.h>

#include "dataset_survey.h"
#include "part10_input.h"

using namespace dicomgw;

namespace
{

const char *const plans[] = {
	R"({"steps": []})",
	R"({"steps": [{"do": "set", "path": ["00100010"], "vr": "PN", "value": "A^B"},
		{"do": "set", "path": ["00400275", "00400009"], "vr": "SH", "value": "X"},
		{"do": "remove", "path": ["*", "00080060"]}]})",
	R"({"days": -9, "dummies": {"LO": "X", "US": "7", "DA": "19000101"}, "clean": ["CT"],
		"uids": {"1.2.3": "2.25.1"}, "steps": [{"do": "private", "keep": ["GEMS_ACQU_01"]},
		{"do": "rules", "rules": {"DA": "shift:dummy", "LO": "clean:dummy", "UN": "remove",
		"0040A730": "dummy", "00280010": "dummy", "00081140": "empty", "60xx3000": "remove"}}]})",
	R"({"steps": [{"do": "keep_only", "tags": ["0010xxxx"]}]})"};

const char *const syntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
								"1.2.840.10008.1.2.4.50"};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n_plans = sizeof(plans) / sizeof(plans[0]);
	const int fd = size < 2 ? -1 : object_of(data, size);

	if (fd < 0)
		return 0;

	const size_t offset = dataset_offset(data, size);
	const size_t choice = data[0] % (n_plans + 1);
	const char *text = reinterpret_cast<const char *>(data) + 1;
	const std::string syntax = syntaxes[data[1] % 4];
	std::string json =
		choice < n_plans ? plans[choice] : std::string(text, strnlen(text, size - 1));
	EditPlan plan;
	TemporaryFile file;
	EditedDataset edited;
	struct stat status;

	if (!plan.parse(json.data(), json.size()))
		return 0;
	Transcoded result = edit_dataset(plan, {fd, offset, syntax}, "/tmp", file, edited);

	if (edited.why.empty() != (result == Transcoded::Done) ||
		(file.fd() >= 0) != (result == Transcoded::Done) || fstat(fd, &status) != 0 ||
		status.st_size != (off_t) size)
		abort();
	if (result == Transcoded::Done && !survey_dataset(file.path(), 0, syntax).error.empty())
		abort();
	return 0;
}
