import { describe, expect, it } from 'vitest'
import { lineAndColumn, pieces, spanAt, spanOfQuoted, wordAt } from '@/lib/expression'

const kinds = (text: string) => pieces(text).filter((p) => p.text.trim() !== '').map((p) => `${p.kind}:${p.text}`)

describe('the pieces of an expression', () => {
  it('are told apart', () => {
    expect(kinds("modality IN ('CT', 'MR') AND size > 1.5e3 -- big")).toEqual([
      'name:modality', 'keyword:IN', 'other:(', "string:'CT'", 'other:,', "string:'MR'", 'other:)', 'keyword:AND', 'name:size', 'operator:>',
      'number:1.5e3', 'comment:-- big',
    ])
    expect(kinds("tag('Rows')::integer <= 512")).toEqual(['function:tag', 'other:(', "string:'Rows'", 'other:)', 'operator:::', 'name:integer', 'operator:<=', 'number:512'])
  })
  it('texts have quotes in them, and dollars around them', () => {
    expect(kinds("'it''s' || $x$a'b$x$ || e'\\''")).toEqual(["string:'it''s'", 'operator:||', "string:$x$a'b$x$", 'operator:||', "string:e'\\''"])
  })
  it('what is not closed goes to the end', () => {
    expect(kinds("a = 'CT AND b")).toEqual(['name:a', 'operator:=', "string:'CT AND b"])
    expect(kinds('a /* AND b')).toEqual(['name:a', 'comment:/* AND b'])
  })
  it('an operator ends where a comment begins', () => expect(kinds('a <--b')).toEqual(['name:a', 'operator:<', 'comment:--b']))
  it('nothing is lost, whatever it is', () => {
    for (const text of ['', 'ä = \u{1f600}', '"a""b" §', "''''", '$$', '5..']) expect(pieces(text).map((p) => p.text).join('')).toBe(text)
  })
})

describe('the word at the caret', () => {
  it('is a name', () => expect(wordAt('modality = 5', 3)).toEqual({ kind: 'name', start: 0, end: 8, typed: 'mod' }))
  it('is none yet', () => expect(wordAt('modality = ', 11)).toEqual({ kind: 'name', start: 11, end: 11, typed: '' }))
  it('is an attribute between the quotes of tag()', () => {
    expect(wordAt("tag('Pat') = 1", 8)).toEqual({ kind: 'attribute', start: 5, end: 8, typed: 'Pat' })
    expect(wordAt("tag_has( 'Im", 12)).toEqual({ kind: 'attribute', start: 10, end: 12, typed: 'Im' })
  })
  it('is nothing in a text, a comment or a number', () => {
    expect(wordAt("modality = 'C'", 13)).toBeNull()
    expect(wordAt("tag('Pat')", 9)).toBeNull()
    expect(wordAt('a -- b', 6)).toBeNull()
    expect(wordAt('size > 12', 9)).toBeNull()
  })
})

describe('where an error is', () => {
  it('is the piece at that character', () => {
    expect(spanAt('modality = CT AND', 12)).toEqual({ start: 11, end: 13 })
    expect(spanAt("a = 'CT", 5)).toEqual({ start: 4, end: 7 })
  })
  it('counts characters, not halves of them', () => expect(spanAt("a = '\u{1f600}' AND b", 13)).toEqual({ start: 13, end: 14 }))
  it('may be behind the end', () => expect(spanAt('a =', 4)).toEqual({ start: 3, end: 4 }))
  it('is the word that the message names, unless there are two', () => {
    expect(spanOfQuoted("tag('Rowz') = '1'", '"Rowz" is neither the keyword nor the tag of a DICOM attribute')).toEqual({ start: 5, end: 9 })
    expect(spanOfQuoted("tag('Rowz') = 'Rowz'", '"Rowz" is neither')).toBeNull()
    expect(spanOfQuoted('true', 'there is "no" such')).toBeNull()
  })
  it('has a line', () => expect(lineAndColumn("a = 1\nAND \u{1f600}b", 12)).toEqual({ line: 2, column: 6 }))
})
