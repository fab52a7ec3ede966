/*-------------------------------------------------------------------------
 *
 * ascii.h
 *	  Text from a server, made fit for logs and tables: printable ASCII.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ASCII_H
#define DGW_ASCII_H

#include <stddef.h>

/*
 * Copy as much of a text as dest has room for: without blanks around it, '?'
 * for whatever is not printable ASCII.
 */
extern void dgw_copy_ascii(char *dest, size_t room, const char *text, size_t len);

#endif /* DGW_ASCII_H */
