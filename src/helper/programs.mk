# The helper programs and what each is made of, from the top of the tree.  Read by
# the Makefile, and by test/Makefile, which builds them with sanitizers.

PROGRAMS = dicomgw-scp dicomgw-scu dicomgw-stow dicomgw-render dicomgw-syslog dicomgw-sync

# The protocol between workers and helper programs: linked into all.
PROTOCOL_OBJS = $(addprefix src/protocol/,frame.o message.o message_receiving.o \
	message_sending.o message_rendering.o message_audit.o message_sync.o)

# What both programs need to talk DICOM, and to their worker.
SHARED_HELPER_OBJS = $(addprefix src/helper/,channel.o dimse.o transport.o stream.o tls_stream.o \
	tls_context.o tls_reason.o interrupt.o peer_text.o)

# The elements of a dataset, and what is made of them.
READER_OBJS = $(addprefix src/helper/,dataset_reader.o vr.o)
HEADER_OBJS = $(addprefix src/helper/,header_json.o json_value.o character_set.o) $(READER_OBJS)

# Other transfer syntaxes for stored datasets.
TRANSCODER_OBJS = $(addprefix src/helper/,transcoder.o pixel_data.o jpeg_frame.o codecs.o \
	dataset_survey.o temporary_file.o) $(READER_OBJS)

# A route's edits on stored datasets.
EDITOR_OBJS = $(addprefix src/helper/,dataset_editor.o edit_plan.o edit_value.o patched_file.o \
	character_set.o) $(TRANSCODER_OBJS)

SCP_OBJS = $(addprefix src/helper/,scp.o listener.o waiting_room.o association_processes.o \
	turned_away.o caller.o association.o connection.o admission.o identity.o \
	negotiation.o store.o storage_gate.o object_file.o placed_file.o) src/directory_sync.o $(HEADER_OBJS)

SCU_OBJS = $(addprefix src/helper/,scu.o sender.o requestor.o exchange.o answer.o dial.o \
	dataset_file.o outgoing.o edited_object.o sender_echo.o) $(EDITOR_OBJS)

# A stored image as a picture.
PICTURE_OBJS = $(addprefix src/helper/,image_frame.o image_attributes.o picture.o png_file.o pixel_data.o \
	jpeg_frame.o codecs.o) $(READER_OBJS)

RENDER_OBJS = $(addprefix src/helper/,render.o sandbox.o channel.o) \
	$(sort $(PICTURE_OBJS) $(HEADER_OBJS))

# The audit log's way out.  In C++ for the sake of what it shares with the others; no DCMTK.
SYSLOG_OBJS = $(addprefix src/helper/,syslog.o syslog_session.o channel.o dial.o stream.o \
	tls_stream.o tls_context.o tls_reason.o peer_text.o)

# What all of them need to talk to their worker.
WORKER_OBJS = src/helper/worker_channel.o $(PROTOCOL_OBJS)

# What a server's answer is read with.
STOW_RESPONSE_OBJS = $(addprefix src/helper/,stow_response.o stow_json.o stow_xml.o)

# The program in C.
STOW_OBJS = $(addprefix src/helper/,stow.o stow_sender.o stow_request.o stow_verdict.o stow_echo.o \
	http_client.o http_setup.o stored_file.o ascii.o) $(STOW_RESPONSE_OBJS)

# What puts files on the disk that the journal has vouched for until then.
SYNC_OBJS = src/helper/sync.o src/directory_sync.o

HELPER_LIBS = -ldcmjpeg -ldcmjpls -ldcmnet -ldcmtls -ldcmdata -loflog -lofstd -ljansson -lssl -lcrypto -largon2 -lpthread
SYSLOG_LIBS = -lssl -lcrypto
STOW_LIBS = -lcurl -ljansson -lexpat -lssl -lcrypto
RENDER_LIBS = -ldcmimage -ldcmimgle -ldcmjpeg -ldcmjpls -ldcmdata -loflog -lofstd -ljansson -lpng -lseccomp -lcrypto
