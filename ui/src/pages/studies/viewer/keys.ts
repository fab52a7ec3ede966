/*
 * What the viewer's keys do, in words: for its menu, and for who hears the page.
 */
import { t } from '@/i18n'

const LINES = ['step', 'skip', 'ends', 'zoom', 'fit', 'actual', 'move', 'width', 'centre', 'preset', 'invert', 'reset'] as const

export function keyLines(): { key: string; does: string }[] {
  return LINES.map((name) => ({ key: t(`studies.viewer.keyHelp.${name}.key`), does: t(`studies.viewer.keyHelp.${name}.does`) }))
}

export function keysInWords(): string {
  return keyLines().map(({ key, does }) => `${key}: ${does}`).join('; ')
}
