/*-------------------------------------------------------------------------
 *
 * message_test.c
 *	  The messages between workers and helper programs, taken apart.
 *
 * Every message goes round; each is then cut short at every byte, given a
 * byte too many, and followed by random garbage: a decoder must refuse, or
 * stay inside the frame, which AddressSanitizer watches (each payload is
 * copied to a block of exactly its size).  Then what may be said where.
 *
 * Speaks TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decode from a block of exactly this size, so that a byte too far is caught. */
static bool
decode_exactly(uint16_t type, const char *payload, size_t len, DgwFrameWriter *again)
{
	char *copy = malloc(len ? len : 1);
	DgwFrame f = {.type = type, .payload = copy, .len = len};
	bool decoded;

	if (copy == NULL)
		return false;
	memcpy(copy, payload, len);
	decoded = decode_sample(&f, again);
	free(copy);
	return decoded;
}

static void
test_round_trips(void)
{
	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		DgwFrameWriter w = {0};
		DgwFrameWriter again = {0};
		const char *payload;
		size_t len;
		bool same;
		bool refused = true;
		char name[80];

		if (!encode_sample(&w, type))
		{
			ok(false, dgw_message_name(type));
			continue;
		}
		payload = w.data + DGW_FRAME_HEAD_SIZE;
		len = w.len - DGW_FRAME_HEAD_SIZE;
		same = decode_exactly(type, payload, len, &again) && again.len == w.len &&
			   memcmp(again.data, w.data, w.len) == 0;
		snprintf(name, sizeof(name), "%s goes round", dgw_message_name(type));
		ok(same, name);

		for (size_t cut = 0; cut < len; cut++)
			if (decode_exactly(type, payload, cut, NULL))
				refused = false;
		dgw_put_u8(&w, 0);
		if (decode_exactly(type, w.data + DGW_FRAME_HEAD_SIZE, len + 1, NULL))
			refused = false;
		snprintf(name, sizeof(name), "%s is refused when a byte is missing or left over",
				 dgw_message_name(type));
		ok(refused, name);

		dgw_writer_free(&w);
		dgw_writer_free(&again);
	}
}

/* A repeatable generator: a failure can be looked at again. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void
test_garbage(void)
{
	uint32_t random = 20261123;
	int decoded = 0;

	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		DgwFrameWriter w = {0};
		size_t len;

		if (!encode_sample(&w, type))
			continue;
		len = w.len - DGW_FRAME_HEAD_SIZE;
		for (int round = 0; round < 2000 && len > 0; round++)
		{
			char *payload = malloc(len);

			memcpy(payload, w.data + DGW_FRAME_HEAD_SIZE, len);
			for (uint32_t n = 1 + next_random(&random) % 4; n > 0; n--)
				payload[next_random(&random) % len] = (char) next_random(&random);
			decoded += decode_exactly(type, payload, len, NULL);
			free(payload);
		}
		for (int round = 0; round < 2000; round++)
		{
			char payload[256];
			size_t n = next_random(&random) % sizeof(payload);

			for (size_t i = 0; i < n; i++)
				payload[i] = (char) next_random(&random);
			decoded += decode_exactly(type, payload, n, NULL);
		}
		dgw_writer_free(&w);
	}
	ok(true, "decoders stay inside frames of garbage");
	printf("# %d mutated frames were valid messages nevertheless\n", decoded);
}

static void
test_too_many_listeners(void)
{
	DgwFrameWriter w = {0};
	bool decoded;

	dgw_frame_begin(&w, DGW_MSG_CONFIG);
	dgw_put_slice(&w, slice("/var/lib/images"));
	dgw_put_slice(&w, slice(""));
	dgw_put_u8(&w, 0);
	dgw_put_u32(&w, 1);
	dgw_put_u32(&w, DGW_MAX_LISTENERS + 1);
	for (int i = 0; i < 64 * 1024; i++)
		dgw_put_u8(&w, 0);
	ok(dgw_frame_end(&w), "a CONFIG with too many listeners can be written");
	decoded = decode_exactly(DGW_MSG_CONFIG, w.data + DGW_FRAME_HEAD_SIZE,
							 w.len - DGW_FRAME_HEAD_SIZE, NULL);
	ok(!decoded, "and is refused");
	dgw_writer_free(&w);
}

static void
test_too_many_transfer_syntaxes(void)
{
	DgwFrameWriter w = {0};

	dgw_frame_begin(&w, DGW_MSG_ADMITTED);
	for (int i = 0; i < 3; i++)
		dgw_put_u8(&w, 1);
	dgw_put_u64(&w, 0);
	dgw_put_slice(&w, slice(""));
	dgw_put_u32(&w, DGW_MAX_TRANSFER_SYNTAXES + 1);
	for (int i = 0; i < 4096; i++)
		dgw_put_u8(&w, 0);
	ok(dgw_frame_end(&w) && !decode_exactly(DGW_MSG_ADMITTED, w.data + DGW_FRAME_HEAD_SIZE,
											w.len - DGW_FRAME_HEAD_SIZE, NULL),
	   "an ADMITTED with too many transfer syntaxes is refused");
	dgw_writer_free(&w);
}

/* ---------- what may be said where ---------- */

static void
test_permissions(void)
{
	static const DgwChannelKind channels[] = {DGW_CHANNEL_CONTROL, DGW_CHANNEL_ASSOCIATION,
											  DGW_CHANNEL_SENDER,  DGW_CHANNEL_RENDER,
											  DGW_CHANNEL_AUDIT,   DGW_CHANNEL_SYNC};
	bool nothing = true;
	bool strict = true;
	int homeless = 0;

	for (int c = 0; c < (int) (sizeof(channels) / sizeof(*channels)); c++)
	{
		for (int way = DGW_TO_WORKER; way <= DGW_TO_HELPER; way++)
		{
			if (dgw_message_permitted(0, channels[c], way, 0) ||
				dgw_message_permitted(LAST_TYPE + 1, channels[c], way, 0) ||
				dgw_message_permitted(UINT16_MAX, channels[c], way, 0))
				nothing = false;
		}
	}
	ok(nothing, "unknown message types are permitted nowhere");

	for (uint16_t type = 1; type <= LAST_TYPE; type++)
	{
		bool somewhere = false;

		for (int c = 0; c < (int) (sizeof(channels) / sizeof(*channels)); c++)
		{
			for (int way = DGW_TO_WORKER; way <= DGW_TO_HELPER; way++)
			{
				somewhere |= dgw_message_permitted(type, channels[c], way, 0);
				if (dgw_message_permitted(type, channels[c], way, DGW_FRAME_MAX_PAYLOAD + 1))
					strict = false;
			}
		}
		homeless += !somewhere;
	}
	ok(homeless == 0, "every message is permitted somewhere");
	ok(strict, "no message may be longer than a frame");

	ok(!dgw_message_permitted(DGW_MSG_COMMITTED, DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, 8),
	   "a helper may not say COMMITTED");
	ok(!dgw_message_permitted(DGW_MSG_RECEIVED, DGW_CHANNEL_SENDER, DGW_TO_WORKER, 8),
	   "a sender may not say RECEIVED");
	ok(!dgw_message_permitted(DGW_MSG_RECEIVED, DGW_CHANNEL_RENDER, DGW_TO_WORKER, 8),
	   "nor may what renders");
	ok(!dgw_message_permitted(DGW_MSG_AUDIT_DELIVERED, DGW_CHANNEL_SENDER, DGW_TO_WORKER, 8),
	   "a sender may not say AUDIT_DELIVERED");
	ok(!dgw_message_permitted(DGW_MSG_LOG, DGW_CHANNEL_CONTROL, DGW_TO_WORKER, 1024 * 1024),
	   "a LOG message may not be a megabyte");
	ok(strcmp(dgw_message_name(UINT16_MAX), "unknown") == 0, "an unknown type has a name, too");
}

int
main(void)
{
	test_round_trips();
	test_garbage();
	test_too_many_listeners();
	test_too_many_transfer_syntaxes();
	test_permissions();
	return done();
}
