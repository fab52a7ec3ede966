/*-------------------------------------------------------------------------
 *
 * message_rendering.c
 *	  The messages of the render channel: encoders and decoders.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

/* A double goes as its bits: both ends are on one machine. */
static void
put_double(DgwFrameWriter *w, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	dgw_put_u64(w, bits);
}

static double
get_double(DgwFrame *f)
{
	uint64_t bits = dgw_get_u64(f);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool
dgw_encode_render(DgwFrameWriter *w, const DgwRender *m)
{
	dgw_frame_begin(w, DGW_MSG_RENDER);
	dgw_put_u8(w, m->what);
	dgw_put_u64(w, m->dataset_offset);
	dgw_put_slice(w, m->transfer_syntax_uid);
	dgw_put_u32(w, m->frame);
	dgw_put_u32(w, m->width);
	dgw_put_u32(w, m->height);
	dgw_put_u8(w, m->has_window);
	put_double(w, m->window_center);
	put_double(w, m->window_width);
	return dgw_frame_end(w);
}

bool
dgw_decode_render(DgwFrame *f, DgwRender *m)
{
	m->what = dgw_get_u8(f);
	m->dataset_offset = dgw_get_u64(f);
	m->transfer_syntax_uid = dgw_get_slice(f);
	m->frame = dgw_get_u32(f);
	m->width = dgw_get_u32(f);
	m->height = dgw_get_u32(f);
	m->has_window = dgw_get_u8(f);
	m->window_center = get_double(f);
	m->window_width = get_double(f);
	return dgw_frame_complete(f);
}

static void
put_image(DgwFrameWriter *w, const DgwImage *m)
{
	dgw_put_u32(w, m->rows);
	dgw_put_u32(w, m->columns);
	dgw_put_u32(w, m->frames);
	dgw_put_u32(w, m->samples);
	dgw_put_u32(w, m->bits_stored);
	dgw_put_slice(w, m->photometric_interpretation);
	dgw_put_u8(w, m->has_window);
	put_double(w, m->window_center);
	put_double(w, m->window_width);
	dgw_put_u8(w, m->has_range);
	put_double(w, m->pixel_min);
	put_double(w, m->pixel_max);
}

static void
get_image(DgwFrame *f, DgwImage *m)
{
	m->rows = dgw_get_u32(f);
	m->columns = dgw_get_u32(f);
	m->frames = dgw_get_u32(f);
	m->samples = dgw_get_u32(f);
	m->bits_stored = dgw_get_u32(f);
	m->photometric_interpretation = dgw_get_slice(f);
	m->has_window = dgw_get_u8(f);
	m->window_center = get_double(f);
	m->window_width = get_double(f);
	m->has_range = dgw_get_u8(f);
	m->pixel_min = get_double(f);
	m->pixel_max = get_double(f);
}

bool
dgw_encode_rendered(DgwFrameWriter *w, const DgwRendered *m)
{
	dgw_frame_begin(w, DGW_MSG_RENDERED);
	dgw_put_u8(w, m->outcome);
	dgw_put_slice(w, m->message);
	put_image(w, &m->image);
	dgw_put_u64(w, m->png_size);
	dgw_put_slice(w, m->header);
	return dgw_frame_end(w);
}

bool
dgw_decode_rendered(DgwFrame *f, DgwRendered *m)
{
	m->outcome = dgw_get_u8(f);
	m->message = dgw_get_slice(f);
	get_image(f, &m->image);
	m->png_size = dgw_get_u64(f);
	m->header = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
