/*
 * Whether the screen is a phone's: where the styles make cards of tables (styles/app.css), at the same width.
 */
import { onScopeDispose, readonly, ref } from 'vue'

const query = '(max-width: 699px)'

export function useNarrow() {
  const media = matchMedia(query)
  const narrow = ref(media.matches)
  const changed = () => {
    narrow.value = media.matches
  }
  media.addEventListener('change', changed)
  onScopeDispose(() => media.removeEventListener('change', changed))
  return readonly(narrow)
}
