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

	return DatumGetInt32(SPI_getbinval(tuple, desc, column, &isnull)); /* NULL: 0 */
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, int column, MemoryContext context)
{
	char *text = SPI_getvalue(tuple, desc, column);

	return MemoryContextStrdup(context, text != NULL ? text : "");
}

void
dgw_destination_read(DgwDestinationRow *row, HeapTuple tuple, TupleDesc desc, MemoryContext context)
{
	bool isnull;

	row->id = int_column(tuple, desc, 1);
	row->name = text_column(tuple, desc, 2, context);
	row->dicomweb = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
	row->max_associations = int_column(tuple, desc, 4);
	row->host = text_column(tuple, desc, 5, context);
	row->port = int_column(tuple, desc, 6);
	row->ae_title = text_column(tuple, desc, 7, context);
	row->calling_ae_title = text_column(tuple, desc, 8, context);
	row->max_pdu = int_column(tuple, desc, 9);
	row->connect_timeout = int_column(tuple, desc, 10);
	row->association_timeout = int_column(tuple, desc, 11);
	row->response_timeout = int_column(tuple, desc, 12);
	row->tls = int_column(tuple, desc, 13);
	row->tls_ca = text_column(tuple, desc, 14, context);
	row->tls_certificate = text_column(tuple, desc, 15, context);
	row->tls_key = text_column(tuple, desc, 16, context);
	row->tls_server_name = text_column(tuple, desc, 17, context);
	row->conversion = int_column(tuple, desc, 18);
	row->compression = text_column(tuple, desc, 19, context);
	row->url = text_column(tuple, desc, 20, context);
	row->username = text_column(tuple, desc, 21, context);
	row->password = text_column(tuple, desc, 22, context);
	row->bearer_token = text_column(tuple, desc, 23, context);
	row->proxy = text_column(tuple, desc, 24, context);
	row->batch = int_column(tuple, desc, 25);
}

const char *
dgw_destination_sender(const DgwDestinationRow *row)
{
	return row->dicomweb ? "dicomgw-stow" : "dicomgw-scu";
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
		.tls = (uint8_t) row->tls,
		.tls_ca = dgw_slice(row->tls_ca),
		.tls_certificate = dgw_slice(row->tls_certificate),
		.tls_key = dgw_slice(row->tls_key),
		.tls_server_name = dgw_slice(row->tls_server_name),
		.conversion = (uint8_t) row->conversion,
		.compression = dgw_slice(row->compression),
		.url = dgw_slice(row->url),
		.username = dgw_slice(row->username),
		.password = dgw_slice(row->password),
		.bearer_token = dgw_slice(row->bearer_token),
		.proxy = dgw_slice(row->proxy),
		.batch = (uint32_t) row->batch,
	};

	dgw_encode_destination(w, &m);
}
