/*-------------------------------------------------------------------------
 *
 * preview.c
 *	  The SQL functions that show an object: as a picture, as numbers, as text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "picture_cache.h"
#include "render_object.h"

PG_FUNCTION_INFO_V1(dgw_preview);
PG_FUNCTION_INFO_V1(dgw_image_info);
PG_FUNCTION_INFO_V1(dgw_header_from_file);

/* Raised when pictures are drawn differently: what is cached is not found any more. */
#define DRAWING_VERSION 1

#define MAX_SIDE 4096

static uint32
side_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	int32 side;

	if (PG_ARGISNULL(n))
		return 0;
	side = PG_GETARG_INT32(n);
	if (side < 1 || side > MAX_SIDE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between 1 and %d", name, MAX_SIDE)));
	return (uint32) side;
}

static void
read_window(FunctionCallInfo fcinfo, int n, DgwRender *request)
{
	if (PG_ARGISNULL(n) != PG_ARGISNULL(n + 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("window_center and window_width must be given together")));
	if (PG_ARGISNULL(n))
		return;
	request->has_window = 1;
	request->window_center = PG_GETARG_FLOAT8(n);
	request->window_width = PG_GETARG_FLOAT8(n + 1);
	if (!isfinite(request->window_center) || !isfinite(request->window_width) ||
		request->window_width <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("window_width must be greater than 0, and both must be finite")));
}

/* By number and digest, so that no picture survives in another database's storage. */
static char *
describe(const DgwObject *object, const DgwRender *request)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%d " INT64_FORMAT " ", DRAWING_VERSION, object->id);
	for (int i = 0; i < DGW_SHA256_SIZE; i++)
		appendStringInfo(&text, "%02x", object->sha256[i]);
	appendStringInfo(&text, " %u %u %u", request->frame, request->width, request->height);
	if (request->has_window)
		appendStringInfo(&text, " %.17g %.17g", request->window_center, request->window_width);
	return text.data;
}

/*
 * dicomgw.preview(instance_id bigint, frame integer, width integer, height integer,
 * window_center double precision, window_width double precision) returns bytea
 */
Datum
dgw_preview(PG_FUNCTION_ARGS)
{
	DgwRender request = {.what = DGW_RENDER_PICTURE};
	DgwRendering rendering;
	DgwObject object;
	int32 frame = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);
	char *description;
	bytea *png;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	request.width = side_argument(fcinfo, 2, "width");
	request.height = side_argument(fcinfo, 3, "height");
	read_window(fcinfo, 4, &request);
	if (frame < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("frames are counted from 1")));
	request.frame = (uint32) frame;
	dgw_object_find(PG_GETARG_INT64(0), "view", &object);
	description = describe(&object, &request);
	png = dgw_picture_cache_get(description);
	if (png == NULL)
	{
		dgw_render_object(&object, &request, &rendering);
		if (rendering.outcome != DGW_RENDER_DONE || rendering.png == NULL)
			dgw_cannot_show(&object, &rendering);
		png = rendering.png;
		dgw_picture_cache_put(description, png);
	}
	PG_RETURN_BYTEA_P(png);
}

/* What dicomgw._image_info() returns. */
enum
{
	INFO_ROWS,
	INFO_COLUMNS,
	INFO_FRAMES,
	INFO_SAMPLES,
	INFO_BITS_STORED,
	INFO_PHOTOMETRIC,
	INFO_WINDOW_CENTER,
	INFO_WINDOW_WIDTH,
	INFO_PIXEL_MIN,
	INFO_PIXEL_MAX,
	INFO_REASON,
	N_INFO
};

/*
 * dicomgw._image_info(instance_id bigint, OUT …): as the names above; what is not
 * known is NULL, and so is the reason of an image that can be shown.
 */
Datum
dgw_image_info(PG_FUNCTION_ARGS)
{
	DgwRender request = {.what = DGW_RENDER_IMAGE, .frame = 1};
	const DgwImage *image;
	DgwRendering rendering;
	DgwObject object;
	Datum values[N_INFO];
	bool nulls[N_INFO] = {false};
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != N_INFO)
		elog(ERROR, "dicomgw._image_info returns another row");
	dgw_object_find(PG_GETARG_INT64(0), "view", &object);
	dgw_render_object(&object, &request, &rendering);
	image = &rendering.image;
	for (int i = INFO_ROWS; i <= INFO_PHOTOMETRIC; i++)
		nulls[i] = image->rows == 0 || image->columns == 0;
	values[INFO_ROWS] = Int32GetDatum((int32) image->rows);
	values[INFO_COLUMNS] = Int32GetDatum((int32) image->columns);
	values[INFO_FRAMES] = Int32GetDatum((int32) image->frames);
	values[INFO_SAMPLES] = Int32GetDatum((int32) image->samples);
	values[INFO_BITS_STORED] = Int32GetDatum((int32) image->bits_stored);
	values[INFO_PHOTOMETRIC] = CStringGetTextDatum(rendering.photometric_interpretation);
	values[INFO_WINDOW_CENTER] = Float8GetDatum(image->window_center);
	values[INFO_WINDOW_WIDTH] = Float8GetDatum(image->window_width);
	values[INFO_PIXEL_MIN] = Float8GetDatum(image->pixel_min);
	values[INFO_PIXEL_MAX] = Float8GetDatum(image->pixel_max);
	nulls[INFO_WINDOW_CENTER] = nulls[INFO_WINDOW_WIDTH] = !image->has_window;
	nulls[INFO_PIXEL_MIN] = nulls[INFO_PIXEL_MAX] = !image->has_range;
	values[INFO_REASON] = CStringGetTextDatum(rendering.message);
	nulls[INFO_REASON] = rendering.outcome == DGW_RENDER_DONE;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* dicomgw._header_from_file(instance_id bigint) returns text */
Datum
dgw_header_from_file(PG_FUNCTION_ARGS)
{
	DgwRender request = {.what = DGW_RENDER_HEADER};
	DgwRendering rendering;
	DgwObject object;

	dgw_object_find(PG_GETARG_INT64(0), "view", &object);
	dgw_render_object(&object, &request, &rendering);
	if (rendering.header == NULL)
		dgw_cannot_show(&object, &rendering);
	PG_RETURN_TEXT_P(cstring_to_text(rendering.header));
}
