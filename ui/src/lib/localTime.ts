/*
 * What a field of type datetime-local holds is in the browser's zone; the server wants to know which moment it is.
 */
export function momentOf(local: string): string | null {
  const at = new Date(local)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
