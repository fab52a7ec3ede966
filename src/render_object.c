/*-------------------------------------------------------------------------
 *
 * render_object.c
 *	  An object shown by dicomgw-render (see render_object.h).
 *
 * A program a request: it is confined before it sees a byte, so it can't serve a
 * second one, and nothing of an object can get into the picture of another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "helper_process.h"
#include "render_object.h"

/* Its own limit of CPU time is lower: then it is stuck, or the machine is (milliseconds). */
#define TIMEOUT_MS 20000

#define MAX_PNG (64 * 1024 * 1024)

/* What a helper program says is bytes until it is known to be text. */
static char *
text_of(DgwSlice slice)
{
	if (!pg_verify_mbstr(PG_UTF8, slice.data, (int) slice.len, true))
		return pstrdup("");
	return pg_any_to_server(pnstrdup(slice.data, slice.len), (int) slice.len, PG_UTF8);
}

/* The picture is read, not mapped: the program may still cut it short. */
static bytea *
read_png(int fd, uint64 size)
{
	bytea *png;
	uint64 got = 0;

	if (fd < 0 || size > MAX_PNG)
		return NULL;
	png = palloc(VARHDRSZ + size);
	SET_VARSIZE(png, VARHDRSZ + size);
	while (got < size)
	{
		ssize_t n = pg_pread(fd, VARDATA(png) + got, (size_t) (size - got), (off_t) got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			pfree(png);
			return NULL;
		}
		got += (uint64) n;
	}
	return png;
}

static void
take_answer(DgwHelper *helper, const DgwRendered *answer, DgwRendering *rendering)
{
	int fd = dgw_reader_take_fd(&helper->channel.reader);

	rendering->outcome = (DgwRenderOutcome) answer->outcome;
	rendering->message = text_of(answer->message);
	rendering->image = answer->image;
	rendering->photometric_interpretation = text_of(answer->image.photometric_interpretation);
	if (answer->header.len > 0)
		rendering->header = text_of(answer->header);
	if (answer->png_size > 0)
		rendering->png = read_png(fd, answer->png_size);
	if (fd >= 0)
		close(fd);
}

static void
converse(DgwHelper *helper, const DgwRender *request, int fd, DgwRendering *rendering)
{
	DgwFrame frame;
	DgwRendered answer;

	dgw_encode_render(&helper->channel.writer, request);
	if (dgw_channel_send_fd(&helper->channel, fd) &&
		dgw_helper_await(helper, DGW_MSG_RENDERED, TIMEOUT_MS, &frame) &&
		dgw_decode_rendered(&frame, &answer))
		take_answer(helper, &answer, rendering);
}

void
dgw_render_object(const DgwObject *object, DgwRender *request, DgwRendering *rendering)
{
	DgwHelper helper = {0};
	int64 file_size;
	int fd = dgw_object_open(object, &file_size);

	memset(rendering, 0, sizeof(*rendering));
	request->dataset_offset = (uint64) (file_size - object->size);
	request->transfer_syntax_uid = dgw_slice(object->transfer_syntax_uid);
	dgw_helper_start(&helper, "dicomgw-render", DGW_CHANNEL_RENDER);
	PG_TRY();
	{
		converse(&helper, request, fd, rendering);
	}
	PG_FINALLY();
	{
		char *end = dgw_helper_stop(&helper);

		if (rendering->outcome == 0)
		{
			rendering->outcome = DGW_RENDER_CANNOT;
			rendering->message = psprintf("helper program dicomgw-render %s", end);
			rendering->photometric_interpretation = pstrdup("");
		}
	}
	PG_END_TRY();
	CloseTransientFile(fd);
}

void
dgw_cannot_show(const DgwObject *object, const DgwRendering *rendering)
{
	ereport(ERROR, (errcode(rendering->outcome == DGW_RENDER_NO_FRAME ? DGW_ERRCODE_NOT_FOUND
																	  : DGW_ERRCODE_CANNOT_SHOW),
					errmsg("object " INT64_FORMAT " cannot be shown: %s", object->id,
						   rendering->message)));
}
