/*-------------------------------------------------------------------------
 *
 * render.cpp
 *	  dicomgw-render: shows one stored object to somebody.
 *
 * Started by a backend that runs dicomgw.preview() and the like, with a render
 * channel (protocol/message.h) on descriptor 3.  It is given an open file and
 * asked once; it never knows names, and has nothing that is worth taking but
 * that one object.  What it can't show it says in words; if it dies, that one
 * request fails.
 *
 *		render.cpp				start and end of the program
 *		sandbox.cpp				what it may do
 *		image_frame.cpp			one frame of an image
 *		image_attributes.cpp	how it is to be shown
 *		picture.cpp				windowed and scaled
 *		png_file.cpp				as a PNG file
 *		header_json.cpp			or the header as DICOM JSON
 *		codecs.cpp				DCMTK's codecs
 *		pixel_data.cpp			is it what it says
 *		jpeg_frame.cpp			what a JPEG image says of its size
 *		dataset_reader.cpp		the dataset's elements
 *		channel.cpp				messages from and to the backend
 *
 *-------------------------------------------------------------------------
 */
#include "channel.h"
#include "codecs.h"
#include "header_json.h"
#include "image_attributes.h"
#include "image_frame.h"
#include "picture.h"
#include "png_file.h"
#include "sandbox.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/oflog/oflog.h>

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

using namespace dicomgw;

namespace
{

constexpr char PROGRAM[] = "dicomgw-render " DGW_VERSION;

/* What is asked, on its own. */
struct Task
{
	explicit Task(const DgwRender &message, int fd)
		: what(message.what),
		  path("/proc/self/fd/" + std::to_string(fd)),
		  offset(message.dataset_offset),
		  transfer_syntax_uid(str(message.transfer_syntax_uid)),
		  frame(message.frame)
	{
		request.width = message.width;
		request.height = message.height;
		request.window = {message.has_window != 0, message.window_center, message.window_width};
	}

	uint8_t what;
	std::string path;
	uint64_t offset;
	std::string transfer_syntax_uid;
	uint32_t frame;
	PictureRequest request;
};

/* The answer, with the strings that it points to. */
struct Answer
{
	DgwRendered message = {};
	std::string why;
	std::string photometric;
	std::string header;
	int fd = -1;
};

void
describe(const ImageFrame &frame, const PixelValues &values, Answer &answer)
{
	DgwImage &image = answer.message.image;

	image.window_center = values.window.center;
	image.window_width = values.window.width;
	image.has_window = values.window.given;
	image.has_range = values.has_range;
	image.pixel_min = values.min;
	image.pixel_max = values.max;
	image.frames = frame.frames();
}

/* A code string, or nothing: what is damaged may hold anything. */
std::string
code_string(const std::string &text)
{
	static constexpr char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ";

	return text.size() <= 16 && text.find_first_not_of(LETTERS) == std::string::npos ? text : "";
}

/* As the object says it; decoding may change some of it. */
void
describe_declaration(const ImageFrame &frame, Answer &answer)
{
	const ImageAttributes &attributes = frame.attributes();
	DgwImage &image = answer.message.image;

	image.rows = attributes.number(TAG_ROWS, 0);
	image.columns = attributes.number(TAG_COLUMNS, 0);
	image.samples = attributes.number(TAG_SAMPLES_PER_PIXEL, 1);
	image.bits_stored = attributes.number(TAG_BITS_STORED, 0);
	answer.photometric = code_string(attributes.text(TAG_PHOTOMETRIC_INTERPRETATION));
}

void
show_image(const Task &task, DatasetReader &reader, Answer &answer)
{
	ImageFrame frame(reader, task.transfer_syntax_uid);
	const ImageFrame::Found found = frame.find(task.frame);
	PixelValues values;
	Picture picture;

	describe_declaration(frame, answer);
	answer.why = frame.why();
	if (found == ImageFrame::Found::Frame)
	{
		const Codecs codecs(DcmXfer(task.transfer_syntax_uid.c_str()).getXfer());

		answer.why = draw_picture(frame, task.request,
								  task.what == DGW_RENDER_PICTURE ? &picture : nullptr, values);
	}
	describe(frame, values, answer);
	if (found == ImageFrame::Found::NoFrame)
		answer.message.outcome = DGW_RENDER_NO_FRAME;
	if (!answer.why.empty())
		return;
	answer.message.outcome = DGW_RENDER_DONE;
	if (task.what != DGW_RENDER_PICTURE)
		return;
	answer.message.png_size = write_png(picture, answer.fd);
	if (answer.message.png_size == 0)
	{
		answer.message.outcome = DGW_RENDER_CANNOT;
		answer.why = "its picture is too large";
	}
}

void
show(const Task &task, Answer &answer)
{
	answer.message.outcome = DGW_RENDER_CANNOT;
	if (task.what == DGW_RENDER_HEADER)
	{
		const bool loaded = dcmDataDict.isDictionaryLoaded() != OFFalse;

		if (!loaded || !enter_sandbox(Files::Readable))
			throw std::runtime_error("no data dictionary, or no seccomp");
		const HeaderJson header = read_header(task.path, task.offset, task.transfer_syntax_uid);

		answer.header = header.json;
		answer.why = header.error;
		answer.message.outcome = header.json.empty() ? DGW_RENDER_CANNOT : DGW_RENDER_DONE;
		return;
	}
	load_image_dictionary();
	DatasetReader reader(task.path, task.offset, task.transfer_syntax_uid);

	if (task.what == DGW_RENDER_PICTURE)
		answer.fd = memfd_create("picture", MFD_CLOEXEC);
	if (!enter_sandbox(Files::Closed))
		throw std::runtime_error("no seccomp");
	try
	{
		show_image(task, reader, answer);
	}
	catch (const std::bad_alloc &)
	{
		answer.message.outcome = DGW_RENDER_CANNOT;
		answer.why = "its image takes too much memory";
	}
}

int
serve_backend()
{
	Channel channel(DGW_CHANNEL_FD, DGW_CHANNEL_RENDER);
	DgwRender message;
	DgwFrame frame;
	Answer answer;

	if (!channel.hello(PROGRAM) || channel.receive(frame) != DGW_READ_OK)
		return 1;
	const int fd = channel.take_fd();

	if (frame.type != DGW_MSG_RENDER || !dgw_decode_render(&frame, &message) || fd < 0)
		return 1;
	show(Task(message, fd), answer);
	answer.message.message = slice(answer.why);
	answer.message.header = slice(answer.header);
	answer.message.image.photometric_interpretation = slice(answer.photometric);
	if (!channel.send(dgw_encode_rendered, answer.message,
					  answer.message.png_size > 0 ? answer.fd : -1))
		return 1;
	/* Until the backend has had it: then it closes the channel. */
	return channel.receive(frame) == DGW_READ_EOF ? 0 : 1;
}

} // namespace

int
main()
{
	die_with_parent(getppid());
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	/* What DCMTK would print can hold what an object holds; failures are reported by us. */
	OFLog::configure(OFLogger::OFF_LOG_LEVEL);
	try
	{
		return serve_backend();
	}
	catch (const std::exception &e)
	{
		fprintf(stderr, "dicomgw-render: %s\n", e.what());
		return 1;
	}
}
