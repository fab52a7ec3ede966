/*
 * Patterns of LIKE from what people type: found anywhere, and meant as it is typed.
 */
/** For a filter of its own: % and _ are those characters; * is PostgREST's %, and cannot be escaped. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** The same inside or=(...). */
export function quotedPattern(text: string): string {
  return `"${containing(text).replace(/[\\"]/g, '\\$&')}"`
}
