/*
 * The names of all destinations, to choose from.
 */
import { useLive } from './useLive'
import { api, rows } from '@/api/client'

/** @param wanted false: not now, as of a dialog that is closed */
export function useDestinationNames(wanted: () => boolean = () => true) {
  return useLive(
    ['destination', 'names'],
    async (signal) => (await rows(api.from('destination').select('name').order('name').abortSignal(signal))).map(({ name }) => name),
    { enabled: wanted, interval: 60000 },
  )
}
