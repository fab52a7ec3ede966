/*-------------------------------------------------------------------------
 *
 * vr.h
 *	  The value representations of PS3.5 6.2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_VR_H
#define DGW_VR_H

#include <cstdint>

namespace dicomgw
{

enum class VrKind
{
	Code,	  /* default character repertoire: AE AS CS DA DT TM UI */
	Decimal,  /* a number as text: DS IS */
	Text,	  /* in the Specific Character Set, several values: LO SH UC */
	Name,	  /* PN */
	FreeText, /* one value that may have backslashes: LT ST UT UR */
	Binary,	  /* a number: FD FL SL SS SV UL US UV, and AT */
	Bulk,	  /* OB OD OF OL OV OW UN: never written */
	Sequence  /* SQ */
};

struct Vr
{
	char name[3];
	VrKind kind;
	bool long_length;	/* explicit VR: 32 bits of length after two reserved bytes */
	uint8_t value_size; /* Binary: bytes of one value */
};

/* NULL if there is no such VR. */
extern const Vr *find_vr(char first, char second);

} // namespace dicomgw

#endif /* DGW_VR_H */
