/*
 * Which destinations one has to see first.
 */
interface Shown {
  state: string | null
  failed: number
}

const QUIET = ['up', 'closed', 'unknown']

function rank({ state, failed }: Shown): number {
  if (state === 'down' || state === 'probing') return 0
  if (failed > 0) return 1
  return QUIET.includes(state ?? '') ? 3 : 2
}

/** Those that are down, then those where something failed, then those that are paused; else as they come. */
export function troubledFirst<D extends Shown>(destinations: readonly D[]): D[] {
  return [...destinations].sort((a, b) => rank(a) - rank(b))
}
