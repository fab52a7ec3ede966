import { describe, expect, it } from 'vitest'
import { changesOf, differences, nameIsTaken, stillDeleted, type Version } from '@/lib/versions'

function version(n: number, contents: object, more: Partial<Version> = {}): Version {
  return {
    table_name: 'destination', row_key: '1', name: 'pacs', version: n, operation: n === 1 ? 'insert' : 'update', valid_from: '2026-11-25T10:00:00Z',
    changed_by: 'anna', changed_as: null, application: null, replicated: false, transaction_id: '1', contents: contents as Version['contents'], secrets: {}, ...more,
  }
}

describe('versions of a row', () => {
  const first = version(1, { name: 'pacs', port: 104, url: null })
  const second = version(2, { name: 'pacs', port: 11112, url: null, days: [1, 2] })

  it('differ in what has changed, and in nothing else', () => {
    expect(differences(first, second)).toEqual([
      { column: 'port', before: '104', after: '11112' },
      { column: 'days', before: null, after: '1, 2' },
    ])
  })
  it('a first one says all that has a value', () => {
    expect(differences(undefined, first).map(({ column }) => column)).toEqual(['name', 'port'])
  })
  it('a column that is gone is a difference', () => {
    expect(differences(second, first)).toContainEqual({ column: 'days', before: '1, 2', after: null })
  })
  it('of a secret only that it is another one', () => {
    const changed = differences(version(1, {}, { secrets: { passcode: 1 } }), version(2, {}, { secrets: { passcode: 2 } }))
    expect(changed).toEqual([{ column: 'passcode', before: 'a secret, of version 1', after: 'a secret, of version 2' }])
    expect(differences(version(1, {}, { secrets: { passcode: 1 } }), version(2, {}, { secrets: { passcode: null } }))[0]?.after).toBeNull()
  })
  it('begin anew after it was deleted', () => {
    const deleted = version(2, first.contents as object, { operation: 'delete' })
    const again = version(3, first.contents as object, { operation: 'insert' })
    const changes = changesOf([again, deleted, first])
    expect(changes.map((c) => [c.first, c.differences.length])).toEqual([[true, 2], [false, 0], [true, 2]])
  })
})

describe('deleted rows', () => {
  const gone = version(3, {}, { operation: 'delete' })
  const earlier = version(1, {}, { operation: 'delete' })
  const other = version(2, {}, { operation: 'delete', row_key: '2' })

  it('are listed once each, and not if they are back', () => {
    expect(stillDeleted([gone, earlier, other], [])).toEqual([gone, other])
    expect(stillDeleted([gone, earlier, other], [version(4, {})])).toEqual([other])
  })
  it('are not brought back by a name that means another one', () => {
    expect(nameIsTaken(gone, [gone, other], [])).toBe(false)
    expect(nameIsTaken(other, [gone, other], [])).toBe(true)
    expect(nameIsTaken(gone, [gone], [version(1, {}, { row_key: '9' })])).toBe(true)
    expect(nameIsTaken(gone, [gone], [version(1, {}, { row_key: '9', name: 'archive' })])).toBe(false)
  })
})
