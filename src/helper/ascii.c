/*-------------------------------------------------------------------------
 *
 * ascii.c
 *	  Text from a server, made fit for logs and tables (see ascii.h).
 *
 *-------------------------------------------------------------------------
 */
#include "ascii.h"

#include <stdbool.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

void
dgw_copy_ascii(char *dest, size_t room, const char *text, size_t len)
{
	size_t n = 0;

	while (len > 0 && is_blank(text[0]))
	{
		text++;
		len--;
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (; n < len && n + 1 < room; n++)
		dest[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	dest[n] = '\0';
}
