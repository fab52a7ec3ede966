/*
 * Where one is in a series: which object, and which of its frames.  How many frames an object has is known once
 * somebody has looked at it; until then it counts as one.
 */
export interface Position {
  /** from 0 */
  index: number
  /** from 1 */
  frame: number
}

export interface Stack {
  objects: number
  framesOf: (index: number) => number
}

function clampIndex(index: number, { objects }: Stack): number {
  return Math.min(Math.max(index, 0), Math.max(objects - 1, 0))
}

/** Frame by frame, and at the end of an object on to the next; backwards to the last frame of the one before. */
export function stepped(from: Position, by: number, stack: Stack): Position {
  let { index, frame } = from
  const direction = Math.sign(by)
  for (let left = Math.abs(by); left > 0; left--) {
    if (frame + direction >= 1 && frame + direction <= stack.framesOf(index)) frame += direction
    else if (clampIndex(index + direction, stack) === index) break
    else {
      index += direction
      frame = direction > 0 ? 1 : stack.framesOf(index)
    }
  }
  return { index, frame }
}

/** Object by object, to its first frame. */
export function skipped(from: Position, by: number, stack: Stack): Position {
  const index = clampIndex(from.index + by, stack)
  return index === from.index ? from : { index, frame: 1 }
}

export function first(): Position {
  return { index: 0, frame: 1 }
}

export function last(stack: Stack): Position {
  const index = clampIndex(stack.objects - 1, stack)
  return { index, frame: stack.framesOf(index) }
}

/** What the URL says, made to be in the stack. */
export function placed(ids: readonly number[], object: unknown, frame: unknown): Position {
  const index = Math.max(0, ids.indexOf(Number(object)))
  const n = Number(frame)
  return { index, frame: Number.isInteger(n) && n >= 1 ? n : 1 }
}
