/*
 * For a dialog that is there only while it is open: afterwards the focus is where it was before, not at the top of the
 * page.  Dialogs that stay and hide do so by themselves.
 */
import { nextTick, onUnmounted } from 'vue'

export function useReturnFocus(): void {
  const before = document.activeElement
  onUnmounted(async () => {
    await nextTick()
    if (document.activeElement === document.body && before instanceof HTMLElement) before.focus()
  })
}
