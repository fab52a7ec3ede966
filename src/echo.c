/*-------------------------------------------------------------------------
 *
 * echo.c
 *	  dicomgw.echo(): C-ECHO from SQL.
 *
 * The one place where a network peer is waited for inside a transaction: it
 * is the caller's own, who asks for just that.  The wait can be cancelled, and
 * ends by itself with the destination's timeouts.  The talking is done by a
 * dicomgw-scu of the calling backend, so it works without the workers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "destination.h"
#include "helper_process.h"

PG_FUNCTION_INFO_V1(dgw_echo);

/* Beyond the sender's own timeouts: then it is stuck (seconds). */
#define GRACE_SECONDS 5

static void
find_destination(const char *name, DgwDestinationRow *row)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum parameter = CStringGetTextDatum(name);

	SPI_connect();
	if (SPI_execute_with_args(
			"SELECT " DGW_DESTINATION_COLUMNS
			" FROM dicomgw.sender_destination WHERE id = dicomgw._destination_id($1)",
			1, (Oid[]){TEXTOID}, &parameter, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not read dicomgw.destination");
	dgw_destination_read(row, SPI_tuptable->vals[0], SPI_tuptable->tupdesc, caller);
	SPI_finish();
}

/*
 * Wait until the sender has answered; false if it ends, or is stuck.
 */
static bool
converse(DgwHelper *sender, long timeout_ms, DgwFrame *frame)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);

	for (;;)
	{
		DgwReadResult result;
		long left;

		while ((result = dgw_channel_next(&sender->channel, frame)) == DGW_READ_OK)
		{
			if (frame->type == DGW_MSG_ECHO_RESULT)
				return true;
			if (!dgw_helper_greet(sender, frame))
				return false;
		}
		if (result == DGW_READ_AGAIN)
			result = dgw_channel_fill(&sender->channel);
		if (result == DGW_READ_OK)
			continue;
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		if (result != DGW_READ_AGAIN || left == 0)
			return false;
		(void) WaitLatchOrSocket(
			MyLatch, WL_LATCH_SET | WL_SOCKET_READABLE | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			sender->channel.fd, left, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static Datum
interval_us(uint32 us)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = us;
	return IntervalPGetDatum(interval);
}

static Datum
text_of(DgwSlice slice)
{
	return PointerGetDatum(cstring_to_text_with_len(slice.data, slice.len));
}

/*
 * dicomgw.echo(destination text) returns (ok boolean, message text, status text,
 * associate_time interval, round_trip_time interval, peer_max_pdu bigint,
 * peer_implementation text)
 */
Datum
dgw_echo(PG_FUNCTION_ARGS)
{
	DgwDestinationRow destination;
	DgwHelper sender = {0};
	DgwFrame frame;
	DgwEchoResult result = {0};
	TupleDesc tupdesc;
	Datum values[7] = {0};
	bool nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "dicomgw.echo returns no row");
	find_destination(text_to_cstring(PG_GETARG_TEXT_PP(0)), &destination);

	dgw_helper_start(&sender, dgw_destination_sender(&destination), DGW_CHANNEL_SENDER);
	PG_TRY();
	{
		long timeout_s = (long) destination.connect_timeout + destination.association_timeout +
						 destination.response_timeout + GRACE_SECONDS;

		dgw_destination_encode(&sender.channel.writer, &destination, 0);
		dgw_encode_echo(&sender.channel.writer);
		if (!dgw_channel_send(&sender.channel) || !converse(&sender, timeout_s * 1000, &frame) ||
			!dgw_decode_echo_result(&frame, &result))
			ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
							errmsg("helper program %s gave no answer", sender.program),
							errhint("The server's log may say why.")));

		values[0] = BoolGetDatum(result.ok != 0);
		values[1] = text_of(result.message);
		nulls[1] = result.message.len == 0;
		values[2] = CStringGetTextDatum(psprintf("%04XH", result.status));
		values[3] = interval_us(result.associate_us);
		values[4] = interval_us(result.round_trip_us);
		values[5] = Int64GetDatum((int64) result.peer_max_pdu);
		values[6] = text_of(result.implementation);
		for (int i = 2; i < 7; i++)
			nulls[i] = result.ok == 0;
	}
	PG_FINALLY();
	{
		(void) dgw_helper_stop(&sender);
	}
	PG_END_TRY();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
