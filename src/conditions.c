/*-------------------------------------------------------------------------
 *
 * conditions.c
 *	  What is wrong with the receiver just now (see conditions.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "conditions.h"
#include "shared.h"

static char texts[DGW_N_CONDITIONS][256];

static void
show(void)
{
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < DGW_N_CONDITIONS; i++)
		if (texts[i][0] != '\0')
			appendStringInfo(&all, "%s%s", all.len > 0 ? "; " : "", texts[i]);
	if (all.len > 0)
		dgw_note_error("%s", all.data);
	else
		dgw_clear_error();
	pfree(all.data);
}

void
dgw_condition(DgwCondition condition, const char *text)
{
	char *old = texts[condition];

	if (strncmp(old, text, sizeof(texts[condition]) - 1) == 0)
		return;
	if (text[0] != '\0')
		ereport(LOG, (errmsg("%s", text)));
	strlcpy(old, text, sizeof(texts[condition]));
	show();
}
