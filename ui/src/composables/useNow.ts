/*
 * The time, as the database has it; it moves once a second, for all who show how long ago something was.
 */
import { onScopeDispose, readonly, ref } from 'vue'
import { databaseNow } from './useSession'

const now = ref(databaseNow())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

export function useNow() {
  if (users++ === 0) {
    now.value = databaseNow()
    timer = setInterval(() => {
      if (!document.hidden) now.value = databaseNow()
    }, 1000)
  }
  onScopeDispose(() => {
    if (--users === 0) clearInterval(timer)
  })
  return readonly(now)
}
