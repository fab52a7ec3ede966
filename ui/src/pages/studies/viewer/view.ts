/*
 * Where a picture lies on its stage: fitted into it, zoomed and moved; and how large it has to be asked for.
 */
export interface View {
  /** of the fitted size; 1: as large as fits */
  zoom: number
  /** pixels of the screen from the middle of the stage to the middle of the picture */
  x: number
  y: number
}
/** What dragging does. */
export type Tool = 'window' | 'pan'
export interface Size {
  width: number
  height: number
}

export const FITTED: View = { zoom: 1, x: 0, y: 0 }
const LEAST = 0.05
const MOST = 40

function within(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

/** Pixels of the screen for one of the picture when it is fitted into the stage. */
export function fitScale(picture: Size, stage: Size): number {
  if (picture.width <= 0 || picture.height <= 0 || stage.width <= 0 || stage.height <= 0) return 1
  return Math.min(stage.width / picture.width, stage.height / picture.height)
}

/** Half of the picture may leave the stage, so that some of it is always seen. */
export function kept(view: View, picture: Size, stage: Size): View {
  const scale = fitScale(picture, stage) * view.zoom
  const reach = (side: number, room: number) => Math.max(0, (side * scale) / 2 - room / 2) + room / 4
  const [rx, ry] = [reach(picture.width, stage.width), reach(picture.height, stage.height)]
  return { zoom: view.zoom, x: within(view.x, -rx, rx), y: within(view.y, -ry, ry) }
}

/** Zooms so that what is under a point (from the middle of the stage) stays there. */
export function zoomedAt(view: View, factor: number, point: { x: number; y: number } = { x: 0, y: 0 }): View {
  const zoom = within(view.zoom * factor, LEAST, MOST)
  const by = zoom / view.zoom
  return { zoom, x: point.x - (point.x - view.x) * by, y: point.y - (point.y - view.y) * by }
}

/** One pixel of the picture on one of the screen. */
export function actualSize(view: View, picture: Size, stage: Size): View {
  return zoomedAt(view, 1 / fitScale(picture, stage) / view.zoom)
}

/** Percent of the picture's own size */
export function percent(view: View, picture: Size, stage: Size): number {
  return Math.round(fitScale(picture, stage) * view.zoom * 100)
}

/** Steps of 256, so that a window that changes its size by a little asks for nothing new. */
const STEP = 256

/** The side to ask for, of a square that the picture is fitted into; null: the picture as it is, which is no larger. */
export function askedSide(stage: Size, zoom: number, density: number, picture: Size): number | null {
  const shown = Math.max(stage.width, stage.height) * Math.max(zoom, 1) * density
  const side = Math.max(STEP, Math.ceil(shown / STEP) * STEP)
  return side < Math.max(picture.width, picture.height) ? side : null
}

// ---------- wheel ----------

const NOTCH = 100

/** Notches of a wheel, of a touch pad's small steps as many as make one; and what is left over. */
export function notches(rest: number, event: { deltaY: number; deltaMode: number }): { steps: number; rest: number } {
  // a wheel says whole notches, in pixels or (deltaMode 1) some three lines each
  if (event.deltaMode !== 0) return { steps: Math.sign(event.deltaY), rest: 0 }
  if (Math.abs(event.deltaY) >= NOTCH) return { steps: Math.round(event.deltaY / NOTCH), rest: 0 }
  const sum = Math.sign(rest) === -Math.sign(event.deltaY) ? event.deltaY : rest + event.deltaY
  const steps = Math.abs(sum) < NOTCH ? 0 : Math.sign(sum)
  return { steps, rest: sum - steps * NOTCH }
}
