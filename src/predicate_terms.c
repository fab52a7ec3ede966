/*-------------------------------------------------------------------------
 *
 * predicate_terms.c
 *	  A predicate in parts (see predicate_terms.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/keywords.h"
#include "parser/scanner.h"

#include "predicate_terms.h"

/* What the scanner found, as far as it matters here. */
typedef struct Token
{
	int code;
	int start; /* byte offsets in the text */
	int end;
	int depth; /* of parentheses, brackets and CASE around it */
} Token;

typedef struct Tokens
{
	Token *items;
	int n;
} Tokens;

/* The token codes of keywords are in no header that stays; this is where they come from. */
static int
keyword_code(const char *keyword)
{
	int n = ScanKeywordLookup(keyword, &ScanKeywords);

	if (n < 0)
		elog(ERROR, "\"%s\" is no keyword", keyword);
	return ScanKeywordTokens[n];
}

static Tokens
scan(const char *text)
{
	int case_code = keyword_code("case");
	int end_code = keyword_code("end");
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
	Tokens tokens = {palloc((strlen(text) + 1) * sizeof(Token)), 0};
	int depth = 0;

	for (;;)
	{
		Token *token = &tokens.items[tokens.n];
		core_YYSTYPE value;

		token->code = core_yylex(&value, &token->start, scanner);
		if (token->code == 0)
			break;
		/* the scanner leaves its copy of the text cut off behind the token */
		token->end = token->start + (int) strlen(extra.scanbuf + token->start);
		if (token->code == ')' || token->code == ']' || token->code == end_code)
			depth--;
		token->depth = depth;
		if (token->code == '(' || token->code == '[' || token->code == case_code)
			depth++;
		tokens.n++;
	}
	scanner_finish(scanner);
	return tokens;
}

/* One pair of parentheses around all of it, as often as that is so. */
static void
strip_parentheses(Tokens *tokens, int *depth)
{
	while (tokens->n > 2 && tokens->items[0].code == '(')
	{
		for (int i = 1; i < tokens->n - 1; i++)
			if (tokens->items[i].depth <= *depth)
				return;
		tokens->items++;
		tokens->n -= 2;
		(*depth)++;
	}
}

/* Where the connective stands outside of parentheses; the AND of BETWEEN is none. */
static List *
find_connectives(const Tokens *tokens, int depth, const char *connective)
{
	int code = keyword_code(connective);
	int between_code = keyword_code("between");
	int and_code = keyword_code("and");
	int betweens = 0;
	List *found = NIL;

	for (int i = 0; i < tokens->n; i++)
	{
		const Token *token = &tokens->items[i];

		if (token->depth != depth)
			continue;
		if (token->code == between_code)
			betweens++;
		else if (token->code == and_code && betweens > 0)
			betweens--;
		else if (token->code == code)
			found = lappend_int(found, i);
	}
	return found;
}

static char *
slice(const char *text, const Tokens *tokens, int first, int last)
{
	int start = tokens->items[first].start;

	return pnstrdup(text + start, tokens->items[last].end - start);
}

DgwPredicateTerms
dgw_predicate_terms(const char *text)
{
	Tokens tokens = scan(text);
	DgwPredicateTerms terms = {0};
	int depth = 0;
	int first = 0;
	List *connectives;
	ListCell *cell;

	strip_parentheses(&tokens, &depth);
	terms.connective = "OR";
	connectives = find_connectives(&tokens, depth, "or");
	if (connectives == NIL)
	{
		terms.connective = "AND";
		connectives = find_connectives(&tokens, depth, "and");
	}
	if (connectives == NIL)
		terms.connective = NULL;

	foreach (cell, connectives)
	{
		terms.texts = lappend(terms.texts, slice(text, &tokens, first, lfirst_int(cell) - 1));
		first = lfirst_int(cell) + 1;
	}
	terms.texts = lappend(terms.texts, slice(text, &tokens, first, tokens.n - 1));
	return terms;
}
