/*-------------------------------------------------------------------------
 *
 * predicate.c
 *	  A route's predicate: a boolean SQL expression over dicomgw.route_row
 *	  (see predicate.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timeout.h"

#include "guc.h"
#include "predicate.h"

/*
 * Its one privilege, the command CHECKPOINT, is of no use in an expression;
 * a role of our own would outlive DROP EXTENSION.
 */
#define ROLE_WITHOUT_RIGHTS ROLE_PG_CHECKPOINT

struct DgwPredicateState
{
	ExprState *expr;
};

PG_FUNCTION_INFO_V1(dgw_check_predicate);
PG_FUNCTION_INFO_V1(dgw_check_expected_instances);

/* ---------- from text to expression ---------- */

/*
 * Positions that the parser reports are positions in the predicate, not in
 * the command that is being executed.
 */
static void
position_in_predicate(void *arg)
{
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

/* The location is a byte offset in the text, as the parser has it; -1: nowhere in particular. */
static void
refuse(const char *what, const char *text, int location)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s", what),
			 errhint("A predicate is one boolean expression over the columns of "
					 "dicomgw.route_row, such as modality = 'CT' AND calling_ae LIKE 'CT%%'."),
			 location >= 0 ? errposition(pg_mbstrlen_with_len(text, location) + 1) : 0));
}

/* The path for tag('PatientID'), as header_path.h has it; ERROR if there is no such attribute. */
static char *
resolve_attribute(const char *attribute)
{
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(attribute)};
	MemoryContext caller = CurrentMemoryContext;
	char *path;

	SPI_connect();
	if (SPI_execute_with_args("SELECT dicomgw.tag_path($1)", 1, types, values, NULL, true, 1) !=
			SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not look up attribute \"%s\"", attribute);
	path =
		MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return path;
}

/* What a predicate calls, and what that becomes: the attribute is looked up once, not for each object. */
typedef struct Accessor
{
	const char *name;
	const char *function;
	int more; /* arguments after the attribute */
} Accessor;

static const Accessor accessors[] = {
	{"tag", "tag_value", 0},
	{"tags", "tag_values", 0},
	{"tag_has", "tag_any_equal", 1},
	{"tag_like", "tag_any_like", 1},
};

/* tag('PatientID'), also with the header said or the schema. */
static const Accessor *
find_accessor(FuncCall *call)
{
	int n_args = list_length(call->args);
	const char *schema;
	const char *name;

	if (list_length(call->funcname) > 2)
		return NULL;
	name = strVal(llast(call->funcname));
	schema = list_length(call->funcname) == 2 ? strVal(linitial(call->funcname)) : "dicomgw";
	for (int i = 0; i < (int) lengthof(accessors); i++)
	{
		const Accessor *accessor = &accessors[i];

		if (strcmp(name, accessor->name) == 0 && strcmp(schema, "dicomgw") == 0 &&
			(n_args == 1 + accessor->more || n_args == 2 + accessor->more))
			return accessor;
	}
	return NULL;
}

/* It becomes dicomgw.tag_value(header, '00100020'). */
static void
rewrite_call(FuncCall *call, const Accessor *accessor, const char *text)
{
	int position = list_length(call->args) - 1 - accessor->more;
	ListCell *cell = list_nth_cell(call->args, position);
	A_Const *argument = lfirst(cell);
	A_Const *path = makeNode(A_Const);

	if (!IsA(argument, A_Const) || argument->isnull || !IsA(&argument->val, String))
		refuse(psprintf("%s() needs the keyword or the tag of an attribute as a constant",
						accessor->name),
			   text, call->location);
	path->val.sval.type = T_String;
	path->val.sval.sval = resolve_attribute(strVal(&argument->val));
	path->location = argument->location;
	lfirst(cell) = path;

	call->funcname = list_make2(makeString("dicomgw"), makeString(pstrdup(accessor->function)));
	if (position == 0)
	{
		ColumnRef *header = makeNode(ColumnRef);

		header->fields = list_make1(makeString("header"));
		header->location = call->location;
		call->args = lcons(header, call->args);
	}
}

/* Walk the raw parse tree: refuse what no predicate may have, rewrite tag() and its kin. */
static bool
prepare_raw(Node *node, void *context)
{
	const char *text = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
		refuse("a predicate cannot have a subquery", text, ((SubLink *) node)->location);
	/* A bare "*" of a SELECT list is nothing that transformExpr() knows: it would crash. */
	if (IsA(node, ColumnRef) && IsA(llast(((ColumnRef *) node)->fields), A_Star))
		refuse("a predicate cannot have \"*\" in the place of a column", text,
			   ((ColumnRef *) node)->location);
	if (IsA(node, FuncCall))
	{
		const Accessor *accessor = find_accessor((FuncCall *) node);

		if (accessor != NULL)
			rewrite_call((FuncCall *) node, accessor, text);
	}
	return raw_expression_tree_walker(node, prepare_raw, context);
}

/* The text as one raw expression; it must not smuggle in clauses of a query. */
static Node *
parse_expression(const char *text)
{
	List *parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, parsed)->stmt;
	ResTarget *target;

	if (!IsA(select, SelectStmt) || list_length(select->targetList) != 1 ||
		select->distinctClause != NIL || select->intoClause != NULL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->valuesLists != NIL || select->sortClause != NIL ||
		select->limitOffset != NULL || select->limitCount != NULL || select->lockingClause != NIL ||
		select->withClause != NULL || select->op != SETOP_NONE)
		refuse("a predicate must be one expression", text, -1);
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL || target->indirection != NIL)
		refuse("a predicate must be one expression", text, target->location);
	return target->val;
}

static Relation
open_route_row(void)
{
	Oid relid = get_relname_relid("route_row", get_namespace_oid("dicomgw", false));

	return relation_open(relid, AccessShareLock);
}

/* what: the kind of expression, for messages; NULL: of any type, whose value as text is wanted. */
static Expr *
compile(const char *text, Oid type, const char *what)
{
	ErrorContextCallback callback = {.callback = position_in_predicate,
									 .arg = unconstify(char *, text),
									 .previous = error_context_stack};
	int guc_level = NewGUCNestLevel();
	ParseState *pstate;
	ParseNamespaceItem *row;
	Relation relation;
	Node *expr;

	(void) set_config_option("search_path", "pg_catalog, dicomgw, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	error_context_stack = &callback;

	expr = parse_expression(text);
	prepare_raw(expr, unconstify(char *, text));

	relation = open_route_row();
	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = text;
	row = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, row, true, true, true);
	expr = transformExpr(pstate, expr, EXPR_KIND_WHERE);
	if (what != NULL)
		expr = coerce_to_specific_type(pstate, expr, type, what);
	else
		expr = coerce_to_target_type(pstate, expr, exprType(expr), type, -1, COERCION_EXPLICIT,
									 COERCE_EXPLICIT_CAST, -1);
	if (expr == NULL)
		refuse("the expression gives nothing that can be written as text", text, -1);
	assign_expr_collations(pstate, expr);
	if (contain_volatile_functions(expr))
		refuse("a predicate cannot call a volatile function", text, -1);
	free_parsestate(pstate);
	relation_close(relation, NoLock);

	error_context_stack = callback.previous;
	AtEOXact_GUC(true, guc_level);
	return (Expr *) expr;
}

Expr *
dgw_predicate_compile(const char *text)
{
	return compile(text, BOOLOID, "predicate");
}

Expr *
dgw_predicate_compile_integer(const char *text)
{
	return compile(text, INT4OID, "expected_instances");
}

Expr *
dgw_expression_compile(const char *text)
{
	return compile(text, TEXTOID, NULL);
}

/* ---------- evaluation ---------- */

static TimeoutId timer = MAX_TIMEOUTS;
static volatile sig_atomic_t time_is_up;

/* In a signal handler: the next CHECK_FOR_INTERRUPTS() raises an ERROR. */
static void
on_timeout(void)
{
	/* What somebody else has cancelled by now is not for us to explain. */
	if (QueryCancelPending)
		return;
	time_is_up = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
start_timer(void)
{
	if (timer == MAX_TIMEOUTS)
		timer = RegisterTimeout(USER_TIMEOUT, on_timeout);
	time_is_up = false;
	enable_timeout_after(timer, dgw_predicate_timeout);
}

/* True if the time was up, and an ERROR was raised for it. */
static bool
stop_timer(void)
{
	bool raised;

	disable_timeout(timer, false);
	raised = time_is_up && !QueryCancelPending;
	if (time_is_up && QueryCancelPending)
		QueryCancelPending = false;
	time_is_up = false;
	return raised;
}

/* What is done with an expression: prepared, or evaluated over a row. */
typedef struct Work
{
	Expr *expr;
	CachedExpression **planned; /* NULL: is not kept */
	ExprState *state;
	EState *estate;
	ExprContext *context;
	Datum value;
	bool isnull;
} Work;

/* Constants are computed when an expression is planned. */
static Expr *
planned_once(CachedExpression **planned, Expr *expr)
{
	if (*planned != NULL && !(*planned)->is_valid)
	{
		FreeCachedExpression(*planned);
		*planned = NULL;
	}
	if (*planned == NULL)
		*planned = GetCachedExpression((Node *) expr);
	return (Expr *) (*planned)->expr;
}

static void
prepare(Work *work)
{
	MemoryContext caller = MemoryContextSwitchTo(work->estate->es_query_cxt);
	Expr *expr = work->planned != NULL ? planned_once(work->planned, work->expr)
									   : expression_planner(copyObject(work->expr));

	work->state = ExecInitExpr(expr, NULL);
	MemoryContextSwitchTo(caller);
}

static void
evaluate(Work *work)
{
	work->value = ExecEvalExprSwitchContext(work->state, work->context, &work->isnull);
}

/* Without rights, and for no longer than dicomgw.predicate_timeout. */
static void
guarded(void (*step)(Work *work), Work *work)
{
	Oid save_user;
	int save_context;

	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(ROLE_WITHOUT_RIGHTS, save_context | SECURITY_RESTRICTED_OPERATION);
	start_timer();
	PG_TRY();
	{
		step(work);
	}
	PG_CATCH();
	{
		bool cancelled = geterrcode() == ERRCODE_QUERY_CANCELED;

		SetUserIdAndSecContext(save_user, save_context);
		if (!stop_timer() || !cancelled)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR, (errcode(DGW_ERRCODE_PREDICATE_TIMEOUT),
						errmsg("takes longer than %d ms for one object", dgw_predicate_timeout),
						errhint("dicomgw.predicate_timeout is the limit.")));
	}
	PG_END_TRY();
	(void) stop_timer();
	SetUserIdAndSecContext(save_user, save_context);
}

DgwPredicateState *
dgw_predicate_begin(Expr *expr, CachedExpression **planned, EState *estate)
{
	DgwPredicateState *state = palloc(sizeof(DgwPredicateState));
	Work work = {.expr = expr, .planned = planned, .estate = estate};

	guarded(prepare, &work);
	state->expr = work.state;
	return state;
}

Datum
dgw_predicate_value(DgwPredicateState *state, EState *estate, TupleTableSlot *slot, bool *isnull)
{
	Work work = {.state = state->expr, .context = GetPerTupleExprContext(estate)};

	ResetExprContext(work.context);
	work.context->ecxt_scantuple = slot;
	guarded(evaluate, &work);
	*isnull = work.isnull;
	return work.value;
}

bool
dgw_predicate_matches(DgwPredicateState *state, EState *estate, TupleTableSlot *slot)
{
	bool isnull;
	Datum value = dgw_predicate_value(state, estate, slot, &isnull);

	return !isnull && DatumGetBool(value);
}

/* ---------- when a route is written ---------- */

static void
try_on_empty_row(Expr *expr)
{
	EState *estate = CreateExecutorState();
	Relation relation = open_route_row();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
	bool isnull;

	ExecStoreAllNullTuple(slot);
	(void) dgw_predicate_value(dgw_predicate_begin(expr, NULL, estate), estate, slot, &isnull);
	ExecDropSingleTupleTableSlot(slot);
	relation_close(relation, NoLock);
	FreeExecutorState(estate);
}

/*
 * dicomgw.check_predicate(predicate text) returns void: compile it, and try it
 * on an empty row.
 */
Datum
dgw_check_predicate(PG_FUNCTION_ARGS)
{
	try_on_empty_row(dgw_predicate_compile(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	PG_RETURN_VOID();
}

static void
say_what(void *arg)
{
	errcontext("expected_instances of a route");
}

/* dicomgw.check_expected_instances(expected_instances text) returns void: the same for a number */
Datum
dgw_check_expected_instances(PG_FUNCTION_ARGS)
{
	ErrorContextCallback callback = {.callback = say_what, .previous = error_context_stack};

	error_context_stack = &callback;
	try_on_empty_row(dgw_predicate_compile_integer(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	error_context_stack = callback.previous;
	PG_RETURN_VOID();
}
