/*
 * Sessions as the page shows them.
 */
import type { Row } from '@/api/client'
import type { Me } from '@/composables/useSession'
import { t } from '@/i18n'

export type Session = Row<'session'>

/** Whether it is the one that this page is using: me() says until when that is, to the microsecond, not which. */
export function isOwn(session: Pick<Session, 'username' | 'expires_at' | 'may_idle'>, me: Pick<Me, 'username' | 'expires_at'> | null): boolean {
  return me !== null && !session.may_idle && session.username === me.username && Date.parse(session.expires_at) === Date.parse(me.expires_at)
}

// The order matters: most browsers call themselves several others, too.
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\bFirefox\/(\d+)/, 'Firefox'],
  [/\b(?:Headless)?Chrom(?:e|ium)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)\S* (?:Mobile\/\S+ )?Safari\//, 'Safari'],
]
const SYSTEMS: readonly [RegExp, string][] = [
  [/\bWindows\b/, 'Windows'],
  [/\bAndroid\b/, 'Android'],
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** Firefox 128 on Windows; what is no browser that we know stays as it calls itself. */
export function agentName(agent: string): string {
  for (const [pattern, name] of BROWSERS) {
    const version = pattern.exec(agent)?.[1]
    if (version === undefined) continue
    const browser = `${name} ${version}`
    const system = SYSTEMS.find(([words]) => words.test(agent))?.[1]
    return system === undefined ? browser : t('users.session.on', { browser, system })
  }
  return agent
}
