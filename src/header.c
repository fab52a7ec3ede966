/*-------------------------------------------------------------------------
 *
 * header.c
 *	  The usual attributes of a header (DICOM JSON, PS3.18 F.2) as typed columns,
 *	  detoasting it once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "header_path.h"

PG_FUNCTION_INFO_V1(dgw_header_attributes);

/* VR DA (PS3.5 6.2): YYYYMMDD; the older YYYY.MM.DD is understood too.  False if it is no date. */
static bool
parse_da(const char *s, DateADT *date)
{
	int year;
	int month;
	int day;
	int end = 0;

	/* sscanf takes signs and spaces for parts of a number. */
	if (s[strspn(s, "0123456789.")] != '\0')
		return false;
	if ((sscanf(s, "%4d%2d%2d%n", &year, &month, &day, &end) != 3 || s[end] != '\0' || end != 8) &&
		(sscanf(s, "%4d.%2d.%2d%n", &year, &month, &day, &end) != 3 || s[end] != '\0' || end != 10))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
		day > day_tab[isleap(year) ? 1 : 0][month - 1])
		return false;
	*date = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

static bool
parse_integer(const char *s, int32 *number)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(s, &end, 10);
	if (end == s || errno != 0 || value < PG_INT32_MIN || value > PG_INT32_MAX)
		return false;
	if (end[strspn(end, " ")] != '\0')
		return false;
	*number = (int32) value;
	return true;
}

/* The columns of type dicomgw.header_attributes, in their order. */
static const struct
{
	const char *tag;
	Oid type;
} columns[] = {
	{"00100020", TEXTOID}, {"00100010", TEXTOID}, {"00100030", DATEOID}, {"00100040", TEXTOID},
	{"0020000D", TEXTOID}, {"00080020", DATEOID}, {"00081030", TEXTOID}, {"00080050", TEXTOID},
	{"00080090", TEXTOID}, {"0020000E", TEXTOID}, {"00200011", INT4OID}, {"0008103E", TEXTOID},
	{"00080060", TEXTOID}, {"00180015", TEXTOID}, {"00181030", TEXTOID}, {"00200013", INT4OID},
	{"00081010", TEXTOID}, {"00080080", TEXTOID}, {"00080070", TEXTOID},
};

static bool
typed_value(text *value, Oid type, Datum *datum)
{
	DateADT date;
	int32 number;

	if (type == TEXTOID)
	{
		*datum = PointerGetDatum(value);
		return true;
	}
	if (type == DATEOID && parse_da(text_to_cstring(value), &date))
	{
		*datum = DateADTGetDatum(date);
		return true;
	}
	if (type == INT4OID && parse_integer(text_to_cstring(value), &number))
	{
		*datum = Int32GetDatum(number);
		return true;
	}
	return false;
}

/* dicomgw.header_attributes(header jsonb) returns dicomgw.header_attributes; not strict */
Datum
dgw_header_attributes(PG_FUNCTION_ARGS)
{
	TupleDesc tupdesc;
	Datum values[lengthof(columns)] = {0};
	bool nulls[lengthof(columns)];

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE ||
		tupdesc->natts != lengthof(columns))
		elog(ERROR, "dicomgw.header_attributes has other columns than this library");

	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(0))
	{
		Jsonb *header = PG_GETARG_JSONB_P(0);

		for (int i = 0; i < (int) lengthof(columns); i++)
		{
			text *value = dgw_header_first(&header->root, columns[i].tag, 8);

			nulls[i] = value == NULL || !typed_value(value, columns[i].type, &values[i]);
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
