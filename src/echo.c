/*-------------------------------------------------------------------------
 *
 * echo.c
 *	  dicomgw.echo(): C-ECHO from SQL, to a destination or to anybody.
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
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "destination.h"
#include "helper_process.h"

PG_FUNCTION_INFO_V1(dgw_echo);
PG_FUNCTION_INFO_V1(dgw_echo_peer);

/* Beyond the sender's own timeouts: then it is stuck (seconds). */
#define GRACE_SECONDS 5

/* The one row of a query for DGW_DESTINATION_COLUMNS, which raises an error if there is none. */
static void
find_destination(const char *query, int nargs, Oid *types, Datum *parameters,
				 DgwDestinationRow *row)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_connect();
	if (SPI_execute_with_args(query, nargs, types, parameters, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not read dicomgw.sender_destination");
	dgw_destination_read(row, SPI_tuptable->vals[0], SPI_tuptable->tupdesc, caller);
	SPI_finish();
}

static Datum
interval_us(uint32 us)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = us;
	return IntervalPGetDatum(interval);
}

/*
 * What echo() returns: ok boolean, message text, status text, associate_time interval,
 * round_trip_time interval, peer_max_pdu bigint, peer_implementation text, tls_version
 * text, tls_cipher text, tls_subject text.  What was not learnt is NULL.
 */
enum
{
	COLUMN_OK,
	COLUMN_MESSAGE,
	COLUMN_STATUS,
	COLUMN_ASSOCIATE_TIME,
	COLUMN_ROUND_TRIP_TIME,
	COLUMN_PEER_MAX_PDU,
	COLUMN_PEER_IMPLEMENTATION,
	COLUMN_TLS_VERSION,
	COLUMN_TLS_CIPHER,
	COLUMN_TLS_SUBJECT,
	N_COLUMNS
};

typedef struct EchoRow
{
	Datum values[N_COLUMNS];
	bool nulls[N_COLUMNS];
} EchoRow;

static void
set_column(EchoRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
set_text(EchoRow *row, int column, DgwSlice text)
{
	if (text.len > 0)
		set_column(row, column, PointerGetDatum(cstring_to_text_with_len(text.data, text.len)));
}

static void
fill_row(EchoRow *row, const DgwEchoResult *result)
{
	memset(row->nulls, true, sizeof(row->nulls));
	set_column(row, COLUMN_OK, BoolGetDatum(result->ok != 0));
	set_text(row, COLUMN_MESSAGE, result->message);
	if (result->associated)
	{
		set_column(row, COLUMN_ASSOCIATE_TIME, interval_us(result->associate_us));
		set_column(row, COLUMN_PEER_MAX_PDU, Int64GetDatum((int64) result->peer_max_pdu));
		set_text(row, COLUMN_PEER_IMPLEMENTATION, result->implementation);
	}
	/* Whatever the answer was, there was one. */
	if (result->round_trip_us > 0)
	{
		set_column(row, COLUMN_STATUS, CStringGetTextDatum(psprintf("%04XH", result->status)));
		set_column(row, COLUMN_ROUND_TRIP_TIME, interval_us(result->round_trip_us));
	}
	set_text(row, COLUMN_TLS_VERSION, result->tls_version);
	set_text(row, COLUMN_TLS_CIPHER, result->tls_cipher);
	set_text(row, COLUMN_TLS_SUBJECT, result->tls_subject);
}

static Datum
echo(FunctionCallInfo fcinfo, const DgwDestinationRow *destination)
{
	DgwHelper sender = {0};
	DgwFrame frame;
	DgwEchoResult result = {0};
	TupleDesc tupdesc;
	EchoRow row;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE ||
		tupdesc->natts != N_COLUMNS)
		elog(ERROR, "dicomgw.echo returns another row");

	dgw_helper_start(&sender, dgw_destination_sender(destination), DGW_CHANNEL_SENDER);
	PG_TRY();
	{
		long timeout_s = (long) destination->connect_timeout + destination->association_timeout +
						 destination->response_timeout + GRACE_SECONDS;

		dgw_destination_encode(&sender.channel.writer, destination, 0);
		dgw_encode_echo(&sender.channel.writer);
		if (!dgw_channel_send(&sender.channel) ||
			!dgw_helper_await(&sender, DGW_MSG_ECHO_RESULT, timeout_s * 1000, &frame) ||
			!dgw_decode_echo_result(&frame, &result))
			ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
							errmsg("helper program %s gave no answer", sender.program),
							errhint("The server's log may say why.")));
		fill_row(&row, &result);
	}
	PG_FINALLY();
	{
		(void) dgw_helper_stop(&sender);
	}
	PG_END_TRY();
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), row.values, row.nulls));
}

/* dicomgw.echo(destination text) */
Datum
dgw_echo(PG_FUNCTION_ARGS)
{
	Datum parameters[] = {PG_GETARG_DATUM(0)};
	DgwDestinationRow destination;

	find_destination("SELECT " DGW_DESTINATION_COLUMNS " FROM dicomgw.sender_destination"
					 " WHERE id = dicomgw._destination_id($1)",
					 1, (Oid[]){TEXTOID}, parameters, &destination);
	return echo(fcinfo, &destination);
}

/* dicomgw.echo(host text, port tcp_port, called_ae ae_title, calling_ae ae_title, tls text) */
Datum
dgw_echo_peer(PG_FUNCTION_ARGS)
{
	Datum parameters[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2),
						  PG_GETARG_DATUM(3), PG_GETARG_DATUM(4)};
	DgwDestinationRow peer;

	find_destination("SELECT " DGW_DESTINATION_COLUMNS
					 " FROM dicomgw._echo_peer($1, $2, $3, $4, $5)",
					 5, (Oid[]){TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID}, parameters, &peer);
	return echo(fcinfo, &peer);
}
