/*
 * The order of rows that have a position, those of one position by number: what has to be changed to move one.
 */
export interface Positioned {
  id: number
  position: number
}

const STEP = 10

export function inOrder<T extends Positioned>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => a.position - b.position || a.id - b.id)
}

/**
 * Changes to make one after the other, each by itself; others never change places among each other meanwhile: first, if
 * there is no room, those behind the new place go back, the last one first; then the row goes there.
 */
export function moveTo(ordered: readonly Positioned[], from: number, to: number): Positioned[] {
  const moved = ordered[from]
  if (moved === undefined || from === to) return []
  const others = ordered.filter((row) => row !== moved)
  const before = others[to - 1]
  const after = others[to]
  if (after === undefined) return [{ id: moved.id, position: (before?.position ?? 0) + STEP }]
  if (before === undefined) return [{ id: moved.id, position: after.position - STEP }]
  if (after.position - before.position >= 2) {
    return [{ id: moved.id, position: before.position + Math.floor((after.position - before.position) / 2) }]
  }
  const back: Positioned[] = []
  let free = before.position + 2 * STEP
  for (const row of others.slice(to)) {
    if (row.position >= free) break
    back.unshift({ id: row.id, position: free })
    free += STEP
  }
  return [...back, { id: moved.id, position: before.position + STEP }]
}

export function withPositions<T extends Positioned>(rows: readonly T[], changes: readonly Positioned[]): T[] {
  const now = new Map(changes.map(({ id, position }) => [id, position]))
  return inOrder(rows.map((row) => ({ ...row, position: now.get(row.id) ?? row.position })))
}
