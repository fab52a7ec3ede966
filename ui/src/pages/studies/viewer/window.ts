/*
 * Window centre and width (PS3.3 C.11.2.1.2): which values are drawn from black to white.
 */
import type { ImageInfo } from '../studies'

export interface Window {
  center: number
  width: number
}

/** What the server is asked for: nothing (the object's own), the range of its values, or this. */
export type Windowing = { kind: 'own' } | { kind: 'full' } | { kind: 'fixed'; window: Window }

export const CT_PRESETS = {
  brain: { center: 40, width: 80 },
  subdural: { center: 75, width: 215 },
  softTissue: { center: 40, width: 400 },
  mediastinum: { center: 50, width: 350 },
  lung: { center: -600, width: 1500 },
  bone: { center: 500, width: 2000 },
} as const satisfies Record<string, Window>
export type Preset = keyof typeof CT_PRESETS

/** Only values of one channel have a window; colours are drawn as they are, and what is not drawn has none. */
export function isGrey(info: ImageInfo | undefined): boolean {
  return info !== undefined && info.displayable && info.samples_per_pixel === 1 && (info.photometric_interpretation ?? '').startsWith('MONOCHROME')
}

/** The whole range of its values; what is not known is that of a byte. */
export function fullWindow(info: ImageInfo | undefined): Window {
  const min = info?.pixel_min ?? 0
  const max = info?.pixel_max ?? 255
  return { center: (min + max) / 2, width: Math.max(1, max - min) }
}

export function ownWindow(info: ImageInfo | undefined): Window {
  if (typeof info?.window_center === 'number' && typeof info.window_width === 'number' && info.window_width > 0) {
    return { center: info.window_center, width: info.window_width }
  }
  return fullWindow(info)
}

/** The window that is drawn now, in numbers. */
export function effective(windowing: Windowing, info: ImageInfo | undefined): Window {
  switch (windowing.kind) {
    case 'own': return ownWindow(info)
    case 'full': return fullWindow(info)
    case 'fixed': return windowing.window
  }
}

/** What to ask for: no numbers while they are the object's own. */
export function asked(windowing: Windowing, info: ImageInfo | undefined): Window | null {
  if (windowing.kind === 'own' || !isGrey(info)) return null
  return effective(windowing, info)
}

/** Three digits are all that the eye tells apart, and equal requests are answered from the cache. */
function rounded(value: number, range: number): number {
  const step = 10 ** Math.floor(Math.log10(Math.max(range, 1e-6) / 1000))
  const steps = Math.round(value / step) * step
  return Number(steps.toPrecision(12))
}

/**
 * Dragging by so many pixels, to the right: wider; down: darker values, so a higher centre.  A drag over
 * 500 pixels goes through the range of the values, or of the window if that is larger.
 */
export function dragged(from: Window, dx: number, dy: number, info: ImageInfo | undefined): Window {
  const range = Math.max(fullWindow(info).width, 1)
  const perPixel = Math.max(Math.min(range, from.width * 4), 1) / 500
  const smallest = Math.min(1, range / 1000)
  return { center: rounded(from.center + dy * perPixel, range), width: Math.max(rounded(from.width + dx * perPixel, range), smallest) }
}

const KEY_PIXELS = 25

/** By key: what dragging by so many steps would do. */
export function nudged(from: Window, wider: number, darker: number, info: ImageInfo | undefined): Window {
  return dragged(from, wider * KEY_PIXELS, darker * KEY_PIXELS, info)
}

/** What was typed; null: no window. */
export function typedWindow(center: string, width: string): Window | null {
  const typed = { center: Number(center), width: Number(width) }
  if (center.trim() === '' || width.trim() === '' || !Number.isFinite(typed.center) || !Number.isFinite(typed.width) || typed.width <= 0) return null
  return typed
}

// ---------- what there is to choose from ----------

export type Choice = 'own' | 'full' | Preset

/** Presets are in Hounsfield units, which only CT has. */
export function choicesOf(ct: boolean): Choice[] {
  return ['own', 'full', ...(ct ? (Object.keys(CT_PRESETS) as Preset[]) : [])]
}

export function windowingOf(choice: Choice): Windowing {
  return choice === 'own' || choice === 'full' ? { kind: choice } : { kind: 'fixed', window: CT_PRESETS[choice] }
}

/** Which of them it is; custom: none. */
export function chosenOf(windowing: Windowing): Choice | 'custom' {
  if (windowing.kind !== 'fixed') return windowing.kind
  const { center, width } = windowing.window
  const names = Object.keys(CT_PRESETS) as Preset[]
  return names.find((name) => CT_PRESETS[name].center === center && CT_PRESETS[name].width === width) ?? 'custom'
}

export function nextChoice(windowing: Windowing, ct: boolean): Windowing {
  const choices = choicesOf(ct)
  const at = choices.findIndex((choice) => choice === chosenOf(windowing))
  return windowingOf(choices[(at + 1) % choices.length] ?? 'own')
}
