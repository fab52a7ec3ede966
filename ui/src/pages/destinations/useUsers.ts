/*
 * Who names a destination or a group: routes, and groups whose member it is.
 */
import { computed } from 'vue'
import { api, rows, type Row } from '@/api/client'
import { useLive } from '@/composables/useLive'
import { t } from '@/i18n'

export type Member = Row<'destination_group_member'>

export function useUsers() {
  const routes = useLive(['route', 'targets'], (signal) => rows(api.from('route').select('name, destination, destination_group').order('position').abortSignal(signal)), { interval: 10000 })
  const members = useLive(
    ['destination_group_member'],
    (signal) => rows(api.from('destination_group_member').select().order('destination_group').order('position').order('destination').abortSignal(signal)),
    { interval: 10000 },
  )

  function ofDestination(name: string): string[] {
    return [
      ...(routes.data.value ?? []).filter((route) => route.destination === name).map((route) => t('destinations.usedByRoute', { name: route.name })),
      ...(members.data.value ?? []).filter((member) => member.destination === name).map((member) => t('destinations.usedByGroup', { name: member.destination_group })),
    ]
  }

  function ofGroup(name: string): string[] {
    return (routes.data.value ?? []).filter((route) => route.destination_group === name).map((route) => t('destinations.usedByRoute', { name: route.name }))
  }

  return {
    members: computed(() => members.data.value ?? []),
    loaded: computed(() => routes.data.value !== undefined && members.data.value !== undefined),
    error: computed(() => routes.error.value ?? members.error.value),
    refetch: () => Promise.all([routes.refetch(), members.refetch()]),
    ofDestination,
    ofGroup,
  }
}
