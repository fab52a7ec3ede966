/*
 * What a list shows stands in the URL's query: filters by their names, the order as "order=column.desc".
 * So it can be linked to, reloaded, and "back" goes back.
 */
import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter, type LocationQuery } from 'vue-router'
import type { Order } from '@/lib/keyset'

function text(query: LocationQuery, name: string): string {
  const value = query[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/** Filters by name; empty: none.  What is assigned replaces the query's. */
export function useUrlFilters<N extends string>(names: readonly N[]): WritableComputedRef<Record<N, string>> {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => Object.fromEntries(names.map((name) => [name, text(route.query, name)])) as Record<N, string>,
    set: (values) => {
      const query: LocationQuery = { ...route.query }
      for (const name of names) {
        if (values[name] === '') delete query[name]
        else query[name] = values[name]
      }
      void router.replace({ query })
    },
  })
}

/** The column that a list is ordered by; an unknown one in the URL counts as none. */
export function useUrlOrder(sortable: readonly string[], initial: Order): WritableComputedRef<Order> {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => {
      const [column = '', direction] = text(route.query, 'order').split('.')
      return sortable.includes(column) ? { column, descending: direction === 'desc' } : initial
    },
    set: ({ column, descending }) => {
      const order = column === initial.column && descending === initial.descending ? undefined : `${column}.${descending ? 'desc' : 'asc'}`
      void router.replace({ query: { ...route.query, order } })
    },
  })
}
