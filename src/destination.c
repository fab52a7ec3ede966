/*-------------------------------------------------------------------------
 *
 * destination.c
 *	  A row of dicomgw.destination, and how a sender is told of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "destination.h"
#include "guc.h"

static int
int_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetInt32(SPI_getbinval(tuple, desc, column, &isnull));
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, int column, MemoryContext context)
{
	return MemoryContextStrdup(context, SPI_getvalue(tuple, desc, column));
}

void
dgw_destination_read(DgwDestinationRow *row, HeapTuple tuple, TupleDesc desc, MemoryContext context)
{
	row->id = int_column(tuple, desc, 1);
	row->name = text_column(tuple, desc, 2, context);
	row->host = text_column(tuple, desc, 3, context);
	row->port = int_column(tuple, desc, 4);
	row->ae_title = text_column(tuple, desc, 5, context);
	row->calling_ae_title = text_column(tuple, desc, 6, context);
	row->max_pdu = int_column(tuple, desc, 7);
	row->max_associations = int_column(tuple, desc, 8);
	row->connect_timeout = int_column(tuple, desc, 9);
	row->association_timeout = int_column(tuple, desc, 10);
	row->response_timeout = int_column(tuple, desc, 11);
}

void
dgw_destination_encode(DgwFrameWriter *w, const DgwDestinationRow *row, uint32 linger_ms)
{
	DgwDestination m = {
		.host = dgw_slice(row->host),
		.port = (uint16_t) row->port,
		.calling_ae = dgw_slice(row->calling_ae_title),
		.called_ae = dgw_slice(row->ae_title),
		.max_pdu = (uint32_t) row->max_pdu,
		.connect_timeout = (uint32_t) row->connect_timeout,
		.association_timeout = (uint32_t) row->association_timeout,
		.response_timeout = (uint32_t) row->response_timeout,
		.linger = linger_ms,
		.storage_path = dgw_slice(dgw_storage_directory()),
	};

	dgw_encode_destination(w, &m);
}
