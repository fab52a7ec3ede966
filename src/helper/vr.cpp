/*-------------------------------------------------------------------------
 *
 * vr.cpp
 *	  The value representations of PS3.5 6.2 (see vr.h).
 *
 *-------------------------------------------------------------------------
 */
#include "vr.h"

#include <cstddef>

namespace dicomgw
{

static const Vr vrs[] = {
	{"AE", VrKind::Code, false, 0},	   {"AS", VrKind::Code, false, 0},
	{"AT", VrKind::Binary, false, 4},  {"CS", VrKind::Code, false, 0},
	{"DA", VrKind::Code, false, 0},	   {"DS", VrKind::Decimal, false, 0},
	{"DT", VrKind::Code, false, 0},	   {"FD", VrKind::Binary, false, 8},
	{"FL", VrKind::Binary, false, 4},  {"IS", VrKind::Decimal, false, 0},
	{"LO", VrKind::Text, false, 0},	   {"LT", VrKind::FreeText, false, 0},
	{"OB", VrKind::Bulk, true, 0},	   {"OD", VrKind::Bulk, true, 0},
	{"OF", VrKind::Bulk, true, 0},	   {"OL", VrKind::Bulk, true, 0},
	{"OV", VrKind::Bulk, true, 0},	   {"OW", VrKind::Bulk, true, 0},
	{"PN", VrKind::Name, false, 0},	   {"SH", VrKind::Text, false, 0},
	{"SL", VrKind::Binary, false, 4},  {"SQ", VrKind::Sequence, true, 0},
	{"SS", VrKind::Binary, false, 2},  {"ST", VrKind::FreeText, false, 0},
	{"SV", VrKind::Binary, true, 8},   {"TM", VrKind::Code, false, 0},
	{"UC", VrKind::Text, true, 0},	   {"UI", VrKind::Code, false, 0},
	{"UL", VrKind::Binary, false, 4},  {"UN", VrKind::Bulk, true, 0},
	{"UR", VrKind::FreeText, true, 0}, {"US", VrKind::Binary, false, 2},
	{"UT", VrKind::FreeText, true, 0}, {"UV", VrKind::Binary, true, 8},
};

const Vr *
find_vr(char first, char second)
{
	for (const Vr &vr : vrs)
	{
		if (vr.name[0] == first && vr.name[1] == second)
			return &vr;
	}
	return NULL;
}

} // namespace dicomgw
