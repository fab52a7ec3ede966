/*
 * Between the rows of the server and the fields of a form, which are texts: empty is null, intervals are seconds.
 */
import { intervalSeconds } from './format'

export function textOf(value: string | number | null): string {
  return value === null ? '' : String(value)
}

export function filled(text: string): string | null {
  return text.trim() === '' ? null : text.trim()
}

/** What is no number goes to the server as it is, which says so. */
export function numberOf(text: string): number | string | null {
  const given = filled(text)
  return given === null || Number.isNaN(Number(given)) ? given : Number(given)
}

export function secondsOf(interval: string): string {
  return String(intervalSeconds(interval))
}

export function intervalOf(seconds: string): string | null {
  const given = filled(seconds)
  return given === null ? null : `${given} seconds`
}

/** One in a line. */
export function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
}

/** The columns that are different: what somebody else has changed meanwhile stays, if he changed others. */
export function changesOf<T extends Readonly<Record<string, unknown>>>(before: T, after: T): Partial<T> {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]))) as Partial<T>
}
