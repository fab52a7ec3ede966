/*-------------------------------------------------------------------------
 *
 * render_object.h
 *	  An object shown by dicomgw-render, on behalf of a backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_RENDER_OBJECT_H
#define DGW_RENDER_OBJECT_H

#include "object_access.h"
#include "protocol/message.h"

/* What came of it: texts and picture are palloc'ed. */
typedef struct DgwRendering
{
	DgwRenderOutcome outcome;
	char *message; /* why it can't be shown; empty: nothing is wrong */
	DgwImage image;
	char *photometric_interpretation;
	bytea *png;	  /* NULL unless a picture was asked for, and is there */
	char *header; /* NULL unless asked for, and there */
} DgwRendering;

/*
 * Start the program, give it the object's file, and ask it (what, frame, size and
 * window of the request).  An object that brings it down can't be shown, which is
 * an outcome and no error.
 */
extern void dgw_render_object(const DgwObject *object, DgwRender *request, DgwRendering *rendering);

/* The error for what can't be shown. */
extern void dgw_cannot_show(const DgwObject *object, const DgwRendering *rendering)
	pg_attribute_noreturn();

#endif /* DGW_RENDER_OBJECT_H */
