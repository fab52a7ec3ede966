/*
 * All pages, as the application itself has them: from src/pages/<page>/route.ts.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page as Route } from '../../src/router/page'

const folder = join(import.meta.dirname, '../../src/pages')

async function routesOf(name: string): Promise<Route[]> {
  const module = (await import(pathToFileURL(join(folder, name, 'route.ts')).href)) as { default: Route[] }
  return module.default
}

export const routes: readonly Route[] = (await Promise.all(readdirSync(folder).sort().map(routesOf))).flat()

/** Those that one has to sign in for, and are inside the shell. */
export const shellRoutes = routes.filter(({ role }) => role !== 'anyone' && role !== 'metrics')

/** What matches addresses of this route, without their query. */
export function patternOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replace(/:\w+(\([^)]*\))?/g, (_, form: string | undefined) => form ?? '([^/]+)')}$`)
}

/** The parameters of a path: it has no address of its own. */
export function hasParameters({ path }: Route): boolean {
  return path.includes(':')
}
