/*
 * Times as a field of type datetime-local has them: in the browser's zone, without saying so.
 */
/** Empty: none. */
export function localTime(iso: string | null): string {
  if (iso === null) return ''
  const at = new Date(iso)
  const two = (n: number) => String(n).padStart(2, '0')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${time}`
}

export function isoTime(local: string): string | null {
  return local === '' ? null : new Date(local).toISOString()
}

/** null: that is no time. */
export function momentOf(local: string): string | null {
  const at = new Date(local)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
