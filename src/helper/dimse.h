/*-------------------------------------------------------------------------
 *
 * dimse.h
 *	  DIMSE messages over an association, one fragment at a time.
 *
 * Both programs stay below DCMTK's DIMSE_*() functions.  Those refuse every
 * transfer syntax that DCMTK does not know, hold or re-encode whole datasets
 * and so alter what they pass on.  A gateway must hand on the bytes it was
 * given, so a dataset is here a stream of fragments nobody looks into, and
 * only the command sets (PS3.7 9.3, 6.3.1: implicit VR little endian, group
 * 0000 alone) are encoded and decoded.
 *
 * Runs in association processes of dicomgw-scp and in dicomgw-scu.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DIMSE_H
#define DGW_DIMSE_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace dicomgw
{

/* Who we are, in associations and in the files that we write. */
constexpr char IMPLEMENTATION_CLASS_UID[] = "2.25.71638036484129405908365243045046465192";
constexpr char IMPLEMENTATION_VERSION_NAME[] = "DICOMGW_0.1";

/* Command Field (0000,0100); the top bit makes it a response. */
constexpr uint16_t C_STORE_RQ = 0x0001;
constexpr uint16_t C_STORE_RSP = 0x8001;
constexpr uint16_t C_ECHO_RQ = 0x0030;
constexpr uint16_t C_ECHO_RSP = 0x8030;
constexpr uint16_t C_CANCEL_RQ = 0x0FFF;
constexpr uint16_t COMMAND_IS_RESPONSE = 0x8000;

/* Status (0000,0900); PS3.7 annex C and PS3.4 B.2.3. */
constexpr uint16_t STATUS_SUCCESS = 0x0000;
constexpr uint16_t STATUS_PROCESSING_FAILURE = 0x0110;
constexpr uint16_t STATUS_INVALID_OBJECT_INSTANCE = 0x0117;
constexpr uint16_t STATUS_SOP_CLASS_NOT_SUPPORTED = 0x0122;
constexpr uint16_t STATUS_NOT_AUTHORIZED = 0x0124;
constexpr uint16_t STATUS_UNRECOGNIZED_OPERATION = 0x0211;
constexpr uint16_t STATUS_OUT_OF_RESOURCES = 0xA700;
constexpr uint16_t STATUS_DATA_SET_MISMATCH = 0xA900;
constexpr uint16_t STATUS_CANNOT_UNDERSTAND = 0xC000;

/* Longest command set read; real ones have a few hundred bytes. */
constexpr size_t MAX_COMMAND_SET = 16 * 1024;

/*
 * One command set, request or response.  What a message does not have stays
 * as it is here: zero, empty, false.  UIDs are without padding, as they came:
 * whoever reads one checks it.
 */
struct Command
{
	uint16_t field = 0;		 /* Command Field */
	uint16_t message_id = 0; /* Message ID, in a response the one responded to */
	uint16_t priority = 0;
	uint16_t status = 0;
	bool has_dataset = false; /* Command Data Set Type */
	std::string sop_class_uid;
	std::string sop_instance_uid;
	std::string error_comment; /* cut to 64 characters when encoded */
};

/* The bytes of a command set, group length and padding right. */
extern std::string encode_command(const Command &command);

/* False, with the reason, if the bytes are not one request or response. */
extern bool decode_command(const std::string &bytes, Command &command, std::string &why);

/* One fragment; data is valid until the next read_pdv(). */
struct Pdv
{
	T_ASC_PresentationContextID context_id;
	bool is_command;
	bool is_last;
	const void *data;
	size_t len;
};

enum class PdvResult
{
	Fragment,		  /* pdv is filled in */
	ReleaseRequested, /* A-RELEASE-RQ: ASC_acknowledgeRelease() is to follow */
	Aborted,		  /* A-ABORT came */
	Closed,			  /* the connection was closed or reset */
	Timeout,		  /* nothing came for that long */
	Invalid			  /* not DICOM, or not its turn: ASC_abortAssociation() is to follow */
};

/*
 * The next fragment, or what came instead of it.  why says more where there
 * is more to say.  The timeout, in seconds, is for the start of a PDU; within
 * one, the socket's receive timeout counts.
 */
extern PdvResult read_pdv(T_ASC_Association *assoc, int timeout, Pdv &pdv, std::string &why);

/*
 * Send bytes in fragments as long as the peer takes; last: nothing follows,
 * so that a dataset can be handed over in pieces (all but the last of even
 * length).
 */
extern OFCondition send_fragments(T_ASC_Association *assoc, T_ASC_PresentationContextID context_id,
								  DUL_DATAPDV type, const void *data, size_t len, bool last);

extern OFCondition send_command(T_ASC_Association *assoc, T_ASC_PresentationContextID context_id,
								const Command &command);

} // namespace dicomgw

#endif /* DGW_DIMSE_H */
