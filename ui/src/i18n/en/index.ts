/*
 * English, all of it: a file for what the pages share, and one for each page.
 */
import { associations } from './associations'
import { audit } from './audit'
import { common } from './common'
import { dashboard } from './dashboard'
import { expression } from './expression'
import { destinationFields } from './destinationFields'
import { destinations } from './destinations'
import { login } from './login'
import { peers } from './peers'
import { queue } from './queue'
import { routes } from './routes'
import { studies } from './studies'
import { system } from './system'
import { users } from './users'
import { versions } from './versions'

export const en = {
  ...common,
  associations,
  audit,
  dashboard,
  expression,
  destinationFields,
  destinations,
  login,
  peers,
  queue,
  routes,
  studies,
  system,
  users,
  versions,
} as const
