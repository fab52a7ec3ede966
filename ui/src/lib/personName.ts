/*
 * Person Name (VR PN, PS3.5 6.2.1): up to three groups (=) of five components (^), of which the first is alphabetic,
 * the second ideographic, the third phonetic.
 */
const COMPONENTS = { family: 0, given: 1, middle: 2, prefix: 3, suffix: 4 } as const

function written(group: string): string {
  const parts = group.split('^').map((part) => part.trim())
  return Object.values(COMPONENTS).map((i) => parts[i] ?? '').filter((part) => part !== '').join(', ')
}

export interface WrittenName {
  /** the first group that says something */
  main: string
  /** the others */
  others: string[]
}

export function writtenName(name: string | null | undefined): WrittenName {
  const groups = (name ?? '').split('=').slice(0, 3).map(written).filter((group) => group !== '')
  return { main: groups[0] ?? '', others: groups.slice(1) }
}
