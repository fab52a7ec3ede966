/*
 * What an expression can go on with: columns, operators and functions, attributes.
 */
import type { Word } from './expression'
import type { PlainKey } from '@/i18n'

export interface Suggestion {
  label: string
  /** what it is */
  detail: string
  /** takes the place of the word; "|" is where the caret is then (its end) */
  insert: string
}

interface Known {
  label: string
  insert?: string
  detail: PlainKey
}

/** Of SQL, what predicates are made of; all else can be typed. */
export const KNOWN: readonly Known[] = [
  { label: 'AND', insert: 'AND ', detail: 'expression.known.and' },
  { label: 'OR', insert: 'OR ', detail: 'expression.known.or' },
  { label: 'NOT', insert: 'NOT ', detail: 'expression.known.not' },
  { label: 'IN (…)', insert: "IN ('|')", detail: 'expression.known.in' },
  { label: 'LIKE', insert: "LIKE '|%'", detail: 'expression.known.like' },
  { label: 'ILIKE', insert: "ILIKE '%|%'", detail: 'expression.known.ilike' },
  { label: 'BETWEEN', insert: 'BETWEEN | AND ', detail: 'expression.known.between' },
  { label: 'IS NULL', insert: 'IS NULL ', detail: 'expression.known.isNull' },
  { label: 'IS NOT NULL', insert: 'IS NOT NULL ', detail: 'expression.known.isNotNull' },
  { label: '~*', insert: "~* '|'", detail: 'expression.known.regexp' },
  { label: '<<=', insert: "<<= inet '|'", detail: 'expression.known.network' },
  { label: 'tag()', insert: "tag('|')", detail: 'expression.known.tag' },
  { label: 'tags()', insert: "tags('|')", detail: 'expression.known.tags' },
  { label: 'tag_has()', insert: "tag_has('|', '')", detail: 'expression.known.tagHas' },
  { label: 'tag_like()', insert: "tag_like('|', '')", detail: 'expression.known.tagLike' },
  { label: 'coalesce()', insert: "coalesce(|, '')", detail: 'expression.known.coalesce' },
  { label: 'upper()', insert: 'upper(|)', detail: 'expression.known.upper' },
  { label: 'lower()', insert: 'lower(|)', detail: 'expression.known.lower' },
  { label: 'left()', insert: 'left(|, 1)', detail: 'expression.known.left' },
  { label: 'starts_with()', insert: "starts_with(|, '')", detail: 'expression.known.startsWith' },
  { label: 'current_date', insert: 'current_date ', detail: 'expression.known.currentDate' },
  { label: 'true', insert: 'true ', detail: 'expression.known.true' },
]

export interface Column {
  name: string
  detail: string
}

export interface Attribute {
  keyword: string
  tag: string
  vr: string
}

/** 00100020 as people write it: 0010,0020 */
export function writtenTag(tag: string): string {
  return `${tag.slice(0, 4)},${tag.slice(4)}`
}

/** How well a label answers to what was typed: 0 it begins so, 1 a part of it does, null not at all. */
function rank(label: string, typed: string): number | null {
  const at = label.toLowerCase().indexOf(typed.toLowerCase())
  if (at < 0) return null
  return at === 0 ? 0 : 1
}

function matching(all: readonly Suggestion[], typed: string): Suggestion[] {
  const ranked = all.map((suggestion) => ({ suggestion, place: rank(suggestion.label, typed) })).filter(({ place }) => place !== null)
  return ranked.sort((a, b) => (a.place ?? 0) - (b.place ?? 0)).map(({ suggestion }) => suggestion)
}

export function suggest(word: Word, known: readonly Suggestion[], columns: readonly Column[], attributes: readonly Attribute[], text: string): Suggestion[] {
  const detail = ({ tag, vr }: Attribute) => `${writtenTag(tag)} ${vr}`
  if (word.kind === 'attribute') {
    const closed = text[word.end] === "'"
    return attributes.map((a) => ({ label: a.keyword, detail: detail(a), insert: closed ? a.keyword : `${a.keyword}')` }))
  }
  return [
    ...matching([...columns.map((c) => ({ label: c.name, detail: c.detail, insert: `${c.name} ` })), ...known], word.typed),
    ...(word.typed === '' ? [] : attributes.map((a) => ({ label: a.keyword, detail: detail(a), insert: `tag('${a.keyword}') ` }))),
  ]
}

/** The text with a suggestion in the place of the word, and where the caret is then. */
export function accept(text: string, word: Word, insert: string): { text: string; caret: number } {
  const [before = '', after] = insert.split('|')
  const rest = text.slice(word.end)
  // one blank is enough
  const head = after === undefined && before.endsWith(' ') && /^\s/.test(rest) ? before.slice(0, -1) : before
  // behind the quotes that an attribute is in
  const closing = word.kind === 'attribute' ? (/^'\)?/.exec(rest)?.[0].length ?? 0) : 0
  return { text: text.slice(0, word.start) + head + (after ?? '') + rest, caret: word.start + head.length + closing }
}
