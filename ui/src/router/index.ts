/*
 * The pages, and who gets to them: nobody without signing in, nobody past a password that has to be changed.
 * Each page is a chunk of its own, loaded when it is wanted.
 */
import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw, type Router, type RouterHistory } from 'vue-router'
import { useSession } from '@/composables/useSession'
import { t } from '@/i18n'
import type { Page } from './page'

const found = import.meta.glob<{ default: Page[] }>('../pages/*/route.ts', { eager: true })
export const pages: readonly Page[] = Object.values(found).flatMap((module) => module.default)

/** Where a page that needs a session sends who has none, and where he goes on afterwards. */
export function signInFirst(to: RouteLocationNormalized): RouteLocationRaw {
  return { name: 'login', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
}

/** Only our own paths: "to" is in the URL, so anybody may have written it. */
export function returnPath(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? to : '/'
}

async function guard(to: RouteLocationNormalized): Promise<RouteLocationRaw | undefined> {
  if (to.meta.role === 'anyone') return undefined
  const { me, load } = useSession()
  const user = me.value ?? (await load())
  if (user === null) return signInFirst(to)
  if (user.must_change_password && to.name !== 'password') return { name: 'password', query: { to: to.fullPath } }
  return undefined
}

export function makeRouter(history: RouterHistory = createWebHistory()): Router {
  const router = createRouter({
    history,
    routes: [
      ...pages.map((page) => ({
        path: page.path,
        name: page.name,
        component: page.component,
        meta: { title: page.title, role: page.role ?? ('viewer' as const) },
      })),
      {
        path: '/:rest(.*)*',
        name: 'not-found',
        component: () => import('@/components/NotFound.vue'),
        meta: { title: 'shell.notFound' as const, role: 'viewer' as const },
      },
    ],
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  })
  router.beforeEach(guard)
  router.afterEach((to) => {
    document.title = `${t(to.meta.title)} – dicomgw`
  })
  return router
}
