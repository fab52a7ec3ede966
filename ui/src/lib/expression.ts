/*
 * SQL expressions of routes and edits, as an editor sees them: pieces to colour, the word that is being typed, and the
 * piece that an error is about.
 */
export type PieceKind = 'keyword' | 'function' | 'name' | 'string' | 'number' | 'comment' | 'operator' | 'other'

export interface Piece {
  kind: PieceKind
  start: number
  text: string
}

const KEYWORDS = new Set(
  ('and or not in is null true false like ilike similar to between symmetric case when then else end any all some array cast as ' +
    'at time zone collate distinct from current_date current_timestamp date timestamp timestamptz interval inet isnull notnull escape').split(' '),
)

/** What is not closed goes to the end of the text. */
const PATTERN = new RegExp(
  [
    String.raw`(?<comment>--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<string>[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?<dollar>\w*)\$[\s\S]*?(?:\$\k<dollar>\$|$))`,
    String.raw`(?<name>"(?:[^"]|"")*(?:"|$)|[\p{L}_][\p{L}\p{N}_$]*)`,
    String.raw`(?<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)`,
    // not the beginning of a comment
    String.raw`(?<operator>(?:(?!--|/\*)[-+*/<>=~!@#%^&|?:])+)`,
    String.raw`(?<other>\s+|[\s\S])`,
  ].join('|'),
  'uy',
)

function kindOf(match: RegExpExecArray, text: string): PieceKind {
  const { groups } = match
  if (groups?.name !== undefined) {
    if (KEYWORDS.has(groups.name.toLowerCase())) return 'keyword'
    return /^\s*\(/.test(text.slice(match.index + groups.name.length)) ? 'function' : 'name'
  }
  return (['comment', 'string', 'number', 'operator'] as const).find((kind) => groups?.[kind] !== undefined) ?? 'other'
}

export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  PATTERN.lastIndex = 0
  for (let match = PATTERN.exec(text); match !== null && match[0] !== ''; match = PATTERN.exec(text)) {
    found.push({ kind: kindOf(match, text), start: match.index, text: match[0] })
  }
  return found
}

export interface Word {
  /** an attribute: between the quotes of tag('…') */
  kind: 'attribute' | 'name'
  start: number
  end: number
  /** of the word, what is before the caret */
  typed: string
}

const TAKE_ATTRIBUTES = /^tags?$|^tag_(has|like)$/i

/** The word that the caret is in or behind; null: in a text or a comment, where nothing can be completed. */
export function wordAt(text: string, caret: number): Word | null {
  const all = pieces(text)
  const index = all.findIndex(({ start, text: piece }) => start < caret && caret <= start + piece.length)
  const piece = all[index]
  if (piece === undefined) return { kind: 'name', start: caret, end: caret, typed: '' }
  const end = piece.start + piece.text.length
  if (piece.kind === 'string') {
    const closed = piece.text.length > 1 && piece.text.endsWith("'")
    if (closed && caret === end) return null
    const before = all.slice(0, index).filter(({ text: other }) => other.trim() !== '')
    if (before.at(-1)?.text !== '(' || !TAKE_ATTRIBUTES.test(before.at(-2)?.text ?? '')) return null
    return { kind: 'attribute', start: piece.start + 1, end: closed ? end - 1 : end, typed: text.slice(piece.start + 1, caret) }
  }
  if (piece.kind === 'comment' || piece.kind === 'number') return null
  if (piece.kind === 'operator' || piece.kind === 'other') return { kind: 'name', start: caret, end: caret, typed: '' }
  return { kind: 'name', start: piece.start, end, typed: text.slice(piece.start, caret) }
}

export interface Span {
  start: number
  end: number
}

/** The piece at a character as PostgreSQL counts them: from 1, and one for what JavaScript stores as two. */
export function spanAt(text: string, character: number): Span {
  const start = [...text].slice(0, character - 1).join('').length
  const piece = pieces(text).find((p) => p.start <= start && start < p.start + p.text.length)
  if (piece === undefined || piece.text.trim() === '') return { start, end: start + 1 }
  return { start, end: piece.start + piece.text.length }
}

/** Where that is, as people say it. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split('\n')
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 }
}

/** Of a message that names a piece of the text, as "PatientIdd" is no attribute: that piece, if there is only one. */
export function spanOfQuoted(text: string, message: string): Span | null {
  const word = /"([^"]+)"/.exec(message)?.[1]
  if (word === undefined) return null
  const start = text.indexOf(word)
  return start < 0 || text.includes(word, start + 1) ? null : { start, end: start + word.length }
}
