import { describe, expect, it } from 'vitest'
import { inOrder, moveTo, withPositions, type Positioned } from '@/lib/ordering'

const rows = (...positions: number[]): Positioned[] => positions.map((position, i) => ({ id: i + 1, position }))
const ids = (of: readonly Positioned[]) => of.map(({ id }) => id)

describe('moving a row', () => {
  it('changes one row where there is room', () => {
    expect(moveTo(rows(10, 20, 30), 2, 1)).toEqual([{ id: 3, position: 15 }])
    expect(moveTo(rows(10, 20, 30), 2, 0)).toEqual([{ id: 3, position: 0 }])
    expect(moveTo(rows(10, 20, 30), 0, 2)).toEqual([{ id: 1, position: 40 }])
  })
  it('to where it is changes nothing', () => expect(moveTo(rows(10, 20), 1, 1)).toEqual([]))
  it('leads to the order that is meant, also among equal positions, whatever is moved where', () => {
    for (const start of [rows(1, 1, 1, 1, 1), rows(1, 2, 3, 4, 5), rows(10, 10, 11, 11, 500), rows(-3, 0, 0, 1, 1)]) {
      for (let from = 0; from < 5; from++) {
        for (let to = 0; to < 5; to++) {
          const expected = ids(start).filter((id) => id !== from + 1)
          expected.splice(to, 0, from + 1)
          expect(ids(withPositions(start, moveTo(start, from, to)))).toEqual(expected)
        }
      }
    }
  })
  it('on the way the others keep their order', () => {
    for (const [from, to] of [[4, 1], [3, 1], [0, 2], [1, 3]] as const) {
      const start = rows(1, 1, 1, 1, 1)
      const others = ids(start).filter((id) => id !== from + 1)
      let now: Positioned[] = start
      for (const change of moveTo(start, from, to)) {
        now = withPositions(now, [change])
        expect(ids(now).filter((id) => id !== from + 1)).toEqual(others)
      }
    }
  })
  it('no more rows go back than have to', () => {
    expect(ids(moveTo(rows(1, 2, 500, 501), 3, 1))).toEqual([2, 4])
  })
})

describe('the order', () => {
  it('is by position, then by number', () => expect(ids(inOrder([{ id: 2, position: 1 }, { id: 1, position: 1 }, { id: 3, position: 0 }]))).toEqual([3, 1, 2]))
})
