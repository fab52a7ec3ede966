/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { associations } from './associations'
import { audit } from './audit'
import { common } from './common'
import { dashboard } from './dashboard'
import { login } from './login'
import { queue } from './queue'
import { studies } from './studies'
import { system } from './system'
import { users } from './users'
import { versions } from './versions'

export const en = {
  ...common,
  associations,
  audit,
  dashboard,
  login,
  queue,
  studies,
  system,
  users,
  versions,
} as const
