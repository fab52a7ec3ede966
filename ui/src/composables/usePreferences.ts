/*
 * How this person likes it, kept in this browser: colours, density, which columns a table shows.
 */
import { Dark } from 'quasar'
import { reactive, watch } from 'vue'

export type Theme = 'auto' | 'light' | 'dark'
export type Density = 'compact' | 'comfortable'

export interface Preferences {
  theme: Theme
  density: Density
  /** by table: columns that are hidden */
  hiddenColumns: Record<string, string[]>
}

const KEY = 'dicomgw.preferences'
const DEFAULTS: Preferences = { theme: 'auto', density: 'compact', hiddenColumns: {} }

/** What was kept; what cannot be read is as if it were not there. */
export function readPreferences(text: string | null): Preferences {
  let kept: Partial<Preferences> = {}
  try {
    const parsed: unknown = JSON.parse(text ?? '{}')
    if (parsed !== null && typeof parsed === 'object') kept = parsed
  } catch {
    // somebody else's, or damaged
  }
  return {
    theme: kept.theme === 'light' || kept.theme === 'dark' ? kept.theme : DEFAULTS.theme,
    density: kept.density === 'comfortable' ? 'comfortable' : DEFAULTS.density,
    hiddenColumns: typeof kept.hiddenColumns === 'object' && kept.hiddenColumns !== null ? kept.hiddenColumns : {},
  }
}

const preferences = reactive(readPreferences(localStorage.getItem(KEY)))

function apply(): void {
  Dark.set(preferences.theme === 'auto' ? 'auto' : preferences.theme === 'dark')
  document.documentElement.dataset.density = preferences.density
}

/** Called once, by main.ts. */
export function applyPreferences(): void {
  apply()
  watch(preferences, () => {
    apply()
    localStorage.setItem(KEY, JSON.stringify(preferences))
  })
}

export function usePreferences(): Preferences {
  return preferences
}
