/*-------------------------------------------------------------------------
 *
 * header_path.c
 *	  Finding values in a header (see header_path.h), and the functions by
 *	  which predicates do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/numeric.h"
#include "utils/varlena.h"

#include "header_path.h"

#define TAG_LEN 8

/* Longer ones are no keyword that somebody has mistyped (bytes). */
#define MAX_KEYWORD_LEN 128

PG_FUNCTION_INFO_V1(dgw_tag_value);
PG_FUNCTION_INFO_V1(dgw_tag_values);
PG_FUNCTION_INFO_V1(dgw_tag_any_equal);
PG_FUNCTION_INFO_V1(dgw_tag_any_like);
PG_FUNCTION_INFO_V1(dgw_edit_distance);

static JsonbValue *
get_key(JsonbContainer *object, const char *key, int len)
{
	if (!JsonContainerIsObject(object))
		return NULL;
	return getKeyJsonValueFromContainer(object, key, len, NULL);
}

/* A scalar as text, of a person name its alphabetic representation; NULL for everything else. */
static text *
value_text(JsonbValue *value)
{
	if (value->type == jbvBinary)
		value = get_key(value->val.binary.data, "Alphabetic", 10);
	if (value == NULL)
		return NULL;
	if (value->type == jbvString)
		return cstring_to_text_with_len(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return cstring_to_text(
			DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
	if (value->type == jbvBool)
		return cstring_to_text(value->val.boolean ? "true" : "false");
	return NULL;
}

/* The array "Value" of an element; NULL if it has none. */
static JsonbContainer *
element_values(JsonbContainer *dataset, const char *tag)
{
	JsonbValue *found = get_key(dataset, tag, TAG_LEN);

	if (found == NULL || found->type != jbvBinary)
		return NULL;
	found = get_key(found->val.binary.data, "Value", 5);
	if (found == NULL || found->type != jbvBinary || !JsonContainerIsArray(found->val.binary.data))
		return NULL;
	return found->val.binary.data;
}

/* "[3]" at the beginning of the text: 3, and how long it is; 0: there is no such thing. */
static uint32
item_number(const char *text, int len, int *length)
{
	uint32 number = 0;
	int i = 1;

	*length = 0;
	if (len < 3 || text[0] != '[')
		return 0;
	while (i < len && text[i] >= '0' && text[i] <= '9' && number < 1000000)
		number = number * 10 + (uint32) (text[i++] - '0');
	if (i == len || text[i] != ']')
		return 0;
	*length = i + 1;
	return number;
}

/* False if the visitor wants no more.  It goes no deeper than the path has parts. */
static bool
visit_path(JsonbContainer *dataset, const char *path, int len, DgwValueVisitor visit, void *arg)
{
	JsonbContainer *values;
	uint32 only;
	int skip;

	if (len < TAG_LEN)
		return true;
	values = element_values(dataset, path);
	only = item_number(path + TAG_LEN, len - TAG_LEN, &skip);
	path += TAG_LEN + skip;
	len -= TAG_LEN + skip;

	for (uint32 i = 0; values != NULL && i < JsonContainerSize(values); i++)
	{
		JsonbValue *value;
		bool go_on = true;

		if (only != 0 && i != only - 1)
			continue;
		value = getIthJsonbValueFromContainer(values, i);
		if (len > 0 && value->type == jbvBinary)
			go_on = visit_path(value->val.binary.data, path + 1, len - 1, visit, arg);
		else if (len == 0)
			go_on = visit(value_text(value), arg);
		if (!go_on)
			return false;
	}
	return true;
}

void
dgw_header_visit(JsonbContainer *header, const char *path, int len, DgwValueVisitor visit,
				 void *arg)
{
	(void) visit_path(header, path, len, visit, arg);
}

static bool
keep_first(text *value, void *arg)
{
	*(text **) arg = value;
	return false;
}

text *
dgw_header_first(JsonbContainer *header, const char *path, int len)
{
	text *first = NULL;

	dgw_header_visit(header, path, len, keep_first, &first);
	return first;
}

/* ---------- SQL ---------- */

static void
visit_arguments(FunctionCallInfo fcinfo, DgwValueVisitor visit, void *arg)
{
	Jsonb *header = PG_GETARG_JSONB_P(0);
	text *path = PG_GETARG_TEXT_PP(1);

	dgw_header_visit(&header->root, VARDATA_ANY(path), (int) VARSIZE_ANY_EXHDR(path), visit, arg);
}

/* dicomgw.tag_value(header jsonb, path text) returns text */
Datum
dgw_tag_value(PG_FUNCTION_ARGS)
{
	text *first = NULL;

	visit_arguments(fcinfo, keep_first, &first);
	if (first == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(first);
}

static bool
keep_all(text *value, void *arg)
{
	ArrayBuildState **state = arg;

	if (value != NULL)
		*state =
			accumArrayResult(*state, PointerGetDatum(value), false, TEXTOID, CurrentMemoryContext);
	return true;
}

/* dicomgw.tag_values(header jsonb, path text) returns text[] */
Datum
dgw_tag_values(PG_FUNCTION_ARGS)
{
	ArrayBuildState *state = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	visit_arguments(fcinfo, keep_all, &state);
	PG_RETURN_DATUM(makeArrayResult(state, CurrentMemoryContext));
}

typedef struct Search
{
	text *wanted;
	bool found;
} Search;

/* Spaces around a value do not count (PS3.5 6.2). */
static char *
folded(text *value)
{
	char *begin = VARDATA_ANY(value);
	char *end = begin + VARSIZE_ANY_EXHDR(value);

	while (begin < end && *begin == ' ')
		begin++;
	while (end > begin && end[-1] == ' ')
		end--;
	return str_tolower(begin, (size_t) (end - begin), DEFAULT_COLLATION_OID);
}

static bool
compare_equal(text *value, void *arg)
{
	Search *search = arg;

	search->found = value != NULL && strcmp(folded(value), folded(search->wanted)) == 0;
	return !search->found;
}

static bool
compare_like(text *value, void *arg)
{
	Search *search = arg;

	search->found = value != NULL && DatumGetBool(DirectFunctionCall2Coll(
										 texticlike, DEFAULT_COLLATION_OID, PointerGetDatum(value),
										 PointerGetDatum(search->wanted)));
	return !search->found;
}

static Datum
search(FunctionCallInfo fcinfo, DgwValueVisitor compare)
{
	Search search = {.wanted = PG_GETARG_TEXT_PP(2)};

	visit_arguments(fcinfo, compare, &search);
	PG_RETURN_BOOL(search.found);
}

/* dicomgw.tag_any_equal(header jsonb, path text, value text) returns boolean */
Datum
dgw_tag_any_equal(PG_FUNCTION_ARGS)
{
	return search(fcinfo, compare_equal);
}

/* dicomgw.tag_any_like(header jsonb, path text, pattern text) returns boolean */
Datum
dgw_tag_any_like(PG_FUNCTION_ARGS)
{
	return search(fcinfo, compare_like);
}

/* dicomgw._edit_distance(a text, b text) returns integer: NULL if one of them is too long */
Datum
dgw_edit_distance(PG_FUNCTION_ARGS)
{
	text *a = PG_GETARG_TEXT_PP(0);
	text *b = PG_GETARG_TEXT_PP(1);
	int a_len = (int) VARSIZE_ANY_EXHDR(a);
	int b_len = (int) VARSIZE_ANY_EXHDR(b);

	if (a_len > MAX_KEYWORD_LEN || b_len > MAX_KEYWORD_LEN)
		PG_RETURN_NULL();
	PG_RETURN_INT32(
		varstr_levenshtein(VARDATA_ANY(a), a_len, VARDATA_ANY(b), b_len, 1, 1, 1, true));
}
