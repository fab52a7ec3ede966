import { describe, expect, it } from 'vitest'
import { after, keyOf, nullsFirst, quoted, upTo, type Order } from '@/lib/keyset'

const byNumber: Order[] = [{ column: 'id', descending: true }]
const byName: Order[] = [
  { column: 'name', descending: false },
  { column: 'id', descending: true },
]

describe('a page by key', () => {
  it('begins behind the last row', () => {
    expect(after(byNumber, [7])).toBe('id.lt.7')
    expect(after(byName, ['b', 7])).toBe('name.gt."b",name.is.null,and(name.eq."b",id.lt.7)')
  })
  it('goes on among the rows without a value, which come last', () => {
    expect(after(byName, [null, 7])).toBe('and(name.is.null,id.lt.7)')
  })
  it('ends with a row', () => {
    expect(upTo(byNumber, [7])).toBe('id.gt.7,id.eq.7')
    expect(upTo(byName, ['b', 7])).toBe('name.lt."b",and(name.eq."b",id.gt.7),and(name.eq."b",id.eq.7)')
    expect(upTo(byName, [null, 7])).toBe('name.not.is.null,and(name.is.null,id.gt.7),and(name.is.null,id.eq.7)')
  })
  it('quotes what could be read as more conditions', () => {
    expect(quoted('a,b")')).toBe('"a,b\\")"')
    expect(quoted('a\\')).toBe('"a\\\\"')
  })
  it('takes the key from the columns of the order', () => {
    expect(keyOf({ id: 3, name: null, other: 1 }, byName)).toEqual([null, 3])
  })
})

const openFirst: Order[] = [
  { column: 'name', descending: true, nullsFirst: true },
  { column: 'id', descending: true },
]

describe('rows without a value', () => {
  it('come last, but where it is said; the last column goes as its index does', () => {
    expect(byName.map((_, i) => nullsFirst(byName, i))).toEqual([false, true])
    expect(openFirst.map((_, i) => nullsFirst(openFirst, i))).toEqual([true, true])
  })
})

const inOrder = [{ id: 5, name: 'a' }, { id: 2, name: 'a' }, { id: 9, name: 'b' }, { id: 7, name: null }, { id: 1, name: null }]
const openOnesFirst = [{ id: 7, name: null }, { id: 1, name: null }, { id: 9, name: 'b' }, { id: 5, name: 'a' }, { id: 2, name: 'a' }]

/** Every page after every row, on real rows: the union is everything, once. */
it.each([
  { order: byName, rows: inOrder },
  { order: openFirst, rows: openOnesFirst },
])('misses no row and gives none twice', ({ order, rows }) => {
  for (let i = 0; i < rows.length; i++) {
    const key = keyOf(rows[i] as object as Record<string, unknown>, order)
    const behind = rows.filter((row) => matches(after(order, key), row))
    const before = rows.filter((row) => matches(upTo(order, key), row))
    expect(behind).toEqual(rows.slice(i + 1))
    expect(before).toEqual(rows.slice(0, i + 1))
  }
})

/** PostgREST's or=(...), as far as keys use it. */
function matches(or: string, row: { id: number; name: string | null }): boolean {
  return split(or).some((condition) => holds(condition, row))
}

function holds(condition: string, row: { id: number; name: string | null }): boolean {
  if (condition.startsWith('and(')) return split(condition.slice(4, -1)).every((part) => holds(part, row))
  const [, column, not, operator, text] = /^(\w+)\.(not\.)?(\w+)\.(.*)$/.exec(condition) ?? []
  const value = column === 'id' ? row.id : row.name
  if (operator === 'is') return (value === null) !== (not !== undefined)
  if (value === null) return false
  const other = column === 'id' ? Number(text) : String(JSON.parse(text ?? ''))
  return operator === 'eq' ? value === other : operator === 'lt' ? value < other : value > other
}

function split(list: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= list.length; i++) {
    if (list[i] === '(') depth++
    else if (list[i] === ')') depth--
    else if (i === list.length || (list[i] === ',' && depth === 0)) {
      parts.push(list.slice(start, i))
      start = i + 1
    }
  }
  return parts
}
