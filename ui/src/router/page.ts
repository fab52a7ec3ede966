/*
 * A page, as its folder's route.ts describes it; the router and the menu are made from these.
 */
import type { Component } from 'vue'
import type { Role } from '@/composables/useSession'
import type { PlainKey } from '@/i18n'

export const SECTIONS = ['overview', 'work', 'configuration', 'system'] as const
export type Section = (typeof SECTIONS)[number]

export interface Page {
  path: string
  name: string
  title: PlainKey
  component: () => Promise<Component>
  /** who may see it (viewer); 'anyone': without signing in */
  role?: Role | 'anyone'
  /** its place in the menu; without: none, as of a page that another leads to */
  menu?: { section: Section; order: number; icon: string }
}

/** What route.ts exports: one page, or several that belong together. */
export function definePages(...pages: Page[]): Page[] {
  return pages
}

declare module 'vue-router' {
  interface RouteMeta {
    title: PlainKey
    role: Role | 'anyone'
  }
}
